package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/record"
)

// answer answers the node's requests to attest, one at a time, until the context ends.
func (a *Agent) answer(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-a.asked:
			if err := a.attest(ctx, m); err != nil && ctx.Err() == nil {
				a.options.Logger.Warn("not attesting", "epoch", m.Epoch, "error", err)
			}
		}
	}
}

func (a *Agent) attest(ctx context.Context, m *frame.Attest) error {
	a.mu.Lock()
	o, last := a.kept.Offer, a.kept.Report
	a.mu.Unlock()
	if o == nil {
		return errors.New("the device has no seat")
	}
	if err := a.ended(o, m.Epoch); err != nil {
		return err
	}
	if last != nil {
		r, err := frame.ParseReport(last)
		if err != nil {
			return fmt.Errorf("reading the last report: %w", err)
		}
		if r.Epoch > m.Epoch {
			return nil // it is over
		}
		if r.Epoch == m.Epoch {
			return a.again(last)
		}
	}
	rec, own, err := a.decide(o, m)
	if err != nil {
		return err
	}
	return a.report(ctx, o, m.Epoch, rec, own)
}

// ended refuses an epoch that by the device's clock goes on.
func (a *Agent) ended(o *frame.Offer, epoch uint64) error {
	since := a.options.Now().Unix() - o.EpochZero
	skew := min(int64(a.options.Skew/time.Second), o.EpochSeconds/10)
	if since < 0 || epoch >= uint64((since+skew)/o.EpochSeconds) {
		return fmt.Errorf("epoch %d has not ended", epoch)
	}
	return nil
}

// decide finds the record to attest to.
func (a *Agent) decide(o *frame.Offer, m *frame.Attest) (rec record.Record, own bool, err error) {
	a.mu.Lock()
	measured := a.measured.of(o, m.Epoch)
	a.mu.Unlock()
	if a.options.Own != nil {
		if rec, ok := a.options.Own(m.Epoch, measured); ok {
			return rec, true, nil
		}
	}
	if m.Proposal == nil {
		return rec, false, errors.New("the device has no record of its own, and was proposed none")
	}
	if err := a.device.Schema().Check(*m.Proposal); err != nil {
		return rec, false, errors.New("the proposal is outside its schema")
	}
	p := Proposal{
		Schema: a.device.Schema(), Class: a.device.Certificate().Class, Epoch: m.Epoch, Record: *m.Proposal, Formulas: m.Formulas, Measured: measured,
	}
	if err := a.options.Approve(p); err != nil {
		return rec, false, fmt.Errorf("the proposal is not approved: %w", err)
	}
	return *m.Proposal, false, nil
}

// report attests, keeps what it attested to, and only then sends it.
func (a *Agent) report(ctx context.Context, o *frame.Offer, epoch uint64, rec record.Record, own bool) error {
	if a.options.SRS == nil {
		return errors.New("the device has no powers of tau")
	}
	if s := a.options.Attesting; s != nil {
		if err := s.Acquire(ctx, 1); err != nil {
			return err
		}
		defer s.Release(1)
	}
	srs, err := a.options.SRS(o.SRS)
	if err != nil {
		return err
	}
	attestation, err := a.device.Attest(srs, o.Place(epoch), rec)
	if err != nil {
		return err
	}
	payload := (&frame.Report{Epoch: epoch, Record: rec, Attestation: attestation, Own: own}).Marshal()
	a.mu.Lock()
	kept := a.kept
	kept.Attestation, kept.Report = attestation, payload
	if err := a.options.State.Keep(kept); err != nil {
		a.mu.Unlock()
		return fmt.Errorf("keeping the attestation: %w", err)
	}
	a.kept.Attestation, a.kept.Report = attestation, payload
	a.mu.Unlock()
	a.counters.reports.Add(1)
	return a.again(payload)
}

// again sends the last report, unless it is on its way or was just delivered.
func (a *Agent) again(payload []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.pending {
		if a.pending[i].sequence == a.reported.sequence || a.pending[i].kind == frame.KindReport && a.pending[i].made.IsZero() {
			return nil
		}
	}
	r, err := frame.ParseReport(payload)
	if err != nil {
		return err
	}
	if a.reported.epoch == r.Epoch && time.Since(a.reported.at) < a.options.ResendAfter {
		return nil
	}
	sequence, err := a.appendOwn(frame.KindReport, payload)
	if err != nil {
		return err
	}
	a.reported.sequence, a.reported.epoch, a.reported.at = sequence, r.Epoch, time.Now()
	a.poke()
	return nil
}

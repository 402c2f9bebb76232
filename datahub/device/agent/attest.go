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
	if err := a.ended(m.Epoch); err != nil {
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
			a.mu.Lock()
			err := a.keep()
			a.mu.Unlock()
			if err != nil {
				return err
			}
			return a.again(last)
		}
	}
	rec, own, err := a.decide(m)
	if err != nil {
		return err
	}
	return a.report(ctx, o, m.Epoch, rec, own)
}

// ended refuses an epoch that by the device's clock and the genesis goes on.
func (a *Agent) ended(epoch uint64) error {
	g := a.options.Genesis
	skew := min(a.options.Skew, time.Duration(g.EpochSeconds)*time.Second/10)
	current, err := g.EpochAt(a.options.Now().Add(skew))
	if err != nil {
		return err
	}
	if epoch >= current {
		return fmt.Errorf("epoch %d has not ended", epoch)
	}
	return nil
}

// decide finds the record to attest to.
func (a *Agent) decide(m *frame.Attest) (rec record.Record, own bool, err error) {
	a.mu.Lock()
	measured := a.measured.of(m.Epoch)
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
	a.kept.Attestation, a.kept.Report, a.unkept = attestation, payload, true
	err = a.keep()
	a.mu.Unlock()
	if err != nil {
		return err
	}
	a.counters.reports.Add(1)
	return a.again(payload)
}

// keep keeps the last attestation if that failed before: the device will make no other one for the epoch. The caller holds the lock.
func (a *Agent) keep() error {
	if !a.unkept {
		return nil
	}
	if err := a.options.State.Keep(a.kept); err != nil {
		return fmt.Errorf("keeping the attestation: %w", err)
	}
	a.unkept = false
	return nil
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

package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// sink is what the pipeline feeds: seats, derivations, and the reports of an epoch.
type sink struct {
	*greeter
	closer      *closer
	derivations map[string]*derivation
	decoders    map[frame.Kind]ingest.Decoder
	stations    *stations
	late        string
	log         *slog.Logger
	metrics     *metrics

	mu        sync.Mutex
	accepted  []store.Device // to be stored with the batch
	snapshots map[commit.DeviceID]uint64
	epoch     uint64
}

// errLate is a refusal: its text goes into the quarantine.
var errLate = errors.New("holds readings of an epoch that is closed")

// Apply counts readings.
func (s *sink) Apply(_ context.Context, u *ingest.Upload) (ingest.Applied, error) {
	d := s.derivations[u.Known.Fleet]
	if d == nil {
		return ingest.Applied{}, fmt.Errorf("fleet %s is not configured: %w", u.Known.Fleet, ingest.ErrTryAgain)
	}
	late := d.late(u.Decoded)
	if late && s.late == "quarantine" && !u.Replay {
		return ingest.Applied{}, errLate
	}
	s.mu.Lock()
	s.epoch = max(s.epoch, u.Epoch)
	s.mu.Unlock()
	decoded, err := s.stations.decode(u.Known.ID, u.Frame, u.Decoded)
	if err != nil {
		return ingest.Applied{}, err
	}
	if n := len(decoded.Issues); n > 0 {
		s.metrics.issues.WithLabelValues(u.Frame.Kind.String()).Add(float64(n))
	}
	return ingest.Applied{Late: late}, d.add(u.Known.ID, u.Frame.Sequence, decoded)
}

// missed tells of records that a meter signed and that never came.
func (s *sink) missed(id commit.DeviceID, records uint64) {
	s.metrics.missing.Add(float64(records))
	s.log.Warn("a meter's signed records are missing", "device", id, "records", records)
}

// Accept takes a device's consent to its seat.
func (s *sink) Accept(_ context.Context, u *ingest.Upload, a *frame.Accept) error {
	row, err := s.accept(u, a)
	if err != nil || row == nil {
		return err
	}
	s.mu.Lock()
	s.accepted = append(s.accepted, *row)
	s.mu.Unlock()
	return nil
}

// Report takes a device's record of an epoch that has ended and whose chunk is not fixed yet.
func (s *sink) Report(_ context.Context, u *ingest.Upload, r *frame.Report) (*store.Report, error) {
	m, ok := s.devices.get(u.Known.ID)
	d := s.derivations[u.Known.Fleet]
	if !ok || d == nil {
		return nil, ingest.ErrTryAgain
	}
	if err := s.checkReport(&m, d, r); err != nil {
		return nil, err
	}
	now := s.clock()
	g := s.closer.of(epochOf{m.Fleet, r.Epoch})
	switch {
	case g == nil && (now.After(s.genesis.AnchorDeadline(r.Epoch)) || s.closer.over(m.Fleet, r.Epoch)):
		return nil, fmt.Errorf("epoch %d takes no reports any more", r.Epoch)
	case g == nil:
		return nil, ingest.ErrTryAgain // the closing is not that far, or was restarted
	}
	if err := g.stage(m.ID, m.Chunk, u.Frame.Sequence, r.Attestation); errors.Is(err, errAgain) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("epoch %d: %w", r.Epoch, err)
	}
	flags := []string(nil)
	if r.Own {
		flags = d.flags(m.ID, r.Epoch, r.Record)
		for _, f := range flags {
			s.metrics.flagged.WithLabelValues(f).Inc()
		}
	}
	return &store.Report{
		Fleet: m.Fleet, Device: m.ID, Chunk: m.Chunk, Slot: m.Slot, Epoch: r.Epoch, Sequence: u.Frame.Sequence, Received: u.Received,
		Record: marshalRecord(r.Record), Attestation: r.Attestation, Own: r.Own, Flags: flags,
	}, nil
}

// checkReport makes the checks that cost little. Signature, proof and opening are checked for the whole chunk at once when it is closed.
func (s *sink) checkReport(m *member, d *derivation, r *frame.Report) error {
	if s.clock().Before(s.genesis.EpochEnd(r.Epoch)) {
		return fmt.Errorf("epoch %d has not ended", r.Epoch)
	}
	if !m.active(r.Epoch) {
		return fmt.Errorf("the device is not enrolled in epoch %d", r.Epoch)
	}
	if d.schema.Check(r.Record) != nil {
		return errors.New("the record is outside its schema") // without saying how: the text is stored
	}
	a, err := commit.ParseAttestation(r.Attestation)
	if err != nil {
		return err
	}
	place := commit.Place{Ledger: s.genesis.ID(), SRS: s.srs, Fleet: m.Fleet, Chunk: m.Chunk, Size: d.fleet.ChunkSize, Slot: m.Slot, Epoch: r.Epoch}
	if a.Device != m.ID || a.Place(s.genesis.ID(), s.srs) != place {
		return errors.New("the attestation is for another device, seat or epoch")
	}
	return nil
}

// snapshotEvery is how many frames of a device may have to be read again after a restart.
const snapshotEvery = 128

// Complete adds snapshots of derivations that have moved on far enough, and stores acceptances.
func (s *sink) Complete(ctx context.Context, batch *store.Batch, touched []commit.DeviceID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.accepted) > 0 {
		if err := s.store.PutDevices(ctx, s.accepted); err != nil {
			return err
		}
		s.accepted = nil
		s.nudge()
	}
	for _, id := range touched {
		m, ok := s.devices.get(id)
		if !ok {
			continue
		}
		if snapshot := s.snapshot(&m, s.due(id)); snapshot != nil {
			s.snapshots[id] = snapshot.Sequence
			batch.Snapshots = append(batch.Snapshots, *snapshot)
		}
	}
	return nil
}

// due is the sequence from which a device's next snapshot is stored. The first is stored with the first frame that counts: it keeps the frames after it
// from being made unreadable while they are all that the device's totals can be had from.
func (s *sink) due(id commit.DeviceID) uint64 {
	if last := s.snapshots[id]; last > 0 {
		return last + snapshotEvery
	}
	return 1
}

// snapshot takes a device's snapshot, if its frames have been counted up to a number. One that cannot be taken is left out: what the device has come
// to can be had from its frames, and others go on.
func (s *sink) snapshot(m *member, from uint64) *store.Snapshot {
	d := s.derivations[m.Fleet]
	if d == nil {
		return nil
	}
	sequence, state, err := d.tracker.Snapshot(m.ID)
	if err != nil {
		if !errors.Is(err, health.ErrUnknownDevice) {
			s.log.Error("a device's totals cannot be stored", "device", m.ID, "fleet", m.Fleet, "error", err)
		}
		return nil
	}
	if sequence < from {
		return nil
	}
	return &store.Snapshot{Fleet: m.Fleet, Device: m.ID, Epoch: s.epoch, Sequence: sequence, State: state}
}

// Heard counts reports that are stored by now, and asks devices that are there again if theirs is missing.
func (s *sink) Heard(ids []commit.DeviceID, _ uint64) {
	now := s.clock()
	for e, g := range s.closer.all() {
		d := s.derivations[e.fleet]
		for _, id := range ids {
			if g.stored(id, s.closer.through(id), now, askPause) && d != nil {
				s.closer.send(id, d.attest(id, e.epoch))
			}
		}
	}
}

// refreshBatch is how many snapshots are stored at a time.
const refreshBatch = 256

// refresh stores a snapshot of every derivation of a fleet under the key of the running epoch, so that the keys of past periods can be destroyed.
func (s *sink) refresh(ctx context.Context, st *store.Store, fleet string, epoch uint64) error {
	members := s.devices.where(func(m *member) bool { return m.Fleet == fleet })
	for from := 0; from < len(members); from += refreshBatch {
		batch := &store.Batch{}
		for _, m := range members[from:min(from+refreshBatch, len(members))] {
			s.mu.Lock()
			s.epoch = max(s.epoch, epoch)
			snapshot := s.snapshot(&m, 1)
			s.mu.Unlock()
			if snapshot != nil {
				batch.Snapshots = append(batch.Snapshots, *snapshot)
			}
		}
		if len(batch.Snapshots) == 0 {
			continue
		}
		if err := st.Commit(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

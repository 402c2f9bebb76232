package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/store/driver"
)

// Batch is what is written together, or not at all. It must not be changed between calls of Commit.
type Batch struct {
	Frames []Frame
	// Progress moves devices on. A batch of frames says how far their devices are with them.
	Progress   []Progress
	Seen       []Seen
	Snapshots  []Snapshot
	Quarantine []Quarantined
	Reports    []Report

	// sealed is what an attempt whose outcome is open has written, if anything, and size how much there was to write.
	sealed *driver.Batch
	size   [6]int
}

func (b *Batch) sizes() [6]int {
	return [6]int{len(b.Frames), len(b.Progress), len(b.Seen), len(b.Snapshots), len(b.Quarantine), len(b.Reports)}
}

func (b *Batch) empty() bool { return b.sizes() == [6]int{} }

// Commit writes a batch in one transaction. When it returns nil the batch survives a crash of the process and of the machine. When
// it fails nothing was written, but for ErrUnavailable and a context that ended, where that is open: committing the same Batch again
// settles it, and writes it once. ErrConflict says that a frame of one of the devices and sequences is stored already.
//
// A snapshot takes the place of the device's snapshot of the same epoch, a report that of the device's report of the same epoch.
// Quarantined frames get their IDs. Frames count to their fleet and epoch.
func (s *Store) Commit(ctx context.Context, b *Batch) error {
	if b.empty() {
		return nil
	}
	began := time.Now()
	err := s.commit(ctx, b)
	if err != nil {
		s.metrics.failures.WithLabelValues(kindOfFailure(err)).Inc()
		return fmt.Errorf("committing a batch of %d frames: %w", len(b.Frames), err)
	}
	s.metrics.commit.Observe(time.Since(began).Seconds())
	s.metrics.frames.Add(float64(len(b.Frames)))
	size := 0
	for i := range b.Frames {
		size += len(b.Frames[i].Payload)
	}
	s.metrics.bytes.Add(float64(size))
	return nil
}

// keyAttempts bounds how often something is sealed again since the key that it was sealed under is gone.
const keyAttempts = 3

func (s *Store) commit(ctx context.Context, b *Batch) error {
	return s.withKeys(func() ([]driver.KeyUse, error) {
		if err := s.seal(ctx, b); err != nil {
			return nil, err
		}
		uses := b.sealed.Keys
		return uses, s.commitSealed(ctx, b)
	})
}

// withKeys runs what seals and writes, again if the keys that it used turn out not to be in the database any more: the database was
// restored or another server took over, or another process shreds, which shows when the keys are opened again.
func (s *Store) withKeys(write func() ([]driver.KeyUse, error)) error {
	for n := 1; ; n++ {
		uses, err := write()
		if !errors.Is(err, driver.ErrKey) {
			return err
		}
		s.ring.forget(uses)
		if n == keyAttempts {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

func (s *Store) commitSealed(ctx context.Context, b *Batch) error {
	dropped, err := s.driver.Commit(ctx, b.sealed)
	if errors.Is(err, ErrConflict) || errors.Is(err, driver.ErrKey) {
		written, lookErr := s.written(ctx, b.sealed)
		if lookErr != nil {
			return lookErr
		}
		if written {
			err = nil
		}
	}
	if open := errors.Is(err, ErrUnavailable) || ctx.Err() != nil; err == nil || !open {
		b.sealed = nil
	}
	s.metrics.dropped.Add(float64(dropped))
	return err
}

// seal seals a batch, unless that was done by an attempt whose outcome is open.
func (s *Store) seal(ctx context.Context, b *Batch) error {
	if b.sealed != nil {
		if b.sizes() != b.size {
			return errors.New("the batch was changed while it was open whether it is written")
		}
		return nil
	}
	if err := b.check(); err != nil {
		return err
	}
	rows, err := s.sealBatch(ctx, b)
	b.sealed, b.size = rows, b.sizes()
	return err
}

// written reports whether it was this very batch that wrote the rows which are in its way: an earlier attempt, the answer to which was
// lost. A sealed body has a random nonce, so that it is the same only if it is that one; and a batch is written whole.
func (s *Store) written(ctx context.Context, rows *driver.Batch) (bool, error) {
	if len(rows.Frames) > 0 {
		f := &rows.Frames[0]
		there, err := s.driver.FramesAt(ctx, []FrameID{{Device: f.Device, Sequence: f.Sequence}})
		if err != nil {
			return false, err
		}
		return len(there) == 1 && bytes.Equal(there[0].Sealed, f.Sealed), nil
	}
	if len(rows.Quarantine) > 0 {
		q := &rows.Quarantine[0]
		sealed, err := s.driver.HasQuarantined(ctx, q.ID)
		return err == nil && bytes.Equal(sealed, q.Sealed), err
	}
	return false, nil
}

// sealBatch seals what a batch holds, and leaves out what later rows of the batch replace.
func (s *Store) sealBatch(ctx context.Context, b *Batch) (*driver.Batch, error) {
	out := &driver.Batch{Progress: furthest(b.Progress), Seen: latest(b.Seen),
		QuarantinePerDevice: s.options.QuarantinePerDevice, QuarantineTotal: s.options.QuarantineTotal}
	used := &usedKeys{ring: s.ring}
	for _, step := range []func(context.Context, *Batch, *usedKeys, *driver.Batch) error{s.sealFrames, s.sealSnapshots, s.sealQuarantine, s.sealReports} {
		if err := step(ctx, b, used, out); err != nil {
			return nil, err
		}
	}
	for _, key := range used.keys {
		out.Keys = append(out.Keys, key.use)
	}
	return out, nil
}

// usedKeys are the keys that a batch is sealed under, one of each period.
type usedKeys struct {
	ring *keyring
	keys []*openKey
}

func (u *usedKeys) of(ctx context.Context, fleet string, epoch uint64) (*openKey, error) {
	p := u.ring.period(fleet, epoch)
	for _, key := range u.keys {
		if key.use.Period == p.number && key.use.Fleet == p.fleet {
			return key, nil
		}
	}
	key, err := u.ring.forWriting(ctx, fleet, epoch)
	if err == nil {
		u.keys = append(u.keys, key)
	}
	return key, err
}

func (s *Store) sealFrames(ctx context.Context, b *Batch, used *usedKeys, out *driver.Batch) error {
	out.Frames = make([]driver.Frame, len(b.Frames))
	for i := range b.Frames {
		f := &b.Frames[i]
		key, err := used.of(ctx, f.Fleet, f.Epoch)
		if err != nil {
			return err
		}
		row := driver.Frame{Fleet: f.Fleet, Device: f.Device, Epoch: f.Epoch, Sequence: f.Sequence, Received: f.Received,
			Kind: f.Kind, Readings: f.Readings, Late: f.Late}
		row.Sealed = seal(key, framePlace(&row), f.Payload)
		out.Frames[i] = row
	}
	return nil
}

// framePlace binds every column of a frame.
func framePlace(f *driver.Frame) place {
	at := binary.BigEndian.AppendUint64(make([]byte, 0, 24), f.Sequence)
	at = binary.BigEndian.AppendUint64(at, uint64(driver.Micros(f.Received)))
	at = append(at, f.Kind, flag(f.Late))
	at = binary.BigEndian.AppendUint32(at, f.Readings)
	return place{frameBody, f.Fleet, f.Device, f.Epoch, at}
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// furthest keeps one progress of each device.
func furthest(all []Progress) []Progress {
	return merge(all, func(p *Progress) any { return p.Device }, func(into, p *Progress) { into.Through = max(into.Through, p.Through) })
}

// latest keeps one time of each device.
func latest(all []Seen) []Seen {
	return merge(all, func(s *Seen) any { return s.Device }, func(into, s *Seen) {
		if s.At.After(into.At) {
			into.At = s.At
		}
	})
}

// merge keeps one row for each key, into which those that follow are merged.
func merge[R any](rows []R, key func(*R) any, into func(*R, *R)) []R {
	out := make([]R, 0, len(rows))
	at := make(map[any]int, len(rows))
	for i := range rows {
		k := key(&rows[i])
		if j, there := at[k]; there {
			into(&out[j], &rows[i])
			continue
		}
		at[k] = len(out)
		out = append(out, rows[i])
	}
	return out
}

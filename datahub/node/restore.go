package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

const (
	// recoverFrames is how many stored frames are read at a time.
	recoverFrames = 256
	// stationFrames is how many of a charging pile's frames before its snapshot are read again: what a session is about stands in its first messages, and
	// snapshots do not hold it.
	stationFrames = 512
	// progressEvery is how often it is said how far a long recovery is.
	progressEvery = 10 * time.Second
)

// restore brings derivations to where the store is: snapshots, and the frames after them. Rows that cannot be read stop nobody: a derivation goes on
// from those that are left.
func (s *sink) restore(ctx context.Context, st *store.Store) error {
	counted := map[commit.DeviceID]uint64{}
	for fleet, d := range s.derivations {
		if err := s.restoreSnapshots(ctx, st, fleet, d, counted); err != nil {
			return err
		}
	}
	members := s.devices.where(func(m *member) bool { return m.Through > 0 })
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	going := newProgress(s.log, len(members))
	defer going.stop()
	for _, m := range members {
		s.snapshots[m.ID] = counted[m.ID]
		group.Go(func() error {
			if err := s.replay(each, st, &m, counted[m.ID]); err != nil {
				return fmt.Errorf("device %s: %w", m.ID, err)
			}
			going.done.Add(1)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return s.restoreEnds(ctx, st)
}

// restoreSnapshots takes up a fleet's snapshots, and notes how far they count.
func (s *sink) restoreSnapshots(ctx context.Context, st *store.Store, fleet string, d *derivation, counted map[commit.DeviceID]uint64) error {
	refused := 0
	var last error
	for snapshot, err := range st.Snapshots(ctx, fleet) {
		switch {
		case errors.Is(err, store.ErrTampered):
			s.log.Error("a device's totals were altered in the store: its derivation and those that follow it there begin with the frames that are left", "fleet", fleet, "error", err)
			continue
		case err != nil:
			return err
		case snapshot.Shredded:
			s.log.Warn("a device's totals were shredded: its derivation begins with the frames that are left", "device", snapshot.Device,
				"fleet", fleet, "epoch", snapshot.Epoch)
			continue
		}
		if err := d.tracker.Restore(snapshot.Device, snapshot.Sequence, snapshot.State); err != nil {
			refused, last = refused+1, err
			continue
		}
		counted[snapshot.Device] = snapshot.Sequence
	}
	if refused > 0 {
		s.log.Warn("derivations start again from the stored frames, and without what came before them: were the fleet's figures changed?",
			"fleet", fleet, "devices", refused, "error", last)
	}
	return nil
}

// restoreEnds draws the lines again that were drawn under epochs, after all that was counted before them.
func (s *sink) restoreEnds(ctx context.Context, st *store.Store) error {
	for fleet, d := range s.derivations {
		epoch, any, err := lastDrawn(ctx, st, fleet)
		if err != nil {
			return err
		}
		if any {
			d.end(epoch, s.genesis.EpochEnd(epoch))
			s.closer.draw(fleet, epoch)
		}
	}
	return nil
}

// drawnAmong is among how many closings the last line is looked for. Those of several epochs may go on at a time.
const drawnAmong = 8

// lastDrawn finds the last epoch under which a line was drawn for sure: its closing has ended, or a chunk of it is fixed. One whose closing had only
// begun when the node was stopped has its line before it: what devices and broker kept meanwhile is in time.
func lastDrawn(ctx context.Context, st *store.Store, fleet string) (epoch uint64, any bool, err error) {
	last, err := st.Closings(ctx, fleet, drawnAmong)
	if err != nil {
		return 0, false, err
	}
	for _, row := range last {
		if !row.Ended.IsZero() {
			return row.Epoch, true, nil
		}
		fixed, err := st.Chunks(ctx, fleet, row.Epoch)
		if err != nil && !errors.Is(err, store.ErrTampered) {
			return 0, false, err
		}
		if err != nil || len(fixed) > 0 {
			return row.Epoch, true, nil
		}
	}
	return 0, false, nil
}

// replay counts a device's stored frames after a snapshot.
func (s *sink) replay(ctx context.Context, st *store.Store, m *member, after uint64) error {
	d := s.derivations[m.Fleet]
	if d == nil {
		return nil
	}
	if d.fleet.Schema != batterySchema {
		after -= min(after, stationFrames) // what is counted is not counted again
	}
	for limit := recoverFrames; after < m.Through; {
		frames, err := st.Frames(ctx, m.ID, after, limit)
		switch {
		case errors.Is(err, store.ErrTampered) && limit > 1:
			limit = 1 // finds the one
			continue
		case errors.Is(err, store.ErrTampered):
			s.log.Error("a stored frame was altered: it is left out of what the device's totals are counted from", "device", m.ID, "error", err)
			after, limit = after+1, recoverFrames
			continue
		case err != nil || len(frames) == 0:
			return err
		}
		for i := range frames {
			after = frames[i].Sequence
			if err := s.count(m, d, &frames[i]); err != nil {
				return fmt.Errorf("stored frame %d: %w", after, err)
			}
		}
	}
	return nil
}

// count counts a stored frame.
func (s *sink) count(m *member, d *derivation, stored *store.Frame) error {
	if stored.Shredded {
		return nil
	}
	f, err := frame.Parse(stored.Payload)
	if err != nil {
		return err
	}
	decode := s.decoders[f.Kind]
	if decode == nil {
		return nil
	}
	decoded, err := decode(&ingest.Known{ID: m.ID, Fleet: m.Fleet, Key: m.key}, f)
	if err == nil {
		decoded, err = s.stations.decode(m.ID, f, decoded)
	}
	if err != nil {
		return nil // it was refused, or the decoder has become stricter since
	}
	return d.add(m.ID, stored.Sequence, decoded)
}

// progress says how far a recovery is that takes long.
type progress struct {
	done atomic.Int64
	stop func()
}

func newProgress(log *slog.Logger, of int) *progress {
	p, over := &progress{}, make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		tick := time.NewTicker(progressEvery)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				log.Info("reading stored frames before devices are let in", "devices", p.done.Load(), "of", of)
			}
		}
	})
	p.stop = sync.OnceFunc(func() { close(over); wait.Wait() })
	return p
}

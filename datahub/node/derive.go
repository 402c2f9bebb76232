package node

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// derivation derives the records of a fleet's devices from their frames.
type derivation struct {
	fleet    *Fleet
	schema   *record.Schema
	bounds   health.Bounds
	tracker  *health.Tracker
	formulas string
	closed   atomic.Int64 // the end of the last epoch that was closed, Unix µs
}

func newDerivation(f *Fleet, zero, seconds int64) (*derivation, error) {
	d := &derivation{fleet: f, formulas: health.Formulas}
	var err error
	if d.schema, err = record.Lookup(f.Schema); err != nil {
		return nil, err
	}
	if d.bounds, err = f.bounds(d.schema); err != nil {
		return nil, err
	}
	o := health.TrackerOptions{Schema: f.Schema, EpochZero: zero, EpochSeconds: seconds}
	if f.Schema == "battery/v1" {
		if o.Battery, err = f.Battery.Figures(); err != nil {
			return nil, err
		}
	} else {
		d.formulas = health.ChargerFormulas
	}
	d.tracker, err = health.NewTracker(o)
	return d, err
}

// add counts a frame.
func (d *derivation) add(id commit.DeviceID, sequence uint64, decoded *telemetry.Decoded) error {
	var err error
	if d.fleet.Schema == "battery/v1" {
		err = d.tracker.Add(id, sequence, batteryReadings(decoded.Readings))
	} else {
		err = d.tracker.AddMeterings(id, sequence, chargerReadings(decoded.Meterings))
	}
	if errors.Is(err, health.ErrCounted) {
		return nil // it was before a restart
	}
	return err
}

// batteryReadings are those readings that charge can be counted from.
func batteryReadings(in []telemetry.Reading) []health.Reading {
	out := make([]health.Reading, 0, len(in))
	for i := range in {
		r := &in[i]
		if !r.VoltageMicroV.Known || !r.CurrentMicroA.Known {
			continue
		}
		out = append(out, health.Reading{
			TimeMicros: r.TimeMicros, VoltageMicroV: r.VoltageMicroV.Value, CurrentMicroA: r.CurrentMicroA.Value, TemperatureMilliC: r.HottestMilliC,
			LowestCellMicroV: r.LowestCellMicroV, HighestCellMicroV: r.HighestCellMicroV, Alarm: r.AlarmLevel > 0 || r.AlarmFlags != 0,
		})
	}
	return out
}

var chargerEvents = map[telemetry.Event]health.ChargerEvent{
	telemetry.Begin: health.SessionBegun, telemetry.End: health.SessionEnded, telemetry.Exception: health.RegisterUnreliable,
}

func chargerReadings(in []telemetry.Metering) []health.ChargerReading {
	out := make([]health.ChargerReading, len(in))
	for i := range in {
		m := &in[i]
		out[i] = health.ChargerReading{
			TimeMicros: m.TimeMicros, Meter: m.Meter, Transaction: m.Transaction, Event: chargerEvents[m.Event], ImportMilliWh: m.ImportMilliWh,
			PowerMilliW: m.PowerMilliW, RevenueCents: m.RevenueCents, Fault: m.Fault, Down: m.Event == telemetry.Down,
		}
	}
	return out
}

// late says whether an upload holds something of an epoch that is closed.
func (d *derivation) late(decoded *telemetry.Decoded) bool {
	closed := d.closed.Load()
	for i := range decoded.Readings {
		if decoded.Readings[i].TimeMicros < closed {
			return true
		}
	}
	for i := range decoded.Meterings {
		if decoded.Meterings[i].TimeMicros < closed {
			return true
		}
	}
	return false
}

// end draws the line under an epoch.
func (d *derivation) end(epoch uint64, at time.Time) {
	d.tracker.EpochEnd(epoch)
	for {
		before := d.closed.Load()
		if at.UnixMicro() <= before || d.closed.CompareAndSwap(before, at.UnixMicro()) {
			return
		}
	}
}

// attest is what a device is asked for at the end of an epoch.
func (d *derivation) attest(id commit.DeviceID, epoch uint64) *frame.Attest {
	a := &frame.Attest{Epoch: epoch, Formulas: d.formulas}
	if h, err := d.tracker.Derive(id, epoch); err == nil && d.schema.Check(h.Record) == nil {
		a.Proposal = &h.Record
	}
	return a
}

// flags say where a device's own record disagrees with its readings.
func (d *derivation) flags(id commit.DeviceID, epoch uint64, own record.Record) []string {
	h, err := d.tracker.Derive(id, epoch)
	if err != nil {
		h.Record = record.Record{}
	}
	return health.Compare(own, h.Record, d.schema, d.bounds)
}

// recoverFrames is how many stored frames are read at a time.
const recoverFrames = 256

// restore brings derivations to where the store is: snapshots, and the frames after them.
func (s *sink) restore(ctx context.Context, st *store.Store) error {
	counted := map[commit.DeviceID]uint64{}
	for fleet, d := range s.derivations {
		for snapshot, err := range st.Snapshots(ctx, fleet) {
			if err != nil {
				return err
			}
			if snapshot.Shredded {
				s.log.Warn("a device's totals were shredded: its derivation begins with the frames that are left", "device", snapshot.Device,
					"fleet", fleet, "epoch", snapshot.Epoch)
				continue
			}
			if err := d.tracker.Restore(snapshot.Device, snapshot.Sequence, snapshot.State); err != nil {
				s.log.Warn("a derivation starts again from the stored frames", "device", snapshot.Device, "error", err)
				continue
			}
			counted[snapshot.Device] = snapshot.Sequence
		}
	}
	group, each := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, m := range s.devices.where(func(m *member) bool { return m.Through > 0 }) {
		s.snapshots[m.ID] = counted[m.ID]
		group.Go(func() error {
			if err := s.replay(each, st, &m, counted[m.ID]); err != nil {
				return fmt.Errorf("device %s: %w", m.ID, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return s.restoreEnds(ctx, st)
}

// restoreEnds draws the lines again that were drawn under epochs, after all that was counted before them.
func (s *sink) restoreEnds(ctx context.Context, st *store.Store) error {
	for fleet, d := range s.derivations {
		last, err := st.Closings(ctx, fleet, 1)
		if err != nil {
			return err
		}
		if len(last) > 0 {
			d.end(last[0].Epoch, s.genesis.EpochEnd(last[0].Epoch))
		}
	}
	return nil
}

// replay counts a device's stored frames after a snapshot.
func (s *sink) replay(ctx context.Context, st *store.Store, m *member, after uint64) error {
	d := s.derivations[m.Fleet]
	for d != nil && after < m.Through {
		frames, err := st.Frames(ctx, m.ID, after, recoverFrames)
		if err != nil || len(frames) == 0 {
			return err
		}
		for i := range frames {
			after = frames[i].Sequence
			if frames[i].Shredded {
				continue
			}
			f, err := frame.Parse(frames[i].Payload)
			if err != nil {
				return fmt.Errorf("stored frame %d: %w", after, err)
			}
			decode := s.decoders[f.Kind]
			if decode == nil {
				continue
			}
			decoded, err := decode(&ingest.Known{ID: m.ID, Fleet: m.Fleet, Key: m.key}, f)
			if err != nil {
				continue // it was refused, or the decoder has become stricter since
			}
			if err := d.add(m.ID, after, decoded); err != nil {
				return err
			}
		}
	}
	return nil
}

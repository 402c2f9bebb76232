package node

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/assay-net/assay/datahub/health"
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
	if f.Schema == batterySchema {
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
	if d.fleet.Schema == batterySchema {
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

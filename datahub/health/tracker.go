package health

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

var (
	// ErrCounted says that a frame of that number, or a later one, has been counted already. Nothing was changed.
	ErrCounted = errors.New("the frame has been counted already")
	// ErrUnknownDevice says that nothing of a device has been counted.
	ErrUnknownDevice = errors.New("nothing of the device has been counted")
)

// TrackerOptions say what a Tracker has to know of its devices.
type TrackerOptions struct {
	// Schema is battery/v1 or charger/v1.
	Schema string
	// Battery is the figures of every device, if the schema is battery/v1, Charger if it is charger/v1. Zero fields take their defaults.
	Battery Battery
	Charger Charger
	// EpochZero is the start of epoch 0 in Unix seconds, EpochSeconds the length of an epoch.
	EpochZero, EpochSeconds int64
	// Report, if it is set, receives each issue. It is called while the device is locked, by several goroutines for several devices. An issue may
	// quote a reading: it is as secret as that. Its line is the number of the frame.
	Report func(device [32]byte, i Issue)
}

// Tracker derives the records of many devices from their frames. It is safe for concurrent use; the calls for one device take effect one
// after the other, so whoever makes them must make them in the order of its frames.
type Tracker struct {
	options TrackerOptions
	clock   *epochClock
	// mark stands for the figures and the epochs in every snapshot.
	mark [8]byte
	// closed is the last epoch that was closed, noEpoch before there is one.
	closed atomic.Int64
	shards [64]shard
}

// shard is a part of the devices.
type shard struct {
	mu      sync.RWMutex
	devices map[[32]byte]*tracked
}

// tracked is one device.
type tracked struct {
	mu       sync.Mutex
	sequence uint64
	series   series
}

// series is the readings of one device by Unix time.
type series interface {
	settle(closed int64)
	derive(epoch int64) (Health, error)
	snapshot(b []byte, mark [8]byte) ([]byte, error)
	resume(state []byte, mark [8]byte) error
}

// NewTracker starts without any device.
func NewTracker(o TrackerOptions) (*Tracker, error) {
	clock, err := newEpochClock(o.EpochZero, o.EpochSeconds)
	if err != nil {
		return nil, err
	}
	var figures []int64
	switch o.Schema {
	case "battery/v1":
		o.Battery = o.Battery.withDefaults()
		figures, err = o.Battery.figures(), o.Battery.check()
	case "charger/v1":
		o.Charger = o.Charger.withDefaults()
		figures, err = o.Charger.figures(), o.Charger.Check()
	default:
		err = fmt.Errorf("schema %q: must be battery/v1 or charger/v1", o.Schema)
	}
	if err != nil {
		return nil, err
	}
	t := &Tracker{options: o, clock: clock, mark: figuresMark(append(figures, clock.zeroMicros, clock.lengthMicros)...)}
	t.closed.Store(noEpoch)
	for i := range t.shards {
		t.shards[i].devices = map[[32]byte]*tracked{}
	}
	return t, nil
}

// Add counts a frame of a battery's readings. Their TimeMicros is Unix time; WallMicros and Line are not looked at. A frame without readings only
// moves the sequence on. ErrCounted says that the frame, or a later one, was counted before.
func (t *Tracker) Add(device [32]byte, sequence uint64, readings []Reading) error {
	if t.options.Schema != "battery/v1" {
		return fmt.Errorf("readings of a battery do not go into records of schema %s", t.options.Schema)
	}
	return t.count(device, sequence, func(s series) {
		battery := s.(*batterySeries)
		for _, r := range readings {
			r.Line = int(sequence)
			battery.add(r)
		}
	})
}

// AddMeterings counts a frame of a charging pile's readings, as Add does those of a battery.
func (t *Tracker) AddMeterings(device [32]byte, sequence uint64, readings []ChargerReading) error {
	if t.options.Schema != "charger/v1" {
		return fmt.Errorf("readings of a charging pile do not go into records of schema %s", t.options.Schema)
	}
	return t.count(device, sequence, func(s series) {
		charger := s.(*chargerSeries)
		for _, r := range readings {
			r.Line = int(sequence)
			charger.a.Add(r)
		}
	})
}

func (t *Tracker) count(device [32]byte, sequence uint64, add func(series)) error {
	d := t.device(device)
	d.mu.Lock()
	defer d.mu.Unlock()
	if sequence <= d.sequence {
		return ErrCounted
	}
	d.sequence = sequence
	d.series.settle(t.closed.Load())
	add(d.series)
	return nil
}

// EpochEnd closes an epoch and all before it: the figures that make its records stay as they are from here on. Readings of it that come later
// count towards what is counted since the first reading, and towards nothing else.
func (t *Tracker) EpochEnd(epoch uint64) {
	closed := t.clock.bounded(epoch)
	for {
		before := t.closed.Load()
		if closed <= before || t.closed.CompareAndSwap(before, closed) {
			return
		}
	}
}

// Derive makes a device's record of an epoch: the running one, or the last one before it with readings. ErrNoReadings, ErrNotKept and ErrUnknownDevice
// are errors of their own; every other error says what is missing for a record. Asking changes nothing.
func (t *Tracker) Derive(device [32]byte, epoch uint64) (Health, error) {
	if epoch > uint64(t.clock.last()) {
		return Health{}, ErrNoReadings
	}
	var h Health
	err := t.with(device, func(d *tracked) (err error) {
		h, err = d.series.derive(int64(epoch))
		return err
	})
	return h, err
}

// usualState is room for most snapshots, in bytes.
const usualState = 512

// Snapshot returns a device's state and the number of the last frame that is counted in it.
func (t *Tracker) Snapshot(device [32]byte) (sequence uint64, state []byte, err error) {
	err = t.with(device, func(d *tracked) (err error) {
		sequence = d.sequence
		state, err = d.series.snapshot(make([]byte, 0, usualState), t.mark)
		return err
	})
	return sequence, state, err
}

// Restore goes on from a snapshot, in place of whatever was counted of the device. It must have been taken with the same options but Report;
// ErrOtherFigures says that it was not.
func (t *Tracker) Restore(device [32]byte, sequence uint64, state []byte) error {
	d := &tracked{sequence: sequence, series: t.newSeries(device)}
	if err := d.series.resume(state, t.mark); err != nil {
		return err
	}
	s := t.shard(device)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.devices[device] = d
	return nil
}

// Forget drops a device.
func (t *Tracker) Forget(device [32]byte) {
	s := t.shard(device)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.devices, device)
}

// Devices is how many devices there are.
func (t *Tracker) Devices() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		n += len(s.devices)
		s.mu.RUnlock()
	}
	return n
}

// with calls do for a known device, with the closed epochs settled.
func (t *Tracker) with(device [32]byte, do func(*tracked) error) error {
	s := t.shard(device)
	s.mu.RLock()
	d := s.devices[device]
	s.mu.RUnlock()
	if d == nil {
		return ErrUnknownDevice
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.series.settle(t.closed.Load())
	return do(d)
}

// device finds a device, or begins with it.
func (t *Tracker) device(device [32]byte) *tracked {
	s := t.shard(device)
	s.mu.RLock()
	d := s.devices[device]
	s.mu.RUnlock()
	if d != nil {
		return d
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if d = s.devices[device]; d == nil {
		d = &tracked{series: t.newSeries(device)}
		s.devices[device] = d
	}
	return d
}

func (t *Tracker) newSeries(device [32]byte) series {
	var report func(Issue)
	if t.options.Report != nil {
		report = func(i Issue) { t.options.Report(device, i) }
	}
	if t.options.Schema == "charger/v1" {
		return newChargerSeries(t.options.Charger, t.clock, report)
	}
	return newBatterySeries(t.options.Battery, t.clock, report)
}

// shard picks by the device's last byte: identities are hashes.
func (t *Tracker) shard(device [32]byte) *shard { return &t.shards[device[31]%uint8(len(t.shards))] }

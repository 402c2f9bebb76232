package health_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

// The test fleet's epochs are of four hours. Epoch 10 has the full cycle of 248 minutes and eight minutes of the hours before it.
const (
	epochZero    = int64(1_780_000_000)
	epochSeconds = int64(4 * 3600)
)

func trackerOptions() health.TrackerOptions {
	return health.TrackerOptions{Schema: "battery/v1", Battery: testBattery, EpochZero: epochZero, EpochSeconds: epochSeconds}
}

func newTracker(t fataler, o health.TrackerOptions) *health.Tracker {
	tracker, err := health.NewTracker(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return tracker
}

// microsOf is the time of a minute of an epoch.
func microsOf(epoch, minutes int64) int64 {
	return (epochZero+epoch*epochSeconds)*1_000_000 + minutes*minute
}

// at moves readings to a time.
func at(micros int64, readings []health.Reading) []health.Reading {
	moved := slices.Clone(readings)
	for i := range moved {
		moved[i].TimeMicros += micros - readings[0].TimeMicros
	}
	return moved
}

func deviceOf(n int) [32]byte { return [32]byte{byte(n), byte(n >> 8), 31: byte(n)} }

// feed counts readings in frames of ten, from a frame on, and returns the number of the next frame.
func feed(t fataler, tracker *health.Tracker, device [32]byte, sequence uint64, readings []health.Reading) uint64 {
	for part := range slices.Chunk(readings, 10) {
		if err := tracker.Add(device, sequence, part); err != nil {
			t.Fatalf("frame %d: %v", sequence, err)
		}
		sequence++
	}
	return sequence
}

func derived(t fataler, tracker *health.Tracker, device [32]byte, epoch uint64) record.Record {
	h, err := tracker.Derive(device, epoch)
	if err != nil {
		t.Fatalf("epoch %d: %v", epoch, err)
	}
	return h.Record
}

// warm sets the temperature of readings.
func warm(milliC int64, readings []health.Reading) []health.Reading {
	for i := range readings {
		readings[i].TemperatureMilliC = health.Known(milliC)
	}
	return readings
}

func TestTrackerEpochs(t *testing.T) {
	tracker, device := newTracker(t, trackerOptions()), deviceOf(1)
	if _, err := tracker.Derive(device, 10); !errors.Is(err, health.ErrUnknownDevice) {
		t.Fatalf("an unknown device: %v", err)
	}
	cycle := at(microsOf(10, -8), fullDrive().readings) // ends in the last minute of epoch 10
	next := feed(t, tracker, device, 1, cycle)
	want := cleanRecord
	if got := derived(t, tracker, device, 10); got != want {
		t.Errorf("epoch 10: %v, want %v", got, want)
	}
	rest := new(drive).at(5, 0, 3300, 3300).readings
	next = feed(t, tracker, device, next, warm(31_000, at(microsOf(11, 0), rest)))
	if got := derived(t, tracker, device, 10); got != want {
		t.Errorf("epoch 10 after readings of epoch 11: %v, want %v", got, want)
	}
	later := want
	later[peakTemperature] = 710
	if got := derived(t, tracker, device, 11); got != later {
		t.Errorf("epoch 11: %v, want %v", got, later)
	}
	if _, err := tracker.Derive(device, 9); !errors.Is(err, health.ErrNotKept) {
		t.Errorf("an epoch that is gone: %v", err)
	}
	if _, err := tracker.Derive(device, 12); !errors.Is(err, health.ErrNoReadings) {
		t.Errorf("an epoch to come: %v", err)
	}
	tracker.EpochEnd(11)
	tracker.EpochEnd(3) // changes nothing
	next = feed(t, tracker, device, next, warm(55_000, at(microsOf(11, 5), rest)))
	if got := derived(t, tracker, device, 11); got != later {
		t.Errorf("epoch 11 after a reading that came too late: %v, want %v", got, later)
	}
	feed(t, tracker, device, next, warm(20_000, at(microsOf(12, 0), rest)))
	later[peakTemperature], later[ageDays] = 600, 0
	if got := derived(t, tracker, device, 12); got != later {
		t.Errorf("epoch 12: %v, want %v", got, later)
	}
}

// What is counted since the first reading includes readings that came too late for their epoch.
func TestTrackerClosedEpochCounts(t *testing.T) {
	tracker, device := newTracker(t, trackerOptions()), deviceOf(1)
	tracker.EpochEnd(10)
	cycle := at(microsOf(10, -8), fullDrive().readings)
	cycle[100].Alarm = true
	next := feed(t, tracker, device, 1, cycle)
	if _, err := tracker.Derive(device, 10); !errors.Is(err, health.ErrNoReadings) {
		t.Errorf("a closed epoch: %v", err)
	}
	feed(t, tracker, device, next, at(microsOf(11, 0), new(drive).at(2, 0, 3300, 3300).readings))
	want := cleanRecord
	want[faultCount] = 1
	if got := derived(t, tracker, device, 11); got != want {
		t.Errorf("epoch 11: %v, want %v", got, want)
	}
}

func TestTrackerSequence(t *testing.T) {
	tracker, device := newTracker(t, trackerOptions()), deviceOf(1)
	readings := at(microsOf(10, 0), fullDrive().readings)
	for _, step := range []struct {
		sequence uint64
		want     error
	}{{0, health.ErrCounted}, {1, nil}, {1, health.ErrCounted}, {5, nil}, {4, health.ErrCounted}, {6, nil}} {
		if err := tracker.Add(device, step.sequence, readings); !errors.Is(err, step.want) {
			t.Errorf("frame %d: %v, want %v", step.sequence, err, step.want)
		}
	}
	if sequence, _, err := tracker.Snapshot(device); sequence != 6 || err != nil {
		t.Errorf("snapshot at frame %d, %v", sequence, err)
	}
	if err := tracker.AddMeterings(device, 7, nil); err == nil {
		t.Error("a pile's readings were taken for a battery's")
	}
	tracker.Forget(device)
	if _, _, err := tracker.Snapshot(device); !errors.Is(err, health.ErrUnknownDevice) || tracker.Devices() != 0 {
		t.Errorf("a forgotten device: %v", err)
	}
}

// Frames that are sent again under other numbers change nothing, wherever they come and whatever they hold, but for readings that were held back for want
// of one that confirms them.
func TestTrackerSentAgain(t *testing.T) {
	cycle := at(microsOf(10, -8), fullDrive().readings)
	rapid.Check(t, func(t *rapid.T) {
		tracker, device := newTracker(t, trackerOptions()), deviceOf(1)
		until := rapid.IntRange(0, len(cycle)).Draw(t, "until")
		from := rapid.IntRange(0, until).Draw(t, "from")
		next := feed(t, tracker, device, 1, cycle[:until])
		next = feed(t, tracker, device, next, cycle[from:until])
		feed(t, tracker, device, next, cycle[until:])
		if got := derived(t, tracker, device, 10); got != cleanRecord {
			t.Fatalf("record %v, want %v", got, cleanRecord)
		}
	})
}

// A stretch that was missing and is sent later, even twice, counts once: the totals are those of readings in order.
func TestTrackerReissued(t *testing.T) {
	cycle := at(microsOf(10, -8), fullDrive().readings)
	whole := newTracker(t, trackerOptions())
	feed(t, whole, deviceOf(1), 1, cycle)
	want, err := whole.Derive(deviceOf(1), 10)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(1, 110).Draw(t, "from") // while it charges: the discharge stays whole
		to := rapid.IntRange(from, 110).Draw(t, "to")
		after := rapid.IntRange(to+2, len(cycle)).Draw(t, "after")
		tracker, device := newTracker(t, trackerOptions()), deviceOf(1)
		next := feed(t, tracker, device, 1, cycle[:from])
		next = feed(t, tracker, device, next, cycle[to:after])
		for range rapid.IntRange(1, 2).Draw(t, "times") {
			next = feed(t, tracker, device, next, cycle[from:to])
		}
		feed(t, tracker, device, next, cycle[after:])
		got, err := tracker.Derive(device, 10)
		if err != nil || got.Record != want.Record {
			t.Fatalf("record %v, %v; want %v", got.Record, err, want.Record)
		}
		if got.Details.ChargedMicroAh != want.Details.ChargedMicroAh || got.Details.DischargedMicroAh != want.Details.DischargedMicroAh {
			t.Fatalf("totals %+v, want %+v", got.Details, want.Details)
		}
	})
}

// Late readings of an epoch that is not closed still make its peak and, if they are the latest at rest, its spread.
func TestTrackerLateFigures(t *testing.T) {
	cells := func(r health.Reading, spreadMilliV int64) health.Reading {
		r.LowestCellMicroV, r.HighestCellMicroV = health.Known(3_300_000), health.Known(3_300_000+1000*spreadMilliV)
		return r
	}
	cycle := at(microsOf(10, -8), fullDrive().readings)
	cycle[125] = cells(cycle[125], 5)
	before, after, hot := cells(cycle[122], 3), cells(cycle[128], 8), cells(cycle[127], 6)
	hot.TemperatureMilliC = health.Known(44_000)
	for _, test := range []struct {
		name                  string
		readings              []health.Reading
		close                 bool
		wantSpread, wantPeak  uint32
		wantLater, laterPeaks uint32
	}{
		{"an older spread", []health.Reading{before}, false, 5, 655, 0, 655},
		{"a later spread", []health.Reading{after, before}, false, 8, 655, 0, 655},
		{"a peak", []health.Reading{hot}, false, 6, 840, 0, 655},
		{"too late", []health.Reading{after, hot}, true, 5, 655, 0, 655},
	} {
		t.Run(test.name, func(t *testing.T) {
			tracker, device := newTracker(t, trackerOptions()), deviceOf(1)
			next := feed(t, tracker, device, 1, cycle)
			next = feed(t, tracker, device, next, at(microsOf(11, 0), new(drive).at(2, 0, 3300, 3300).readings))
			if test.close {
				tracker.EpochEnd(10)
			}
			feed(t, tracker, device, next, test.readings)
			if got := derived(t, tracker, device, 10); got[voltageSpread] != test.wantSpread || got[peakTemperature] != test.wantPeak {
				t.Errorf("epoch 10: %v, want a spread of %d and a peak of %d", got, test.wantSpread, test.wantPeak)
			}
			if got := derived(t, tracker, device, 11); got[voltageSpread] != test.wantLater || got[peakTemperature] != test.laterPeaks {
				t.Errorf("epoch 11: %v, want a spread of %d and a peak of %d", got, test.wantLater, test.laterPeaks)
			}
		})
	}
}

func TestTrackerChecked(t *testing.T) {
	for want, change := range map[string]func(*health.TrackerOptions){
		"schema":         func(o *health.TrackerOptions) { o.Schema = "battery/v2" },
		"rated capacity": func(o *health.TrackerOptions) { o.Battery.RatedMicroAh = 0 },
		"epoch zero":     func(o *health.TrackerOptions) { o.EpochZero = -1 },
		"epoch length":   func(o *health.TrackerOptions) { o.EpochSeconds = 0 },
		"highest":        func(o *health.TrackerOptions) { o.Schema, o.Charger.MaxPowerMilliW = "charger/v1", -1 },
	} {
		o := trackerOptions()
		change(&o)
		if _, err := health.NewTracker(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestTrackerReports(t *testing.T) {
	o := trackerOptions()
	var issues []health.Issue
	o.Report = func(device [32]byte, i health.Issue) {
		if device != deviceOf(7) {
			t.Errorf("an issue of device %x", device)
		}
		issues = append(issues, i)
	}
	tracker := newTracker(t, o)
	readings := at(microsOf(10, 0), fullDrive().readings)
	feed(t, tracker, deviceOf(7), 1, slices.Concat(readings[:30], readings[12:13], readings[30:40], readings[45:50]))
	want := []found{{4, "test_time_second", health.Noted, health.LateReading}, {5, "test_time_second", health.Excluded, health.TimeGap}}
	if got := findings(issues); !slices.Equal(got, want) {
		t.Errorf("issues %v, want %v", got, want)
	}
}

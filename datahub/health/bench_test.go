package health_test

import (
	"testing"

	"github.com/assay-net/assay/datahub/health"
)

// packReadings are those of fullDrive with the extremes of a pack's cells.
func packReadings() []health.Reading {
	readings := fullDrive().readings
	for i := range readings {
		readings[i].LowestCellMicroV, readings[i].HighestCellMicroV = health.Known(3_600_000), health.Known(3_612_000)
	}
	return readings
}

// BenchmarkAdd is what one clean reading of a pack costs.
func BenchmarkAdd(b *testing.B) {
	readings := packReadings()
	span := int64(len(readings)) * minute
	a, err := health.NewAccumulator(testBattery, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := readings[i%len(readings)]
		r.TimeMicros += int64(i/len(readings)) * span % (30_000 * 1440 * minute)
		a.Add(r)
	}
}

// BenchmarkTrackerAdd is what one clean reading costs in a frame of ten, among 1000 devices.
func BenchmarkTrackerAdd(b *testing.B) {
	const devices = 1000
	tracker := newTracker(b, trackerOptions())
	readings := packReadings()
	frame := make([]health.Reading, 10)
	b.ReportAllocs()
	sequence, start := uint64(0), microsOf(0, 0)
	for i := 0; b.Loop(); i++ {
		if i%(10*devices) == 0 {
			for j := range frame {
				frame[j] = readings[(int(sequence)*10+j)%len(readings)]
				frame[j].TimeMicros = start + (int64(sequence)*10+int64(j))*minute
			}
			sequence++
		}
		if i%10 > 0 { // the frame's ten readings are counted at once
			continue
		}
		if err := tracker.Add(deviceOf(i/10%devices), sequence, frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrackerSnapshot(b *testing.B) {
	tracker := newTracker(b, trackerOptions())
	feed(b, tracker, deviceOf(1), 1, at(microsOf(10, 0), packReadings()))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := tracker.Snapshot(deviceOf(1)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrackerRestore(b *testing.B) {
	tracker := newTracker(b, trackerOptions())
	feed(b, tracker, deviceOf(1), 1, at(microsOf(10, 0), packReadings()))
	_, state, err := tracker.Snapshot(deviceOf(1))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := tracker.Restore(deviceOf(1), 1, state); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTrackerDerive(b *testing.B) {
	tracker := newTracker(b, trackerOptions())
	feed(b, tracker, deviceOf(1), 1, at(microsOf(10, -8), packReadings()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tracker.Derive(deviceOf(1), 10); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChargerAdd(b *testing.B) {
	a, err := health.NewChargerAccumulator(health.Charger{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	readings := sessionOf(0, "a", 0)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := readings[i%len(readings)]
		r.TimeMicros += int64(i/len(readings)) * 40 * minute % (30_000 * 1440 * minute)
		a.Add(r)
	}
}

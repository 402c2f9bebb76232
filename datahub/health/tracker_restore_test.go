package health_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/health"
)

// Restoring after any frame is the same as never having stopped.
func TestTrackerRestore(t *testing.T) {
	records := 0
	rapid.Check(t, func(t *rapid.T) {
		o := trackerOptions()
		o.EpochSeconds, o.Battery = 1200, drawBattery(t)
		whole, stopped, device := newTracker(t, o), newTracker(t, o), deviceOf(1)
		from := (epochZero - 600) * 1_000_000
		readings := slices.Concat(at(from, smallCycle()), dirtyReadings(t, from+20*minute))
		for i := range len(readings) / 2 { // some of it late
			if rapid.IntRange(0, 20).Draw(t, "swap") == 0 {
				readings[i], readings[i+len(readings)/2] = readings[i+len(readings)/2], readings[i]
			}
		}
		for i, part := range slices.Collect(slices.Chunk(readings, 5)) {
			feed(t, whole, device, uint64(i+1), part)
			feed(t, stopped, device, uint64(i+1), part)
			if rapid.IntRange(0, 12).Draw(t, "end") == 12 {
				epoch := rapid.Uint64Range(0, 3).Draw(t, "epoch")
				whole.EpochEnd(epoch)
				stopped.EpochEnd(epoch)
			}
			sequence, state, err := stopped.Snapshot(device)
			if err != nil {
				t.Fatal(err)
			}
			if err := stopped.Restore(device, sequence, state); err != nil {
				t.Fatalf("restoring %x: %v", state, err)
			}
			if _, other, _ := whole.Snapshot(device); !slices.Equal(state, other) {
				t.Fatalf("the states differ after frame %d", i+1)
			}
			for epoch := range uint64(8) {
				h, err := whole.Derive(device, epoch)
				g, gerr := stopped.Derive(device, epoch)
				if fmt.Sprint(h, err) != fmt.Sprint(g, gerr) {
					t.Fatalf("epoch %d: %v %v, never stopped; %v %v, restored", epoch, h, err, g, gerr)
				}
				if err == nil {
					records++
				}
			}
		}
	})
	if records == 0 {
		t.Error("no stream came to a record")
	}
}

func TestTrackerRestoreRefused(t *testing.T) {
	tracker, device := newTracker(t, trackerOptions()), deviceOf(1)
	feed(t, tracker, device, 1, at(microsOf(10, 0), fullDrive().readings))
	_, state, err := tracker.Snapshot(device)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*health.TrackerOptions){
		"epoch zero": func(o *health.TrackerOptions) { o.EpochZero++ }, "epoch length": func(o *health.TrackerOptions) { o.EpochSeconds++ },
		"battery": func(o *health.TrackerOptions) { o.Battery.MaxGapMicros++ },
	} {
		o := trackerOptions()
		change(&o)
		if err := newTracker(t, o).Restore(device, 1, state); !errors.Is(err, health.ErrOtherFigures) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	plain, _ := accumulate(t, testBattery, nil)
	if err := tracker.Restore(device, 1, stateOf(t, plain)); err == nil {
		t.Error("the snapshot of an Accumulator was restored")
	}
	if _, err := health.ResumeAccumulator(testBattery, nil, state); err == nil {
		t.Error("a Tracker's snapshot was resumed as an Accumulator's")
	}
}

func FuzzTrackerRestore(f *testing.F) {
	tracker, device := newTracker(f, trackerOptions()), deviceOf(1)
	cycle := at(microsOf(10, -8), fullDrive().readings)
	cycle = slices.Concat(cycle[:50], cycle[60:], cycle[50:55], at(microsOf(11, 0), new(drive).at(2, 0, 3300, 3300).readings))
	next := uint64(1)
	for part := range slices.Chunk(cycle, 40) {
		next = feed(f, tracker, device, next, part)
		_, state, err := tracker.Snapshot(device)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(state)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		tracker := newTracker(t, trackerOptions())
		if err := tracker.Restore(device, 3, state); err != nil {
			return
		}
		if _, again, err := tracker.Snapshot(device); err != nil || !slices.Equal(state, again) {
			t.Fatalf("snapshot %x became %x, %v", state, again, err)
		}
		feed(t, tracker, device, 4, cycle)
		_, _ = tracker.Derive(device, 10)
		_, _ = tracker.Derive(device, 11)
		if _, _, err := tracker.Snapshot(device); err != nil {
			t.Fatal(err)
		}
	})
}

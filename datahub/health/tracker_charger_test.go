package health_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

func chargerOptions() health.TrackerOptions {
	return health.TrackerOptions{Schema: "charger/v1", EpochZero: epochZero, EpochSeconds: epochSeconds}
}

// meteringsAt moves readings to a time.
func meteringsAt(micros int64, readings []health.ChargerReading) []health.ChargerReading {
	moved := slices.Clone(readings)
	for i := range moved {
		moved[i].TimeMicros += micros - readings[0].TimeMicros
	}
	return moved
}

func TestChargerTrackerEpochs(t *testing.T) {
	tracker, device := newTracker(t, chargerOptions()), deviceOf(1)
	sequence := uint64(0)
	add := func(readings []health.ChargerReading) {
		sequence++
		if err := tracker.AddMeterings(device, sequence, readings); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, epoch uint64, want record.Record) {
		t.Helper()
		if got := derived(t, tracker, device, epoch); got != want {
			t.Errorf("%s: epoch %d: %v, want %v", what, epoch, got, want)
		}
	}
	// A session over an epoch's end: energy by register, time by the clock, the session itself where it ends.
	session := meteringsAt(microsOf(10, 227), sessionOf(0, "a", 0))
	add(session)
	check("over the end", 10, record.Record{1, 10_000, 0, 0, 13, 60_000, 0, 0})
	check("over the end", 11, record.Record{1, 20_000, 1, 4_250, 17, 60_000, 0, 0})
	// A session of the epoch before that is heard of only now, by another meter.
	late := sessionOf(0, "b", 0)
	for i := range late {
		late[i].Meter = "m2"
	}
	add(meteringsAt(microsOf(10, 100), late))
	check("late", 10, record.Record{1, 40_000, 1, 4_250, 13, 60_000, 0, 0})
	tracker.EpochEnd(10)
	for i := range late {
		late[i].Transaction, late[i].Meter = "c", "m3"
	}
	add(meteringsAt(microsOf(10, 150), late))
	add(session)
	check("too late, and sent again", 10, record.Record{1, 40_000, 1, 4_250, 13, 60_000, 0, 0})
	check("too late, and sent again", 11, record.Record{1, 20_000, 1, 4_250, 17, 60_000, 0, 0})
	add(meteringsAt(microsOf(12, 5), sessionOf(0, "d", 30_000)[:1]))
	if _, err := tracker.Derive(device, 10); !errors.Is(err, health.ErrNotKept) {
		t.Errorf("an epoch that is gone: %v", err)
	}
	check("afterwards", 11, record.Record{1, 20_000, 1, 4_250, 17, 60_000, 0, 0})
	if err := tracker.Add(device, sequence+1, nil); err == nil {
		t.Error("a battery's readings were taken for a pile's")
	}
}

func TestChargerTrackerRestore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole, stopped, device := newTracker(t, chargerOptions()), newTracker(t, chargerOptions()), deviceOf(1)
		for i, part := range slices.Collect(slices.Chunk(dirtyMeterings(t, (epochZero-600)*1_000_000), 5)) {
			for _, tracker := range []*health.Tracker{whole, stopped} {
				if err := tracker.AddMeterings(device, uint64(i+1), part); err != nil {
					t.Fatal(err)
				}
			}
			if rapid.IntRange(0, 4).Draw(t, "end") == 4 {
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
			for epoch := range uint64(6) {
				h, err := whole.Derive(device, epoch)
				g, gerr := stopped.Derive(device, epoch)
				if fmt.Sprint(h, err) != fmt.Sprint(g, gerr) {
					t.Fatalf("epoch %d: %v %v, never stopped; %v %v, restored", epoch, h, err, g, gerr)
				}
			}
		}
	})
}

func FuzzChargerTrackerRestore(f *testing.F) {
	readings := slices.Concat(meteringsAt(microsOf(10, 227), sessionOf(0, "a", 0)), meteringsAt(microsOf(10, 100), sessionOf(0, "b", 0)))
	for n := range readings {
		tracker := newTracker(f, chargerOptions())
		if err := tracker.AddMeterings(deviceOf(1), 1, readings[:n]); err != nil {
			f.Fatal(err)
		}
		_, state, err := tracker.Snapshot(deviceOf(1))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(state)
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		tracker := newTracker(t, chargerOptions())
		if err := tracker.Restore(deviceOf(1), 3, state); err != nil {
			return
		}
		if _, again, err := tracker.Snapshot(deviceOf(1)); err != nil || !slices.Equal(state, again) {
			t.Fatalf("snapshot %x became %x, %v", state, again, err)
		}
		if err := tracker.AddMeterings(deviceOf(1), 4, readings); err != nil {
			t.Fatal(err)
		}
		_, _ = tracker.Derive(deviceOf(1), 10)
		_, _ = tracker.Derive(deviceOf(1), 11)
		if _, _, err := tracker.Snapshot(deviceOf(1)); err != nil {
			t.Fatal(err)
		}
	})
}

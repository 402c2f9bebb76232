package health_test

import (
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/health"
)

// Many devices at once, each fed in order by its own goroutine while epochs end.
func TestTrackerConcurrently(t *testing.T) {
	tracker := newTracker(t, trackerOptions())
	cycle := at(microsOf(10, -8), fullDrive().readings)
	var group sync.WaitGroup
	for n := range 16 {
		group.Go(func() {
			next := feed(t, tracker, deviceOf(n), 1, cycle)
			feed(t, tracker, deviceOf(n), next, at(microsOf(11, 0), new(drive).at(2, 0, 3300, 3300).readings))
		})
	}
	for epoch := range uint64(10) {
		tracker.EpochEnd(epoch)
		for n := range 16 {
			_, _ = tracker.Derive(deviceOf(n), epoch)
			if sequence, state, err := tracker.Snapshot(deviceOf(n + 16)); err == nil {
				t.Errorf("a snapshot %d %x of a device never heard of", sequence, state)
			}
		}
	}
	group.Wait()
	for n := range 16 {
		if got := derived(t, tracker, deviceOf(n), 10); got != cleanRecord {
			t.Errorf("device %d: %v, want %v", n, got, cleanRecord)
		}
	}
	if tracker.Devices() != 16 {
		t.Errorf("%d devices", tracker.Devices())
	}
}

// A device takes at most 2 KiB, with every figure that is kept of it in use.
func TestTrackerMemory(t *testing.T) {
	const devices = 2000
	tracker := newTracker(t, trackerOptions())
	cycle := at(microsOf(10, -8), fullDrive().readings)
	cycle = slices.Concat(cycle[:20], cycle[30:40], cycle[50:60], cycle[70:80], cycle[90:], at(microsOf(11, 0), new(drive).at(2, 0, 3300, 3300).readings))
	before := heap()
	for n := range devices {
		feed(t, tracker, deviceOf(n), 1, cycle)
	}
	each := (heap() - before) / devices
	_, state, err := tracker.Snapshot(deviceOf(1))
	t.Logf("%d bytes a device, %d bytes a snapshot, %v", each, len(state), err)
	if each > 2048 || len(state) > 800 {
		t.Errorf("%d bytes a device and %d a snapshot, want at most 2048 and 800", each, len(state))
	}
	runtime.KeepAlive(tracker)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A pile takes at most 2 KiB, with every meter and session that is kept of it in use.
func TestChargerTrackerMemory(t *testing.T) {
	const devices = 2000
	tracker := newTracker(t, chargerOptions())
	var readings []health.ChargerReading
	for i := range int64(40) {
		session := meteringsAt(microsOf(9, 0)+i*10*minute, sessionOf(0, string(rune('a'+i)), 30_000*i))
		for j := range session {
			session[j].Meter = string(rune('a' + i%12))
			session[j].RevenueCents = health.Known(100)
		}
		if i > 30 {
			session = session[:6]
		}
		readings = append(readings, session...)
	}
	before := heap()
	for n := range devices {
		if err := tracker.AddMeterings(deviceOf(n), 1, readings); err != nil {
			t.Fatal(err)
		}
	}
	each := (heap() - before) / devices
	_, state, err := tracker.Snapshot(deviceOf(1))
	t.Logf("%d bytes a pile, %d bytes a snapshot, %v", each, len(state), err)
	if each > 2048 || len(state) > 1024 {
		t.Errorf("%d bytes a pile and %d a snapshot, want at most 2048 and 1024", each, len(state))
	}
	runtime.KeepAlive(tracker)
}

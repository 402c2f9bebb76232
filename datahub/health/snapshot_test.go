package health_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/health"
)

// dirtyReadings draws what a battery and its logger may come up with: whole and partial cycles, a minute apart, and in between glitches, gaps, clocks that
// restart, repeated and impossible values. Time is from the given one on.
func dirtyReadings(t *rapid.T, from int64) []health.Reading {
	var readings []health.Reading
	now := from
	run := func(n int, milliamps, low, high int64) {
		for i := range n {
			now += 60_000_000
			r := health.Reading{
				Line: len(readings) + 1, TimeMicros: now, CurrentMicroA: milliamps * 1000,
				VoltageMicroV: (low + (high-low)*int64(i)/int64(max(n-1, 1))) * 1000,
			}
			now = dirty(t, &r)
			readings = append(readings, r)
			if rapid.IntRange(0, 40).Draw(t, "again") == 0 {
				readings = append(readings, r)
			}
		}
	}
	for range rapid.IntRange(1, 6).Draw(t, "phases") {
		n := rapid.IntRange(1, 12).Draw(t, "readings")
		low := rapid.SampledFrom([]int64{3000, 2950, 3020, 3300}).Draw(t, "low")
		high := rapid.SampledFrom([]int64{4200, 4190, 4170, 3900}).Draw(t, "high")
		if rapid.Bool().Draw(t, "whole cycle") {
			run(4, 1500, low, high)
			run(n, -480, high, low)
			run(1, 0, 3200, 3200)
		} else {
			run(n, rapid.SampledFrom([]int64{-2900, -480, -4, 0, 600, 5000}).Draw(t, "current"), low, high)
		}
	}
	return readings
}

// smallCycle is a whole cycle of the battery that drawBattery returns, in 18 minutes.
func smallCycle() []health.Reading {
	return new(drive).at(4, 1500, 3000, 4200).at(1, 0, 4190, 4190).at(12, -480, 4180, 3000).at(1, 0, 3200, 3200).readings
}

// dirty spoils a reading, rarely, and returns the time from which to go on.
func dirty(t *rapid.T, r *health.Reading) int64 {
	now := r.TimeMicros
	switch rapid.IntRange(0, 90).Draw(t, "dirt") {
	case 0:
		r.TimeMicros = max(-1, now+rapid.SampledFrom([]int64{-600, -61, 61, 200, 90_000}).Draw(t, "glitch")*1_000_000)
	case 1:
		r.TimeMicros = max(0, now+rapid.SampledFrom([]int64{-100_000, -600, 61, 200, 90_000}).Draw(t, "jump")*1_000_000)
		now = r.TimeMicros
	case 2:
		r.TimeMicros = now - 60_000_000
		now = r.TimeMicros
	case 3:
		r.VoltageMicroV = rapid.Int64Range(-1, 7_000_000).Draw(t, "voltage")
	case 4:
		r.CurrentMicroA = rapid.Int64Range(-101_000_000, 101_000_000).Draw(t, "microamps")
	case 5:
		r.Alarm = true
	case 6:
		r.WallMicros = health.Known(rapid.Int64Range(-1, 1<<40).Draw(t, "wall"))
	case 7, 8, 9:
		r.LowestCellMicroV = health.Known(rapid.Int64Range(2_900_000, 3_400_000).Draw(t, "lowest"))
		r.HighestCellMicroV = health.Known(rapid.Int64Range(3_300_000, 4_200_000).Draw(t, "highest"))
	}
	if r.Line%3 > 0 {
		r.TemperatureMilliC = health.Known(rapid.SampledFrom([]int64{-41_000, 25_500, 31_250, 61_000}).Draw(t, "temperature"))
	}
	return now
}

// drawBattery has its voltage window stated or not.
func drawBattery(t *rapid.T) health.Battery {
	b := health.Battery{RatedMicroAh: 100_000, MaxRateMilliC: 40_000}
	if rapid.Bool().Draw(t, "window stated") {
		b.LowMicroV, b.HighMicroV = 3_000_000, 4_200_000
	}
	return b
}

// Going on from a snapshot taken after any reading is the same as never having stopped: in records, reasons for there being none, issues, and in the next
// snapshot.
func TestSnapshotAnywhere(t *testing.T) {
	records := 0
	rapid.Check(t, func(t *rapid.T) {
		b := drawBattery(t)
		var whole, resumed []health.Issue
		a, err := health.NewAccumulator(b, func(i health.Issue) { whole = append(whole, i) })
		if err != nil {
			t.Fatal(err)
		}
		c, _ := health.NewAccumulator(b, func(i health.Issue) { resumed = append(resumed, i) })
		stops := rapid.IntRange(1, 5).Draw(t, "stop after every")
		for i, r := range slices.Concat(smallCycle(), dirtyReadings(t, 20*minute)) {
			a.Add(r)
			c.Add(r)
			if i%29 == 28 {
				a.StartEpoch()
				c.StartEpoch()
			}
			if i%stops > 0 {
				continue
			}
			c = resume(t, b, c, func(i health.Issue) { resumed = append(resumed, i) })
			if says(a) != says(c) {
				t.Fatalf("after %d readings:\n%s, never stopped\n%s, resumed", i+1, says(a), says(c))
			}
			if _, err := a.Record(); err == nil {
				records++
			}
		}
		a.Finish()
		c.Finish()
		if diff := cmp.Diff(whole, resumed); diff != "" {
			t.Fatalf("issues (-never stopped +resumed):\n%s", diff)
		}
		if !slices.Equal(stateOf(t, a), stateOf(t, c)) {
			t.Fatal("the states differ at the end")
		}
	})
	if records == 0 {
		t.Error("no stream came to a record")
	}
}

func says(a *health.Accumulator) string {
	h, err := a.Record()
	return fmt.Sprint(h, err)
}

type fataler interface{ Fatalf(string, ...any) }

func stateOf(t fataler, a interface{ MarshalBinary() ([]byte, error) }) []byte {
	state, err := a.MarshalBinary()
	if err != nil {
		t.Fatalf("taking a snapshot: %v", err)
	}
	return state
}

// resume goes on from a snapshot, which must have one encoding.
func resume(t fataler, b health.Battery, a *health.Accumulator, report func(health.Issue)) *health.Accumulator {
	state := stateOf(t, a)
	resumed, err := health.ResumeAccumulator(b, report, state)
	if err != nil {
		t.Fatalf("resuming from %x: %v", state, err)
	}
	if again := stateOf(t, resumed); !slices.Equal(state, again) {
		t.Fatalf("snapshot %x became %x", state, again)
	}
	return resumed
}

func TestSnapshotRefused(t *testing.T) {
	a, _ := accumulate(t, testBattery, fullDrive().readings)
	good := stateOf(t, a)
	if len(good) > 400 {
		t.Errorf("the snapshot after a full cycle has %d bytes", len(good))
	}
	spoilt := func(change func(b []byte) []byte) []byte { return change(slices.Clone(good)) }
	for name, state := range map[string][]byte{
		"empty":         {},
		"cut off":       good[:len(good)-1],
		"header only":   good[:10],
		"one byte more": append(slices.Clone(good), 0),
		"too long":      append(slices.Clone(good), make([]byte, health.MaxState)...),
		"other version": spoilt(func(b []byte) []byte { b[1]++; return b }),
		"other kind":    spoilt(func(b []byte) []byte { b[0] = 'c'; return b }),
		"a flag of 2":   spoilt(func(b []byte) []byte { b[10] = 2; return b }),
		"longer varint": spoilt(func(b []byte) []byte { return slices.Replace(b, 10, 11, 0x81, 0x00) }),
	} {
		if _, err := health.ResumeAccumulator(testBattery, nil, state); err == nil || errors.Is(err, health.ErrOtherFigures) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := testBattery
	other.MaxTemperatureMilliC = 55_000
	if _, err := health.ResumeAccumulator(other, nil, good); !errors.Is(err, health.ErrOtherFigures) {
		t.Errorf("another battery: %v", err)
	}
	withDefaults := testBattery
	withDefaults.MaxTemperatureMilliC = 60_000
	if _, err := health.ResumeAccumulator(withDefaults, nil, good); err != nil {
		t.Errorf("the same battery with its defaults written out: %v", err)
	}
}

// Where the window is inferred, an older discharge may become the only full one. Snapshots stay bounded however many there are.
func TestManyDischarges(t *testing.T) {
	b := health.Battery{RatedMicroAh: 1_000_000}
	d := new(drive)
	for i := range int64(150) { // each begins higher and ends higher than the one before: none makes another needless
		d.at(5, 500, 3200, 4170+i/10).at(30, -480, 4150, 3000+i/10).at(1, 0, 3200, 3200)
	}
	for i := range d.readings {
		if r := &d.readings[i]; r.CurrentMicroA < 0 {
			r.VoltageMicroV += int64(i)
		}
	}
	a, _ := accumulate(t, b, d.readings)
	if state := stateOf(t, a); len(state) > 4096 {
		t.Errorf("the snapshot has %d bytes", len(state))
	}
	h, err := a.Record()
	if err != nil || h.Details.LastLine < len(d.readings)-5 {
		t.Errorf("%+v, %v: want the last discharge", h.Details, err)
	}
	resume(t, b, a, nil)
}

func FuzzResumeAccumulator(f *testing.F) {
	a, err := health.NewAccumulator(testBattery, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stateOf(f, a))
	for i, r := range fullDrive().readings {
		if i == 200 {
			r.TimeMicros += 300_000_000
		}
		a.Add(r)
		if i%40 == 0 {
			f.Add(stateOf(f, a))
		}
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		a, err := health.ResumeAccumulator(testBattery, nil, state)
		if err != nil {
			return
		}
		if again := stateOf(t, a); !slices.Equal(state, again) {
			t.Fatalf("snapshot %x became %x", state, again)
		}
		_, _ = a.Record()
		for _, r := range fullDrive().readings {
			a.Add(r)
		}
		_, _ = a.Record()
		_ = stateOf(t, a)
	})
}

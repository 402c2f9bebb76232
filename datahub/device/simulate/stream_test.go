package simulate

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/zk/record"
)

var streamStart = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func accumulate(t *testing.T, b health.Battery, readings []telemetry.Reading) *health.Accumulator {
	t.Helper()
	a, err := health.NewAccumulator(b, func(i health.Issue) { t.Errorf("issue: %v", i) })
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range readings {
		a.Add(health.Reading{
			Line: i, TimeMicros: r.TimeMicros, VoltageMicroV: r.VoltageMicroV.Value, CurrentMicroA: r.CurrentMicroA.Value,
			TemperatureMilliC: r.HottestMilliC, LowestCellMicroV: r.LowestCellMicroV, HighestCellMicroV: r.HighestCellMicroV,
			Alarm: r.AlarmLevel != 0,
		})
	}
	return a
}

func near(t *testing.T, what string, got, want uint32, tolerance float64) {
	t.Helper()
	if math.Abs(float64(got)-float64(want)) > tolerance {
		t.Errorf("%s is %d, want %d within %g", what, got, want, tolerance)
	}
}

// What package health derives from a pack's log is its record, as far as the log goes back.
func TestHistoryYieldsTheRecord(t *testing.T) {
	f := newFleet(t, 3, "battery/v1", 200)
	for i := range f.Len() {
		s, err := f.Battery(i, StreamOptions{})
		if err != nil {
			t.Fatal(err)
		}
		readings := s.History(streamStart, 50*time.Second)
		if last := readings[len(readings)-1].TimeMicros; last != streamStart.UnixMicro() {
			t.Fatalf("the log ends at %d", last)
		}
		got, err := accumulate(t, Battery(1), readings).Record()
		if err != nil {
			t.Fatalf("device %d: %v", i, err)
		}
		want := f.devices[i].physics.record()
		near(t, "capacity", got.Record[4], want[4], float64(want[4])*0.0002)
		near(t, "state of health", got.Record[1], want[1], 2)
		near(t, "spread", got.Record[5], min(10_000, want[5]), 1)
		near(t, "peak temperature", got.Record[6], want[6], 10)
		if own := s.Record(int64(got.Record[6])*100 - 40_000); own[6] != got.Record[6] || health.Compare(own, got.Record, f.schema, nil) != nil {
			t.Errorf("device %d: own record %v, derived %v: %v", i, own, got.Record, health.Compare(own, got.Record, f.schema, nil))
		}
	}
}

// A stream that is sped up, and read at uneven times, goes through its cycles and measures the capacity each time.
func TestLiveStreamYieldsTheRecord(t *testing.T) {
	f := newFleet(t, 4, "battery/v1", 20)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range f.Len() {
		const speedUp = 100
		s, err := f.Battery(i, StreamOptions{SpeedUp: speedUp})
		if err != nil {
			t.Fatal(err)
		}
		var readings []telemetry.Reading
		for at := streamStart; at.Sub(streamStart) < 400*time.Second; at = at.Add(time.Duration(between(random, 80, 120)) * time.Millisecond) {
			readings = append(readings, s.Next(at))
		}
		got, err := accumulate(t, Battery(speedUp), readings).Record()
		if err != nil {
			t.Fatalf("device %d: %v", i, err)
		}
		want := f.devices[i].physics.record()
		near(t, "capacity", got.Record[4], want[4], float64(want[4])*0.005)
		if cycles := got.Record[2]; cycles < 20 || cycles > 60 {
			t.Errorf("device %d: %d tenths of full cycles in 400 s", i, cycles)
		}
		near(t, "tenths of full cycles", s.Record(0)[2]-want[2], got.Record[2], 1)
	}
}

func TestReadingsArePossible(t *testing.T) {
	f := newFleet(t, 5, "battery/v1", 30)
	for i := range f.Len() {
		s, err := f.Battery(i, StreamOptions{SpeedUp: 1000})
		if err != nil {
			t.Fatal(err)
		}
		alarms := 0
		for n := range 3000 {
			r := s.Next(streamStart.Add(time.Duration(n) * 50 * time.Millisecond))
			b := Battery(1000)
			if r.VoltageMicroV.Value < b.LowMicroV || r.VoltageMicroV.Value > b.HighMicroV || abs(r.CurrentMicroA.Value) > 100*b.RatedMicroAh ||
				r.StateOfCharge.Value < 0 || r.StateOfCharge.Value > 10_000 || r.HottestMilliC.Value < r.ColdestMilliC.Value || r.HottestMilliC.Value > 90_000 {
				t.Fatalf("device %d: %+v", i, r)
			}
			if r.AlarmLevel > 0 {
				alarms++
			}
		}
		if (alarms > 0) != (s.faults > 0) {
			t.Errorf("%d readings with an alarm, %d faults", alarms, s.faults)
		}
	}
}

func TestStreamsAreFunctionsOfTheSeed(t *testing.T) {
	read := func(f *Fleet) (out []telemetry.Reading) {
		s, err := f.Battery(7, StreamOptions{SpeedUp: 50})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 500 {
			out = append(out, s.Next(streamStart.Add(time.Duration(n)*time.Second)))
		}
		return out
	}
	f, g := newFleet(t, 6, "battery/v1", 10), newFleet(t, 6, "battery/v1", 100)
	before := f.Records()
	if !reflect.DeepEqual(read(f), read(g)) || !reflect.DeepEqual(read(f), read(f)) {
		t.Error("two streams of one device differ")
	}
	advance(t, f, 30)
	advance(t, g, 30)
	if !reflect.DeepEqual(f.Records(), g.Records()[:10]) || reflect.DeepEqual(before, f.Records()) {
		t.Error("a stream changed how the fleet ages")
	}
}

func TestPileStreamYieldsTheRecord(t *testing.T) {
	f := newFleet(t, 8, "charger/v1", 40)
	sessions := uint32(0)
	for i := range f.Len() {
		s, err := f.Pile(i, "M-1", StreamOptions{SpeedUp: 20})
		if err != nil {
			t.Fatal(err)
		}
		a, err := health.NewChargerAccumulator(health.Charger{}, func(i health.Issue) { t.Errorf("issue: %v", i) })
		if err != nil {
			t.Fatal(err)
		}
		want := countPile(s, a, 8*time.Hour)
		got, err := a.Record()
		if err != nil {
			t.Fatalf("pile %d: %v", i, err)
		}
		near(t, "energy", got.Record[1], want[1], 1)
		near(t, "sessions", got.Record[2], want[2], 0)
		near(t, "revenue", got.Record[3], want[3], 0)
		near(t, "peak power", got.Record[5], want[5], 1)
		near(t, "faults", got.Record[6], want[6], 0)
		if got.Record[4] > 480 || got.Record[4] < 60 {
			t.Errorf("pile %d was up for %d of 480 minutes", i, got.Record[4])
		}
		sessions += got.Record[2]
	}
	if sessions < 40*20 {
		t.Errorf("%d sessions of 40 piles in a third of a day at 20 times the speed", sessions)
	}
}

// countPile adds up what a stream says, by the plain meaning of it.
func countPile(s *PileStream, a *health.ChargerAccumulator, length time.Duration) record.Record {
	var want record.Record
	var first, last, peak int64
	for at := streamStart; at.Sub(streamStart) < length; at = at.Add(10 * time.Second) {
		m := s.Next(at)
		if first == 0 {
			first = m.ImportMilliWh.Value
		}
		last, peak = m.ImportMilliWh.Value, max(peak, m.PowerMilliW.Value)
		r := health.ChargerReading{
			TimeMicros: m.TimeMicros, Meter: m.Meter, Transaction: m.Transaction, ImportMilliWh: m.ImportMilliWh, PowerMilliW: m.PowerMilliW,
			RevenueCents: m.RevenueCents, Fault: m.Fault, Down: m.Event == telemetry.Down,
		}
		switch m.Event {
		case telemetry.Begin:
			r.Event = health.SessionBegun
		case telemetry.End:
			r.Event = health.SessionEnded
			want[2]++
			want[3] += uint32(m.RevenueCents.Value)
		}
		if m.Fault {
			want[6]++
		}
		a.Add(r)
	}
	want[1], want[5] = uint32((last-first)/1000), uint32(peak/1000)
	return want
}

func TestStreamsAreRefused(t *testing.T) {
	batteries, piles := newFleet(t, 1, "battery/v1", 1), newFleet(t, 1, "charger/v1", 1)
	for name, try := range map[string]func() error{
		"beyond the fleet": func() error { _, err := batteries.Battery(1, StreamOptions{}); return err },
		"negative":         func() error { _, err := batteries.Battery(-1, StreamOptions{}); return err },
		"a pile's battery": func() error { _, err := piles.Battery(0, StreamOptions{}); return err },
		"a battery's pile": func() error { _, err := batteries.Pile(0, "M", StreamOptions{}); return err },
		"too slow":         func() error { _, err := batteries.Battery(0, StreamOptions{SpeedUp: 0.01}); return err },
		"too fast":         func() error { _, err := piles.Pile(0, "M", StreamOptions{SpeedUp: 1001}); return err },
	} {
		if try() == nil {
			t.Errorf("%s: a stream was made", name)
		}
	}
	if err := Battery(1000).Check(); err != nil {
		t.Error(err)
	}
}

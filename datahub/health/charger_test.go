package health_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

const minute = int64(60_000_000)

// metering is a reading at a minute, of a register in Wh.
func metering(at int64, event health.ChargerEvent, transaction string, wattHours int64) health.ChargerReading {
	return health.ChargerReading{
		TimeMicros: at * minute, Meter: "m1", Transaction: transaction, Event: event, ImportMilliWh: health.Known(wattHours * 1000),
	}
}

// sessionOf is a session of half an hour at 60 kW, billed at its end.
func sessionOf(at int64, name string, wattHours int64) []health.ChargerReading {
	var readings []health.ChargerReading
	for i := range int64(7) {
		r := metering(at+5*i, health.Sampled, name, wattHours+5000*i)
		r.PowerMilliW = health.Known(60_000_000 + i)
		readings = append(readings, r)
	}
	readings[0].Event, readings[6].Event = health.SessionBegun, health.SessionEnded
	readings[6].RevenueCents = health.Known(4_250)
	return readings
}

func charge(t fataler, c health.Charger, readings []health.ChargerReading) (*health.ChargerAccumulator, *[]health.Issue) {
	var issues []health.Issue
	a, err := health.NewChargerAccumulator(c, func(i health.Issue) { issues = append(issues, i) })
	if err != nil {
		t.Fatalf("%v", err)
	}
	for i, r := range readings {
		r.Line = i + 1
		a.Add(r)
	}
	return a, &issues
}

func TestChargerRecord(t *testing.T) {
	join := func(parts ...[]health.ChargerReading) []health.ChargerReading { return slices.Concat(parts...) }
	one := func(r ...health.ChargerReading) []health.ChargerReading { return r }
	without := func(r health.ChargerReading, change func(*health.ChargerReading)) health.ChargerReading {
		change(&r)
		return r
	}
	renamed := func(meter string, readings []health.ChargerReading) []health.ChargerReading {
		for i := range readings {
			readings[i].Meter = meter
		}
		return readings
	}
	noPower := func(readings []health.ChargerReading) []health.ChargerReading {
		for i := range readings {
			readings[i].PowerMilliW = health.Measured{}
		}
		return readings
	}
	// energy in Wh, sessions, revenue in 0.01, minutes up, peak in W, faults, days
	for _, test := range []struct {
		name     string
		readings []health.ChargerReading
		want     record.Record
	}{
		{"a session", sessionOf(0, "a", 7_000_000), record.Record{1, 30_000, 1, 4_250, 30, 60_000, 0, 0}},
		{"two sessions a day apart", join(sessionOf(0, "a", 0), sessionOf(1440, "b", 30_000)),
			record.Record{1, 60_000, 2, 8_500, 60, 60_000, 0, 1}},
		{"sent twice", join(sessionOf(0, "a", 0), sessionOf(0, "a", 0)), record.Record{1, 30_000, 1, 4_250, 30, 60_000, 0, 0}},
		{"a register of the session", join(sessionOf(0, "a", 0), sessionOf(40, "b", 0)), record.Record{1, 60_000, 2, 8_500, 70, 60_000, 0, 0}},
		{"meters exchanged", join(sessionOf(0, "a", 9_000_000), renamed("m2", sessionOf(40, "b", 17))),
			record.Record{1, 60_000, 2, 8_500, 70, 60_000, 0, 0}},
		{"a glitch of the register", join(sessionOf(0, "a", 9_000_000), one(metering(31, 0, "", 12)), sessionOf(40, "b", 9_030_000)),
			record.Record{1, 60_000, 2, 8_500, 70, 60_000, 0, 0}},
		{"what a lost frame held", join(sessionOf(0, "a", 0)[:2], sessionOf(0, "a", 0)[6:]), record.Record{1, 30_000, 1, 4_250, 30, 60_000, 0, 0}},
		{"only the two ends", one(metering(0, health.SessionBegun, "a", 5), metering(30, health.SessionEnded, "a", 20_005)),
			record.Record{1, 20_000, 1, 0, 30, 40_000, 0, 0}},
		{"mean power for want of power", noPower(sessionOf(0, "a", 0)), record.Record{1, 30_000, 1, 4_250, 30, 60_000, 0, 0}},
		{"a bill on the way", one(metering(0, health.SessionBegun, "a", 0),
			without(metering(5, 0, "a", 5000), func(r *health.ChargerReading) { r.RevenueCents = health.Known(700) }),
			without(metering(10, 0, "a", 10_000), func(r *health.ChargerReading) { r.RevenueCents = health.Known(1400) }),
			metering(15, health.SessionEnded, "a", 15_000)), record.Record{1, 15_000, 1, 1400, 15, 60_000, 0, 0}},
		{"a bill after the end, twice", one(metering(0, health.SessionBegun, "a", 0), metering(5, health.SessionEnded, "a", 5000),
			without(metering(6, 0, "a", 5000), func(r *health.ChargerReading) { r.RevenueCents = health.Known(700) }),
			without(metering(7, 0, "a", 5000), func(r *health.ChargerReading) { r.RevenueCents = health.Known(700) })),
			record.Record{1, 5000, 1, 700, 7, 60_000, 0, 0}},
		{"ends without a name, one twice", one(metering(0, health.SessionEnded, "", 0), metering(5, health.SessionEnded, "", 0),
			metering(5, health.SessionEnded, "", 0)), record.Record{1, 0, 2, 0, 5, 0, 0, 0}},
		{"a name used again", join(sessionOf(0, "a", 0), sessionOf(40, "a", 30_000)), record.Record{1, 60_000, 2, 8_500, 70, 60_000, 0, 0}},
		{"an unreliable register", join(sessionOf(0, "a", 0)[:3], one(metering(12, health.RegisterUnreliable, "a", 400_000)), sessionOf(0, "a", 0)[3:]),
			record.Record{1, 25_000, 1, 4_250, 30, 60_000, 0, 0}},
		{"down and at fault", one(metering(0, 0, "", 0),
			without(metering(10, 0, "", 0), func(r *health.ChargerReading) { r.Down, r.Fault = true, true }),
			without(metering(20, 0, "", 0), func(r *health.ChargerReading) { r.Down, r.Fault = true, true }),
			metering(30, 0, "", 0), metering(41, 0, "", 0),
			without(metering(42, 0, "", 0), func(r *health.ChargerReading) { r.Fault = true })),
			record.Record{1, 0, 0, 0, 22, 0, 2, 0}},
		{"silence", one(metering(0, 0, "", 0), metering(30, 0, "", 0), metering(61, 0, "", 0), metering(62, 0, "", 0)),
			record.Record{1, 0, 0, 0, 31, 0, 0, 0}},
		{"rounding", one(metering(0, 0, "", 0), without(metering(2, 0, "", 0), func(r *health.ChargerReading) {
			r.TimeMicros--
			r.ImportMilliWh, r.PowerMilliW = health.Known(1_500), health.Known(2_499)
		})), record.Record{1, 2, 0, 0, 1, 2, 0, 0}},
		{"out of order", one(metering(0, 0, "", 0), metering(20, 0, "", 2000), metering(10, health.SessionEnded, "a", 1000), metering(30, 0, "", 3000)),
			record.Record{1, 3000, 1, 0, 30, 6000, 0, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, _ := charge(t, health.Charger{}, test.readings)
			h, err := a.Record()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, h.Record); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if h.Details.Formulas != health.ChargerFormulas || h.Details.Readings != len(test.readings) {
				t.Errorf("details %+v", h.Details)
			}
		})
	}
}

func TestNoChargerRecord(t *testing.T) {
	if a, _ := charge(t, health.Charger{}, nil); true {
		if _, err := a.Record(); !errors.Is(err, health.ErrNoReadings) {
			t.Errorf("without readings: %v", err)
		}
	}
	for want, readings := range map[string][]health.ChargerReading{
		"no energy":     {{Transaction: "a", Event: health.SessionEnded}},
		"no peak power": {metering(0, 0, "", 0), {TimeMicros: 10, Meter: "m1", ImportMilliWh: health.Known(5)}},
	} {
		a, _ := charge(t, health.Charger{}, readings)
		if _, err := a.Record(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestChargerIssues(t *testing.T) {
	_, issues := charge(t, health.Charger{MaxPowerMilliW: 120_000_000}, []health.ChargerReading{
		{TimeMicros: -1}, {Meter: strings.Repeat("m", 257)}, {PowerMilliW: health.Known(120_000_001)}, {RevenueCents: health.Known(-1)},
		{ImportMilliWh: health.Known(-1)}, metering(1, 0, "", 5000), metering(2, 0, "", 8000), metering(3, 0, "", 11_001), metering(4, 0, "", 11_000),
	})
	want := []found{
		{1, "time", health.Excluded, health.OutOfRange}, {2, "", health.Excluded, health.BadName}, {3, "power", health.Excluded, health.OutOfRange},
		{4, "revenue", health.Excluded, health.OutOfRange}, {5, "import_register", health.Excluded, health.OutOfRange},
		{8, "import_register", health.Excluded, health.RegisterJump}, {9, "import_register", health.Noted, health.RegisterReset},
	}
	if diff := cmp.Diff(want, findings(*issues)); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
}

func TestChargerEpochs(t *testing.T) {
	a, _ := charge(t, health.Charger{}, sessionOf(0, "a", 0)[:3])
	a.StartEpoch()
	if _, err := a.Record(); !errors.Is(err, health.ErrNoReadings) {
		t.Errorf("an epoch without readings: %v", err)
	}
	for _, r := range sessionOf(0, "a", 0)[3:] {
		a.Add(r)
	}
	h, err := a.Record()
	if want := (record.Record{1, 20_000, 1, 4_250, 20, 60_000, 0, 0}); err != nil || h.Record != want {
		t.Errorf("%v, %v; want %v", h.Record, err, want)
	}
}

func TestChargerChecked(t *testing.T) {
	for want, c := range map[string]health.Charger{
		"highest believable power": {MaxPowerMilliW: 10_000_000_001}, "longest gap": {MaxGapMicros: -1},
	} {
		if _, err := health.NewChargerAccumulator(c, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// dirtyMeterings draws what piles come up with: several meters and sessions, late, repeated, reset.
func dirtyMeterings(t *rapid.T, from int64) []health.ChargerReading {
	now, register := from, int64(0)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) health.ChargerReading {
		now += rapid.Int64Range(-3, 40).Draw(t, "minutes") * minute
		register += rapid.SampledFrom([]int64{0, 1_000, 5_000_000, -3_000_000, 80_000_000_000}).Draw(t, "mWh")
		r := health.ChargerReading{
			TimeMicros: max(now, 0), Meter: rapid.StringMatching("[a-j]").Draw(t, "meter"),
			Transaction: rapid.StringMatching("[a-z]?").Draw(t, "transaction"),
			Event:       health.ChargerEvent(rapid.IntRange(0, 4).Draw(t, "event")),
			Fault:       rapid.IntRange(0, 5).Draw(t, "fault") == 0, Down: rapid.IntRange(0, 5).Draw(t, "down") == 0,
		}
		some := func(name string, v int64) health.Measured {
			return health.Measured{Value: v, Known: rapid.Bool().Draw(t, name)}
		}
		r.ImportMilliWh = some("register", max(register, 0))
		r.PowerMilliW = some("power", rapid.Int64Range(-1, 300_000_000).Draw(t, "mW"))
		r.RevenueCents = some("revenue", rapid.Int64Range(-1, 5000).Draw(t, "cents"))
		return r
	}), 1, 60).Draw(t, "readings")
}

func TestChargerSnapshotAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, whole := charge(t, health.Charger{}, nil)
		c, resumed := charge(t, health.Charger{}, nil)
		for i, r := range dirtyMeterings(t, 0) {
			a.Add(r)
			c.Add(r)
			if i%23 == 22 {
				a.StartEpoch()
				c.StartEpoch()
			}
			state := stateOf(t, c)
			var err error
			if c, err = health.ResumeChargerAccumulator(health.Charger{}, func(i health.Issue) { *resumed = append(*resumed, i) }, state); err != nil {
				t.Fatalf("resuming from %x: %v", state, err)
			}
			if !slices.Equal(state, stateOf(t, a)) || !slices.Equal(state, stateOf(t, c)) {
				t.Fatalf("the states differ after %d readings", i+1)
			}
			h, err := a.Record()
			g, gerr := c.Record()
			if diff := cmp.Diff(h, g); diff != "" || (err == nil) != (gerr == nil) {
				t.Fatalf("records (-never stopped +resumed):\n%s%v, %v", diff, err, gerr)
			}
		}
		if diff := cmp.Diff(*whole, *resumed); diff != "" {
			t.Fatalf("issues (-never stopped +resumed):\n%s", diff)
		}
	})
}

// Whatever was sent and is sent again, in the same order, counts once, as long as no more sessions and meters lie between than are remembered.
func TestChargerSentAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		readings := sessionOf(0, "a", 0)
		for i := range int64(rapid.IntRange(0, 20).Draw(t, "sessions")) {
			readings = append(readings, sessionOf(40+40*i, string(rune('b'+i)), 30_000+30_000*i)...)
		}
		at := rapid.IntRange(0, len(readings)).Draw(t, "at")
		from := rapid.IntRange(0, at).Draw(t, "from")
		a, _ := charge(t, health.Charger{}, readings)
		b, _ := charge(t, health.Charger{}, slices.Concat(readings[:at], readings[from:at], readings[at:]))
		h, err := a.Record()
		g, gerr := b.Record()
		if err != nil || gerr != nil || h.Record != g.Record {
			t.Fatalf("once %v, %v; again %v, %v", h.Record, err, g.Record, gerr)
		}
	})
}

func FuzzResumeChargerAccumulator(f *testing.F) {
	readings := slices.Concat(sessionOf(0, "a", 0), sessionOf(40, "b", 30_000), sessionOf(80, "c", 0)[:3])
	for n := range readings {
		a, _ := charge(f, health.Charger{}, readings[:n])
		f.Add(stateOf(f, a))
	}
	f.Fuzz(func(t *testing.T, state []byte) {
		a, err := health.ResumeChargerAccumulator(health.Charger{}, nil, state)
		if err != nil {
			return
		}
		if again := stateOf(t, a); !slices.Equal(state, again) {
			t.Fatalf("snapshot %x became %x", state, again)
		}
		for _, r := range readings {
			a.Add(r)
		}
		_, _ = a.Record()
		_ = stateOf(t, a)
	})
}

package gbt32960

import (
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawn is a reading that an edition can say exactly.
func drawn(t *rapid.T, e Edition) telemetry.Reading {
	maybe := func(what string, q quantity) health.Measured {
		if !rapid.Bool().Draw(t, what+" known") {
			return health.Measured{}
		}
		return health.Known(int64(rapid.Uint32Range(q.low, q.high).Draw(t, what))*q.scale + q.offset)
	}
	list := func(what string, most int, q quantity) (l []health.Measured) {
		n := rapid.IntRange(0, most).Draw(t, what+" count")
		for range n {
			l = append(l, maybe(what, q))
		}
		return l
	}
	level := uint8(3)
	if e == Edition2025 {
		level = 4
	}
	extreme := cellVoltage
	extreme.high = 15_000
	r := telemetry.Reading{
		TimeMicros:     noonUTC.UnixMicro() + int64(rapid.IntRange(0, 1_000_000).Draw(t, "time"))*1_000_000,
		VoltageMicroV:  maybe("voltage", quantity{low: 1, high: vehicleVoltage(e).high, scale: 100_000}),
		CurrentMicroA:  charge(maybe("current", vehicleCurrent(e))),
		StateOfCharge:  maybe("charge", stateOfCharge),
		OdometerMetres: maybe("odometer", odometer),
		AlarmLevel:     rapid.Uint8Range(0, level).Draw(t, "level"),
		AlarmFlags:     rapid.Uint32Range(0, uint32(definedFlags(e))).Draw(t, "flags"),
		CellsMicroV:    list("cells", 450, extreme),
		ProbesMilliC:   list("probes", 20, temperature),
	}
	r.LowestCellMicroV, r.HighestCellMicroV = span(r.CellsMicroV)
	r.ColdestMilliC, r.HottestMilliC = span(r.ProbesMilliC)
	return r
}

// What is said in frames, put through a stream, is read as what it was.
func TestReportsSayAReading(t *testing.T) {
	key := signers(t)[SignedECC]
	id := testVehicle(t)
	for _, e := range []Edition{Edition2016, Edition2025} {
		rapid.Check(t, func(t *rapid.T) {
			want := drawn(t, e)
			reports, err := Reports(e, want)
			if err != nil {
				t.Fatal(err)
			}
			var upload []byte
			for _, r := range reports {
				if e == Edition2025 {
					if err := r.Sign(key, nil); err != nil {
						t.Fatal(err)
					}
				}
				f, err := NewFrame(e, RealTime, IsCommand, id, r)
				if err != nil {
					t.Fatal(err)
				}
				b, err := f.Encode()
				if err != nil {
					t.Fatal(err)
				}
				upload = append(upload, b...)
			}
			got, err := Upload(upload)
			if err != nil || len(got.Readings) != 1 {
				t.Fatalf("%d readings, %q, %v", len(got.Readings), got.Issues, err)
			}
			if d := cmp.Diff(want, got.Readings[0]); d != "" {
				t.Fatalf("differs (-want +got):\n%s", d)
			}
		})
	}
}

func TestReportsRoundAndRefuse(t *testing.T) {
	base := telemetry.Reading{TimeMicros: noonUTC.UnixMicro() + 400_000}
	rounded := base
	rounded.VoltageMicroV, rounded.CurrentMicroA, rounded.StateOfCharge = health.Known(399_951_000), health.Known(-12_340_000), health.Known(5049)
	reports, err := Reports(Edition2016, rounded)
	if err != nil {
		t.Fatal(err)
	}
	v := reports[0].Blocks[0].(*Vehicle)
	if v.Voltage != 4000 || v.Current != 10_123 || v.SOC != 50 || reports[0].Time != noon {
		t.Errorf("%+v", v)
	}
	for _, c := range []struct {
		name    string
		edition Edition
		change  func(*telemetry.Reading)
	}{
		{"current of more than 1000 A in 2016", Edition2016, func(r *telemetry.Reading) { r.CurrentMicroA = health.Known(1_000_100_000) }},
		{"voltage below 0", Edition2025, func(r *telemetry.Reading) { r.VoltageMicroV = health.Known(-100_000) }},
		{"voltage of 2025 in 2016", Edition2016, func(r *telemetry.Reading) { r.VoltageMicroV = health.Known(1_000_100_000) }},
		{"probe of 300 °C", Edition2016, func(r *telemetry.Reading) { r.ProbesMilliC = []health.Measured{health.Known(300_000)} }},
		{"level 4 in 2016", Edition2016, func(r *telemetry.Reading) { r.AlarmLevel = 4 }},
		{"flag 23 in 2016", Edition2016, func(r *telemetry.Reading) { r.AlarmFlags = 1 << 23 }},
		{"flag 28 in 2025", Edition2025, func(r *telemetry.Reading) { r.AlarmFlags = 1 << 28 }},
		{"extremes without cells in 2025", Edition2025, func(r *telemetry.Reading) { r.LowestCellMicroV = health.Known(3_000_000) }},
		{"time before 2000", Edition2025, func(r *telemetry.Reading) { r.TimeMicros = 0 }},
		{"edition", 0x25, func(*telemetry.Reading) {}},
	} {
		r := base
		c.change(&r)
		if _, err := Reports(c.edition, r); err == nil {
			t.Errorf("%s: was said", c.name)
		}
	}
}

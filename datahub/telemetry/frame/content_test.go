package frame

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

func sprint(v any) string { return fmt.Sprintf("%v", v) }

func TestReadingsRoundTrip(t *testing.T) {
	cells := make([]health.Measured, 100)
	for i := range cells {
		if i%7 != 3 {
			cells[i] = health.Known(3_700_000 + int64(i*i))
		}
	}
	for name, readings := range map[string][]telemetry.Reading{
		"ten":     someReadings(10),
		"most":    someReadings(MaxReadings),
		"nothing": {{}},
		"everything": {{
			TimeMicros: 5, VoltageMicroV: health.Known(1), CurrentMicroA: health.Known(-2), StateOfCharge: health.Known(0),
			HottestMilliC: health.Known(-40_000), ColdestMilliC: health.Known(MaxValue), LowestCellMicroV: health.Known(-MaxValue),
			HighestCellMicroV: health.Known(3), OdometerMetres: health.Known(4), CellsMicroV: cells, ProbesMilliC: cells[:33],
			AlarmLevel: 4, AlarmFlags: 1<<32 - 1,
		}, {TimeMicros: -7, AlarmFlags: 1}, {TimeMicros: MaxValue}, {TimeMicros: -MaxValue, CellsMicroV: make([]health.Measured, MaxCells)}},
	} {
		b, err := MarshalReadings(readings)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ParseReadings(b)
		if err != nil || !reflect.DeepEqual(got, readings) {
			t.Errorf("%s: reads back as %v, %v", name, got, err)
		}
	}
}

// A value that is not known does not travel, whatever it holds.
func TestUnknownValuesDoNotTravel(t *testing.T) {
	b, err := MarshalReadings([]telemetry.Reading{{VoltageMicroV: health.Measured{Value: 12}, CellsMicroV: []health.Measured{{Value: 3}}}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseReadings(b)
	if err != nil || got[0].VoltageMicroV != (health.Measured{}) || got[0].CellsMicroV[0] != (health.Measured{}) {
		t.Errorf("reads back as %v, %v", got, err)
	}
}

func TestTenReadingsAreSmall(t *testing.T) {
	b, err := MarshalReadings(someReadings(10))
	if err != nil || len(b) > 400 {
		t.Errorf("ten readings take %d bytes, %v", len(b), err)
	}
}

func TestReadingsRefused(t *testing.T) {
	for name, readings := range map[string][]telemetry.Reading{
		"none":       {},
		"too many":   make([]telemetry.Reading, MaxReadings+1),
		"voltage":    {{VoltageMicroV: health.Known(MaxValue + 1)}},
		"time":       {{TimeMicros: -MaxValue - 1}},
		"cells":      {{CellsMicroV: make([]health.Measured, MaxCells+1)}},
		"probes":     {{ProbesMilliC: make([]health.Measured, MaxProbes+1)}},
		"probe":      {{ProbesMilliC: []health.Measured{health.Known(-MaxValue - 1)}}},
		"alarm":      {{AlarmLevel: 5}},
		"many bytes": manyCells(),
	} {
		if _, err := MarshalReadings(readings); err == nil {
			t.Errorf("%s: marshalled", name)
		}
	}
	for name, rows := range map[string][][]int64{
		"none":          {},
		"empty row":     {{}},
		"no time":       {{0}},
		"unknown bit":   {{bitsKnown + 1, 0}},
		"negative bits": {{-1, 0}},
		"value missing": {{1, 0}},
		"value extra":   {{0, 0, 5}},
		"cells < 0":     {{bitCells, 0, -1}},
		"no cells":      {{bitCells, 0, 0}},
		"cells missing": {{bitCells, 0, 1000}},
		"cell missing":  {{bitCells, 0, 1, 1}},
		"cell beyond":   {{bitCells, 0, 1, 3, 7}},
		"word":          {{bitCells, 0, 1, 1 << 40}},
		"alarm level":   {{bitAlarm, 0, 5, 0}},
		"alarm flags":   {{bitAlarm, 0, 0, 1 << 32}},
		"no alarm":      {{bitAlarm, 0, 0, 0}},
		"overflow":      {{0, 1<<63 - 1}},
	} {
		if got, err := ParseReadings(encode(wireReadings{Version: version, Rows: rows})); err == nil {
			t.Errorf("%s: parsed as %v", name, got)
		}
	}
}

func manyCells() []telemetry.Reading {
	cells := make([]health.Measured, MaxCells)
	for i := range cells {
		cells[i] = health.Known(int64(i%2) * 1 << 40)
	}
	return []telemetry.Reading{{CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells},
		{CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells},
		{CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells}, {CellsMicroV: cells}}
}

// A cell that is not known takes a bit of a frame and 16 bytes of memory: a small frame must not decode to much.
func TestFrameOfUnknownCellsIsRefusedBeforeItTakesMemory(t *testing.T) {
	empty := telemetry.Reading{CellsMicroV: make([]health.Measured, MaxCells), ProbesMilliC: make([]health.Measured, MaxProbes)}
	if _, err := MarshalReadings(slices.Repeat([]telemetry.Reading{empty}, MaxReadings)); err == nil {
		t.Error("marshalled")
	}
	row := []int64{bitCells | bitProbes, 0}
	row = appendSeries(row, empty.CellsMicroV)
	row = appendSeries(row, empty.ProbesMilliC)
	hostile := encode(wireReadings{Version: version, Rows: slices.Repeat([][]int64{row}, MaxReadings)})
	if len(hostile) > MaxPayload {
		t.Fatalf("%d bytes do not go into a frame", len(hostile))
	}
	result := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			if _, err := ParseReadings(hostile); !errors.Is(err, errSeries) {
				b.Fatalf("parsing %d bytes: %v", len(hostile), err)
			}
		}
	})
	// The readings themselves, and the cells up to the bound.
	const most = MaxReadings*256 + (MaxSeries+MaxCells)*16
	if got := result.AllocedBytesPerOp(); got > most {
		t.Errorf("%d bytes of payload take %d bytes of memory, at most %d", len(hostile), got, most)
	}
	full := slices.Repeat([]telemetry.Reading{{CellsMicroV: make([]health.Measured, MaxCells)}}, MaxSeries/MaxCells)
	b, err := MarshalReadings(full)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseReadings(b); err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("as many as are allowed: %v", err)
	}
}

func someMeterings() []telemetry.Metering {
	return []telemetry.Metering{
		{TimeMicros: 1, Meter: "M1", Event: telemetry.Idle},
		{TimeMicros: 2, Meter: "M1", Transaction: "tx", Event: telemetry.Begin, ImportMilliWh: health.Known(7), PowerMilliW: health.Known(0)},
		{TimeMicros: 3, Meter: "M1", Transaction: "tx", Event: telemetry.End, RevenueCents: health.Known(-1), StateOfCharge: health.Known(9000), Fault: true},
	}
}

func TestMeteringsRoundTrip(t *testing.T) {
	b, err := MarshalMeterings(someMeterings())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseMeterings(b); err != nil || !reflect.DeepEqual(got, someMeterings()) {
		t.Errorf("reads back as %v, %v", got, err)
	}
	for name, bad := range map[string]telemetry.Metering{
		"meter":   {Meter: string(make([]byte, MaxMeterName+1))},
		"UTF-8":   {Transaction: "\xff"},
		"event":   {Event: telemetry.Down + 1},
		"time":    {TimeMicros: MaxValue + 1},
		"revenue": {RevenueCents: health.Known(MaxValue + 1)},
	} {
		if _, err := MarshalMeterings([]telemetry.Metering{bad}); err == nil {
			t.Errorf("%s: marshalled", name)
		}
	}
	if _, err := MarshalMeterings(nil); err == nil {
		t.Error("none: marshalled")
	}
}

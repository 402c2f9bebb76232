package health_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
)

// withColumn adds a column to the test file, its values by line.
func withColumn(f *testFile, name string, value func(line int) string) *testFile {
	f.header += "," + name
	for i := range f.rows {
		f.rows[i] += "," + value(i+2)
	}
	return f
}

// threeCycles numbers the charge 1, the discharge 2 and the rest after it 3.
func threeCycles(line int) string {
	switch {
	case line < 132:
		return "1"
	case line < 245:
		return "2"
	}
	return "3"
}

func TestBDFCycles(t *testing.T) {
	f := withColumn(newTestFile(), "cycle_count", threeCycles)
	f.set(150, 3, "41.25")
	for _, test := range []struct {
		epoch health.Epoch
		want  map[int]uint32 // peak temperature by cycle
		code  health.Code
	}{
		{health.LastCycle(), map[int]uint32{3: 655}, ""},
		{health.AtCycle(3), map[int]uint32{3: 655}, ""},
		{health.AtCycle(2), map[int]uint32{2: 813}, ""},
		{health.AtCycle(1), map[int]uint32{}, health.NoRecord},
		{health.AtCycle(9), map[int]uint32{}, health.NoRecord},
		{health.EveryCycle(), map[int]uint32{2: 813, 3: 655}, health.NoRecord},
	} {
		o := bdf()
		o.Epoch = test.epoch
		result := importText(t, f.String(), o)
		got := map[int]uint32{}
		for _, c := range result.Cells {
			got[c.Cycle] = c.Record[peakTemperature]
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("epoch %+v: peaks (-want +got):\n%s\n%v", test.epoch, diff, result.Issues)
		}
		if codes := countCodes(result.Issues); test.code == "" && len(codes) != 0 || test.code != "" && codes[test.code] != 1 {
			t.Errorf("epoch %+v: issues %v, want %q", test.epoch, result.Issues, test.code)
		}
	}
}

func TestBDFCycleNumbers(t *testing.T) {
	for _, test := range []struct {
		value string
		code  health.Code
	}{
		{"0", health.CycleOrder}, {"5000", health.CycleOrder}, {"1.28", health.OutOfRange}, {"-1", health.OutOfRange},
		{"", health.MissingValue}, {"two", health.NotANumber},
	} {
		f := withColumn(newTestFile(), "Cycle Count / 1", threeCycles)
		f.set(100, 4, test.value)
		result := importText(t, f.String(), bdf())
		want := []found{{100, "cycle_count", health.Excluded, test.code}}
		if diff := cmp.Diff(want, findings(result.Issues)); diff != "" {
			t.Errorf("cycle %q: issues (-want +got):\n%s", test.value, diff)
		}
		if len(result.Cells) != 1 || result.Cells[0].Cycle != 3 || result.Cells[0].Record[remainingCapacity] != 904 {
			t.Errorf("cycle %q: cells %v", test.value, result.Cells)
		}
	}
	o := bdf()
	o.Epoch = health.AtCycle(2)
	_, err := health.Import(context.Background(), strings.NewReader(newTestFile().String()), o)
	if err == nil || !strings.Contains(err.Error(), "no column cycle_count") {
		t.Errorf("a cycle of a file without cycles: %v", err)
	}
}

// Columns that contradict one another are reported, once each with a count, and do not touch the record.
func TestBDFTotals(t *testing.T) {
	totals := func(f *testFile) *testFile {
		hours := func(line, from, to int) float64 { return 0.5 * float64(min(max(line, from), to)-from) / 60 }
		for _, c := range []struct {
			name  string
			value func(in, out float64) float64
		}{
			{"charging_capacity_ah", func(in, _ float64) float64 { return in }},
			{"Discharging Capacity / Ah", func(_, out float64) float64 { return out }},
			{"cumulative_capacity_ah", func(in, out float64) float64 { return in + out }},
			{"net_capacity_ah", func(in, out float64) float64 { return in - out }},
		} {
			withColumn(f, c.name, func(line int) string {
				return fmt.Sprintf("%.8f", c.value(hours(line, 2, 121), hours(line, 132, 244)))
			})
		}
		return f
	}
	if result := importText(t, totals(newTestFile()).String(), bdf()); len(result.Issues) != 0 {
		t.Fatalf("issues %v in a consistent file", result.Issues)
	}
	for _, test := range []struct {
		name  string
		spoil func(f *testFile)
		want  []found
	}{
		{"total falls", func(f *testFile) { f.set(200, 5, "0.1") }, []found{
			{200, "discharging_capacity_ah", health.Noted, health.TotalFell},
			{200, "cumulative_capacity_ah", health.Noted, health.InconsistentSum},
			{200, "net_capacity_ah", health.Noted, health.InconsistentSum},
		}},
		{"net and cumulative swapped", func(f *testFile) {
			f.header = strings.NewReplacer("cumulative", "net", "net", "cumulative").Replace(f.header)
		}, []found{
			{133, "cumulative_capacity_ah", health.Noted, health.TotalFell},
			{133, "cumulative_capacity_ah", health.Noted, health.InconsistentSum},
			{133, "net_capacity_ah", health.Noted, health.InconsistentSum},
			{0, "cumulative_capacity_ah", health.Noted, health.TotalFell},
			{0, "cumulative_capacity_ah", health.Noted, health.InconsistentSum},
			{0, "net_capacity_ah", health.Noted, health.InconsistentSum},
		}},
		{"sum off in two rows", func(f *testFile) { f.set(200, 7, "0.9"); f.set(210, 7, "0.9") }, []found{
			{200, "net_capacity_ah", health.Noted, health.InconsistentSum},
			{0, "net_capacity_ah", health.Noted, health.InconsistentSum},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := totals(newTestFile())
			test.spoil(f)
			result := importText(t, f.String(), bdf())
			if diff := cmp.Diff(test.want, findings(result.Issues)); diff != "" {
				t.Errorf("issues (-want +got):\n%s\n%v", diff, result.Issues)
			}
			if len(result.Cells) != 1 || result.Cells[0].Record != cleanRecord {
				t.Errorf("cells %v, want the clean record", result.Cells)
			}
		})
	}
}

func TestBDFRecordIndex(t *testing.T) {
	f := withColumn(newTestFile(), "step_record_index", func(line int) string { return fmt.Sprint((line-2)%40 + 1) })
	if result := importText(t, f.String(), bdf()); len(result.Issues) != 0 {
		t.Fatalf("issues %v in a numbered file", result.Issues)
	}
	f.set(50, 4, "77")
	want := []found{
		{50, "step_record_index", health.Noted, health.RecordIndex},
		{0, "step_record_index", health.Noted, health.RecordIndex},
	}
	if diff := cmp.Diff(want, findings(importText(t, f.String(), bdf()).Issues)); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
}

// A test clock in another unit than seconds is seen against the wall clock. No record may be made.
func TestBDFClockUnit(t *testing.T) {
	for _, test := range []struct {
		unit      string
		microsOf  int64 // microseconds of wall clock in one "second" of the test clock
		converted bool
	}{
		{"seconds", 1_000_000, true}, {"milliseconds", 1000, false}, {"minutes", 60_000_000, false}, {"hours", 3_600_000_000, false},
	} {
		f := withColumn(newTestFile(), "unix_time_second", func(line int) string {
			micros := 1_700_000_000_000_000 + int64(line)*60*test.microsOf
			return fmt.Sprintf("%d.%06d", micros/1_000_000, micros%1_000_000)
		})
		if test.microsOf == 1000 { // 60 ms between rows are too short to compare clocks by
			for i := range f.rows {
				f.set(i+2, 0, fmt.Sprint(60_000*i))
				f.set(i+2, 4, fmt.Sprint(1_700_000_000+60*i))
			}
		}
		result := importText(t, f.String(), bdf())
		codes := countCodes(result.Issues)
		if got := codes[health.WrongUnit] == 0; got != test.converted || (len(result.Cells) == 1) != test.converted {
			t.Errorf("%s: %d records, issues %v", test.unit, len(result.Cells), codes)
		}
	}
}

// Issues are bounded, and those beyond the bound are counted.
func TestManyIssues(t *testing.T) {
	text := testHeader + "\n" + strings.Repeat("x,1\n", 12_000)
	result := importText(t, text, bdf())
	last := result.Issues[len(result.Issues)-1]
	if len(result.Issues) != 10_001 || result.Beyond != 2_000 || last.Code != health.NoRecord {
		t.Errorf("%d issues and %d beyond, the last %v", len(result.Issues), result.Beyond, last)
	}
}

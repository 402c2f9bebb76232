package health_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

// testFile is a BDF file of a cell rated 1 Ah, a row a minute: charged at 0.5 A to 4.2 V (lines 2 to 121), at rest (122 to 131),
// discharged at 0.48 A from 4.2 to 3.0 V (132 to 244), at rest again (245 to 249).
type testFile struct {
	header string
	rows   []string
}

const testHeader = "test_time_second,voltage_volt,current_ampere,temperature_t1_celsius"

func newTestFile() *testFile {
	f := &testFile{header: testHeader}
	add := func(n int, current float64, from, to float64) {
		for i := range n {
			volts := from + (to-from)*float64(i)/float64(max(n-1, 1))
			f.rows = append(f.rows, fmt.Sprintf("%d.000,%.4f,%.4f,25.5", 60*len(f.rows), volts, current))
		}
	}
	add(120, 0.5, 3.2, 4.2)
	add(10, 0, 4.19, 4.18)
	add(113, -0.48, 4.15, 3.0)
	add(5, 0, 3.2, 3.3)
	return f
}

// line gives access to a line of the file, counted from 1 with the header.
func (f *testFile) line(n int) *string { return &f.rows[n-2] }

// set replaces a cell of a line.
func (f *testFile) set(n, column int, value string) {
	cells := strings.Split(*f.line(n), ",")
	cells[column] = value
	*f.line(n) = strings.Join(cells, ",")
}

// shift moves the clock from a line to the end of the file.
func (f *testFile) shift(n, seconds int) {
	for i := n; i-2 < len(f.rows); i++ {
		f.set(i, 0, fmt.Sprintf("%d.000", 60*(i-2)+seconds))
	}
}

func (f *testFile) insert(n int, row string) {
	f.rows = append(f.rows[:n-2:n-2], append([]string{row}, f.rows[n-2:]...)...)
}

func (f *testFile) String() string { return f.header + "\n" + strings.Join(f.rows, "\n") + "\n" }

var testBattery = health.Battery{RatedMicroAh: 1_000_000, LowMicroV: 3_000_000, HighMicroV: 4_200_000}

func importText(t *testing.T, text string, o health.Options) *health.Result {
	t.Helper()
	result, err := health.Import(context.Background(), strings.NewReader(text), o)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return result
}

func bdf() health.Options { return health.Options{Format: health.BDF, Battery: testBattery} }

func countCodes(issues []health.Issue) map[health.Code]int {
	codes := map[health.Code]int{}
	for _, i := range issues {
		codes[i.Code]++
	}
	return codes
}

// found is an issue without its wording.
type found struct {
	Line     int
	Column   string
	Severity health.Severity
	Code     health.Code
}

func findings(issues []health.Issue) []found {
	var fs []found
	for _, i := range issues {
		fs = append(fs, found{i.Line, i.Column, i.Severity, i.Code})
	}
	return fs
}

// 113 rows of 0.48 A are 112 whole minutes and a half minute at each end: 0.904 Ah. The charge is 119 minutes and a half at 0.5 A.
var cleanRecord = record.Record{1, 9040, 9, 0, 904, 0, 655, 0}

func TestCleanBDF(t *testing.T) {
	result := importText(t, newTestFile().String(), bdf())
	if len(result.Cells) != 1 || len(result.Issues) != 0 || result.Rows != 248 {
		t.Fatalf("got %+v, want one record and no issues", result)
	}
	cell := result.Cells[0]
	if cell.ID != "cell" || cell.Cycle != 1 {
		t.Errorf("got cell %s at cycle %d", cell.ID, cell.Cycle)
	}
	if diff := cmp.Diff(cleanRecord, cell.Record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	want := health.Details{
		Formulas: "health/v1", CapacityMicroAh: 904_000, MeanMicroA: 475_789, FirstLine: 132, LastLine: 244,
		LowMicroV: 3_000_000, HighMicroV: 4_200_000, WindowStated: true,
		ChargedMicroAh: 995_833, DischargedMicroAh: 904_000, Readings: 248,
	}
	if diff := cmp.Diff(want, cell.Details); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

// Every kind of dirty row, what is reported about it, and which capacity is left.
func TestDirtyBDFRows(t *testing.T) {
	const volts, amps, temperature, clock = "voltage_volt", "current_ampere", "temperature_t1_celsius", "test_time_second"
	for _, test := range []struct {
		name     string
		spoil    func(f *testFile)
		want     []found
		capacity int64 // µAh; 0 if there must be no record
	}{
		{"missing current", func(f *testFile) { f.set(150, 2, "") },
			[]found{{150, amps, health.Excluded, health.MissingValue}}, 904_000},
		{"NaN voltage", func(f *testFile) { f.set(150, 1, "NaN") },
			[]found{{150, volts, health.Excluded, health.NotFinite}}, 904_000},
		{"infinite current", func(f *testFile) { f.set(150, 2, "-inf") },
			[]found{{150, amps, health.Excluded, health.NotFinite}}, 904_000},
		{"text for a number", func(f *testFile) { f.set(150, 2, "OVERFLOW") },
			[]found{{150, amps, health.Excluded, health.NotANumber}}, 904_000},
		{"time is no number", func(f *testFile) { f.set(150, 0, "00:10:20") },
			[]found{{150, clock, health.Excluded, health.NotANumber}}, 904_000},
		{"two bad values in a row", func(f *testFile) { f.set(150, 1, "x"); f.set(150, 2, "") },
			[]found{{150, volts, health.Excluded, health.NotANumber}, {150, amps, health.Excluded, health.MissingValue}}, 904_000},
		{"number beyond measure", func(f *testFile) { f.set(150, 2, "1e300") },
			[]found{{150, amps, health.Excluded, health.OutOfRange}}, 904_000},
		{"millivolts in a column of volts", func(f *testFile) { f.set(150, 1, "3900") },
			[]found{{150, volts, health.Excluded, health.OutOfRange}}, 904_000},
		{"negative voltage", func(f *testFile) { f.set(150, 1, "-3.9") },
			[]found{{150, volts, health.Excluded, health.OutOfRange}}, 904_000},
		{"current of 500 C", func(f *testFile) { f.set(150, 2, "-500") },
			[]found{{150, amps, health.Excluded, health.OutOfRange}}, 904_000},
		{"negative time", func(f *testFile) { f.set(150, 0, "-5") },
			[]found{{150, clock, health.Excluded, health.OutOfRange}}, 904_000},
		{"broken thermometer", func(f *testFile) { f.set(150, 3, "-273.15") },
			[]found{{150, temperature, health.Excluded, health.OutOfRange}}, 904_000},
		{"missing temperature", func(f *testFile) { f.set(150, 3, "") },
			[]found{{150, temperature, health.Excluded, health.MissingValue}}, 904_000},
		{"short row", func(f *testFile) { *f.line(150) = "8880.000,3.9" },
			[]found{{150, "", health.Excluded, health.RaggedRow}}, 904_000},
		{"long row", func(f *testFile) { *f.line(150) += ",1" },
			[]found{{150, "", health.Excluded, health.RaggedRow}}, 904_000},
		{"empty line", func(f *testFile) { *f.line(150) = " " },
			[]found{{150, "", health.Excluded, health.EmptyLine}}, 904_000},
		{"unbalanced quote", func(f *testFile) { f.set(150, 1, `"3.9`) },
			[]found{{150, "", health.Excluded, health.BadQuoting}}, 904_000},
		{"repeated row", func(f *testFile) { f.insert(150, *f.line(149)) },
			[]found{{150, "", health.Excluded, health.Repeated}}, 904_000},
		{"same time, other values", func(f *testFile) { f.insert(150, "8820.000,3.9,-0.48,26") },
			[]found{{150, clock, health.Noted, health.SameTime}}, 904_000},
		{"clock falls to 0 in one row", func(f *testFile) { f.set(150, 0, "0.000") },
			[]found{{150, clock, health.Excluded, health.TimeGlitch}}, 904_000},
		{"clock falls a little in one row", func(f *testFile) { f.set(150, 0, "8700.000") },
			[]found{{150, clock, health.Excluded, health.TimeGlitch}}, 904_000},
		{"clock jumps ahead in one row", func(f *testFile) { f.set(150, 0, "99999") },
			[]found{{150, clock, health.Excluded, health.TimeGlitch}}, 904_000},
		{"two glitches in a row", func(f *testFile) { f.set(150, 0, "0"); f.set(151, 0, "500000") },
			[]found{{150, clock, health.Excluded, health.TimeGlitch}, {151, clock, health.Excluded, health.TimeGlitch}}, 904_000},
		{"glitch where the discharge begins", func(f *testFile) { f.insert(132, "0.000,4.15,-0.48,25.5") },
			[]found{{132, clock, health.Excluded, health.TimeGlitch}}, 904_000},
		{"glitch in the last row", func(f *testFile) { f.set(249, 0, "0.000") },
			[]found{{249, clock, health.Excluded, health.TimeGlitch}}, 904_000},
		{"clock restarts in the discharge", func(f *testFile) { f.shift(150, -8880) },
			[]found{{150, clock, health.Excluded, health.ClockRestart}, {0, "", health.Excluded, health.NoRecord}}, 0},
		{"clock restarts where the discharge begins", func(f *testFile) { f.shift(132, -7800) },
			[]found{{132, clock, health.Excluded, health.ClockRestart}, {0, "", health.Excluded, health.NoRecord}}, 0},
		{"clock restarts in the rest before", func(f *testFile) { f.shift(126, -7440) },
			[]found{{126, clock, health.Excluded, health.ClockRestart}}, 904_000},
		{"clock restarts after the discharge", func(f *testFile) { f.shift(247, -14700) },
			[]found{{247, clock, health.Excluded, health.ClockRestart}}, 904_000},
		{"gap in the discharge", func(f *testFile) { f.shift(150, 3600) },
			[]found{{150, clock, health.Excluded, health.TimeGap}, {0, "", health.Excluded, health.NoRecord}}, 0},
		{"gap in the charge", func(f *testFile) { f.shift(50, 3600) },
			[]found{{50, clock, health.Excluded, health.TimeGap}}, 904_000},
		{"data ends in the discharge", func(f *testFile) { f.rows = f.rows[:200] },
			[]found{{132, "", health.Excluded, health.OpenDischarge}, {0, "", health.Excluded, health.NoRecord}}, 0},
		{"data ends with the discharge", func(f *testFile) { f.rows = f.rows[:243] }, nil, 900_000},
		{"data begins in the discharge", func(f *testFile) { f.rows = f.rows[150:] },
			[]found{{0, "", health.Excluded, health.NoRecord}}, 0},
		{"no row at all", func(f *testFile) { f.rows = nil },
			[]found{{0, "", health.Excluded, health.NoRecord}}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newTestFile()
			test.spoil(f)
			o := bdf()
			o.Battery.MaxGapMicros = 130_000_000 // a row may be missing here, two may not
			if strings.HasPrefix(test.name, "two glitches") {
				o.Battery.MaxGapMicros = 190_000_000
			}
			result := importText(t, f.String(), o)
			if diff := cmp.Diff(test.want, findings(result.Issues)); diff != "" {
				t.Errorf("issues (-want +got):\n%s\n%v", diff, result.Issues)
			}
			var capacity int64
			if len(result.Cells) == 1 {
				capacity = result.Cells[0].Details.CapacityMicroAh
			}
			if capacity != test.capacity {
				t.Errorf("capacity %d µAh, want %d; %v", capacity, test.capacity, result.Issues)
			}
		})
	}
}

// A row that is left out is bridged only within the bound on gaps.
func TestLeftOutRowIsAGap(t *testing.T) {
	f := newTestFile()
	f.set(150, 2, "")
	result := importText(t, f.String(), bdf()) // 60 s at most, and 120 s without the row
	want := []found{
		{150, "current_ampere", health.Excluded, health.MissingValue},
		{151, "test_time_second", health.Excluded, health.TimeGap},
		{0, "", health.Excluded, health.NoRecord},
	}
	if diff := cmp.Diff(want, findings(result.Issues)); diff != "" || len(result.Cells) != 0 {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
}

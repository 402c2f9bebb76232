package health_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

const cyclesHeader = "Cycle,Time Measured(Sec),Voltage Measured(V),Current Measured,Temperature Measured,Capacity(Ah),SampleId"

// testCycles are four cycles of two cells rated 2 Ah.
func testCycles() []string {
	return []string{
		"0,3690.5,3.27,-0.006,34.2,1.85,A", "0,3690.5,2.47,-2.009,39.1,2.03,B",
		"1,3672.3,3.30,-4.4E-07,34.4,1.84,A", "1,3672.3,3.31,-0.003,35.0,2.02,B",
		"2,3651.6,3.29,-0.001,61.0,1.83,A", "2,3651.6,3.30,-0.001,33.3,2.01,B",
		"3,3631.6,3.29,-0.001,35.2,1.82,A", "3,3631.6,3.30,-0.001,33.4,2.00,B",
	}
}

func cycles(e health.Epoch) health.Options {
	return health.Options{Format: health.Cycles, Battery: health.Battery{RatedMicroAh: 2_000_000}, Epoch: e}
}

func cyclesText(rows []string) string { return cyclesHeader + "\n" + strings.Join(rows, "\n") + "\n" }

type cellRecord struct {
	ID     string
	Cycle  int
	Record record.Record
}

func cellRecords(cells []health.Cell) []cellRecord {
	var out []cellRecord
	for _, c := range cells {
		out = append(out, cellRecord{c.ID, c.Cycle, c.Record})
	}
	return out
}

func TestCycles(t *testing.T) {
	a0 := cellRecord{"A", 0, record.Record{1, 9250, 9, 0, 1850, 0, 742, 0}}
	b0 := cellRecord{"B", 0, record.Record{1, 10150, 10, 0, 2030, 0, 791, 0}}
	a2 := cellRecord{"A", 2, record.Record{1, 9150, 28, 0, 1830, 0, 1010, 1}}
	b2 := cellRecord{"B", 2, record.Record{1, 10050, 30, 0, 2010, 0, 733, 0}}
	a3 := cellRecord{"A", 3, record.Record{1, 9100, 37, 0, 1820, 0, 752, 1}}
	b3 := cellRecord{"B", 3, record.Record{1, 10000, 40, 0, 2000, 0, 734, 0}}
	only := cycles(health.LastCycle())
	only.Cell = "B"
	for _, test := range []struct {
		name    string
		options health.Options
		want    []cellRecord
	}{
		{"last", cycles(health.LastCycle()), []cellRecord{a3, b3}},
		{"first", cycles(health.AtCycle(0)), []cellRecord{a0, b0}},
		{"third", cycles(health.AtCycle(2)), []cellRecord{a2, b2}},
		{"one cell", only, []cellRecord{b3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := importText(t, cyclesText(testCycles()), test.options)
			if diff := cmp.Diff(test.want, cellRecords(result.Cells)); diff != "" || len(result.Issues) != 0 {
				t.Errorf("records (-want +got):\n%s\n%v", diff, result.Issues)
			}
		})
	}
	every := cellRecords(importText(t, cyclesText(testCycles()), cycles(health.EveryCycle())).Cells)
	if len(every) != 8 || every[0] != a0 || every[1] != b0 || every[4] != a2 || every[7] != b3 {
		t.Errorf("every cycle: %v", every)
	}
}

// Every kind of dirty row of cell A, what is reported, and A's last cycle with its full cycles in tenths (-1: no record).
func TestDirtyCycleRows(t *testing.T) {
	for _, test := range []struct {
		name        string
		row         int // index of the row to replace
		text        string
		want        []found
		cycle, full int
	}{
		{"missing capacity", 6, "3,3631,3.29,0,35.2,,A", []found{{8, "capacity", health.Excluded, health.MissingValue}}, 2, 28},
		{"capacity not finite", 6, "3,3631,3.29,0,35.2,nan,A", []found{{8, "capacity", health.Excluded, health.NotFinite}}, 2, 28},
		{"capacity no number", 6, "3,3631,3.29,0,35.2,1.8Ah,A", []found{{8, "capacity", health.Excluded, health.NotANumber}}, 2, 28},
		{"milliampere hours", 6, "3,3631,3.29,0,35.2,1820,A", []found{{8, "capacity", health.Excluded, health.OutOfRange}}, 2, 28},
		{"capacity zero", 6, "3,3631,3.29,0,35.2,0,A", []found{{8, "capacity", health.Excluded, health.OutOfRange}}, 2, 28},
		{"negative capacity", 6, "3,3631,3.29,0,35.2,-1.8,A", []found{{8, "capacity", health.Excluded, health.OutOfRange}}, 2, 28},
		{"missing temperature", 6, "3,3631,3.29,0,,1.82,A", []found{{8, "temperature", health.Excluded, health.MissingValue}}, 2, 28},
		{"kelvin", 6, "3,3631,3.29,0,308,1.82,A", []found{{8, "temperature", health.Excluded, health.OutOfRange}}, 2, 28},
		{"missing voltage", 6, "3,3631,,0,35.2,1.82,A", []found{{8, "voltage", health.Excluded, health.MissingValue}}, 3, 37},
		{"current out of range", 6, "3,3631,3.29,999,35.2,1.82,A", []found{{8, "current", health.Excluded, health.OutOfRange}}, 3, 37},
		{"negative duration", 6, "3,-1,3.29,0,35.2,1.82,A", []found{{8, "duration", health.Excluded, health.OutOfRange}}, 3, 37},
		{"cycle falls", 6, "1,3631,3.29,0,35.2,1.82,A", []found{{8, "cycle", health.Excluded, health.CycleOrder}}, 2, 28},
		{"cycle leaps", 6, "5000,3631,3.29,0,35.2,1.82,A", []found{{8, "cycle", health.Excluded, health.CycleOrder}}, 2, 28},
		{"cycles missing", 6, "9,3631,3.29,0,35.2,1.82,A", []found{{8, "cycle", health.Noted, health.CyclesMissing}}, 9, 37},
		{"fraction of a cycle", 6, "2.5,3631,3.29,0,35.2,1.82,A", []found{{8, "cycle", health.Excluded, health.OutOfRange}}, 2, 28},
		{"negative cycle", 6, "-3,3631,3.29,0,35.2,1.82,A", []found{{8, "cycle", health.Excluded, health.OutOfRange}}, 2, 28},
		{"row twice", 6, "2,3651.6,3.29,-0.001,61.0,1.83,A", []found{{8, "", health.Excluded, health.Repeated}}, 2, 28},
		{"cycle twice", 6, "2,3651.6,3.29,-0.001,61.0,1.5,A", []found{{8, "cycle", health.Excluded, health.Repeated}}, 2, 28},
		{"cell without id", 6, "3,3631,3.29,0,35.2,1.82,", []found{{8, "cell", health.Excluded, health.BadCell}}, 2, 28},
		{"id with an escape", 6, "3,3631,3.29,0,35.2,1.82,\x1b[2JA", []found{{8, "cell", health.Excluded, health.BadCell}}, 2, 28},
		{"short row", 6, "3,3631", []found{{8, "", health.Excluded, health.RaggedRow}}, 2, 28},
		{"bad row in the middle", 2, "1,3672.3,3.30,0,34.4,,A",
			[]found{{4, "capacity", health.Excluded, health.MissingValue}, {6, "cycle", health.Noted, health.CyclesMissing}}, 3, 28},
	} {
		t.Run(test.name, func(t *testing.T) {
			rows := testCycles()
			rows[test.row] = test.text
			result := importText(t, cyclesText(rows), cycles(health.LastCycle()))
			if diff := cmp.Diff(test.want, findings(result.Issues)); diff != "" {
				t.Errorf("issues (-want +got):\n%s\n%v", diff, result.Issues)
			}
			if len(result.Cells) != 2 {
				t.Fatalf("cells %v, want 2", result.Cells)
			}
			a := result.Cells[0]
			if a.ID != "A" || a.Cycle != test.cycle || int(a.Record[fullCycles]) != test.full {
				t.Errorf("got %+v, want cycle %d with %d/10 full cycles", a, test.cycle, test.full)
			}
		})
	}
}

func TestCyclesWithoutRecord(t *testing.T) {
	for _, test := range []struct {
		name, text, want string
		options          health.Options
	}{
		{"no rows", cyclesHeader + "\n", "no row of a cell", cycles(health.LastCycle())},
		{"cycle not there", cyclesText(testCycles()), "no usable row for cycle 7", cycles(health.AtCycle(7))},
		{"other cell", cyclesText(testCycles()), "no row of a cell", health.Options{
			Format: health.Cycles, Cell: "C", Battery: health.Battery{RatedMicroAh: 2_000_000}}},
		{"nothing usable", cyclesText([]string{"1,1,3,0,25,nan,A"}), "no usable row", cycles(health.LastCycle())},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := importText(t, test.text, test.options)
			last := result.Issues[len(result.Issues)-1]
			if len(result.Cells) != 0 || last.Code != health.NoRecord || !strings.Contains(last.Reason, test.want) {
				t.Errorf("cells %v, last issue %v, want %q", result.Cells, last, test.want)
			}
		})
	}
}

func TestCyclesRefused(t *testing.T) {
	for header, want := range map[string]string{
		"Cycle,Capacity(mAh),SampleId,Temperature(C)":     `"Capacity(mAh)" has another unit than Ah`,
		"Cycle,Capacity(Ah),SampleId,Temperature(F)":      `"Temperature(F)" has another unit than °C`,
		"Cycle,Capacity(Ah),SampleId":                     "required column temperature is missing",
		"Cycle,Capacity(Ah),Temperature(C)":               "required column cell is missing",
		"Capacity(Ah),SampleId,Temperature(C)":            "required column cycle is missing",
		"Cycle,Cycle,Capacity(Ah),SampleId,Temperature()": "columns 1 and 2 are both the cycle",
	} {
		_, err := health.Import(context.Background(), strings.NewReader(header+"\n"), cycles(health.LastCycle()))
		var format *health.FormatError
		if !errors.As(err, &format) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want a format error with %q", header, err, want)
		}
	}
}

func TestImportOptions(t *testing.T) {
	for want, o := range map[string]health.Options{
		"rated capacity 0 Ah": {Format: health.BDF},
		`format "xml"`:        {Format: "xml", Battery: testBattery},
		"must be printable":   {Format: health.BDF, Battery: testBattery, Cell: "a\x07"},
		"must be 1 to 64":     {Format: health.BDF, Battery: testBattery, Cell: strings.Repeat("a", 65)},
	} {
		if _, err := health.Import(context.Background(), strings.NewReader(""), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := health.Import(stopped, strings.NewReader(cyclesText(testCycles())), cycles(health.LastCycle())); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a cancelled import", err)
	}
	for text, want := range map[string]health.Epoch{"last": health.LastCycle(), "every": health.EveryCycle(), "7": health.AtCycle(7)} {
		if got, err := health.ParseEpoch(text); err != nil || got != want {
			t.Errorf("epoch %q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", "first", "1000001", "1.5"} {
		if _, err := health.ParseEpoch(text); err == nil {
			t.Errorf("epoch %q is accepted", text)
		}
	}
}

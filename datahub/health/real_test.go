package health_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

const (
	nasaFile   = "nasa-pcoe-cycles.csv"
	sintefFile = "sintef-slpba842124hv-rate.bdf.csv"
)

// realFile opens a file of measured data. A clone of the project alone does not have them.
func realFile(t *testing.T, name string) *os.File {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			t.Skip("go.mod was not found above the test")
		}
		root = parent
	}
	f, err := os.Open(filepath.Join(root, "..", "shared", "data", name))
	if err != nil {
		t.Skipf("no measured data here: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func importReal(t *testing.T, name string, o health.Options) *health.Result {
	t.Helper()
	result, err := health.Import(context.Background(), realFile(t, name), o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// The two NASA cells are rated 2.0 Ah and end at 1.325 and 1.186 Ah.
func TestNASACells(t *testing.T) {
	o := health.Options{Format: health.Cycles, Battery: health.Battery{RatedMicroAh: 2_000_000}}
	result := importReal(t, nasaFile, o)
	type end struct {
		ID     string
		Cycle  int
		Record record.Record
	}
	var got []end
	for _, c := range result.Cells {
		got = append(got, end{c.ID, c.Cycle, c.Record})
	}
	want := []end{
		{"B0005", 167, record.Record{1, 6625, 1321, 6, 1325, 0, 744, 0}},
		{"B0006", 167, record.Record{1, 5928, 1299, 6, 1186, 0, 722, 0}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if result.Rows != 336 || len(result.Issues) != 0 {
		t.Errorf("%d rows and issues %v, want 336 rows without any", result.Rows, result.Issues)
	}
}

func TestNASAEveryCycle(t *testing.T) {
	o := health.Options{Format: health.Cycles, Battery: health.Battery{RatedMicroAh: 2_000_000}, Epoch: health.EveryCycle()}
	result := importReal(t, nasaFile, o)
	if len(result.Cells) != 336 {
		t.Fatalf("%d records, want one for each of 336 cycles", len(result.Cells))
	}
	o.Epoch = health.AtCycle(100)
	at := importReal(t, nasaFile, o)
	if diff := cmp.Diff(result.Cells[200:202], at.Cells); diff != "" {
		t.Errorf("cycle 100 among all and alone differ:\n%s", diff)
	}
}

// The SINTEF cell is discharged five times, at 0.65, 6.5, 13, 33 and 59 A, between 4.35 and 3.0 V. Its cycler wrote a time of 0 into
// the first row of each of its 19 steps after the first.
func TestSINTEFCell(t *testing.T) {
	o := health.Options{Format: health.BDF, Cell: "SLPBA842124HV", Battery: health.Battery{RatedMicroAh: 12_000_000}}
	result := importReal(t, sintefFile, o)
	if len(result.Cells) != 1 {
		t.Fatalf("no record: %v", result.Issues)
	}
	got := result.Cells[0]
	if diff := cmp.Diff(record.Record{1, 6066, 29, 1, 7280, 0, 979, 0}, got.Record); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	// The whole of the file was also integrated in exact fractions, by another program.
	if d := got.Details; d.CapacityMicroAh != 7_279_749 || d.ChargedMicroAh != 33_059_826 || d.DischargedMicroAh != 36_175_854 {
		t.Errorf("charges %+v, want 7279749, 33059826 and 36175854 µAh", d)
	}
	want := map[health.Code]int{health.OldColumn: 1, health.TimeGlitch: 19, health.InferredWindow: 1, health.OpenDischarge: 1}
	if diff := cmp.Diff(want, countCodes(result.Issues)); diff != "" {
		t.Errorf("issues (-want +got):\n%s\n%v", diff, result.Issues)
	}
}

// With a faster discharge allowed, the latest that qualifies is another one. The charge it delivers is less.
func TestSINTEFRate(t *testing.T) {
	for _, test := range []struct{ maxRateMilliC, capacity int64 }{
		{500, 7_279_749}, {1000, 7_253_917}, {2000, 7_237_757}, {5000, 7_211_389}, {100_000, 7_211_389},
	} {
		b := health.Battery{RatedMicroAh: 12_000_000, MaxRateMilliC: test.maxRateMilliC}
		result := importReal(t, sintefFile, health.Options{Format: health.BDF, Battery: b})
		if len(result.Cells) != 1 || result.Cells[0].Details.CapacityMicroAh != test.capacity {
			t.Errorf("at most %d/1000 C: %+v, want a capacity of %d µAh", test.maxRateMilliC, result.Cells, test.capacity)
		}
	}
}

// The file ends in a discharge at 59 A. With the window stated it is known to be complete.
func TestSINTEFOpenDischarge(t *testing.T) {
	b := health.Battery{RatedMicroAh: 12_000_000, MaxRateMilliC: 5000, LowMicroV: 3_000_000, HighMicroV: 4_350_000}
	result := importReal(t, sintefFile, health.Options{Format: health.BDF, Battery: b})
	if len(result.Cells) != 1 || result.Cells[0].Details.CapacityMicroAh != 7_193_041 {
		t.Errorf("%+v, want a capacity of 7193041 µAh", result.Cells)
	}
}

package health_test

import (
	"context"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

// checkResult holds for the import of any bytes: records fit their schema, issues point into the file and print in one clean line.
func checkResult(t *testing.T, text string, o health.Options) {
	result, err := health.Import(context.Background(), strings.NewReader(text), o)
	if err != nil && len(result.Cells) > 0 {
		t.Fatalf("%d records beside the error %v", len(result.Cells), err)
	}
	schema, lookupErr := record.Lookup("battery/v1")
	if lookupErr != nil {
		t.Fatal(lookupErr)
	}
	for _, c := range result.Cells {
		if err := schema.Check(c.Record); err != nil {
			t.Fatalf("cell %q: %v", c.ID, err)
		}
		if c.Record[voltageSpread] != 0 {
			t.Fatalf("a single cell has a spread of %d mV", c.Record[voltageSpread])
		}
	}
	lines := strings.Count(text, "\n") + 1
	for _, i := range result.Issues {
		if i.Line < 0 || i.Line > lines || i.Code == "" || i.Reason == "" || i.Action == "" {
			t.Fatalf("issue %+v in a file of %d lines", i, lines)
		}
		if s := i.String(); strings.ContainsAny(s, "\n\r\x1b\x00") {
			t.Fatalf("issue prints control characters: %q", s)
		}
	}
	if err == nil && len(result.Cells) == 0 && len(result.Issues) == 0 {
		t.Fatal("no record and no reason")
	}
}

func FuzzImportBDF(f *testing.F) {
	// A row each half hour, so that a whole cycle is short enough to be worth mutating.
	full := testHeader + ",cycle_count\n0,3.2,0.5,25,1\n1800,4.2,0.5,25,1\n3600,4.18,0,25,1\n5400,4.1,-0.45,26,2\n" +
		"7200,3.7,-0.45,27,2\n0,3.5,-0.45,27,2\n9000,3.4,-0.45,27.5,2\n10800,3.0,-0.45,28,2\n12600,3.2,0,26,3\n"
	labels := strings.Replace(full, testHeader, `"Test Time / s",Voltage / V,Current / A,Temperature T1 / degC`, 1)
	for _, text := range []string{
		"", "\ufeff", full, labels, testHeader, testHeader + "\n0,3,-1,25\n0,3,-1,25\n",
		testHeader + ",unix_time_second,net_capacity_ah,charging_capacity_ah,discharging_capacity_ah,step_record_index\n0,1,2,3,4,5,6,7,8\n",
		testHeader + "\r\n1e18,NaN,-inf,\"\n,,,\n\n",
	} {
		f.Add(text, uint8(0))
		f.Add(text, uint8(2))
	}
	o := bdf()
	o.Battery.MaxGapMicros = 3_600_000_000
	if result, err := health.Import(context.Background(), strings.NewReader(full), o); err != nil || len(result.Cells) != 1 {
		f.Fatalf("the seed yields %+v, %v", result, err)
	}
	f.Fuzz(func(t *testing.T, text string, epoch uint8) {
		o := bdf()
		o.Battery.MaxGapMicros = 3_600_000_000
		switch epoch % 3 {
		case 1:
			o.Epoch = health.AtCycle(int(epoch) / 3)
			o.Battery.LowMicroV, o.Battery.HighMicroV = 0, 0
		case 2:
			o.Epoch = health.EveryCycle()
		}
		checkResult(t, text, o)
	})
}

func FuzzImportCycles(f *testing.F) {
	for _, text := range []string{
		"", cyclesHeader, cyclesText(testCycles()), cyclesText([]string{"1,,,,,,", "999999,1e9,1,1,200,3,\x1bA"}),
		"cycle,cell,capacity,temperature\n1,a,1.0005,25\n1,a,1,25\n3,a,1,25\n2,a,1,25\n",
	} {
		f.Add(text, uint8(0))
		f.Add(text, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, epoch uint8) {
		e := []health.Epoch{health.LastCycle(), health.AtCycle(int(epoch) / 3), health.EveryCycle()}[epoch%3]
		checkResult(t, text, cycles(e))
	})
}

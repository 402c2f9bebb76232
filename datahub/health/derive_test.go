package health_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

func TestBatteryChecked(t *testing.T) {
	for name, b := range map[string]health.Battery{
		"rated capacity 0 Ah":              {},
		"rated capacity -1 Ah":             {RatedMicroAh: -1_000_000},
		"rated capacity 1048.575001 Ah":    {RatedMicroAh: 1_048_575_001},
		"voltage window 4 to 3 V":          {RatedMicroAh: 1, LowMicroV: 4_000_000, HighMicroV: 3_000_000},
		"voltage window 3 to 7 V":          {RatedMicroAh: 1, LowMicroV: 3_000_000, HighMicroV: 7_000_000},
		"discharge rate -0.001 C":          {RatedMicroAh: 1, MaxRateMilliC: -1},
		"longest gap 86400.000001 s":       {RatedMicroAh: 1, MaxGapMicros: 86_400_000_001},
		"fault temperature 300 °C":         {RatedMicroAh: 1, MaxTemperatureMilliC: 300_000},
		"highest believable voltage -1 V:": {RatedMicroAh: 1, MaxVoltageMicroV: -1_000_000},
	} {
		if _, err := health.NewAccumulator(b, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %q", err, name)
		}
	}
}

// Each lane is rounded once, half up. The charge here is known to the last digit.
func TestRounding(t *testing.T) {
	for _, test := range []struct {
		nanoAh string
		want   record.Record
	}{
		{"1.0004999", record.Record{1, 10005, 10, 0, 1000, 0, 650, 0}},
		{"1.0005", record.Record{1, 10005, 10, 0, 1001, 0, 650, 0}},
		{"1.00004999", record.Record{1, 10000, 10, 0, 1000, 0, 650, 0}},
		{"1.00005", record.Record{1, 10001, 10, 0, 1000, 0, 650, 0}},
		{"0.049999999", record.Record{1, 500, 0, 0, 50, 0, 650, 0}},
		{"0.05", record.Record{1, 500, 1, 0, 50, 0, 650, 0}},
	} {
		text := fmt.Sprintf("cycle,cell,capacity,temperature\n1,a,%s,25\n", test.nanoAh)
		result := importText(t, text, health.Options{Format: health.Cycles, Battery: health.Battery{RatedMicroAh: 1_000_000}})
		if len(result.Cells) != 1 || result.Cells[0].Record != test.want {
			t.Errorf("%s Ah: %v, want %v", test.nanoAh, result.Cells, test.want)
		}
	}
}

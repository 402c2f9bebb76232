package ocmf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

const (
	beginMicros = 1709276400000000
	endMicros   = beginMicros + 3600000000
)

func keysOf(k PublicKey) Keys {
	return func(source string) (PublicKey, bool) { return k, source == "M1" }
}

func TestMeterings(t *testing.T) {
	meter := newMeter(t)
	text := payload(1, begins, ends)
	got, issues, err := Meterings([]byte(joined(text, meter.Sign(t, text))), keysOf(meter.public(t)))
	if err != nil || len(issues) != 0 {
		t.Fatal(issues, err)
	}
	want := []telemetry.Metering{
		{TimeMicros: beginMicros, Meter: "M1", Transaction: "M1 T1", Event: telemetry.Begin, ImportMilliWh: health.Known(2935600000), Signed: true},
		{TimeMicros: endMicros, Meter: "M1", Transaction: "M1 T1", Event: telemetry.End, ImportMilliWh: health.Known(2940700000), Signed: true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMeteringsWithoutAValidSignature(t *testing.T) {
	meter, other := newMeter(t), newMeter(t)
	text := payload(1, begins, ends)
	record := []byte(joined(text, meter.Sign(t, text)))
	got, issues, err := Meterings(record, keysOf(other.public(t)))
	if len(got) != 0 || len(issues) != 1 || err != nil {
		t.Error("a forged record was taken", got, issues, err)
	}
	for name, keys := range map[string]Keys{"no keys": nil, "no key": func(string) (PublicKey, bool) { return PublicKey{}, false }} {
		got, issues, err := Meterings(record, keys)
		if err != nil || len(got) != 2 || got[0].Signed || len(issues) != 1 {
			t.Error(name, got, issues, err)
		}
	}
	if _, _, err := Meterings([]byte("OCMF|{}|"), nil); err == nil {
		t.Error("no record was taken")
	}
}

func TestMeteringsOfReadings(t *testing.T) {
	for name, test := range map[string]struct {
		readings []string
		want     []telemetry.Metering
		issue    string
	}{
		"several registers": {
			[]string{edit(t, begins, "1-b:1.8.0", "01-00:B0.08.00*FF"), `{"RI":"01-00:b1.08.00*ff","RV":5}`, `{"RI":"01-00:C1.08.00*FF","RV":6}`, `{"RI":"01-00:B3.08.00*FF","RV":0}`},
			[]telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin, ImportMilliWh: health.Known(5000000)}}, "not the register of energy to the vehicle",
		},
		"export alone":     {[]string{edit(t, begins, "1-b:1.8.0", "1-0:2.8.0")}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin}}, "not the register"},
		"a mean":           {[]string{edit(t, begins, "1-b:1.8.0", "1-b:1.9.0")}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin}}, "not the register"},
		"no register":      {[]string{edit(t, begins, `"RI":"1-b:1.8.0",`, "")}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin, ImportMilliWh: health.Known(2935600000)}}, "does not say which register"},
		"meter in error":   {[]string{edit(t, begins, `"ST":"G"`, `"ST":"F"`)}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin, Fault: true}}, "does not stand by"},
		"energy flagged":   {[]string{edit(t, begins, `"EF":""`, `"EF":"E"`)}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin, Fault: true}}, "does not stand by"},
		"time flagged":     {[]string{edit(t, begins, `"EF":""`, `"EF":"t"`)}, nil, "without a usable time"},
		"no time":          {[]string{`{"TX":"B","RV":1,"RU":"kWh","ST":"G"}`}, nil, "without a usable time"},
		"exception":        {[]string{edit(t, begins, `"TX":"B"`, `"TX":"X"`)}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Exception, ImportMilliWh: health.Known(2935600000), Fault: true}}, ""},
		"fiscal":           {[]string{edit(t, begins, `"TX":"B",`, "")}, []telemetry.Metering{{TimeMicros: beginMicros, ImportMilliWh: health.Known(2935600000)}}, ""},
		"not energy":       {[]string{edit(t, begins, "kWh", "mOhm")}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin}}, "not a unit of energy"},
		"too fine":         {[]string{edit(t, begins, "2935.600", "1e-7")}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin}}, "more decimals"},
		"too large":        {[]string{edit(t, begins, "2935.600", "1e13")}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin}}, "too large"},
		"informative time": {[]string{edit(t, begins, "0100 S", "0100 I")}, []telemetry.Metering{{TimeMicros: beginMicros, Event: telemetry.Begin, ImportMilliWh: health.Known(2935600000)}}, "not synchronised"},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustParse(t, joined(payload(1, test.readings...), []byte{1}))
			got, issues := r.Meterings(false)
			for i := range test.want {
				test.want[i].Meter = "M1"
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
			if text := strings.Join(issues, "\n"); (text == "") != (test.issue == "") || !strings.Contains(text, test.issue) {
				t.Error(issues)
			}
		})
	}
}

func TestRegisters(t *testing.T) {
	for _, same := range [][]string{
		{"1-0:1.8.0", "01-00:01.08.00", "1-0:1.8.0"}, {"1-b:1.8.e", "1-B:1.8.E"}, {"1-0:2.8.0.FF", "01-00:02.08.00*ff"},
	} {
		want, ok := parseRegister(same[0])
		for _, code := range same {
			if got, readable := parseRegister(code); got != want || !ok || !readable {
				t.Errorf("%s is %+v", code, got)
			}
		}
	}
	for code, rank := range map[string]int{"01-00:B1.08.00*FF": 10, "1-b:1.8.0": 8, "1-b:1.8.1": 7, "1-0:98.8.0.FF": 0, "1-0:2.8.0": 0, "1-b:1.9.0": 0, "1-b": 1, "": 1, "1-0:1.8": 1} {
		if got, _ := parseRegister(code); got.rank != rank {
			t.Errorf("%s has rank %d", code, got.rank)
		}
	}
}

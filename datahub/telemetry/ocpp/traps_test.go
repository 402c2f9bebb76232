package ocpp

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

const beginMicros = 1709280000000000 // 2024-03-01T08:00:00Z

func decode(t testing.TB, text string, o Options) ([]telemetry.Metering, []string) {
	t.Helper()
	m, issues, err := Meterings([]byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return m, issues
}

// one decodes MeterValues with this sampled value.
func one(t testing.TB, sampled string) ([]telemetry.Metering, []string) {
	t.Helper()
	return decode(t, edit(t, values, sample, sampled), Options{})
}

func contains(issues []string, part string) bool {
	return strings.Contains(strings.Join(issues, "\n"), part)
}

func TestTrapTemperatureIsNoMeasurand(t *testing.T) {
	_, err := Parse([]byte(edit(t, values, sample, `{"value":20,"measurand":"Temperature"}`)))
	if err == nil || !strings.Contains(err.Error(), "measurand") {
		t.Error(err)
	}
}

func TestTrapNegativeMultiplier(t *testing.T) {
	got, issues := one(t, `{"value":12345,"unitOfMeasure":{"unit":"kWh","multiplier":-3}}`)
	if len(got) != 1 || got[0].ImportMilliWh != health.Known(12345000) || len(issues) != 0 {
		t.Error(got, issues)
	}
}

func TestTrapMultiplierBeyondReason(t *testing.T) {
	for _, m := range []string{"-31", "31", "999999999999"} {
		got, issues := one(t, `{"value":1,"unitOfMeasure":{"multiplier":`+m+`}}`)
		if len(got) != 0 || !contains(issues, "multiplier") {
			t.Error(m, got, issues)
		}
	}
}

func TestTrapEmptySigningMethodAndPublicKey(t *testing.T) {
	m, err := Parse([]byte(edit(t, values, sample, `{"value":1,"signedMeterValue":{"signedMeterData":"","signingMethod":"","encodingMethod":"OCMF","publicKey":""}}`)))
	if err != nil || m.Meter.Values[0].Samples[0].Signed == nil {
		t.Error(err)
	}
}

func TestTrapValueIsADecimal(t *testing.T) {
	m, err := Parse([]byte(edit(t, values, "12345.600", "9007199254740993.10")))
	if err != nil || m.Meter.Values[0].Samples[0].Value.String() != "9007199254740993.10" {
		t.Error(err)
	}
	for value, want := range map[string]int64{"0.001": 1, "12345.600": 12345600, "9007199254740.993": 9007199254740993, "1.5e3": 1500000, "0": 0} {
		got, issues := one(t, `{"value":`+value+`}`)
		if len(got) != 1 || got[0].ImportMilliWh != health.Known(want) || len(issues) != 0 {
			t.Error(value, got, issues)
		}
	}
	got, issues := one(t, `{"value":0.30000000000000004}`) // as stations write 0.1 + 0.2
	if got[0].ImportMilliWh != health.Known(300) || !contains(issues, "rounded") {
		t.Error(got, issues)
	}
}

func TestTrapDefaults(t *testing.T) {
	plain, _ := one(t, sample)
	stated, issues := one(t, `{"value":12345.600,"context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","location":"Outlet","unitOfMeasure":{"unit":"Wh","multiplier":0}}`)
	if d := cmp.Diff(plain, stated); d != "" || len(issues) != 0 {
		t.Error(d, issues)
	}
	want := []telemetry.Metering{{TimeMicros: beginMicros, Meter: "evse/1", ImportMilliWh: health.Known(12345600)}}
	if d := cmp.Diff(want, plain); d != "" {
		t.Error(d)
	}
}

func TestTrapMainMeter(t *testing.T) {
	got, issues := decode(t, edit(t, values, `"evseId":1`, `"evseId":0`), Options{})
	if len(got) != 0 || !contains(issues, "main meter") {
		t.Error(got, issues)
	}
}

func TestTrapSamplesThatAreNotTheVehiclesRegister(t *testing.T) {
	for name, test := range map[string]struct{ sample, issue string }{
		"one phase":    {`{"value":1,"phase":"L1"}`, "one phase"},
		"at the inlet": {`{"value":1,"location":"Inlet"}`, "outlet"},
		"another unit": {`{"value":1,"unitOfMeasure":{"unit":"W"}}`, "unit"},
		"negative":     {`{"value":-1}`, "negative"},
		"too large":    {`{"value":1e30}`, "too large"},
		"export":       {`{"value":1,"measurand":"Energy.Active.Export.Register"}`, ""},
		"interval":     {`{"value":1,"measurand":"Energy.Active.Import.Interval"}`, ""},
		"voltage":      {`{"value":230,"measurand":"Voltage","unitOfMeasure":{"unit":"V"}}`, ""},
		"over full":    {`{"value":101,"measurand":"SoC"}`, "above 100 %"},
	} {
		got, issues := one(t, test.sample)
		if len(got) != 0 || (len(issues) > 0) != (test.issue != "") || !contains(issues, test.issue) {
			t.Error(name, got, issues)
		}
	}
}

func TestHealthValues(t *testing.T) {
	got, issues := one(t, `{"value":11.0005,"measurand":"Power.Active.Import","unitOfMeasure":{"unit":"kW"}},{"value":55.5,"measurand":"SoC","location":"EV","unitOfMeasure":{"unit":"Percent"}}`)
	want := []telemetry.Metering{{TimeMicros: beginMicros, Meter: "evse/1", PowerMilliW: health.Known(11000500), StateOfCharge: health.Known(5550)}}
	if d := cmp.Diff(want, got); d != "" || len(issues) != 0 {
		t.Error(d, issues)
	}
}

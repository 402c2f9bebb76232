package record

import (
	"strings"
	"testing"
)

const batteryJSON = `{"state_of_health":93.42,"equivalent_full_cycles":812.5,"age_days":900,"remaining_capacity_mAh":46710,` +
	`"voltage_spread_mV":14,"peak_temperature":-3.5,"fault_count":2}`

func TestRecordAsJSON(t *testing.T) {
	s, _ := Lookup("battery/v1")
	want := Record{1, 9342, 8125, 900, 46710, 14, 365, 2}
	got, err := s.UnmarshalRecord([]byte(batteryJSON))
	if err != nil || got != want {
		t.Fatalf("UnmarshalRecord = %v, %v, want %v", got, err, want)
	}
	out, err := s.MarshalRecord(want)
	if err != nil || string(out) != batteryJSON {
		t.Fatalf("MarshalRecord = %s, %v", out, err)
	}
	if out, err := s.MarshalRecord(Record{}); err != nil || string(out) != "null" {
		t.Errorf("absent record is %s, %v", out, err)
	}
	if r, err := s.UnmarshalRecord([]byte(" null ")); err != nil || !r.Absent() {
		t.Errorf("null is %v, %v", r, err)
	}
	if _, err := s.MarshalRecord(Record{2}); err == nil {
		t.Error("a record out of bounds was written")
	}
}

func TestUnmarshalRecordRefuses(t *testing.T) {
	s, _ := Lookup("battery/v1")
	for name, text := range map[string]string{
		"empty":            "",
		"array":            "[]",
		"no lanes":         "{}",
		"missing lane":     strings.Replace(batteryJSON, `"fault_count":2`, `"age_days":900`, 1),
		"unknown lane":     strings.Replace(batteryJSON, "fault_count", "faults", 1),
		"presence":         strings.Replace(batteryJSON, "{", `{"presence":1,`, 1),
		"lane twice":       strings.Replace(batteryJSON, "{", `{"age_days":900,`, 1),
		"string value":     strings.Replace(batteryJSON, "900", `"900"`, 1),
		"exponent":         strings.Replace(batteryJSON, "900", `9e2`, 1),
		"out of bounds":    strings.Replace(batteryJSON, "93.42", `193.42`, 1),
		"too many places":  strings.Replace(batteryJSON, "93.42", `93.421`, 1),
		"cut short":        batteryJSON[:len(batteryJSON)-1],
		"trailing data":    batteryJSON + "{}",
		"longer than read": batteryJSON + strings.Repeat(" ", MaxJSON),
	} {
		if r, err := s.UnmarshalRecord([]byte(text)); err == nil {
			t.Errorf("%s: gave %v, want an error", name, r)
		}
	}
}

func FuzzUnmarshalRecord(f *testing.F) {
	f.Add([]byte(batteryJSON))
	f.Add([]byte("null"))
	f.Add([]byte(`{"age_days":{}}`))
	s, _ := Lookup("battery/v1")
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := s.UnmarshalRecord(data)
		if err != nil {
			return
		}
		out, err := s.MarshalRecord(r)
		if err != nil {
			t.Fatalf("%q was read as %v, which is not written: %v", data, r, err)
		}
		if again, err := s.UnmarshalRecord(out); err != nil || again != r {
			t.Fatalf("%v reads back as %v, %v", r, again, err)
		}
	})
}

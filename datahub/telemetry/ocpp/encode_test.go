package ocpp

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/telemetry/ocmf"
)

func TestEncode(t *testing.T) {
	value, err := ocmf.ParseDecimal("12345.600")
	if err != nil {
		t.Fatal(err)
	}
	e := TransactionEvent{
		EventType: Started, Timestamp: time.UnixMicro(beginMicros).UTC(), TriggerReason: "CablePluggedIn", Info: Info{ID: "tx"}, EVSE: &EVSE{ID: 1},
		MeterValues: []MeterValue{{Timestamp: time.UnixMicro(beginMicros).UTC(), Samples: []Sample{{
			Value: value, Context: TransactionBegin, Unit: &Unit{Unit: "Wh", Multiplier: -1}, Signed: NewSigned([]byte("OCMF|{}|{}"), []byte{1}),
		}}}},
	}
	m, err := e.Message("id-1")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&e, m.Transaction, cmp.AllowUnexported(ocmf.Decimal{})); d != "" || m.ID != "id-1" || !strings.Contains(string(m.Bytes()), `"value":12345.600`) {
		t.Error(d)
	}
	v := MeterValues{EVSE: 2, Values: e.MeterValues}
	if m, err = v.Message("id-2"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&v, m.Meter, cmp.AllowUnexported(ocmf.Decimal{})); d != "" {
		t.Error(d)
	}
	for name, bad := range map[string]TransactionEvent{"empty": {}, "no value": {
		EventType: Started, Timestamp: e.Timestamp, TriggerReason: "Trigger", MeterValues: []MeterValue{{Timestamp: e.Timestamp, Samples: []Sample{{}}}},
	}} {
		if _, err := bad.Message("id"); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
}

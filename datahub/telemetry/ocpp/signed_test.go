package ocpp

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/ocmf"
	"github.com/assay-net/assay/datahub/telemetry/ocmf/ocmftest"
)

var edit = ocmftest.Edit

// meterKey signs OCMF records.
type meterKey struct{ ocmftest.Meter }

func newMeter(t testing.TB) meterKey {
	t.Helper()
	return meterKey{ocmftest.NewMeter(t)}
}

// keys register the key for meter M1.
func (k meterKey) keys(t testing.TB) ocmf.Keys {
	t.Helper()
	public, err := ocmf.NewPublicKey(k.SPKI(t))
	if err != nil {
		t.Fatal(err)
	}
	return func(source string) (ocmf.PublicKey, bool) { return public, source == "M1" }
}

// session is a combined record: begin and end of a session, from 12345.6 Wh to 12360.6 Wh.
func (k meterKey) session(t testing.TB, page int) []byte {
	t.Helper()
	return []byte(k.Record(t, fmt.Sprintf(`{"FV":"1.0","PG":"T%d","MS":"M1","RD":[{"TM":"2024-03-01T08:00:01,000+0000 S","TX":"B","RV":12.3456,"RI":"1-b:1.8.0","RU":"kWh","ST":"G","EF":""},`+
		`{"TM":"2024-03-01T08:30:01,000+0000 S","TX":"E","RV":12.3606}]}`, page)))
}

// signedEnd is the Ended event with a signed value beside an unsigned one.
func signedEnd(t testing.TB, s *Signed, unsigned string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return edit(t, session(t)[2], `"value":12360.600`, `"signedMeterValue":`+string(b)+`,"value":`+unsigned)
}

func signedWant(signed bool) []telemetry.Metering {
	second := int64(time.Second / time.Microsecond)
	return []telemetry.Metering{
		{TimeMicros: beginMicros + second, Meter: "evse/1", Transaction: "tx", Event: telemetry.Begin, ImportMilliWh: health.Known(12345600), Signed: signed},
		{TimeMicros: beginMicros + 1801*second, Meter: "evse/1", Transaction: "tx", Event: telemetry.End, ImportMilliWh: health.Known(12360600), Signed: signed},
	}
}

func TestTrapSignedValueWins(t *testing.T) {
	meter, other := newMeter(t), newMeter(t)
	plainKey := NewSigned(meter.session(t, 1), nil)
	plainKey.PublicKey = hex.EncodeToString(meter.SPKI(t))
	base64Key := NewSigned(meter.session(t, 1), nil)
	base64Key.PublicKey = base64.StdEncoding.EncodeToString([]byte("oca:base64:asn1:" + base64.StdEncoding.EncodeToString(meter.SPKI(t))))
	first := "first event did not come"
	for name, test := range map[string]struct {
		signed   *Signed
		unsigned string
		options  Options
		want     []telemetry.Metering
		issue    string
	}{
		"registered key":               {NewSigned(meter.session(t, 1), nil), "12360.6", Options{Keys: meter.keys(t)}, signedWant(true), first},
		"unsigned value differs":       {NewSigned(meter.session(t, 1), nil), "99999", Options{Keys: meter.keys(t)}, signedWant(true), "not the signed one"},
		"unsigned value is 0":          {NewSigned(meter.session(t, 1), nil), "0", Options{Keys: meter.keys(t)}, signedWant(true), first},
		"another key registered":       {NewSigned(meter.session(t, 1), nil), "12360.6", Options{Keys: other.keys(t)}, nil, "signature is not valid"},
		"key sent, another registered": {NewSigned(meter.session(t, 1), meter.SPKI(t)), "12360.6", Options{Keys: other.keys(t), TrustSentKeys: true}, nil, "not the key that is registered"},
		"key sent and trusted":         {NewSigned(meter.session(t, 1), meter.SPKI(t)), "12360.6", Options{TrustSentKeys: true}, signedWant(true), first},
		"key sent in hex":              {plainKey, "12360.6", Options{TrustSentKeys: true}, signedWant(true), first},
		"key sent in base64":           {base64Key, "12360.6", Options{TrustSentKeys: true}, signedWant(true), first},
		"key sent and not trusted":     {NewSigned(meter.session(t, 1), meter.SPKI(t)), "12360.6", Options{}, signedWant(false), "nobody registered"},
		"key sent is not the record's": {NewSigned(meter.session(t, 1), other.SPKI(t)), "12360.6", Options{}, nil, "signature is not valid"},
		"no key":                       {NewSigned(meter.session(t, 1), nil), "12360.6", Options{}, signedWant(false), "no key is registered"},
		"key sent is none":             {&Signed{Data: plainKey.Data, EncodingMethod: "OCMF", PublicKey: "none"}, "12360.6", Options{Keys: meter.keys(t)}, signedWant(true), "publicKey cannot be read"},
		"another encoding":             {&Signed{Data: "00", EncodingMethod: "EDL"}, "12360.6", Options{}, nil, "encodingMethod is not OCMF"},
		"not base64":                   {&Signed{Data: "OCMF|{}|{}", EncodingMethod: "OCMF"}, "12360.6", Options{}, nil, "not base64"},
		"not a record":                 {&Signed{Data: "AAAA", EncodingMethod: "OCMF"}, "12360.6", Options{}, nil, "header"},
	} {
		t.Run(name, func(t *testing.T) {
			got, issues := decode(t, signedEnd(t, test.signed, test.unsigned), test.options)
			want := test.want
			if want == nil { // the session's end stays, with the unsigned value where the signed one could not be read
				want = []telemetry.Metering{{TimeMicros: beginMicros + 1800*1000000, Meter: "evse/1", Transaction: "tx", Event: telemetry.End}}
				if contains(issues, "the unsigned one is taken") {
					want[0].ImportMilliWh = health.Known(12360600)
				}
			}
			if d := cmp.Diff(want, got); d != "" || !contains(issues, test.issue) {
				t.Error(d, issues)
			}
		})
	}
}

func TestSignedValueBesideOthers(t *testing.T) {
	meter := newMeter(t)
	text := edit(t, signedEnd(t, NewSigned(meter.session(t, 1), nil), "12360.6"), `"sampledValue":[`, `"sampledValue":[{"value":80,"measurand":"SoC","context":"Transaction.End"},`)
	got, _ := decode(t, text, Options{Keys: meter.keys(t)})
	want := signedWant(true)
	want = slices.Insert(want, 1, telemetry.Metering{TimeMicros: beginMicros + 1800*1000000, Meter: "evse/1", Transaction: "tx", StateOfCharge: health.Known(8000)})
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestMissingSignedRecordsAreReported(t *testing.T) {
	meter, forger := newMeter(t), newMeter(t)
	s := NewStation(Options{Keys: meter.keys(t)})
	send := func(by meterKey, page int) []string {
		_, issues, err := s.Meterings([]byte(signedEnd(t, NewSigned(by.session(t, page), nil), "0")))
		if err != nil {
			t.Fatal(err)
		}
		return issues
	}
	if issues := send(meter, 1); contains(issues, "PG") {
		t.Error(issues)
	}
	if issues := send(forger, 90); contains(issues, "PG") {
		t.Error("a record that did not verify was followed", issues)
	}
	if issues := send(meter, 4); !contains(issues, "PG: 2 records that the meter signed are missing") {
		t.Error(issues)
	}
	again := NewStation(Options{Keys: meter.keys(t)}, s.Pages()...)
	if _, issues, _ := again.Meterings([]byte(signedEnd(t, NewSigned(meter.session(t, 7), nil), "0"))); !contains(issues, "PG: 2 records") {
		t.Error(issues)
	}
}

func TestSignedValuesAreBounded(t *testing.T) {
	meter := newMeter(t)
	s, err := json.Marshal(NewSigned(meter.session(t, 1), nil))
	if err != nil {
		t.Fatal(err)
	}
	sampled := `{"value":1,"signedMeterValue":` + string(s) + `}`
	got, issues := one(t, strings.Repeat(sampled+",", MaxSigned)+sampled)
	if len(got) != 2*MaxSigned || !contains(issues, "more than 16 signed values") {
		t.Error(len(got), issues)
	}
}

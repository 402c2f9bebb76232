package ocmf

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// payload is one of page T<page> with these readings.
func payload(page int, readings ...string) string {
	return fmt.Sprintf(`{"FV":"1.0","GS":"G1","PG":"T%d","MS":"M1","IS":false,"RD":[%s]}`, page, strings.Join(readings, ","))
}

const (
	begins = `{"TM":"2024-03-01T08:00:00,000+0100 S","TX":"B","RV":2935.600,"RI":"1-b:1.8.0","RU":"kWh","ST":"G","EF":""}`
	ends   = `{"TM":"2024-03-01T09:00:00,000+0100 S","TX":"E","RV":2940.700,"RI":"1-b:1.8.0","RU":"kWh","ST":"G","EF":""}`
)

func hasIssue(r *Record, part string) bool {
	return strings.Contains(strings.Join(r.Issues, "\n"), part)
}

func TestTrapSignedBytesAreSlicedNotSerialisedAnew(t *testing.T) {
	meter := newMeter(t)
	spaced := " {\n  \"PG\" : \"T1\",\t\"MS\":\"M1\", \"RD\" : [ " + begins + " ],\"\\u0054T\":\"a\"} "
	r := meter.record(t, spaced)
	if err := r.Verify(meter.public(t)); err != nil {
		t.Error(err)
	}
	if string(r.Signed()) != spaced {
		t.Errorf("signed bytes are %q", r.Signed())
	}
}

func TestTrapPipeInTariffText(t *testing.T) {
	meter := newMeter(t)
	r := meter.record(t, `{"PG":"T1","MS":"M1","TT":"night|\"day|","RD":[`+begins+`]}`)
	if err := r.Verify(meter.public(t)); err != nil || r.Tariff != `night|"day|` || len(r.Readings) != 1 {
		t.Error(err, r.Tariff, len(r.Readings))
	}
}

func TestTrapValueIsDecimalText(t *testing.T) {
	r := mustParse(t, joined(payload(1, begins, strings.Replace(ends, "2940.700", "0.1", 1), strings.Replace(ends, "2940.700", "9007199254740993", 1)), []byte{1}))
	for i, want := range []struct {
		text    string
		milliWh int64
	}{{"2935.600", 2935600000}, {"0.1", 100000}} {
		got, err := r.Readings[i].MilliWh()
		if r.Readings[i].Value.String() != want.text || got != want.milliWh || err != nil {
			t.Errorf("reading %d is %s, %d mWh, %v", i, r.Readings[i].Value, got, err)
		}
	}
	if got := r.Readings[2].Value.String(); got != "9007199254740993" { // 2⁵³+1 is no float64
		t.Error(got)
	}
}

func TestTrapValueFinerThanAMilliWattHourIsNotRounded(t *testing.T) {
	r := mustParse(t, joined(payload(1, strings.Replace(begins, "2935.600", "0.0000001", 1), strings.Replace(ends, "2940.700", "0.0000010", 1)), []byte{1}))
	if _, err := r.Readings[0].MilliWh(); !errors.Is(err, ErrInexact) {
		t.Error(err)
	}
	if v, err := r.Readings[1].MilliWh(); v != 1 || err != nil {
		t.Error(v, err)
	}
}

func TestTrapValueAsPaddedString(t *testing.T) {
	r := mustParse(t, joined(payload(1, strings.Replace(begins, "2935.600", `"  0002935.600 "`, 1)), []byte{1}))
	if v, err := r.Readings[0].MilliWh(); v != 2935600000 || err != nil {
		t.Error(v, err)
	}
	if got := r.Readings[0].Value.String(); got != "0002935.600" {
		t.Error(got)
	}
}

func TestTrapMeterSerialIsMissing(t *testing.T) {
	for text, want := range map[string]string{
		`{"PG":"T1","GS":"G7","RD":[]}`:                 "G7",
		`{"PG":"T1","CT":"EVSEID","CI":"DE*1","RD":[]}`: "EVSEID DE*1",
		`{"PG":"T1","CI":"DE*1","RD":[]}`:               "",
	} {
		r := mustParse(t, joined(text, []byte{1}))
		if r.Source() != want || !hasIssue(r, "MS: missing") || hasIssue(r, "none says who signed") != (want == "") {
			t.Errorf("source %q, issues %q", r.Source(), r.Issues)
		}
	}
}

func TestTrapMissingKeysRepeatThePreviousReadings(t *testing.T) {
	r := mustParse(t, joined(payload(1, strings.Replace(begins, `"EF":""`, `"EF":"E","RT":"DC","CL":0.5`, 1),
		`{"TX":"C"}`, `{"RI":"1-b:2.8.0","TX":"C"}`, `{"RV":3,"TX":"E","ST":"G"}`), []byte{1}))
	first := r.Readings[0]
	want := []Reading{first, first, first, first}
	for i, tx := range []string{"B", "C", "C", "E"} {
		want[i].Event = tx
	}
	want[2].OBIS, want[2].Value, want[2].Loss = "1-b:2.8.0", Decimal{}, Decimal{} // another register has its own value, or none
	want[3].OBIS, want[3].Value, want[3].Loss = "1-b:2.8.0", Decimal{"3"}, Decimal{}
	if d := cmp.Diff(want, r.Readings, cmp.AllowUnexported(Decimal{})); d != "" {
		t.Error(d)
	}
	if r.Readings[3].Usable() {
		t.Error("an error flag that is not repeated was taken back")
	}
}

func TestTrapTimesAndTheirClocks(t *testing.T) {
	const at = 1532431324 * 1000000
	for text, want := range map[string]Time{
		"2018-07-24T13:22:04,000+0200 S":        {at, Synchronised, true},
		"2018-07-24T13:22:04,500+0200 U":        {at + 500000, Unsynchronised, true},
		"2018-07-24T11:22:04Z I":                {at, Informative, true},
		"2018-07-24T16:52:04.000+05:30 R":       {at, Relative, true},
		" 2018-07-24T13:22:04,000+0200  S ":     {at, Synchronised, true},
		"2018-07-24T13:22:04,000+0200":          {at, NoClock, true},
		"2018-07-24T13:22:04,000+0200 X":        {},
		"2018-07-24T13:22:04,000 S":             {},
		"2018-02-30T13:22:04,000+0200 S":        {},
		"2018-07-24T3:22:04,000+0200 S":         {},
		"2018-07-24 13:22:04,000+0200 S":        {},
		"12018-07-24T13:22:04,000+0200 S":       {},
		"2018-07-24T13:22:04,0000000000+0200 S": {},
		"":                                      {},
	} {
		if got, ok := parseTime(text); got != want || ok != want.Known {
			t.Errorf("%q is %+v, %v", text, got, ok)
		}
	}
}

func TestTrapTimeIsMissingInTheFirstReading(t *testing.T) {
	r := mustParse(t, joined(payload(1, `{"TX":"B","RV":1,"RU":"kWh","ST":"G"}`), []byte{1}))
	if r.Readings[0].Time.Known || !hasIssue(r, "RD[0].TM: missing") {
		t.Error(r.Readings[0].Time, r.Issues)
	}
}

func TestTrapAlgorithmLeftOutOrSpelledOtherwise(t *testing.T) {
	for text, want := range map[string]string{
		"ECDSA-secp256r1-SHA256": "secp256r1", "ECDSA-brainpoolP256r1-SHA256": "brainpool256r1", "ECDSA-brainpoolP384r1-SHA256": "brainpool384r1",
		"ECDSA-brainpool384r1-SHA256": "brainpool384r1", " ecdsa-SECP192K1-sha256": "secp192k1",
	} {
		if c, err := curveOf(text); err != nil || c.name != want {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "secp256r1", "ECDSA-secp256r1-SHA384", "RSA-2048-SHA256", "ECDSA--SHA256"} {
		if _, err := curveOf(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if r := mustParse(t, joined(payload(1), []byte{1})); r.Signature.Algorithm != "ECDSA-secp256r1-SHA256" {
		t.Error(r.Signature.Algorithm)
	}
}

func TestTrapRejected(t *testing.T) {
	p := payload(1, begins)
	s := `{"SD":"01"}`
	for name, text := range map[string]string{
		"nothing": "", "header": "OCMX|" + p + "|" + s, "small letters": "ocmf|" + p + "|" + s, "no pipe": "OCMF" + p + "|" + s,
		"no signature": "OCMF|" + p, "empty signature": "OCMF|" + p + "|", "old public key": "OCMF|" + p + "|" + s + "|3059", "pipe at the end": "OCMF|" + p + "|" + s + "|",
		"payload an array": "OCMF|[]|" + s, "payload a string": `OCMF|"{}"|` + s, "payload null": "OCMF|null|" + s, "signature an array": "OCMF|" + p + "|[]",
		"junk before the pipe": "OCMF|" + p + "x|" + s, "junk after": "OCMF|" + p + "|" + s + "x", "payload cut off": "OCMF|" + p[:len(p)-1] + "|" + s,
		"too long": "OCMF|{\"TT\":\"" + strings.Repeat("a", MaxRecord) + "\"}|" + s, "too many readings": "OCMF|{\"RD\":[" + strings.Repeat("{},", MaxReadings) + "{}]}|" + s,
		"too many keys": "OCMF|{" + strings.Repeat(`"UA":1,`, MaxMembers) + `"UA":1}|` + s,
	} {
		if r, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: taken as %s", name, r)
		}
	}
}

func TestTrapMakersKeysAndDuplicates(t *testing.T) {
	r := mustParse(t, joined(`{"FV":"1.0","PG":"T1","MS":"M1","UX":1,"ZZ":{},"RD":[{"TM":"2024-03-01T08:00:00Z S","TX":"B","RV":1,"RV":2,"RU":"kWh","ST":"G","XV":9}]}`, []byte{1}))
	if hasIssue(r, "not the format's") {
		t.Error("the maker's keys were reported", r.Issues)
	}
	if !r.Ambiguous || r.Readings[0].Value.String() != "2" {
		t.Error("a key that is there twice went unseen")
	}
}

func TestIssuesAndErrorsSayNoValues(t *testing.T) {
	r := mustParse(t, `OCMF|{"FV":"Secret1","PG":"Secret2","MS":"Secret3","IF":"Secret4","SecretKey":1,"RD":[{"TM":"Secret5","TX":"Secret6","RV":"Secret7","RU":"Secret8","ST":"Secret9","EF":"Secret0","RI":"SecretA"}]}|{"SD":"SecretB","SE":"SecretC"}`)
	_, issues := r.Meterings(false)
	text := strings.Join(issues, "\n") + r.String() + strings.Join(Billable(PublicKey{}, r), "\n")
	if len(issues) < 10 || strings.Contains(text, "Secret") {
		t.Error(text)
	}
}

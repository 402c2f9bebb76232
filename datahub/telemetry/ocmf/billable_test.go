package ocmf

import (
	"strings"
	"testing"
)

func TestBillable(t *testing.T) {
	meter := newMeter(t)
	middle := edit(t, edit(t, ends, `"TX":"E"`, `"TX":"C"`), "09:00", "08:30")
	exporting := func(text string) string { return edit(t, text, "1-b:1.8.0", "1-b:2.8.0") }
	one := func(readings ...string) []string { return []string{payload(1, readings...)} }
	for name, test := range map[string]struct {
		payloads []string
		want     string // a part of the reason, "" for none
	}{
		"one record":             {payloads: one(begins, ends)},
		"with a reading between": {payloads: one(begins, middle, ends)},
		"two records":            {payloads: []string{payload(1, begins), payload(2, ends)}},
		"three records":          {payloads: []string{payload(1, begins), payload(2, middle), payload(3, ends)}},
		"two registers":          {payloads: one(begins, exporting(begins), ends, exporting(ends))},
		"ended by the driver":    {payloads: one(begins, edit(t, ends, `"TX":"E"`, `"TX":"L"`))},
		"in Wh":                  {payloads: one(edit(t, begins, "kWh", "Wh"), edit(t, ends, "kWh", "Wh"))},
		"unsynchronised clock":   {payloads: one(edit(t, begins, "0100 S", "0100 U"), edit(t, ends, "0100 S", "0100 I"))},
		"nothing delivered":      {payloads: one(begins, edit(t, ends, "2940.700", "2935.6"))},
		"status":                 {one(begins, edit(t, ends, `"ST":"G"`, `"ST":"M"`)), "ST is not G"},
		"status missing":         {one(edit(t, begins, `,"ST":"G"`, ""), ends), "ST is not G"},
		"status between":         {one(begins, edit(t, middle, `"ST":"G"`, `"ST":"T"`), ends), "ST is not G"},
		"error flag":             {one(begins, edit(t, ends, `"EF":""`, `"EF":"E"`)), "EF flags"},
		"error flag repeated":    {one(edit(t, begins, `"EF":""`, `"EF":"t"`), edit(t, ends, `,"EF":""`, "")), "reading 1: EF flags"},
		"not energy":             {one(begins, edit(t, ends, "kWh", "mOhm")), "not a unit of energy"},
		"no value":               {one(begins, edit(t, ends, `"RV":2940.700,`, "")), "RV"},
		"value too fine":         {one(begins, edit(t, ends, "2940.700", "2940.7000001")), "more decimals"},
		"no begin":               {one(ends), "no reading begins"},
		"no end":                 {one(begins, middle), "no reading ends"},
		"two begins":             {one(begins, begins, ends), "second time"},
		"two ends":               {one(begins, ends, ends), "second time"},
		"after the end":          {one(begins, ends, edit(t, middle, "08:30", "09:30")), "after the session's end"},
		"exception":              {one(begins, edit(t, middle, `"TX":"C"`, `"TX":"X"`), ends), "exception"},
		"no event":               {one(edit(t, begins, `"TX":"B",`, ""), ends), "TX is not"},
		"register without end":   {one(begins, exporting(begins), ends), "does not end"},
		"register without begin": {one(begins, ends, exporting(ends)), "before the session's begin"},
		"register falls":         {one(begins, edit(t, ends, "2940.700", "2935.599")), "below"},
		"clock falls":            {one(begins, edit(t, ends, "09:00", "07:59")), "TM is before"},
		"pages with a gap":       {[]string{payload(1, begins), payload(3, ends)}, "does not follow"},
		"pages in another order": {[]string{payload(2, begins), payload(1, ends)}, "does not follow"},
		"fiscal":                 {[]string{edit(t, payload(1, begins, ends), "T1", "F1")}, "not that of a charging session"},
		"no page":                {[]string{edit(t, payload(1, begins, ends), `"PG":"T1",`, "")}, "not that of a charging session"},
		"another meter":          {[]string{payload(1, begins), edit(t, payload(2, ends), `"MS":"M1"`, `"MS":"M2"`)}, "not from the meter"},
		"no meter":               {[]string{edit(t, edit(t, payload(1, begins, ends), `"MS":"M1"`, `"MS":""`), `"GS":"G1"`, `"GS":""`)}, "nothing says who signed"},
		"a key twice":            {one(begins, edit(t, ends, `"RV":2940.700`, `"RV":3000,"RV":2940.700`)), "there twice"},
		"no readings":            {one(), "no readings"},
	} {
		t.Run(name, func(t *testing.T) {
			var records []*Record
			for _, p := range test.payloads {
				records = append(records, meter.record(t, p))
			}
			reasons := strings.Join(Billable(meter.public(t), records...), "\n")
			if (reasons == "") != (test.want == "") || !strings.Contains(reasons, test.want) {
				t.Errorf("reasons are %q, want %q", reasons, test.want)
			}
		})
	}
}

func TestBillableNeedsTheMetersSignature(t *testing.T) {
	meter, other := newMeter(t), newMeter(t)
	r := meter.record(t, payload(1, begins, ends))
	if got := Billable(other.public(t), r); len(got) != 1 || !strings.Contains(got[0], "not valid") {
		t.Error(got)
	}
	if got := Billable(PublicKey{}, r); len(got) != 1 || !strings.Contains(got[0], "could not be checked") {
		t.Error(got)
	}
	if got := Billable(meter.public(t)); len(got) == 0 {
		t.Error("no records may be billed")
	}
}

// Sessions of real meters, Apache-2.0: testdata/README.md.
func TestBillableSessionsOfRealMeters(t *testing.T) {
	var file struct {
		Sessions []struct {
			Name, Key string
			Records   []string
		}
	}
	loadJSON(t, "testdata/meters.json", &file)
	for _, s := range file.Sessions {
		key, err := ParsePublicKey(s.Key)
		if err != nil {
			t.Fatal(err)
		}
		var records []*Record
		for _, text := range s.Records {
			r := mustParse(t, text)
			if err := r.Verify(key); err != nil {
				t.Error(s.Name, err)
			}
			records = append(records, r)
		}
		// The Isabellenhütte's meter says of itself that it is in error.
		if reasons := Billable(key, records...); (len(reasons) == 0) != strings.HasPrefix(s.Name, "NZR") {
			t.Error(s.Name, reasons)
		}
	}
}

package transcript_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// many names in ascending order.
func many(n int) (names []string) {
	for i := range n {
		names = append(names, strings.Repeat("x", i+1))
	}
	return names
}

func TestOpeningBounds(t *testing.T) {
	if err := opening().Check(); err != nil {
		t.Fatal(err)
	}
	for want, alter := range map[string]func(o *transcript.Opening){
		"owners: 2":                 func(o *transcript.Opening) { o.Roster.Owners = many(2) },
		"owners: 17":                func(o *transcript.Opening) { o.Roster.Owners = many(17) },
		"threshold: 1":              func(o *transcript.Opening) { o.Roster.Threshold = 1 },
		"threshold: 5":              func(o *transcript.Opening) { o.Roster.Threshold = 5 },
		"b and a are not":           func(o *transcript.Opening) { o.Roster.Owners = []string{"b", "a", "c"} },
		"a and a are not":           func(o *transcript.Opening) { o.Roster.Owners = []string{"a", "a", "c"} },
		"two places":                func(o *transcript.Opening) { o.Roster.Regulator = "a" },
		"receiver b: a party":       func(o *transcript.Opening) { o.Roster.Receiver = "b" },
		"reg: a party":              func(o *transcript.Opening) { o.Roster.Receiver = "reg" },
		"party 0: name: 0":          func(o *transcript.Opening) { o.Roster.Owners[0] = "" },
		"party 4: name: 256":        func(o *transcript.Opening) { o.Roster.Regulator = strings.Repeat("r", 256) },
		"party 5: name: byte 3":     func(o *transcript.Opening) { o.Roster.Receiver = "rec/x" },
		"party 5: name: byte 0":     func(o *transcript.Opening) { o.Roster.Receiver = "..rec" },
		"params: 0":                 func(o *transcript.Opening) { o.Params = "" },
		"params: 65":                func(o *transcript.Opening) { o.Params = strings.Repeat("p", 65) },
		"used: 1":                   func(o *transcript.Opening) { o.Used = 1 },
		"used: 257":                 func(o *transcript.Opening) { o.Used = 257 },
		"ciphertexts: 0":            func(o *transcript.Opening) { o.Ciphertexts = 0 },
		"ciphertexts: 3":            func(o *transcript.Opening) { o.Ciphertexts = 3 },
		"minimum: 2":                func(o *transcript.Opening) { o.Minimum = 2 },
		"minimum: 5":                func(o *transcript.Opening) { o.Minimum = 5 },
		"minimum: 3 inputs, want 4": func(o *transcript.Opening) { o.Roster.Threshold = 4 },
		"until 0":                   func(o *transcript.Opening) { o.InputsUntil = 0 },
		"expires 1800000100":        func(o *transcript.Opening) { o.Expires = o.InputsUntil },
		"expires 1099511627777":     func(o *transcript.Opening) { o.Expires = 1<<40 + 1 },
	} {
		o := opening()
		alter(o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestEveryFieldIsInTheSession: a session of another opening, or recorded elsewhere, is another session.
func TestEveryFieldIsInTheSession(t *testing.T) {
	seen := map[transcript.ID]string{opening().ID("record"): "the opening"}
	for name, alter := range map[string]func(o *transcript.Opening){
		"owner":       func(o *transcript.Opening) { o.Roster.Owners[1] = "bb" },
		"fewer":       func(o *transcript.Opening) { o.Roster.Owners = o.Roster.Owners[:3] },
		"regulator":   func(o *transcript.Opening) { o.Roster.Regulator = "regu" },
		"receiver":    func(o *transcript.Opening) { o.Roster.Receiver = "reci" },
		"exchanged":   func(o *transcript.Opening) { o.Roster.Regulator, o.Roster.Receiver = "rec", "reg" },
		"threshold":   func(o *transcript.Opening) { o.Roster.Threshold = 3 },
		"params":      func(o *transcript.Opening) { o.Params = "params-2" },
		"query":       func(o *transcript.Opening) { o.Query[31]++ },
		"used":        func(o *transcript.Opening) { o.Used++ },
		"ciphertexts": func(o *transcript.Opening) { o.Ciphertexts++ },
		"minimum":     func(o *transcript.Opening) { o.Minimum++ },
		"inputs":      func(o *transcript.Opening) { o.InputsUntil++ },
		"expires":     func(o *transcript.Opening) { o.Expires++ },
	} {
		o := opening()
		alter(o)
		got := o.ID("record")
		if other, ok := seen[got]; ok {
			t.Errorf("%s: the same session as %s", name, other)
		}
		seen[got] = name
	}
	if _, ok := seen[opening().ID("another record")]; ok {
		t.Error("two records of an opening are one session")
	}
}

func TestJSON(t *testing.T) {
	o, e := opening(), entry("rec", transcript.Activate)
	for _, v := range []struct{ in, out any }{{o, &transcript.Opening{}}, {&e, &transcript.Entry{}}} {
		b, err := json.Marshal(v.in)
		if err == nil {
			err = json.Unmarshal(b, v.out)
		}
		if d := cmp.Diff(v.in, v.out); err != nil || d != "" {
			t.Errorf("error %v, (-want +got):\n%s", err, d)
		}
	}
}

func TestParseID(t *testing.T) {
	got, err := transcript.ParseID(id.String())
	if err != nil || got != id {
		t.Errorf("got %s (error %v), want %s", got, err, id)
	}
	for _, text := range []string{"", id.String()[1:], id.String() + "0", strings.ToUpper(id.String()[:63]) + "F", strings.Repeat("g", 64)} {
		if _, err := transcript.ParseID(text); err == nil {
			t.Errorf("%q was parsed", text)
		}
	}
}

// FuzzActive: what is read is what would be written.
func FuzzActive(f *testing.F) {
	for _, seed := range [][]byte{{1, 2}, {2, 1}, {1}, {}, {1, 1}, {0, 1}, {3, 255}, {1, 2, 3}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := &opening().Roster
		active, err := transcript.ParseActive(r, b)
		if err != nil {
			return
		}
		again, err := transcript.EncodeActive(r, active)
		if err != nil || string(again) != string(b) {
			t.Errorf("%v from %x writes %x (error %v)", active, b, again, err)
		}
	})
}

// FuzzEntry adds any entry at any time: nothing breaks, and nothing that is refused changes anything.
func FuzzEntry(f *testing.F) {
	for i, e := range script() {
		b, err := json.Marshal(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b)
	}
	f.Fuzz(func(t *testing.T, n uint8, b []byte) {
		var e transcript.Entry
		if json.Unmarshal(b, &e) != nil {
			return
		}
		all := script()
		tr, err := transcript.Read(id, opening(), all[:int(n)%(len(all)+1)])
		if err != nil {
			t.Fatal(err)
		}
		before := tr.Phase()
		if tr.Add(e) != nil && tr.Phase() != before {
			t.Errorf("a refused entry changed phase %s to %s", before, tr.Phase())
		}
	})
}

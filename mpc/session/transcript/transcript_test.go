package transcript_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/mpc/session/transcript"
)

const start = 1_800_000_000

func opening() *transcript.Opening {
	return &transcript.Opening{
		Roster: transcript.Roster{Owners: []string{"a", "b", "c", "d"}, Regulator: "reg", Receiver: "rec", Threshold: 2},
		Params: "params-1", Query: transcript.Digest{1}, Used: 2, Ciphertexts: 1, Minimum: 3, InputsUntil: start + 100, Expires: start + 1000,
	}
}

var id = opening().ID("record")

// entry is one that its party may write in some phase.
func entry(party string, round transcript.Round) transcript.Entry {
	e := transcript.Entry{Session: id, Party: party, Round: round, Digest: transcript.Hash("test", []byte(party)), At: start}
	switch round {
	case transcript.Close:
		e.Digest = transcript.Digest{}
	case transcript.Activate:
		e.Detail = []byte{1, 3}
	case transcript.Abort:
		e.Digest, e.Detail = transcript.Digest{}, []byte("why not")
	}
	return e
}

// script is a whole session.
func script() []transcript.Entry {
	var all []transcript.Entry
	for _, round := range []transcript.Round{transcript.Key, transcript.Ready} {
		for _, party := range []string{"a", "b", "c", "d", "reg", "rec"} {
			all = append(all, entry(party, round))
		}
	}
	for _, party := range []string{"d", "b", "c", "a"} {
		all = append(all, entry(party, transcript.Input))
	}
	return append(all, entry("rec", transcript.Close), entry("rec", transcript.Activate),
		entry("c", transcript.Share), entry("reg", transcript.Share), entry("a", transcript.Share), entry("rec", transcript.Result))
}

// until is the session up to the first entry of a round.
func until(t *testing.T, round transcript.Round) *transcript.Transcript {
	t.Helper()
	all := script()
	i := slices.IndexFunc(all, func(e transcript.Entry) bool { return e.Round == round })
	tr, err := transcript.Read(id, opening(), all[:i])
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestPhases(t *testing.T) {
	tr, err := transcript.New(id, opening())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range script() {
		got = append(got, fmt.Sprintf("%s: %v", tr.Phase(), tr.Missing()))
		if err := tr.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	got = append(got, fmt.Sprintf("%s: %v", tr.Phase(), tr.Missing()))
	want := strings.Split(`keys: [a b c d reg rec]
keys: [b c d reg rec]
keys: [c d reg rec]
keys: [d reg rec]
keys: [reg rec]
keys: [rec]
preparation: [a b c d reg rec]
preparation: [b c d reg rec]
preparation: [c d reg rec]
preparation: [d reg rec]
preparation: [reg rec]
preparation: [rec]
collection: [a b c d]
collection: [a b c]
collection: [a c]
collection: [a]
collection: [rec]
activation: [rec]
switching: [a c reg]
switching: [a reg]
switching: [a]
answer: [rec]
answered: []`, "\n")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("phases (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"a", "c", "reg"}, tr.Openers()); d != "" {
		t.Errorf("openers (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"a", "b", "c", "d"}, tr.Inputs()); d != "" {
		t.Errorf("inputs (-want +got):\n%s", d)
	}
}

// TestRules breaks one rule at a time.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    transcript.Round // the round whose first entry is next
		entry transcript.Entry
		alter func(*transcript.Entry)
		want  string
	}{
		{"another session", transcript.Key, entry("a", transcript.Key), func(e *transcript.Entry) { e.Session[0]++ }, "session"},
		{"no such round", transcript.Key, entry("a", "keys"), nil, "round"},
		{"no round", transcript.Key, entry("a", ""), nil, "round"},
		{"stranger", transcript.Key, entry("x", transcript.Key), nil, "roster"},
		{"nobody", transcript.Key, entry("", transcript.Key), nil, "roster"},
		{"stranger's abort", transcript.Key, entry("x", transcript.Abort), nil, "roster"},
		{"no digest", transcript.Key, entry("a", transcript.Key), func(e *transcript.Entry) { e.Digest = transcript.Digest{} }, "digest"},
		{"detail", transcript.Key, entry("a", transcript.Key), func(e *transcript.Entry) { e.Detail = []byte{1} }, "detail"},
		{"long detail", transcript.Key, entry("a", transcript.Key), func(e *transcript.Entry) { e.Detail = make([]byte, 4097) }, "detail"},
		{"no time", transcript.Key, entry("a", transcript.Key), func(e *transcript.Entry) { e.At = 0 }, "expires"},
		{"expired", transcript.Key, entry("a", transcript.Key), func(e *transcript.Entry) { e.At = start + 1001 }, "expires"},
		{"ready before keys", transcript.Key, entry("a", transcript.Ready), nil, "phase"},
		{"key twice", transcript.Ready, entry("a", transcript.Key), func(e *transcript.Entry) { e.Digest[0]++ }, "another entry"},
		{"input before ready", transcript.Ready, entry("a", transcript.Input), nil, "phase"},
		{"regulator's input", transcript.Input, entry("reg", transcript.Input), nil, "owner"},
		{"receiver's input", transcript.Input, entry("rec", transcript.Input), nil, "owner"},
		{"long anchor", transcript.Input, entry("a", transcript.Input), func(e *transcript.Entry) { e.Detail = make([]byte, 513) }, "anchor"},
		{"declined with anchor", transcript.Input, entry("a", transcript.Input), func(e *transcript.Entry) { e.Digest, e.Detail = transcript.Digest{}, []byte{1} }, "anchor"},
		{"close without inputs", transcript.Input, entry("rec", transcript.Close), nil, "inputs: 0"},
		{"late close without inputs", transcript.Input, entry("rec", transcript.Close), func(e *transcript.Entry) { e.At = start + 101 }, "inputs: 0"},
		{"owner's close", transcript.Close, entry("a", transcript.Close), nil, "receiver"},
		{"close of something", transcript.Close, entry("rec", transcript.Close), func(e *transcript.Entry) { e.Digest[0] = 1 }, "digest"},
		{"activation before close", transcript.Close, entry("rec", transcript.Activate), nil, "phase"},
		{"input after close", transcript.Activate, entry("a", transcript.Input), func(e *transcript.Entry) { e.Digest[0]++ }, "another entry"},
		{"second close", transcript.Activate, entry("rec", transcript.Close), nil, "already"},
		{"owner's activation", transcript.Activate, entry("a", transcript.Activate), nil, "receiver"},
		{"activation of nothing", transcript.Activate, entry("rec", transcript.Activate), func(e *transcript.Entry) { e.Digest = transcript.Digest{} }, "digest"},
		{"too many active", transcript.Activate, entry("rec", transcript.Activate), func(e *transcript.Entry) { e.Detail = []byte{1, 2, 3} }, "active"},
		{"too few active", transcript.Activate, entry("rec", transcript.Activate), func(e *transcript.Entry) { e.Detail = []byte{1} }, "active"},
		{"one active twice", transcript.Activate, entry("rec", transcript.Activate), func(e *transcript.Entry) { e.Detail = []byte{1, 1} }, "active"},
		{"active in another order", transcript.Activate, entry("rec", transcript.Activate), func(e *transcript.Entry) { e.Detail = []byte{3, 1} }, "active"},
		{"active of no place", transcript.Activate, entry("rec", transcript.Activate), func(e *transcript.Entry) { e.Detail = []byte{1, 5} }, "active"},
		{"share before activation", transcript.Activate, entry("a", transcript.Share), nil, "phase"},
		{"second activation", transcript.Share, entry("rec", transcript.Activate), func(e *transcript.Entry) { e.Detail = []byte{1, 2} }, "another entry"},
		{"share of one not active", transcript.Share, entry("b", transcript.Share), nil, "not one of those"},
		{"receiver's share", transcript.Share, entry("rec", transcript.Share), nil, "not one of those"},
		{"result before shares", transcript.Share, entry("rec", transcript.Result), nil, "phase"},
		{"owner's result", transcript.Result, entry("a", transcript.Result), nil, "receiver"},
		{"no reason", transcript.Result, entry("a", transcript.Abort), func(e *transcript.Entry) { e.Detail = nil }, "reason"},
		{"long reason", transcript.Result, entry("a", transcript.Abort), func(e *transcript.Entry) { e.Detail = make([]byte, 257) }, "reason"},
		{"reason of two lines", transcript.Result, entry("a", transcript.Abort), func(e *transcript.Entry) { e.Detail = []byte("a\nb") }, "reason"},
		{"reason that is no text", transcript.Result, entry("a", transcript.Abort), func(e *transcript.Entry) { e.Detail = []byte{0xff} }, "reason"},
		{"reason that turns around", transcript.Result, entry("a", transcript.Abort), func(e *transcript.Entry) { e.Detail = []byte("\u202eabc") }, "reason"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, e := until(t, c.at), c.entry
			if c.alter != nil {
				c.alter(&e)
			}
			err := tr.Add(e)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
			if tr.Phase() != until(t, c.at).Phase() {
				t.Error("what was refused has changed something")
			}
		})
	}
}

// TestFirstWins: the same is no error of its own, and anything else is refused for ever.
func TestFirstWins(t *testing.T) {
	tr, err := transcript.Read(id, opening(), script())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range script() {
		e.At += 7
		if err := tr.Add(e); !errors.Is(err, transcript.ErrRepeated) {
			t.Errorf("%s of %s again: error %v, want %v", e.Round, e.Party, err, transcript.ErrRepeated)
		}
		if e.Round == transcript.Close {
			continue // can only say one thing
		}
		e.Digest[31]++
		if err := tr.Add(e); !errors.Is(err, transcript.ErrRecorded) {
			t.Errorf("another %s of %s: error %v, want %v", e.Round, e.Party, err, transcript.ErrRecorded)
		}
	}
	if err := tr.Add(entry("a", transcript.Abort)); err == nil {
		t.Error("an answered session was aborted")
	}
}

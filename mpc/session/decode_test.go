package session_test

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// FuzzItem: what is read is what would be written.
func FuzzItem(f *testing.F) {
	for _, seed := range []string{"public", "part", "share", "alive", "input of owner-1", "input of ", "input", "share of x", "", "input of a of b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		item, err := session.ParseItem(text)
		if err == nil && item.String() != text {
			t.Errorf("%q is read as %+v, which is written %q", text, item, item)
		}
	})
}

// FuzzShown: nothing is taken out of what a party shows but what it committed to, in its place.
func FuzzShown(f *testing.F) {
	messages := [][]byte{[]byte("public"), []byte("for one"), []byte("for two")}
	e, show := session.Commit(transcript.ID{1}, "a", transcript.Key, messages...)
	for i := range messages {
		f.Add(uint8(i), show(i))
		f.Add(uint8(i+1), show(i))
	}
	f.Add(uint8(0), []byte{})
	f.Fuzz(func(t *testing.T, index uint8, shown []byte) {
		i := int(index) % len(messages)
		m, err := session.OpenShown(&e, len(messages), i, shown)
		if err == nil && !bytes.Equal(m, messages[i]) {
			t.Errorf("message %d: %q, committed to %q", i, m, messages[i])
		}
	})
}

// TestShown: a message opens in its session, party, round and place, whole, and nowhere else.
func TestShown(t *testing.T) {
	t.Parallel()
	messages := [][]byte{[]byte("public"), []byte("for one"), []byte("for two")}
	e, show := session.Commit(transcript.ID{1}, "a", transcript.Key, messages...)
	for i := range messages {
		if m, err := session.OpenShown(&e, 3, i, show(i)); err != nil || !bytes.Equal(m, messages[i]) {
			t.Errorf("message %d: %q (error %v)", i, m, err)
		}
	}
	for name, alter := range map[string]func(e *transcript.Entry, shown []byte) (int, int, []byte){
		"session":      func(e *transcript.Entry, b []byte) (int, int, []byte) { e.Session[0]++; return 3, 1, b },
		"party":        func(e *transcript.Entry, b []byte) (int, int, []byte) { e.Party = "b"; return 3, 1, b },
		"round":        func(e *transcript.Entry, b []byte) (int, int, []byte) { e.Round = transcript.Input; return 3, 1, b },
		"digest":       func(e *transcript.Entry, b []byte) (int, int, []byte) { e.Digest[0]++; return 3, 1, b },
		"place":        func(_ *transcript.Entry, b []byte) (int, int, []byte) { return 3, 2, b },
		"fewer":        func(_ *transcript.Entry, b []byte) (int, int, []byte) { return 2, 1, b },
		"more":         func(_ *transcript.Entry, b []byte) (int, int, []byte) { return 4, 1, b },
		"hash":         func(_ *transcript.Entry, b []byte) (int, int, []byte) { b[0]++; return 3, 1, b },
		"nonce":        func(_ *transcript.Entry, b []byte) (int, int, []byte) { b[96]++; return 3, 1, b },
		"message":      func(_ *transcript.Entry, b []byte) (int, int, []byte) { b[len(b)-1]++; return 3, 1, b },
		"longer":       func(_ *transcript.Entry, b []byte) (int, int, []byte) { return 3, 1, append(b, 0) },
		"shorter":      func(_ *transcript.Entry, b []byte) (int, int, []byte) { return 3, 1, b[:len(b)-1] },
		"much shorter": func(_ *transcript.Entry, b []byte) (int, int, []byte) { return 3, 1, b[:100] },
	} {
		altered, shown := e, show(1)
		count, index, shown := alter(&altered, shown)
		if m, err := session.OpenShown(&altered, count, index, shown); err == nil {
			t.Errorf("%s: %q", name, m)
		}
	}
}

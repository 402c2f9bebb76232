package keys

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The inputs are for ever: what was derived from them is on ledgers.
func TestInputsPinned(t *testing.T) {
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"derive": {DeriveInput("fleet", []byte{1, 2}), "1461737361792f6b6579732f6465726976652f763105666c6565740102"},
		"wrap":   {WrapInput("a", nil), "1261737361792f6b6579732f777261702f76310161"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// No two different names and contexts give the same input.
func TestInputsDiffer(t *testing.T) {
	for _, c := range []struct{ a, b []byte }{
		{DeriveInput("ab", []byte("c")), DeriveInput("a", []byte("bc"))},
		{DeriveInput("a", nil), DeriveInput("a", []byte{0})},
		{DeriveInput("a", []byte("b")), WrapInput("a", []byte("b"))},
	} {
		if bytes.Equal(c.a, c.b) {
			t.Errorf("%x", c.a)
		}
	}
}

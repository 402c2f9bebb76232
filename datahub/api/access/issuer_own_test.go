package access

import (
	"errors"
	"testing"
	"time"
)

// Keys of an issuer in the same process are not used beyond their time, whether or not newer ones can be had.
func TestKeysOfTheNodesOwnIssuer(t *testing.T) {
	c, s := newClock(), &source{}
	a, b := ecKey("a"), ecKey("b")
	s.be(nil, a)
	k := newKeyCache(Issuer{URL: "https://i.example", Keys: s.keys, Fresh: 2 * time.Second}, c.now)
	find := func(id string) error { _, _, err := k.find(t.Context(), id); return err }
	if err := find("a"); err != nil {
		t.Fatal(err)
	}
	s.be(nil, b)
	c.pass(2 * time.Second)
	if err := find("a"); !errors.Is(err, errUnknownKey) {
		t.Errorf("a key that was dropped: %v", err)
	}
	if err := find("b"); err != nil {
		t.Error(err)
	}
	s.be(errors.New("unreadable"))
	c.pass(2 * time.Second)
	if err := find("b"); !errors.Is(err, errUnreachable) {
		t.Errorf("while it cannot be read: %v", err)
	}
	for _, fresh := range []time.Duration{-1, time.Millisecond, 2 * time.Hour} {
		if (&Issuer{URL: "https://i.example", Fresh: fresh}).check() == nil {
			t.Errorf("fresh for %s was taken", fresh)
		}
	}
}

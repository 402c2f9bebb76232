package access

import (
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func testLimits(l Limits) Limits {
	if err := l.complete(); err != nil {
		panic(err)
	}
	return l
}

func person(name string) Principal { return Principal{Kind: Person, Issuer: "i", Subject: name} }

func TestShares(t *testing.T) {
	c := newClock()
	s := newShares(testLimits(Limits{Rate: 1, Burst: 3, Calls: 2, Streams: 1}))
	take := func(p Principal, stream bool) (func(), codes.Code) {
		giveBack, err := s.take(p, stream, c.now())
		return giveBack, status.Code(err)
	}
	one, code := take(person("ada"), true)
	if code != codes.OK {
		t.Fatal(code)
	}
	if _, code := take(person("ada"), true); code != codes.ResourceExhausted {
		t.Errorf("a second stream: %s", code)
	}
	two, code := take(person("ada"), false)
	if code != codes.OK {
		t.Errorf("a call besides: %s", code)
	}
	if _, code := take(person("bob"), true); code != codes.OK {
		t.Errorf("another person: %s", code)
	}
	if _, code := take(Principal{Kind: Peer, Organisation: "ada"}, true); code != codes.OK {
		t.Errorf("a peer: %s", code)
	}
	one()
	two()
	// The burst is used up, by what was refused for other reasons too, and comes back at its rate.
	if _, code := take(person("ada"), false); code != codes.ResourceExhausted {
		t.Errorf("beyond the burst: %s", code)
	}
	c.pass(time.Second)
	if _, code := take(person("ada"), true); code != codes.OK {
		t.Errorf("a second later: %s", code)
	}
}

func TestSharesAreBounded(t *testing.T) {
	c := newClock()
	s := newShares(testLimits(Limits{Rate: 1000, Burst: 1}))
	var giveBack []func()
	for i := range maxPrincipals {
		back, err := s.take(person(fmt.Sprint(i)), false, c.now())
		if err != nil {
			t.Fatal(err)
		}
		giveBack = append(giveBack, back)
	}
	if _, err := s.take(person("one more"), false, c.now()); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("while all are busy: %v", err)
	}
	for _, back := range giveBack {
		back()
	}
	// Whose burst is not full yet is remembered: to be forgotten would give it back.
	if _, err := s.take(person("one more"), false, c.now()); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("while none has a full burst: %v", err)
	}
	c.pass(time.Second)
	if _, err := s.take(person("one more"), false, c.now()); err != nil || len(s.of) != 1 {
		t.Errorf("later: %v, %d remembered", err, len(s.of))
	}
}

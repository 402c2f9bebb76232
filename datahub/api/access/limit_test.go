package access

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
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
		place, err := s.take(p, "m", &Rule{Stream: stream}, c.now())
		return place.giveBack, status.Code(err)
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
		place, err := s.take(person(fmt.Sprint(i)), "m", &Rule{}, c.now())
		if err != nil {
			t.Fatal(err)
		}
		giveBack = append(giveBack, place.giveBack)
	}
	if _, err := s.take(person("one more"), "m", &Rule{}, c.now()); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("while all are busy: %v", err)
	}
	for _, back := range giveBack {
		back()
	}
	// Whose burst is not full yet is remembered: to be forgotten would give it back.
	if _, err := s.take(person("one more"), "m", &Rule{}, c.now()); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("while none has a full burst: %v", err)
	}
	c.pass(time.Second)
	if _, err := s.take(person("one more"), "m", &Rule{}, c.now()); err != nil || len(s.of) != 1 {
		t.Errorf("later: %v, %d remembered", err, len(s.of))
	}
}

// What takes much to answer is bounded for itself, and the bound is given back with the call.
func TestSharesOfOneMethod(t *testing.T) {
	c := newClock()
	s := newShares(testLimits(Limits{}))
	rule := &Rule{AtOnce: 1}
	place, err := s.take(person("ada"), "m", rule, c.now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.take(person("ada"), "m", rule, c.now()); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a second: %v", err)
	}
	for name, err := range map[string]error{
		"another method": second(s.take(person("ada"), "n", rule, c.now())), "another person": second(s.take(person("bob"), "m", rule, c.now())),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	place.giveBack()
	if _, err := s.take(person("ada"), "m", rule, c.now()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }

// Bodies that are being read are among their caller's calls, and large ones are few.
func TestSharesOfBodies(t *testing.T) {
	c := newClock()
	s := newShares(testLimits(Limits{Rate: 1, Burst: 10, Calls: 3}))
	var reads, dones []func()
	receive := func(large bool) codes.Code {
		read, done, err := s.receive(person("ada"), large, c.now())
		if err == nil {
			reads, dones = append(reads, read), append(dones, done)
		}
		return status.Code(err)
	}
	for i, c := range []struct {
		large bool
		want  codes.Code
	}{{true, codes.OK}, {true, codes.OK}, {true, codes.ResourceExhausted}, {false, codes.OK}, {false, codes.ResourceExhausted}} {
		if got := receive(c.large); got != c.want {
			t.Errorf("body %d: %s, want %s", i, got, c.want)
		}
	}
	if _, _, err := s.receive(person("bob"), true, c.now()); err != nil {
		t.Errorf("another person: %v", err)
	}
	for range 2 { // again is nothing
		for _, read := range reads {
			read()
		}
	}
	if receive(true) != codes.ResourceExhausted || receive(false) != codes.OK {
		t.Error("once they are read, large ones are still held, and no call is")
	}
	for _, done := range dones {
		done()
	}
	if h := s.of[person("ada").key()]; h.bodies != 0 || h.large != 0 || h.calls != 0 {
		t.Errorf("in the end %+v", h)
	}
	for range 10 {
		_, _ = s.take(person("ada"), "m", &Rule{}, c.now())
	}
	if receive(false) != codes.ResourceExhausted {
		t.Error("a body for a call beyond the rate")
	}
}

// fromAddress is a call's context.
func fromAddress(t *testing.T, address string) context.Context {
	t.Helper()
	return peer.NewContext(t.Context(), &peer.Peer{Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))})
}

// Those who show nothing have a share for each host that they call from.
func TestSharesOfStrangers(t *testing.T) {
	from := func(address string) string {
		return Principal{Kind: Anonymous, host: hostOf(fromAddress(t, address))}.key()
	}
	if from("10.0.0.1:1") != from("10.0.0.1:2") || from("10.0.0.1:1") == from("10.0.0.2:1") || from("[2001:db8::1]:1") != from("[2001:db8::2]:9") || from("[2001:db8:0:1::1]:1") == from("[2001:db8::1]:1") {
		t.Error("hosts")
	}
}

package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

var errNoGood = errors.New("no good")

// Whoever shows too much that is no good is not looked at for a while; others are, and what cannot be decided counts for nothing.
func TestAttempts(t *testing.T) {
	c := newClock()
	a := newAttempts(3, c.now)
	looks := 0
	try := func(address string, found error) codes.Code {
		looks = 0
		return status.Code(unauthenticated(a.try(fromAddress(t, address), func() error { looks++; return found })))
	}
	for range 10 {
		if got := try("10.0.0.1:1", errUnreachable); got != codes.Unavailable {
			t.Fatalf("undecided: %s", got)
		}
	}
	for range 3 {
		if got := try("10.0.0.1:1", errNoGood); got != codes.Unauthenticated {
			t.Fatalf("at first: %s", got)
		}
	}
	for _, found := range []error{errNoGood, nil} {
		if got := try("10.0.0.1:2", found); got != codes.ResourceExhausted || looks != 0 {
			t.Errorf("too much: %s, %d looks", got, looks)
		}
	}
	for _, address := range []string{"10.0.0.2:1", "[2001:db8::1]:1"} {
		if got := try(address, errNoGood); got != codes.Unauthenticated {
			t.Errorf("another host: %s", got)
		}
	}
	c.pass(20 * time.Second)
	if got := try("10.0.0.1:1", errNoGood); got != codes.Unauthenticated {
		t.Errorf("later: %s", got)
	}
	if got := try("10.0.0.1:1", errNoGood); got != codes.ResourceExhausted {
		t.Errorf("and again: %s", got)
	}
	for range 10 {
		if err := a.try(t.Context(), func() error { return errNoGood }); !errors.Is(err, errNoGood) {
			t.Fatalf("without a host: %v", err)
		}
	}
}

// However many hosts there are, none is refused for the others, and what is remembered of them is bounded.
func TestAttemptsAreBounded(t *testing.T) {
	a := newAttempts(1, newClock().now)
	for i := range maxHosts + 100 {
		if err := a.try(fromAddress(t, fmt.Sprintf("10.%d.%d.1:1", i>>8, i&255)), func() error { return errNoGood }); !errors.Is(err, errNoGood) {
			t.Fatalf("host %d: %v", i, err)
		}
	}
	if len(a.left) != maxHosts {
		t.Errorf("%d hosts are remembered", len(a.left))
	}
}

// A token that is known to be good is taken from a host that guesses; one that is not known is not looked at.
func TestAttemptsOfATokensHost(t *testing.T) {
	c, s := newClock(), &source{}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	s.be(nil, jose.JSONWebKey{Key: key.Public(), KeyID: "a"})
	g := newGuard(t, func(o *Options) {
		o.Issuers, o.Now, o.Limits.Failures = []Issuer{{URL: "https://i.example", Keys: s.keys}}, c.now, 5
	})
	show := func(address, token string) codes.Code {
		_, _, err := g.Receive(fromAddress(t, address), []string{Bearer(token)}, assayv1.NodeService_GetStatus_FullMethodName, false)
		return status.Code(err)
	}
	known, fresh := signed(t, jose.ES256, key, "a", c, nil), signed(t, jose.ES256, key, "a", c, func(p *claims) { p.ID = "2" })
	forged := signed(t, jose.ES256, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), "a", c, nil)
	if got := show("10.0.0.1:1", known); got != codes.OK {
		t.Fatal(got)
	}
	for range 5 {
		if got := show("10.0.0.1:1", forged); got != codes.Unauthenticated {
			t.Fatal(got)
		}
	}
	for _, x := range []struct {
		what, address, token string
		want                 codes.Code
	}{
		{"a forged one", "10.0.0.1:1", forged, codes.ResourceExhausted}, {"one that is not known", "10.0.0.1:1", fresh, codes.ResourceExhausted},
		{"one that is known", "10.0.0.1:1", known, codes.OK}, {"from another host", "10.0.0.2:1", fresh, codes.OK}, {"then here", "10.0.0.1:1", fresh, codes.OK},
	} {
		if got := show(x.address, x.token); got != x.want {
			t.Errorf("%s: %s, want %s", x.what, got, x.want)
		}
	}
}

package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// clock is one that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// source is an issuer's keys, which can be changed, and made to fail.
type source struct {
	mu    sync.Mutex
	set   jose.JSONWebKeySet
	err   error
	asked int
}

func (s *source) keys(context.Context) (jose.JSONWebKeySet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.set, s.err
}

func (s *source) be(err error, keys ...jose.JSONWebKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set, s.err = jose.JSONWebKeySet{Keys: keys}, err
}

func (s *source) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func ecKey(id string) jose.JSONWebKey {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	return jose.JSONWebKey{Key: key.Public(), KeyID: id}
}

func TestKeysAreKeptAndRenewed(t *testing.T) {
	c, s := newClock(), &source{}
	s.be(nil, ecKey("a"))
	k := newKeyCache(Issuer{URL: "https://i.example", Keys: s.keys}, c.now)
	find := func(id string) error { _, _, err := k.find(t.Context(), id); return err }
	if err := find("a"); err != nil || s.count() != 1 {
		t.Fatalf("%v, asked %d times", err, s.count())
	}
	for range 100 {
		if err := find("a"); err != nil {
			t.Fatal(err)
		}
	}
	if s.count() != 1 {
		t.Errorf("a known key: asked %d times", s.count())
	}
	// Unknown keys make it look, and not more often than every keysPause.
	for i := range 100 {
		if err := find(fmt.Sprint("unknown", i)); !errors.Is(err, errUnknownKey) {
			t.Fatalf("unknown: %v", err)
		}
	}
	if s.count() != 1 {
		t.Errorf("unknown keys right after a look: asked %d times", s.count())
	}
	c.pass(keysPause)
	for i := range 100 {
		if err := find(fmt.Sprint("unknown", i)); !errors.Is(err, errUnknownKey) {
			t.Fatalf("unknown: %v", err)
		}
	}
	if s.count() != 2 {
		t.Errorf("unknown keys later: asked %d times", s.count())
	}
}

func TestKeysRotate(t *testing.T) {
	c, s := newClock(), &source{}
	a, b := ecKey("a"), ecKey("b")
	s.be(nil, a)
	k := newKeyCache(Issuer{URL: "https://i.example", Keys: s.keys}, c.now)
	find := func(id string) error { _, _, err := k.find(t.Context(), id); return err }
	if err := find("a"); err != nil {
		t.Fatal(err)
	}
	// A new key is found when it is first shown.
	s.be(nil, b, a)
	c.pass(keysPause)
	if err := find("b"); err != nil {
		t.Errorf("a new key: %v", err)
	}
	// A key that is withdrawn is not taken any more once the keys are looked at again.
	s.be(nil, b)
	c.pass(keysFresh)
	_ = find("b") // looks, and does not wait
	waitFor(t, "the withdrawn key", func() bool { return errors.Is(find("a"), errUnknownKey) })
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time", what)
		}
	}
}

func TestIssuerThatCannotBeReached(t *testing.T) {
	c, s := newClock(), &source{}
	a := ecKey("a")
	s.be(errors.New("down"))
	k := newKeyCache(Issuer{URL: "https://i.example", Keys: s.keys}, c.now)
	find := func(id string) error { _, _, err := k.find(t.Context(), id); return err }
	for range 10 {
		if err := find("a"); !errors.Is(err, errUnreachable) {
			t.Fatalf("never reached: %v", err)
		}
	}
	if s.count() != 1 {
		t.Errorf("asked %d times within the pause", s.count())
	}
	s.be(nil, a)
	c.pass(keysPause)
	if err := find("a"); err != nil {
		t.Fatalf("reached: %v", err)
	}
}

// An issuer that goes away: its keys are used for an hour, unknown keys cannot be told from new ones, and after the hour nothing is let through.
func TestIssuerThatGoesAway(t *testing.T) {
	c, s := newClock(), &source{}
	a := ecKey("a")
	s.be(nil, a)
	k := newKeyCache(Issuer{URL: "https://i.example", Keys: s.keys}, c.now)
	find := func(id string) error { _, _, err := k.find(t.Context(), id); return err }
	if err := find("a"); err != nil {
		t.Fatal(err)
	}
	s.be(errors.New("down"))
	c.pass(keysUsable - time.Second)
	if err := find("a"); err != nil {
		t.Errorf("within the hour: %v", err)
	}
	waitFor(t, "the look", func() bool { return s.count() == 2 })
	if err := find("b"); !errors.Is(err, errUnreachable) {
		t.Errorf("an unknown key: %v", err)
	}
	c.pass(2 * time.Second)
	if err := find("a"); !errors.Is(err, errUnreachable) {
		t.Errorf("after the hour: %v", err)
	}
	s.be(nil, a)
	c.pass(keysPause)
	if err := find("a"); err != nil {
		t.Errorf("back: %v", err)
	}
	// A clock that was set back makes nothing fresh.
	c.pass(-2 * time.Hour)
	s.be(errors.New("down"))
	if err := find("a"); !errors.Is(err, errUnreachable) {
		t.Errorf("a clock set back: %v", err)
	}
}

func TestOneLookForAllWhoWait(t *testing.T) {
	c := newClock()
	a := ecKey("a")
	var asked atomic.Int32
	release := make(chan struct{})
	k := newKeyCache(Issuer{URL: "https://i.example", Keys: func(context.Context) (jose.JSONWebKeySet, error) {
		asked.Add(1)
		<-release
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{a}}, nil
	}}, c.now)
	// One who does not wait leaves the look to the others.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := k.find(gone, "a"); !errors.Is(err, errUnreachable) {
		t.Errorf("gone: %v", err)
	}
	results := make(chan error, 50)
	for range 50 {
		go func() {
			_, _, err := k.find(t.Context(), "a")
			results <- err
		}()
	}
	close(release)
	for range 50 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestKeysThatWillNotDo(t *testing.T) {
	rsaKey := func(bits int) jose.JSONWebKey {
		return jose.JSONWebKey{Key: must(rsa.GenerateKey(rand.Reader, bits)).Public(), KeyID: "k"}
	}
	with := func(k jose.JSONWebKey, change func(*jose.JSONWebKey)) jose.JSONWebKey { change(&k); return k }
	public, _ := must2(ed25519.GenerateKey(rand.Reader))
	for name, c := range map[string]struct {
		key  jose.JSONWebKey
		want string // the algorithm, or "" if it is left out
	}{
		"P-256":             {ecKey("k"), "ES256"},
		"Ed25519":           {jose.JSONWebKey{Key: public, KeyID: "k"}, "EdDSA"},
		"RSA 2048":          {rsaKey(2048), "RS256"},
		"RSA 1024":          {rsaKey(1024), ""},
		"P-384":             {jose.JSONWebKey{Key: must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)).Public(), KeyID: "k"}, ""},
		"symmetric":         {jose.JSONWebKey{Key: []byte("secretsecretsecretsecretsecretsecret"), KeyID: "k"}, ""},
		"no id":             {ecKey(""), ""},
		"for encryption":    {with(ecKey("k"), func(k *jose.JSONWebKey) { k.Use = "enc" }), ""},
		"to sign":           {with(ecKey("k"), func(k *jose.JSONWebKey) { k.Use = "sig" }), "ES256"},
		"another algorithm": {with(rsaKey(2048), func(k *jose.JSONWebKey) { k.Algorithm = "PS256" }), ""},
		"its algorithm":     {with(ecKey("k"), func(k *jose.JSONWebKey) { k.Algorithm = "ES256" }), "ES256"},
	} {
		keys, err := usable(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{c.key}})
		if err != nil || keys["k"].Algorithm != c.want {
			t.Errorf("%s: got %q, %v, want %q", name, keys["k"].Algorithm, err, c.want)
		}
	}
	if _, err := usable(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{ecKey("k"), ecKey("k")}}); err == nil {
		t.Error("two keys of one id were taken")
	}
	if _, err := usable(jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, maxKeys+1)}); err == nil {
		t.Error("too many keys were taken")
	}
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

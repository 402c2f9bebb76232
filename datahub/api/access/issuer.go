package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// MaxIssuers bounds the issuers that a node trusts.
	MaxIssuers   = 8
	maxIssuerURL = 256
	// maxKeys bounds what an issuer publishes, minRSA and maxRSA what is signed with: a longer key takes long to verify with.
	maxKeys = 64
	minRSA  = 2048
	maxRSA  = 8192

	// keysFresh is how long keys are used without a look at the issuer, keysUsable how long if the issuer does not answer.
	keysFresh  = 10 * time.Minute
	keysUsable = time.Hour
	// keysPause is the least time between two looks, whatever tokens are shown.
	keysPause = time.Second
	// keysWait bounds one look.
	keysWait = 5 * time.Second
)

// Keys is where an issuer's public keys come from: [Remote], or an issuer in the same process.
type Keys func(context.Context) (jose.JSONWebKeySet, error)

// Issuer is one whose tokens are accepted.
type Issuer struct {
	// URL is the issuer's name, exactly as its tokens have it.
	URL string
	// Keys is where its keys come from; nil is Remote(URL, nil).
	Keys Keys
	// Fresh is how long keys are used without a look at the issuer. Zero is for an issuer at a distance: ten minutes, and up to an hour while it does not answer.
	// With any other value, which is for one in the same process and at least a second, keys that are older are not used at all.
	Fresh time.Duration
}

func (i *Issuer) check() error {
	if err := CheckIssuerURL("issuer", i.URL); err != nil {
		return err
	}
	if i.Fresh != 0 && (i.Fresh < keysPause || i.Fresh > keysUsable) {
		return fmt.Errorf("issuer %q: fresh is %s, must be %s to %s", i.URL, i.Fresh, keysPause, keysUsable)
	}
	return nil
}

// CheckIssuerURL accepts an https URL without query or fragment, or an http one of this very machine.
func CheckIssuerURL(field, text string) error {
	if len(text) > maxIssuerURL {
		return fmt.Errorf("%s: has %d bytes, at most %d", field, len(text), maxIssuerURL)
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" || strings.ContainsAny(text, "{}\\ #") {
		return fmt.Errorf("%s: %q must be a URL of scheme, host and path", field, text)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return fmt.Errorf("%s: %q must be https (http only on this machine's loopback)", field, text)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var (
	// errUnreachable: the issuer's keys cannot be had now, so nothing can be said about its tokens.
	errUnreachable = errors.New("the token's issuer cannot be reached")
	errUnknownKey  = errors.New("token: its issuer has no such key")
)

// keyCache keeps an issuer's keys.
type keyCache struct {
	issuer string
	fetch  Keys
	now    func() time.Time
	// fresh and usable are this issuer's keysFresh and keysUsable.
	fresh, usable time.Duration

	mu         sync.Mutex
	keys       map[string]jose.JSONWebKey
	generation uint64    // counts changes of keys
	fetched    time.Time // when keys were last had
	tried      time.Time // when they were last asked for
	failed     bool      // then in vain
	looking    *look     // one that is under way
}

// look is a question to an issuer. Its error may be read when it is done.
type look struct {
	done chan struct{}
	err  error
}

func newKeyCache(i Issuer, now func() time.Time) *keyCache {
	k := &keyCache{issuer: i.URL, fetch: i.Keys, now: now, fresh: keysFresh, usable: keysUsable}
	if i.Fresh != 0 {
		k.fresh, k.usable = i.Fresh, i.Fresh
	}
	if k.fetch == nil {
		k.fetch = Remote(i.URL, nil)
	}
	return k
}

// find gives the key of an id. A key that is not known makes it look at the issuer, though not more often than every keysPause.
func (k *keyCache) find(ctx context.Context, id string) (jose.JSONWebKey, uint64, error) {
	generation, err := k.current(ctx)
	if err != nil {
		return jose.JSONWebKey{}, 0, err
	}
	k.mu.Lock()
	key, ok := k.keys[id]
	var l *look
	if !ok && (k.looking != nil || k.now().Sub(k.tried) >= keysPause) {
		l = k.begin(ctx)
	}
	unanswered := k.failed
	k.mu.Unlock()
	switch {
	case ok:
		return key, generation, nil
	case l == nil && unanswered:
		return key, 0, errUnreachable
	case l == nil:
		return key, 0, errUnknownKey
	}
	if err := l.wait(ctx); err != nil {
		return key, 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, ok = k.keys[id]; !ok {
		return key, 0, errUnknownKey
	}
	return key, k.generation, nil
}

// current makes sure that the keys are recent enough, and gives their generation. Keys that will do are used while newer ones are fetched.
func (k *keyCache) current(ctx context.Context) (uint64, error) {
	k.mu.Lock()
	now := k.now()
	age, since, generation := now.Sub(k.fetched), now.Sub(k.tried), k.generation
	usable := k.keys != nil && age >= 0 && age < k.usable
	due := since >= keysPause || since < 0
	l := k.looking
	if due && (!usable || age >= k.fresh) {
		l = k.begin(ctx)
	}
	k.mu.Unlock()
	switch {
	case usable:
		return generation, nil
	case l == nil:
		return 0, errUnreachable
	}
	if err := l.wait(ctx); err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.generation, nil
}

// wait waits for a look's end.
func (l *look) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-l.done:
		if l.err == nil {
			return nil
		}
	}
	return errUnreachable
}

// begin fetches the keys, once for all who wait, and goes on when the one who began it does not wait any more. Its caller has the lock.
func (k *keyCache) begin(ctx context.Context) *look {
	if k.looking == nil {
		k.looking = &look{done: make(chan struct{})}
		k.tried = k.now()
		go k.get(context.WithoutCancel(ctx), k.looking)
	}
	return k.looking
}

func (k *keyCache) get(ctx context.Context, l *look) {
	ctx, cancel := context.WithTimeout(ctx, keysWait)
	defer cancel()
	set, err := k.fetch(ctx)
	keys := map[string]jose.JSONWebKey{}
	if err == nil {
		keys, err = usable(set)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		if !sameKeys(k.keys, keys) {
			k.generation++
		}
		k.keys, k.fetched = keys, k.now()
	}
	k.failed, k.looking = err != nil, nil
	l.err = err
	close(l.done)
}

// usable keeps the keys that may sign tokens. A set with two keys of one id is nobody's.
func usable(set jose.JSONWebKeySet) (map[string]jose.JSONWebKey, error) {
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("issuer: %d keys, at most %d", len(set.Keys), maxKeys)
	}
	keys := map[string]jose.JSONWebKey{}
	for _, key := range set.Keys {
		algorithm, ok := algorithmOf(key)
		if !ok || key.KeyID == "" || key.Use != "" && key.Use != "sig" || key.Algorithm != "" && key.Algorithm != string(algorithm) {
			continue
		}
		if _, twice := keys[key.KeyID]; twice {
			return nil, fmt.Errorf("issuer: two keys have the id %q", key.KeyID)
		}
		key.Algorithm = string(algorithm)
		keys[key.KeyID] = key
	}
	return keys, nil
}

// algorithmOf is the one algorithm that a key verifies: which one is never the token's choice.
func algorithmOf(key jose.JSONWebKey) (jose.SignatureAlgorithm, bool) {
	switch public := key.Key.(type) {
	case *ecdsa.PublicKey:
		return jose.ES256, public.Curve == elliptic.P256() && key.Valid()
	case ed25519.PublicKey:
		return jose.EdDSA, key.Valid()
	case *rsa.PublicKey:
		return jose.RS256, public.N.BitLen() >= minRSA && public.N.BitLen() <= maxRSA && key.Valid()
	}
	return "", false
}

func sameKeys(a, b map[string]jose.JSONWebKey) bool {
	if len(a) != len(b) {
		return false
	}
	for id, key := range a {
		other, ok := b[id]
		if !ok || key.Algorithm != other.Algorithm || !samePublic(key.Key, other.Key) {
			return false
		}
	}
	return true
}

func samePublic(a, b any) bool {
	switch a := a.(type) {
	case *ecdsa.PublicKey:
		other, ok := b.(*ecdsa.PublicKey)
		return ok && a.Equal(other)
	case ed25519.PublicKey:
		other, ok := b.(ed25519.PublicKey)
		return ok && a.Equal(other)
	case *rsa.PublicKey:
		other, ok := b.(*rsa.PublicKey)
		return ok && a.Equal(other)
	}
	return false
}

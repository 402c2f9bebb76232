package issuer

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/gofrs/flock"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// reread is how long the keys are kept in memory: another process may rotate them.
	reread = time.Second
	// lockWait is how often the lock of the folder is tried.
	lockWait = 20 * time.Millisecond
)

// Options are how an issuer presents itself.
type Options struct {
	// URL is the issuer's name in every token, and where its discovery document is found, with "/.well-known/openid-configuration" behind it.
	URL string
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Issuer signs tokens with the key in a folder. It is safe for concurrent use, also by several processes.
type Issuer struct {
	dir, url string
	now      func() time.Time

	mu   sync.Mutex
	ring *keyring
	read time.Time
}

// Open opens an issuer's folder, and makes it with a first key if there is none.
func Open(ctx context.Context, dir string, o Options) (*Issuer, error) {
	if err := access.CheckIssuerURL("issuer url", o.URL); err != nil {
		return nil, err
	}
	i := &Issuer{dir: dir, url: o.URL, now: o.Now}
	if i.now == nil {
		i.now = time.Now
	}
	if _, err := readKeys(i.keys()); err == nil || !missing(err) {
		return i, err
	}
	return i, i.change(ctx, func(ring *keyring) (*keyring, error) {
		if ring != nil {
			return ring, nil // another process was first
		}
		return (&keyring{}).rotated(i.now())
	})
}

// URL is the issuer's name.
func (i *Issuer) URL() string { return i.url }

func (i *Issuer) keys() string { return filepath.Join(i.dir, "keys.json") }

// Claims are what a token says.
type Claims struct {
	// Subject is whom it is for, a name in the organisation: printable, at most access.MaxSubject bytes.
	Subject string
	// Audience is the node that it is for: access.Audience of an organisation.
	Audience string
	Roles    []access.Role
	// Lifetime is at least a second and at most access.MaxLifetime.
	Lifetime time.Duration
}

func (c *Claims) check() error {
	if err := ledger.CheckText("subject", c.Subject, access.MaxSubject, true); err != nil {
		return err
	}
	if err := ledger.CheckText("audience", c.Audience, access.MaxAudience, true); err != nil {
		return err
	}
	if len(c.Roles) == 0 {
		return fmt.Errorf("roles: none, must be one or more of %v", access.Roles())
	}
	for _, r := range c.Roles {
		if _, err := access.ParseRole(string(r)); err != nil {
			return err
		}
	}
	if c.Lifetime < time.Second || c.Lifetime > access.MaxLifetime {
		return fmt.Errorf("lifetime is %s, must be 1s to %s", c.Lifetime, access.MaxLifetime)
	}
	return nil
}

// Mint signs a token.
func (i *Issuer) Mint(c Claims) (string, error) {
	if err := c.check(); err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	ring, err := i.current()
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: ring.Keys[0].Key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("token: signing: %w", err)
	}
	id := make([]byte, 16)
	rand.Read(id) //nolint:errcheck // it never fails
	now := i.now()
	registered := jwt.Claims{
		Issuer: i.url, Subject: c.Subject, Audience: jwt.Audience{c.Audience}, ID: hex.EncodeToString(id),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(c.Lifetime)),
	}
	token, err := jwt.Signed(signer).Claims(registered).Claims(map[string]any{access.RolesClaim: c.Roles}).Serialize()
	if err != nil {
		return "", fmt.Errorf("token: signing: %w", err)
	}
	return token, nil
}

// Keys are the public keys, for a verifier in the same process.
func (i *Issuer) Keys(context.Context) (jose.JSONWebKeySet, error) {
	ring, err := i.current()
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return ring.public(i.now()), nil
}

// Rotate makes a new key to sign with. Tokens of the former one stay valid until they end.
func (i *Issuer) Rotate(ctx context.Context) error {
	return i.change(ctx, func(ring *keyring) (*keyring, error) {
		if ring == nil {
			ring = &keyring{}
		}
		return ring.rotated(i.now())
	})
}

// Revoke replaces every key: no token that was signed until now is valid any more, once verifiers have fetched the keys again.
func (i *Issuer) Revoke(ctx context.Context) error {
	return i.change(ctx, func(*keyring) (*keyring, error) { return (&keyring{}).rotated(i.now()) })
}

// change replaces the file of keys while no other process does. The ring is nil if there is no file.
func (i *Issuer) change(ctx context.Context, fn func(*keyring) (*keyring, error)) error {
	// Making the lock file durably makes the folder, of mode 0700.
	if err := durable.CreateFile(filepath.Join(i.dir, "lock"), nil); err != nil && !exists(err) {
		return fmt.Errorf("issuer: %w", err)
	}
	lock := flock.New(filepath.Join(i.dir, "lock"))
	if _, err := lock.TryLockContext(ctx, lockWait); err != nil {
		return fmt.Errorf("issuer: waiting for another process: %w", err)
	}
	defer lock.Unlock() //nolint:errcheck // the end of the process would
	ring, err := readKeys(i.keys())
	if err != nil && !missing(err) {
		return err
	}
	if ring, err = fn(ring); err != nil {
		return err
	}
	if err := ring.write(i.keys()); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ring, i.read = ring, i.now()
	return nil
}

// current are the keys as the file had them a moment ago.
func (i *Issuer) current() (*keyring, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if now := i.now(); i.ring == nil || now.Sub(i.read) > reread || now.Before(i.read) {
		ring, err := readKeys(i.keys())
		if err != nil {
			return nil, fmt.Errorf("issuer: %w", err)
		}
		i.ring, i.read = ring, now
	}
	return i.ring, nil
}

package issuer

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/fabricnet/durable"
)

const (
	keysVersion = "assay-issuer/v1"
	// maxKeysFile bounds the file of keys, maxKeys what is in it.
	maxKeysFile = 64 << 10
	maxKeys     = 16
)

// keyring is the file of keys. The first key signs.
type keyring struct {
	Version string       `json:"version"`
	Keys    []signingKey `json:"keys"`
}

type signingKey struct {
	Key     jose.JSONWebKey `json:"key"`
	Created int64           `json:"created"`
	// Replaced is when another key took its place, 0 for the first.
	Replaced int64 `json:"replaced"`
}

// String keeps keys out of logs.
func (signingKey) String() string { return "signing key" }

// GoString keeps keys out of logs.
func (signingKey) GoString() string { return "signing key" }

func newSigningKey(now time.Time) (signingKey, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return signingKey{}, fmt.Errorf("issuer key: %w", err)
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return signingKey{}, fmt.Errorf("issuer key: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return signingKey{Key: key, Created: now.Unix()}, nil
}

// readKeys reads the file, which must be its owner's alone.
func readKeys(path string) (*keyring, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := durable.CheckPrivate(path, info); err != nil {
		return nil, err
	}
	b, err := durable.ReadFile(path, maxKeysFile)
	if err != nil {
		return nil, err
	}
	ring, err := parseKeys(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

// parseKeys never repeats what it read in an error: it may be a key.
func parseKeys(b []byte) (*keyring, error) {
	if len(b) > maxKeysFile {
		return nil, fmt.Errorf("has %d bytes, at most %d", len(b), maxKeysFile)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	ring := &keyring{}
	if err := d.Decode(ring); err != nil || d.More() {
		return nil, errors.New("not a file of keys")
	}
	if ring.Version != keysVersion {
		return nil, fmt.Errorf("version is not %q", keysVersion)
	}
	if len(ring.Keys) == 0 || len(ring.Keys) > maxKeys {
		return nil, fmt.Errorf("has %d keys, must have 1 to %d", len(ring.Keys), maxKeys)
	}
	for i := range ring.Keys {
		k := &ring.Keys[i].Key
		private, ok := k.Key.(*ecdsa.PrivateKey)
		if !ok || private.Curve != elliptic.P256() || k.Algorithm != string(jose.ES256) || k.KeyID == "" || !k.Valid() {
			return nil, fmt.Errorf("key %d: not an ES256 signing key", i+1)
		}
	}
	return ring, nil
}

func (k *keyring) write(path string) error {
	b, err := json.Marshal(k)
	if err != nil {
		return errors.New("issuer keys: cannot be encoded")
	}
	return durable.WriteFile(path, append(b, '\n'))
}

// rotated is the keyring with a new first key, and without those whose last token ended.
func (k *keyring) rotated(now time.Time) (*keyring, error) {
	key, err := newSigningKey(now)
	if err != nil {
		return nil, err
	}
	next := &keyring{Version: keysVersion, Keys: []signingKey{key}}
	for _, old := range k.Keys {
		if old.Replaced == 0 {
			old.Replaced = now.Unix()
		}
		if !old.over(now) && len(next.Keys) < maxKeys {
			next.Keys = append(next.Keys, old)
		}
	}
	return next, nil
}

// over reports whether no token of the key can be valid any more.
func (s *signingKey) over(now time.Time) bool {
	return s.Replaced != 0 && now.After(time.Unix(s.Replaced, 0).Add(access.MaxLifetime+access.Leeway))
}

// public are the keys that a verifier needs.
func (k *keyring) public(now time.Time) jose.JSONWebKeySet {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for i := range k.Keys {
		if !k.Keys[i].over(now) {
			set.Keys = append(set.Keys, k.Keys[i].Key.Public())
		}
	}
	return set
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func exists(err error) bool { return errors.Is(err, fs.ErrExist) }

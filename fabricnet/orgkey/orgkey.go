// Package orgkey keeps an organisation's own key, Ed25519: the one that its entry in the genesis names, and that signs trust exports, audit reports and, on the embedded
// ledger, proposals and endorsements. It is a file, PKCS#8 in PEM, mode 0600. An organisation that keeps it in a vault has no use for this package: everything that signs takes a
// crypto.Signer.
package orgkey

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/assay-net/assay/fabricnet/durable"
)

// Key signs for an organisation and shows its private half to nobody.
type Key struct{ private ed25519.PrivateKey }

// Public returns an ed25519.PublicKey.
func (k Key) Public() crypto.PublicKey { return k.private.Public() }

// Sign signs as ed25519.PrivateKey does; options other than crypto.Hash(0) are refused.
func (k Key) Sign(_ io.Reader, message []byte, options crypto.SignerOpts) ([]byte, error) {
	return k.private.Sign(nil, message, options)
}

// Format leaves the key out, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, "organisation key") //nolint:errcheck // fmt.State keeps its own error
}

// PKIX is the public key as a genesis has it.
func (k Key) PKIX() ([]byte, error) { return x509.MarshalPKIXPublicKey(k.Public()) }

const pemType = "PRIVATE KEY"

// Read reads a key file. It refuses a file that is somebody else's business too (durable.CheckPrivate).
func Read(path string) (Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, err
	}
	if err := durable.CheckPrivate(path, info); err != nil {
		return Key{}, err
	}
	if info.Size() > 4096 {
		return Key{}, fmt.Errorf("key file %s has %d bytes, at most 4096", path, info.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Key{}, err
	}
	p, rest := pem.Decode(b)
	if p == nil || p.Type != pemType || len(rest) != 0 {
		return Key{}, fmt.Errorf("key file %s is not one PEM block of a private key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("key file %s is not PKCS#8", path) // the cause could quote the key
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return Key{}, fmt.Errorf("key file %s does not hold an Ed25519 key", path)
	}
	return Key{private}, nil
}

// Create draws a key, or reads the one that is there: that an interrupted creation left, or that somebody else drew at the same time. It never replaces
// one.
func Create(path string) (Key, error) {
	if k, err := Read(path); !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("drawing key %s: %w", path, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Key{}, fmt.Errorf("encoding key %s: %w", path, err)
	}
	err = durable.CreateFile(path, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der}))
	if errors.Is(err, fs.ErrExist) {
		return Read(path)
	}
	if err != nil {
		return Key{}, err
	}
	return Key{private}, nil
}

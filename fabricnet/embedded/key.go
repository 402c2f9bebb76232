package embedded

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
	"path/filepath"
)

// orgKey signs for an organisation and shows its private half to nobody.
type orgKey struct{ private ed25519.PrivateKey }

// Public returns an ed25519.PublicKey.
func (k orgKey) Public() crypto.PublicKey { return k.private.Public() }

// Sign signs as ed25519.PrivateKey does; options other than crypto.Hash(0) are refused.
func (k orgKey) Sign(_ io.Reader, message []byte, options crypto.SignerOpts) ([]byte, error) {
	return k.private.Sign(nil, message, options)
}

// Format leaves the key out, whatever the verb.
func (k orgKey) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, "organisation key") //nolint:errcheck // fmt.State keeps its own error
}

func (k orgKey) sign(message []byte) []byte { return ed25519.Sign(k.private, message) }

func (k orgKey) pkix() ([]byte, error) { return x509.MarshalPKIXPublicKey(k.Public()) }

func keyPath(dir, org string) string { return filepath.Join(dir, "orgs", org+".key") }

const pemType = "PRIVATE KEY"

// readKey refuses a file that anyone but its owner may read or write.
func readKey(path string) (orgKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return orgKey{}, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return orgKey{}, fmt.Errorf("key file %s has mode %04o, must be 0600", path, mode)
	}
	if info.Size() > 4096 {
		return orgKey{}, fmt.Errorf("key file %s has %d bytes, at most 4096", path, info.Size())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return orgKey{}, err
	}
	p, rest := pem.Decode(b)
	if p == nil || p.Type != pemType || len(rest) != 0 {
		return orgKey{}, fmt.Errorf("key file %s is not one PEM block of a private key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	if err != nil {
		return orgKey{}, fmt.Errorf("key file %s is not PKCS#8", path) // the cause could quote the key
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return orgKey{}, fmt.Errorf("key file %s does not hold an Ed25519 key", path)
	}
	return orgKey{private}, nil
}

// createKey draws a key, or reads the one that an interrupted creation left.
func createKey(path string) (orgKey, error) {
	if k, err := readKey(path); !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return orgKey{}, fmt.Errorf("drawing key %s: %w", path, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return orgKey{}, fmt.Errorf("encoding key %s: %w", path, err)
	}
	if err := writeFile(path, pem.EncodeToMemory(&pem.Block{Type: pemType, Bytes: der})); err != nil {
		return orgKey{}, err
	}
	return orgKey{private}, nil
}

// writeFile puts a file of mode 0600 in place durably: all of it or nothing.
func writeFile(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone once renamed
	if err := fill(f, content); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func fill(f *os.File, content []byte) error {
	if _, err := f.Write(content); err != nil {
		f.Close() //nolint:errcheck // the write's error counts
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close() //nolint:errcheck // the sync's error counts
		return err
	}
	return f.Close()
}

// syncDir makes names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // opened for reading
	return d.Sync()
}

package setup

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/gofrs/flock"

	"github.com/assay-net/assay/zk/commit"
)

// cache is a directory of key files. Each name has a data file and a manifest;
// the manifest is written last, so that it never speaks of a file that is not
// there.
type cache struct{ dir string }

// manifest describes a data file.
type manifest struct {
	// VerifyingKey is the encoded verifying key, or the digest of an SRS.
	VerifyingKey []byte `json:"verifying_key"`
	Bytes        int64  `json:"bytes"`
	SHA256       string `json:"sha256"`
	// VerifyingKeySHA256 is for the manifest itself, which is damaged as easily.
	VerifyingKeySHA256 string `json:"verifying_key_sha256"`
}

const maxManifest = 64 << 10

func openCache(dir string) (*cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the key cache: %w", err)
	}
	return &cache{dir}, nil
}

// CircuitDigest is the SHA-256 of a constraint system as gnark writes it.
func CircuitDigest(system *cs.R1CS) (commit.Digest, error) {
	h := sha256.New()
	if _, err := system.WriteTo(h); err != nil {
		return commit.Digest{}, fmt.Errorf("digesting the constraint system: %w", err)
	}
	return commit.Digest(h.Sum(nil)), nil
}

// cacheName is the circuit's id with a digest of its constraints.
func cacheName(id string, system *cs.R1CS) (string, error) {
	digest, err := CircuitDigest(system)
	if err != nil {
		return "", err
	}
	return digestName(id, digest), nil
}

func digestName(id string, digest commit.Digest) string {
	return strings.ReplaceAll(id, "/", "-") + "-" + hex.EncodeToString(digest[:8])
}

func (c *cache) path(name, suffix string) string { return filepath.Join(c.dir, name+suffix) }

// lock keeps other processes from making the same key at the same time.
func (c *cache) lock(name string) (unlock func(), err error) {
	l := flock.New(c.path(name, ".lock"))
	if err := l.Lock(); err != nil {
		return nil, fmt.Errorf("locking the key cache: %w", err)
	}
	return func() { l.Unlock() }, nil //nolint:errcheck // the lock ends with the process at the latest
}

func (c *cache) manifest(name string) (*manifest, error) {
	f, err := os.Open(c.path(name, ".json"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var m manifest
	if err := json.NewDecoder(io.LimitReader(f, maxManifest)).Decode(&m); err != nil {
		return nil, fmt.Errorf("key manifest %s: %w", f.Name(), err)
	}
	if hexSHA256(m.VerifyingKey) != m.VerifyingKeySHA256 {
		return nil, fmt.Errorf("key manifest %s is damaged: delete it to make a new setup", f.Name())
	}
	return &m, nil
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// write streams a key to its file and then publishes the manifest.
func (c *cache) write(name string, verifyingKey []byte, to func(io.Writer) (int64, error)) (*manifest, error) {
	h := sha256.New()
	n, err := c.replace(c.path(name, ".bin"), func(w io.Writer) (int64, error) { return to(io.MultiWriter(w, h)) })
	if err != nil {
		return nil, err
	}
	m := &manifest{VerifyingKey: verifyingKey, Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil)), VerifyingKeySHA256: hexSHA256(verifyingKey)}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	_, err = c.replace(c.path(name, ".json"), func(w io.Writer) (int64, error) {
		k, err := w.Write(append(b, '\n'))
		return int64(k), err
	})
	return m, err
}

// replace makes a file appear whole: written aside, synced, renamed.
func (c *cache) replace(path string, to func(io.Writer) (int64, error)) (n int64, err error) {
	f, err := os.CreateTemp(c.dir, filepath.Base(path)+".*.part")
	if err != nil {
		return 0, fmt.Errorf("writing a key file: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
			err = fmt.Errorf("writing key file %s: %w", path, err)
		}
	}()
	w := bufio.NewWriterSize(f, 1<<20)
	if _, err = to(w); err != nil {
		return 0, err
	}
	if err = w.Flush(); err != nil {
		return 0, err
	}
	if err = f.Sync(); err != nil {
		return 0, err
	}
	if n, err = f.Seek(0, io.SeekCurrent); err != nil {
		return 0, err
	}
	if err = f.Close(); err != nil {
		return 0, err
	}
	return n, os.Rename(f.Name(), path)
}

// unsafeReader is a key that parses bytes whose origin is known.
type unsafeReader interface {
	UnsafeReadFrom(io.Reader) (int64, error)
}

// read checks a key file's length and digest and then parses it.
func (c *cache) read(name string, m *manifest, into unsafeReader) error {
	path := c.path(name, ".bin")
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(f, m.Bytes+1))
	if err != nil {
		return fmt.Errorf("reading key file %s: %w", path, err)
	}
	if n != m.Bytes || hex.EncodeToString(h.Sum(nil)) != m.SHA256 {
		return fmt.Errorf("key file %s does not match its manifest: delete both to make a new setup", path)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := into.UnsafeReadFrom(bufio.NewReaderSize(f, 1<<20)); err != nil {
		return fmt.Errorf("parsing key file %s: %w", path, err)
	}
	return nil
}

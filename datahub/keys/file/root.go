package file

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/fabricnet/durable"
	"golang.org/x/crypto/chacha20poly1305"
)

const (
	// rootHeader comes before the root key in what is sealed.
	rootHeader = "assay-key-directory-v1\n"
	// maxRoot bounds root.age.
	maxRoot = 16 << 10

	minPassphrase = 12
	// A passphrase costs 2^workFactor steps of scrypt, about a second and 256 MiB. A file that asks for more than maxWorkFactor is refused.
	workFactor    = 18
	maxWorkFactor = 20
)

// openRoot opens the directory's root key, or draws it if the directory is new.
func openRoot(d *directory, c *Config) ([]byte, error) {
	path := filepath.Join(d.dir, rootFile)
	content, err := readPrivate(path, maxRoot)
	if errors.Is(err, fs.ErrNotExist) {
		return createRoot(d, c, path)
	}
	if err != nil {
		return nil, err
	}
	identity, err := c.identity()
	if err != nil {
		return nil, err
	}
	root, err := unsealRoot(content, identity)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	return root, nil
}

func createRoot(d *directory, c *Config, path string) ([]byte, error) {
	if !c.Create {
		return nil, fmt.Errorf("it has no %s; is its disk mounted? (create: true makes one)", rootFile)
	}
	if err := d.empty(); err != nil {
		return nil, err
	}
	recipient, err := c.recipient()
	if err != nil {
		return nil, err
	}
	root := make([]byte, chacha20poly1305.KeySize)
	if _, err := rand.Read(root); err != nil {
		return nil, fmt.Errorf("drawing the root key: %w", err)
	}
	content, err := sealRoot(root, recipient)
	if err != nil {
		return nil, fmt.Errorf("sealing the root key: %w", err)
	}
	if err := classify(durable.CreateFile(path, content)); err != nil {
		return nil, err
	}
	return root, nil
}

// empty refuses to draw a root key where there are keys already: they were sealed under another.
func (d *directory) empty() error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return classify(err)
	}
	for _, e := range entries {
		if e.Name() != lockFile {
			return fmt.Errorf("it has %s and no %s: restore that file from a backup", e.Name(), rootFile)
		}
	}
	return nil
}

func sealRoot(root []byte, to age.Recipient) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(append([]byte(rootHeader), root...)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return sealed.Bytes(), nil
}

// unsealRoot opens root.age; it takes any bytes.
func unsealRoot(content []byte, identity age.Identity) ([]byte, error) {
	if len(content) > maxRoot {
		return nil, fmt.Errorf("it has %d bytes, at most %d", len(content), maxRoot)
	}
	r, err := age.Decrypt(bytes.NewReader(content), identity)
	if err != nil {
		return nil, fmt.Errorf("it does not open with this passphrase or machine key, or is damaged: %w", err)
	}
	const want = len(rootHeader) + chacha20poly1305.KeySize
	b, err := io.ReadAll(io.LimitReader(r, int64(want)+1))
	if err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	root, ok := bytes.CutPrefix(b, []byte(rootHeader))
	if !ok || len(b) != want {
		clear(b)
		return nil, errors.New("it holds no root key of this version")
	}
	return root, nil
}

// identity is what opens root.age.
func (c *Config) identity() (age.Identity, error) {
	if c.Identity != "" {
		id, _, err := readIdentity(c.Identity)
		return id, err
	}
	passphrase, err := c.Passphrase.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the passphrase: %w", err)
	}
	defer clear(passphrase)
	id, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("taking the passphrase: %w", err)
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	return id, nil
}

// recipient is what root.age is sealed to.
func (c *Config) recipient() (age.Recipient, error) {
	if c.Identity != "" {
		_, recipient, err := readIdentity(c.Identity)
		return recipient, err
	}
	passphrase, err := c.Passphrase.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the passphrase: %w", err)
	}
	defer clear(passphrase)
	if len(passphrase) < minPassphrase {
		return nil, fmt.Errorf("passphrase %s has %d bytes, must have at least %d", c.Passphrase, len(passphrase), minPassphrase)
	}
	r, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("taking the passphrase: %w", err)
	}
	if c.workFactor == 0 {
		c.workFactor = workFactor
	}
	r.SetWorkFactor(c.workFactor)
	return r, nil
}

// readIdentity reads a machine key, as age-keygen writes it. Errors of the parser are left out: they could quote the key.
func readIdentity(r reference.Reference) (age.Identity, age.Recipient, error) {
	b, err := r.Read()
	if err != nil {
		return nil, nil, fmt.Errorf("reading the machine key: %w", err)
	}
	defer clear(b)
	parsed, err := age.ParseIdentities(strings.NewReader(string(b)))
	if err != nil || len(parsed) != 1 {
		return nil, nil, fmt.Errorf("machine key %s is not one age identity", r)
	}
	switch id := parsed[0].(type) {
	case *age.X25519Identity:
		return id, id.Recipient(), nil
	case *age.HybridIdentity:
		return id, id.Recipient(), nil
	}
	return nil, nil, fmt.Errorf("machine key %s is of a kind that is not known here", r)
}

// CreateIdentity makes a machine key for Config.Identity, unless there is one.
func CreateIdentity(path string) error {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return fmt.Errorf("drawing a machine key: %w", err)
	}
	content := "# machine key of an Assay key directory; public key: " + id.Recipient().String() + "\n" + id.String() + "\n"
	if err := durable.CreateFile(path, []byte(content)); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making machine key %s: %w", path, err)
	}
	return nil
}

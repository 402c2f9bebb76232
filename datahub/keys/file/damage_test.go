package file

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/reference"
)

func TestDamagedFiles(t *testing.T) {
	c := withIdentity(t)
	s := openStore(t, c)
	wrapped := fill(t, s)
	for file := range use(t, s, wrapped) {
		path := filepath.Join(c.Directory, file)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damaged := [][]byte{nil, {}, bytes.Repeat([]byte{0}, len(whole)), append(bytes.Clone(whole), 0)}
		for n := 1; n < len(whole); n += 7 {
			damaged = append(damaged, whole[:n])
		}
		for i := range whole {
			b := bytes.Clone(whole)
			b[i] ^= 0x10
			damaged = append(damaged, b)
		}
		for _, b := range damaged {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			err := use(t, s, wrapped)[file]
			wantInError(t, err, path, "damaged")
			if errors.Is(err, keys.ErrNotFound) || errors.Is(err, keys.ErrCorrupt) || errors.Is(err, keys.ErrUnavailable) {
				t.Errorf("%s: class of %v", file, err)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := use(t, s, wrapped)[file]; err != nil {
			t.Errorf("%s restored: %v", file, err)
		}
	}
}

// A file that stands in for another, whole as it is, is not taken for it.
func TestSwappedFiles(t *testing.T) {
	c := withIdentity(t)
	s := openStore(t, c)
	wrapped := fill(t, s)
	if err := s.PutShare(t.Context(), "other", bytes.Repeat([]byte{1}, 32)); err != nil {
		t.Fatal(err)
	}
	other := withIdentity(t)
	fill(t, openStore(t, other))
	read := func(path ...string) []byte {
		b, err := os.ReadFile(filepath.Join(path...))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for file, in := range map[string][]byte{
		"key.wrap":   read(c.Directory, "key.derive"),
		"key.derive": read(c.Directory, "key.sign"),
		"key.sign":   read(other.Directory, "key.sign"),
		"key.share":  read(c.Directory, "other.share"),
	} {
		if err := os.WriteFile(filepath.Join(c.Directory, file), in, 0o600); err != nil {
			t.Fatal(err)
		}
		wantInError(t, use(t, s, wrapped)[file], file, "damaged")
	}
}

func TestDamagedRoot(t *testing.T) {
	c := withIdentity(t)
	fill(t, openStore(t, c))
	path := filepath.Join(c.Directory, rootFile)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := [][]byte{{}, bytes.Repeat([]byte{'a'}, maxRoot+1), append(bytes.Clone(whole), 0)}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1
		damaged = append(damaged, b, whole[:i])
	}
	for _, b := range damaged {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), c)
		wantInError(t, err, path)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), c)
	wantInError(t, err, "key.", rootFile, "backup")
}

func TestWrongSeal(t *testing.T) {
	mine, other := withIdentity(t), withIdentity(t)
	openStore(t, mine)
	mine.Identity = other.Identity
	_, err := Open(t.Context(), mine)
	wantInError(t, err, rootFile, "machine key")

	c := withPassphrase(t)
	openStore(t, c)
	t.Setenv("ASSAY_TEST_PASSPHRASE", "correct horse battery stapel")
	_, err = Open(t.Context(), c)
	wantInError(t, err, rootFile, "passphrase")
	if bytes.Contains([]byte(err.Error()), []byte("stapel")) {
		t.Error("the error holds the passphrase")
	}
}

func TestSealRefused(t *testing.T) {
	weak := withPassphrase(t)
	t.Setenv("ASSAY_TEST_PASSPHRASE", "eleven char")
	_, err := Open(t.Context(), weak)
	wantInError(t, err, "at least 12")

	missing := withIdentity(t)
	missing.Create = false
	_, err = Open(t.Context(), missing)
	wantInError(t, err, "does not exist", "mounted")
	if err := os.Mkdir(missing.Directory, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), missing)
	wantInError(t, err, rootFile, "mounted")
}

// A file that asks for more work than any of ours is not a reason to do it.
func TestCostlyPassphraseRefused(t *testing.T) {
	c := withPassphrase(t)
	openStore(t, c)
	path := filepath.Join(c.Directory, rootFile)
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	costly := bytes.Replace(sealed, []byte(" 4\n"), []byte(" 30\n"), 1)
	if bytes.Equal(sealed, costly) {
		t.Fatal("the file does not say its work factor")
	}
	if err := os.WriteFile(path, costly, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), c)
	wantInError(t, err, rootFile, "work factor")
}

func TestIdentityRefused(t *testing.T) {
	for name, content := range map[string]string{
		"empty":      "\n",
		"noise":      "AGE-SECRET-KEY-1NOTONE\n",
		"a public":   "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n",
		"a password": "hunter2hunter2\n",
	} {
		c := withIdentity(t)
		path := string(c.Identity)[len("file:"):]
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), c)
		wantInError(t, err, "machine")
		if err != nil && bytes.Contains([]byte(err.Error()), []byte(content[:len(content)-1])) && name != "empty" {
			t.Errorf("%s: the error holds the file", name)
		}
	}
}

// A machine key that is there is kept.
func TestCreateIdentityOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "machine.key")
	var before []byte
	for i := range 2 {
		if err := CreateIdentity(path); err != nil {
			t.Fatal(err)
		}
		b, err := reference.Reference("file:" + path).Read()
		if err != nil || i > 0 && !bytes.Equal(b, before) {
			t.Errorf("the machine key has changed: %v", err)
		}
		before = b
	}
}

package file

import (
	"path/filepath"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/keystest"
	"github.com/assay-net/assay/datahub/keys/reference"
)

// testWorkFactor makes a passphrase cheap.
const testWorkFactor = 4

func withIdentity(t testing.TB) Config {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "machine.key")
	if err := CreateIdentity(path); err != nil {
		t.Fatal(err)
	}
	return Config{Directory: filepath.Join(dir, "keys"), Identity: reference.Reference("file:" + path), Create: true}
}

func withPassphrase(t *testing.T) Config {
	t.Helper()
	t.Setenv("ASSAY_TEST_PASSPHRASE", "correct horse battery staple")
	return Config{Directory: filepath.Join(t.TempDir(), "keys"), Passphrase: "env:ASSAY_TEST_PASSPHRASE", Create: true, workFactor: testWorkFactor}
}

func openStore(t testing.TB, c Config) *Store {
	t.Helper()
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformanceWithMachineKey(t *testing.T) {
	c := withIdentity(t)
	keystest.Run(t, func(t testing.TB) keys.Store { return openStore(t, c) })
}

func TestConformanceWithPassphrase(t *testing.T) {
	c := withPassphrase(t)
	keystest.Run(t, func(t testing.TB) keys.Store { return openStore(t, c) })
}

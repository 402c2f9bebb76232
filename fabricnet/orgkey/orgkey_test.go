package orgkey_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/assay-net/assay/fabricnet/orgkey"
)

// Whoever creates a key while others do must not sign with one that is replaced.
func TestAllWhoCreateHaveOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys", "key.pem")
	var wait sync.WaitGroup
	keys, errs := make([]orgkey.Key, 32), make([]error, 32)
	start := make(chan struct{})
	for i := range keys {
		wait.Go(func() {
			<-start
			keys[i], errs[i] = orgkey.Create(path)
		})
	}
	close(start)
	wait.Wait()
	kept, err := orgkey.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	public := kept.Public().(ed25519.PublicKey)
	for i, k := range keys {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if !public.Equal(k.Public()) {
			t.Error("a key was replaced")
		}
		signature, err := k.Sign(rand.Reader, []byte("x"), crypto.Hash(0))
		if err != nil || !ed25519.Verify(public, []byte("x"), signature) {
			t.Errorf("signing: %v", err)
		}
	}
}

func TestReadRefusesWhatOthersCanRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.pem")
	if _, err := orgkey.Create(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	for _, read := range []func(string) (orgkey.Key, error){orgkey.Read, orgkey.Create} {
		if _, err := read(path); err == nil || !strings.Contains(err.Error(), "0640") {
			t.Errorf("got %v", err)
		}
	}
}

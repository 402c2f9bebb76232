package node

import (
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/reference"
)

// A raised generation locks every worker's old profile out of the broker, too; the same generation gives the same keys for ever.
func TestGenerationChangesWorkersCredentials(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(path, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := file.Open(t.Context(), file.Config{Directory: filepath.Join(t.TempDir(), "keys"), Identity: reference.Reference("file:" + path), Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	users := func(generation uint32) map[string]ingest.WorkerUser {
		t.Helper()
		n := &Node{config: &Config{}, storage: &Storage{Keys: store}}
		n.config.Proving.Generation = generation
		n.config.Proving.Workers = []Worker{{Name: "worker-1"}, {Name: "worker-2"}}
		out, err := n.workerUsers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	old, same, raised := users(1), users(1), users(2)
	for _, name := range []string{"worker-1", "worker-2"} {
		if old[name].Key == "" || old[name].Key != same[name].Key {
			t.Errorf("%s: the key changes without reason", name)
		}
		if old[name].Key == raised[name].Key {
			t.Errorf("%s: the key of generation 1 serves for generation 2", name)
		}
	}
	if old["worker-1"].Key == old["worker-2"].Key {
		t.Error("two workers have one key")
	}
}

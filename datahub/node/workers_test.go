package node

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
)

func testKeys(t *testing.T) keys.Store {
	t.Helper()
	identity := must(age.GenerateX25519Identity())(t)
	path := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(path, []byte(identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := must(file.Open(t.Context(), file.Config{Directory: filepath.Join(t.TempDir(), "keys"), Identity: reference.Reference("file:" + path), Create: true}))(t)
	t.Cleanup(func() { store.Close() })
	return store
}

// A raised generation locks every worker's old profile out of the broker, too; the same generation gives the same keys for ever.
func TestGenerationChangesWorkersCredentials(t *testing.T) {
	store := testKeys(t)
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

// The folder of profiles has those of the workers in the configuration, and on a cluster their accounts.
func TestProfilesAreOfTheConfiguredWorkers(t *testing.T) {
	recipient := must(age.GenerateX25519Identity())(t).Recipient().String()
	n := &Node{config: &Config{Data: t.TempDir()}, storage: &Storage{Keys: testKeys(t)}, tls: &serverTLS{}, workersAt: "tls://0.0.0.0:4222", log: slog.New(slog.DiscardHandler)}
	n.env.SRS, n.config.Broker.Name = contracttest.SRS(), "node.example"
	dir := filepath.Join(n.config.Data, "workers")
	write := func(workers ...string) {
		t.Helper()
		n.config.Proving.Workers = nil
		for _, w := range workers {
			n.config.Proving.Workers = append(n.config.Proving.Workers, Worker{Name: w, Recipient: recipient})
		}
		n.workers = must(n.workerUsers(t.Context()))(t)
		write := func() error { return n.writeProfiles(workqueue.Key{1}) }
		if len(workers) == 0 {
			write = func() error { return n.openQueue(t.Context()) }
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	files := func() (names []string) {
		for _, e := range must(os.ReadDir(dir))(t) {
			names = append(names, e.Name())
		}
		return names
	}
	for _, c := range []struct{ cluster, workers, files string }{
		{"", "anna ben", "anna.json ben.json"},
		{"tls://nats-1:4222", "anna ben", "accounts.conf anna.json ben.json"},
		{"tls://nats-1:4222", "ben", "accounts.conf ben.json"},
		{"tls://nats-1:4222", "", "accounts.conf"},
		{"", "anna", "anna.json"},
		{"", "", ""},
	} {
		n.config.Broker.URL = c.cluster
		write(strings.Fields(c.workers)...)
		if d := cmp.Diff(strings.Fields(c.files), files(), cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%+v: %s", c, d)
		}
		if c.cluster != "" {
			text := string(must(os.ReadFile(filepath.Join(dir, accountsFile)))(t))
			if got, want := strings.Count(text, "nkey: "), len(strings.Fields(c.workers)); got != want {
				t.Errorf("%+v: accounts of %d workers", c, got)
			}
			for name, u := range n.workers {
				if strings.Contains(text, string(u.Seed)) || !strings.Contains(text, u.Key) {
					t.Errorf("%+v: not the account of %s", c, name)
				}
			}
		}
		if c.workers == "anna" {
			p := must(prove.ParseProfile(must(os.ReadFile(filepath.Join(dir, "anna.json")))(t)))(t)
			if p.Broker != "tls://node.example:4222" {
				t.Errorf("the profile names %s", p.Broker)
			}
		}
	}
}

func TestReachable(t *testing.T) {
	for broker, want := range map[string]string{
		"tls://0.0.0.0:4222": "tls://node.example:4222", "tls://[::]:4222": "tls://node.example:4222", "tls://:4222": "tls://node.example:4222",
		"tls://10.0.0.1:4222": "tls://10.0.0.1:4222", "tls://nats-1:4222": "tls://nats-1:4222",
	} {
		if got := must(reachable(broker, "node.example"))(t); got != want {
			t.Errorf("%s: %s, want %s", broker, got, want)
		}
	}
}

package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// lines is output that is read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestProveWorker proves a chunk through the command, over a real broker, from a profile as a node writes it.
func TestProveWorker(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a NATS server and makes a proof")
	}
	dir, err := setup.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := setup.UnsafeSingleParty(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	broker := queuetest.Start(t, "anna")
	key := workqueue.Key{5}
	queue, err := workqueue.Open(t.Context(), broker.Dial(queuetest.Owner), workqueue.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	prover, err := prove.NewProver(queue, prove.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := workerProfile(t, broker, keys.SRS().Digest(), key)
	ctx, stop := context.WithCancel(t.Context())
	var out, notes lines
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"prove-worker", "--profile", path, "--jobs", "1", "--json"}, &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &notes})
	}()
	proveOneChunk(t, keys, prover)
	stop()
	if err := <-ended; err != nil {
		t.Fatalf("%v\n%s", err, notes.String())
	}
	var stages []string
	for line := range strings.Lines(out.String()) {
		var o struct{ Kind, Stage, Worker, Fleet string }
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		stages = append(stages, o.Kind+" "+o.Stage+" "+o.Worker+o.Fleet)
	}
	if got := strings.Join(stages, "; "); got != "prove_worker ready anna; prove_job taken f; prove_job proven f; prove_worker stopped anna" {
		t.Errorf("printed %s", got)
	}
	if !strings.Contains(out.String(), `"proven":1`) {
		t.Errorf("printed %s", out.String())
	}
}

func workerProfile(t *testing.T, broker *queuetest.Broker, srs commit.Digest, key workqueue.Key) string {
	t.Helper()
	dir := t.TempDir()
	secret := func(name, text string) reference.Reference {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return reference.Reference("file:" + filepath.Join(dir, name))
	}
	p := &prove.Profile{
		Version: prove.ProfileVersion, Broker: broker.URL(), Queue: queuetest.Queue, Worker: "anna", SRS: srs,
		Credentials: secret("credentials", string(queuetest.Credentials("anna"))), QueueKey: secret("queue.key", hex.EncodeToString(key[:])),
	}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "anna.json")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func proveOneChunk(t *testing.T, keys *setup.Unsafe, prover *prove.Prover) {
	t.Helper()
	published, err := keys.Published(64)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		t.Fatal(err)
	}
	s := &statement.Statement{
		Version: statement.Version, Fleet: "f", Schema: "charger/v1", MinimumCoverage: "1", Requester: "r", Purpose: "p",
		Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	c := &zk.Chunk{Records: make([]record.Record, 64), R: make([]fr.Element, 64)}
	c.Records[7], c.R[7] = record.Record{1, 2, 3}, fr.NewElement(4)
	point, err := c.Commitment(keys.SRS())
	if err != nil {
		t.Fatal(err)
	}
	job := &zk.ChunkJob{Statement: s, Commitment: point, Chunk: c, Place: verify.ChunkPlace{
		SRS: keys.SRS().Digest(), Statement: s.Digest(commit.Digest{}), Fleet: "f", Size: 64,
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if _, _, err := prover.Chunks(ring)(ctx, job); err != nil {
		t.Fatal(err)
	}
}

// What cannot be carried out as written ends with 2, what the broker or the keys refuse with 1.
func TestProveWorkerRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := "file:" + file("key", strings.Repeat("01", 32))
	other := file("other.json", `{"version":"assay-prove-worker/v1","broker":"nats://127.0.0.1:1","queue":"prove","worker":"w","srs":"`+strings.Repeat("ab", 32)+`","queue_key":"`+key+`"}`)
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"nothing":          {nil, cli.ExitUsage, "give --profile or --nats"},
		"no profile":       {[]string{"--profile", dir + "/none"}, cli.ExitUsage, "no such file"},
		"bad profile":      {[]string{"--profile", file("bad", "{}")}, cli.ExitUsage, "version"},
		"no key":           {[]string{"--nats", "nats://127.0.0.1:1"}, cli.ExitUsage, "queue key: missing"},
		"key in the clear": {[]string{"--nats", "nats://127.0.0.1:1", "--queue-key", strings.Repeat("01", 32)}, cli.ExitUsage, "reference to a secret"},
		"name":             {[]string{"--nats", "nats://127.0.0.1:1", "--queue-key", key, "--name", "a b"}, cli.ExitUsage, "worker"},
		"nobody there":     {[]string{"--nats", "nats://127.0.0.1:1", "--queue-key", key}, cli.ExitNo, "connecting to the broker"},
		"other keys":       {[]string{"--profile", other}, cli.ExitNo, "another setup"},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && c.code == cli.ExitNo {
				t.Skip("opens the key cache")
			}
			var out, notes bytes.Buffer
			err := run(t.Context(), append([]string{"prove-worker"}, c.args...), &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &notes})
			if cli.ExitCode(err) != c.code || !strings.Contains(notes.String(), c.want) || strings.Contains(notes.String(), "0101") {
				t.Errorf("exit code %d, %s, want %d and %q", cli.ExitCode(err), notes.String(), c.code, c.want)
			}
		})
	}
}

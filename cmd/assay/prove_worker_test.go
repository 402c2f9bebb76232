package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
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

var proveKey = workqueue.Key{5}

// proveOwner is an owner with a broker that knows two workers, anna and ben.
func proveOwner(t *testing.T) (*queuetest.Broker, *setup.Unsafe, *prove.Prover) {
	t.Helper()
	dir, err := setup.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := setup.UnsafeSingleParty(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	broker := queuetest.Start(t, "anna", "ben")
	queue, err := workqueue.Open(t.Context(), broker.Dial(queuetest.Owner), workqueue.Options{Key: proveKey})
	if err != nil {
		t.Fatal(err)
	}
	prover, err := prove.NewProver(queue, prove.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return broker, keys, prover
}

// TestProveWorker proves a chunk through the command, over a real broker, from a profile as a node writes it.
func TestProveWorker(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a NATS server and makes a proof")
	}
	broker, keys, prover := proveOwner(t)
	path := workerProfile(t, broker, keys.SRS().Digest())
	ctx, stop := context.WithCancel(t.Context())
	var out, notes lines
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"prove-worker", "--profile", path, "--jobs", "1", "--json"}, &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &notes})
	}()
	ring, job := oneChunk(t, keys, 64)
	within, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if _, _, err := prover.Chunks(ring)(within, job); err != nil {
		t.Fatal(err)
	}
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

func workerProfile(t *testing.T, broker *queuetest.Broker, srs commit.Digest) string {
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
		Credentials: secret("credentials", string(queuetest.Credentials("anna"))), QueueKey: secret("queue.key", hex.EncodeToString(proveKey[:])),
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

// oneChunk is a chunk's job with the keys to check what comes of it.
func oneChunk(t *testing.T, keys *setup.Unsafe, slots int) (*verify.Keyring, *zk.ChunkJob) {
	t.Helper()
	published, err := keys.Published(slots)
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
	c := &zk.Chunk{Records: make([]record.Record, slots), R: make([]fr.Element, slots)}
	c.Records[7], c.R[7] = record.Record{1, 2, 3}, fr.NewElement(4)
	point, err := c.Commitment(keys.SRS())
	if err != nil {
		t.Fatal(err)
	}
	return ring, &zk.ChunkJob{Statement: s, Commitment: point, Chunk: c, Place: verify.ChunkPlace{
		SRS: keys.SRS().Digest(), Statement: s.Digest(commit.Digest{}), Fleet: "f", Size: uint32(slots),
	}}
}

// A process that is interrupted once finishes; interrupted twice, it gives its job back at once.
func TestProveWorkerInterruptedTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a NATS server and a process")
	}
	broker, keys, prover := proveOwner(t)
	ring, job := oneChunk(t, keys, commit.MaxSize) // a proof takes seconds
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := prover.Chunks(ring)(ctx, job)
		done <- err
	}()
	var out, notes lines
	worker := exec.Command(os.Args[0])
	worker.Args = []string{"assay", "prove-worker", "--profile", workerProfile(t, broker, keys.SRS().Digest()), "--json"}
	worker.Stdout, worker.Stderr = &out, &notes
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { worker.Process.Kill() }) //nolint:errcheck // it has ended
	for _, step := range []struct {
		from *lines
		text string
	}{{&out, `"stage":"taken"`}, {&notes, "finishing 1 jobs"}} {
		for end := time.Now().Add(2 * time.Minute); !strings.Contains(step.from.String(), step.text); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %s in %s%s", step.text, out.String(), notes.String())
			}
		}
		if err := worker.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	if err := worker.Wait(); err != nil || !strings.Contains(out.String(), `"stage":"returned"`) {
		t.Errorf("ended with %v, printed %s%s", err, out.String(), notes.String())
	}
	ben, err := workqueue.Join(t.Context(), broker.Dial("ben"), "ben", workqueue.Options{Key: proveKey})
	if err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 15*time.Second) // half of the ack wait
	defer cancel()
	if d, err := ben.Next(soon); err != nil || d.Delivered != 2 {
		t.Errorf("another worker gets %+v, %v", d, err)
	}
	stop()
	if err := <-done; err == nil {
		t.Error("proven by nobody")
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

package node

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
)

// proving has keys of the unsafe setup in place of the tests' SRS, whose τ no prover's cache knows.
func proving(t *testing.T) *setup.Unsafe {
	t.Helper()
	if testing.Short() {
		t.Skip("proves")
	}
	dir := must(setup.DefaultDir())(t)
	return must(setup.UnsafeSingleParty(dir, func(step string) { t.Log(step) }))(t)
}

// question asks about the fleet's epoch, under a grant that covers it.
func (w *world) question(epoch uint64) commit.Digest {
	w.t.Helper()
	ctx := w.t.Context()
	owner := ledger.Book{Client: w.book.Client}
	if _, _, err := owner.PublishPolicy(ctx, contracttest.PermissivePolicy()); err != nil {
		w.t.Fatal(err)
	}
	terms := contracttest.Terms(fleetID)
	terms.MinimumCohort = 3
	must(owner.Grant(ctx, terms))(w.t)
	lender := must(w.ledger.Book(contracttest.Lender))(w.t)
	id, _, err := lender.Request(ctx, contracttest.Statement(fleetID, epoch, 1, time.Now().Add(time.Hour).Truncate(time.Second)))
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// answered waits for a request's verdict.
func (w *world) answered(id commit.Digest) {
	w.t.Helper()
	owner := ledger.Book{Client: w.book.Client}
	w.untilWithin(3*time.Minute, "the request is answered", func() bool {
		return must(owner.RequestEntry(w.t.Context(), id))(w.t).Status == ledger.StatusVerified
	})
}

// A request within a grant about an anchored epoch is approved and proven by the node from what it keeps, and verified by the ledger.
func TestRequestIsAnswered(t *testing.T) {
	t.Parallel()
	keys := proving(t)
	w := newWorldWith(t, 10, keys, func(c *Config) { c.Proving.Answer = true })
	devices := w.sending(5)
	w.goesOn("at first", devices)
	e := w.closedWith(5)
	w.answered(w.question(e.Epoch))
}

// The same with a worker in place of the node: it proves what the node's profile, sealed to it, lets it have.
func TestWorkerProvesForTheNode(t *testing.T) {
	t.Parallel()
	keys := proving(t)
	identity := must(age.GenerateX25519Identity())(t)
	w := newWorldWith(t, 10, keys, func(c *Config) {
		c.Proving.Answer = true
		c.Proving.Workers = []Worker{{Name: "worker-1", Recipient: identity.Recipient().String()}}
		c.Broker.Workers, c.Proving.Local = "127.0.0.1:0", -1
	})
	p := must(prove.ParseProfile(must(os.ReadFile(filepath.Join(w.dir, "workers", "worker-1.json")))(t)))(t)
	secrets := must(p.Secrets([]byte(identity.String() + "\n")))(t)
	conn := must(workqueue.Dial(workqueue.Server{URL: p.Broker, Roots: []byte(p.Roots), Name: p.ServerName, Credentials: secrets.Credentials, Queue: p.Queue, Client: p.Worker}))(t)
	defer conn.Close()
	consumer := must(workqueue.Join(t.Context(), conn, p.Worker, workqueue.Options{Queue: p.Queue, Key: secrets.Queue}))(t)
	proven := make(chan uint32, 64)
	worker := must(prove.NewWorker(consumer, keys, prove.WorkerOptions{Name: p.Worker, Report: func(e prove.Event) {
		if e.Stage == prove.Proven {
			proven <- e.Chunk
		}
	}}))(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx, ctx) }()
	devices := w.sending(5)
	w.goesOn("at first", devices)
	e := w.closedWith(5)
	w.answered(w.question(e.Epoch))
	if len(proven) != 1 {
		t.Errorf("the worker proved %d chunks", len(proven))
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

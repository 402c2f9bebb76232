// Package desktest makes the world of an owner that answers: an embedded ledger with the consortium of package contracttest and proving keys of the unsafe setup, a fleet
// of one chunk, and an epoch of it that is anchored and final. Nothing outside tests may import it.
package desktest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

const (
	// Fleet has Devices devices, whose records of Epoch are anchored.
	Fleet   = "fleet-a"
	Devices = 40
	Epoch   = 11

	patience = 3 * time.Minute
)

// World is the owner's.
type World struct {
	*embedded.Ledger
	T     testing.TB
	Keys  *setup.Unsafe
	chunk *datahub.Closed
	clock atomic.Int64
	nonce atomic.Uint32
	maker *contracttest.Maker
	// permitted says that there is a grant to ask under.
	permitted bool
}

// New skips short tests: it takes proving keys.
func New(t testing.TB) *World {
	t.Helper()
	if testing.Short() {
		t.Skip("proves")
	}
	w := &World{T: t, maker: contracttest.NewMaker("maker-a")}
	var err error
	w.Keys, err = keys()
	w.ok(err)
	w.At(10, 12*time.Hour)
	w.Ledger, err = embedded.Create(t.TempDir(), contracttest.Genesis(), embedded.Options{Clock: w.Now, SRS: w.Keys.SRS()})
	w.ok(err)
	t.Cleanup(func() { w.Ledger.Close() }) //nolint:errcheck // the test is over
	w.found()
	return w
}

// keys are read once for all of a package's tests.
var keys = sync.OnceValues(func() (*setup.Unsafe, error) {
	dir, err := setup.DefaultDir()
	if err != nil {
		return nil, err
	}
	return setup.UnsafeSingleParty(dir, func(string) {})
})

func (w *World) ok(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// Done fails the test if a call failed.
func (w *World) Done(_ ledger.Receipt, err error) {
	w.T.Helper()
	w.ok(err)
}

// Now is the ledger's time.
func (w *World) Now() time.Time { return time.Unix(w.clock.Load(), 0) }

// At sets it.
func (w *World) At(epoch uint64, after time.Duration) {
	g := contracttest.Genesis()
	w.clock.Store(g.EpochStart(epoch).Add(after).Unix())
}

// Pass lets time pass.
func (w *World) Pass(d time.Duration) { w.clock.Add(int64(d / time.Second)) }

// Book is an organisation's access to the ledger.
func (w *World) Book(org string) ledger.Book {
	w.T.Helper()
	b, err := w.Ledger.Book(org)
	w.ok(err)
	return b
}

// found pins the keys, enrols the fleet, lets an epoch pass and anchors it.
func (w *World) found() {
	w.T.Helper()
	ctx := context.Background()
	regulator, owner := w.Book(contracttest.Regulator), w.Book(contracttest.Operator)
	keys, err := w.Keys.Published(contracttest.ChunkSize)
	w.ok(err)
	for _, k := range keys {
		w.Done(regulator.PublishKey(ctx, k))
	}
	w.Done(regulator.RegisterMaker(ctx, ledger.RegisterMaker{ID: w.maker.ID, Name: "Maker", Certificate: w.maker.Cert.Raw}))
	w.Done(owner.RegisterFleet(ctx, ledger.RegisterFleet{ID: Fleet, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))
	w.open()
	devices := w.maker.Devices("pack", Devices)
	w.Done(owner.Enrol(ctx, contracttest.Enrolment(w.ID(), Fleet, 0, 0, devices)))
	w.At(Epoch, 0)
	w.open()
	w.At(Epoch+1, time.Hour)
	w.open()
	w.chunk = w.close(devices)
	w.Done(owner.Anchor(ctx, w.chunk.Anchor(), w.chunk.Attestations))
}

func (w *World) open() {
	w.T.Helper()
	_, err := w.Book(contracttest.Regulator).OpenEpoch(context.Background())
	w.ok(err)
}

// close gathers what the devices report of the epoch.
func (w *World) close(devices []contracttest.Device) *datahub.Closed {
	w.T.Helper()
	place := commit.ChunkPlace{Ledger: w.ID(), SRS: w.Keys.SRS().Digest(), Fleet: Fleet, Size: contracttest.ChunkSize, Epoch: Epoch}
	var members []datahub.Member
	var reports []datahub.Report
	for i, d := range devices {
		slot := uint32(i)
		members = append(members, datahub.Member{Slot: slot, Key: d.Public, Secret: d.Secret})
		reports = append(reports, datahub.Report{Slot: slot, Record: committest.Record(i), Attestation: contracttest.Attest(w.Keys.SRS(), place, slot, d)})
	}
	schema, err := record.Lookup(contracttest.Schema)
	w.ok(err)
	closed, err := datahub.CloseChunk(w.Keys.SRS(), schema, place, members, reports)
	w.ok(err)
	return closed
}

// Openings gives the one chunk.
func (w *World) Openings(context.Context, string, uint64, *verify.ChunkFacts) (*zk.Chunk, error) {
	return &w.chunk.Chunk, nil
}

// Owner proves for the fleet's owner, over a book of its own.
func (w *World) Owner(book ledger.Book) *datahub.Owner {
	return &datahub.Owner{Book: book, Keys: w.Keys}
}

// Permit puts a policy in force and grants the lender what contracttest.Terms say, or what change makes of them.
func (w *World) Permit(text []byte, change func(*policy.Terms)) {
	w.T.Helper()
	ctx, owner := context.Background(), w.Book(contracttest.Operator)
	digest, _, err := owner.PublishPolicy(ctx, text)
	w.ok(err)
	terms := contracttest.Terms(Fleet)
	terms.Policy = digest.String()
	if change != nil {
		change(&terms)
	}
	w.Done(owner.Grant(ctx, terms))
	w.permitted = true
}

// Statement asks whether the fleet had at least ten devices, and their number, under the grant of Permit.
func (w *World) Statement() *statement.Statement {
	s := contracttest.Statement(Fleet, Epoch, byte(w.nonce.Add(1)), w.Now().Add(24*time.Hour))
	s.Disclose = []string{"count"}
	return s
}

// Ask asks it, or what change makes of it, as the lender, under a permissive policy and grant if there are no others.
func (w *World) Ask(change func(*statement.Statement)) commit.Digest {
	w.T.Helper()
	if !w.permitted {
		w.Permit(contracttest.PermissivePolicy(), nil)
	}
	s := w.Statement()
	if change != nil {
		change(s)
	}
	id, _, err := w.Book(contracttest.Lender).Request(context.Background(), s)
	w.ok(err)
	return id
}

// Healthiest restricts a statement to the devices of the first slots, whose state of health falls by 0.01 % from slot to slot.
func Healthiest(devices int) func(*statement.Statement) {
	schema, err := record.Lookup(contracttest.Schema)
	if err != nil {
		panic(err)
	}
	least := schema.Lanes[1].Format(committest.Record(devices - 1)[1])
	return func(s *statement.Statement) {
		s.Cohort = []statement.Range{{Lane: "state_of_health", Min: least}}
	}
}

// Entry is a request with what followed.
func (w *World) Entry(id commit.Digest) ledger.RequestEntry {
	w.T.Helper()
	e, err := w.Book(contracttest.Lender).RequestEntry(context.Background(), id)
	w.ok(err)
	return e
}

// Answered asks, approves, proves and submits, as a desk would.
func (w *World) Answered(change func(*statement.Statement)) commit.Digest {
	w.T.Helper()
	ctx, id := context.Background(), w.Ask(change)
	book := w.Book(contracttest.Operator)
	w.Done(book.Decide(ctx, ledger.Decide{Request: id, Approve: true, Reasons: []string{}, Automatic: true}))
	w.ok(book.StartProof(ctx, id))
	answer, err := w.Owner(book).Answer(ctx, id, func(ctx context.Context, f *verify.ChunkFacts) (*zk.Chunk, error) {
		return w.Openings(ctx, Fleet, Epoch, f)
	}, nil)
	w.ok(err)
	_, _, err = book.SubmitProof(ctx, id, answer.Bundle)
	w.ok(err)
	return id
}

// Refused asks, and has the owner refuse.
func (w *World) Refused(reason string) commit.Digest {
	w.T.Helper()
	id := w.Ask(nil)
	w.Done(w.Book(contracttest.Operator).Decide(context.Background(), ledger.Decide{Request: id, Reasons: []string{reason}}))
	return id
}

// Until waits for something to become true.
func (w *World) Until(what string, condition func() bool) {
	w.T.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.T.Fatalf("waited in vain: %s", what)
		}
	}
}

// Calls counts the transactions of the ledger by function.
func (w *World) Calls() map[string]int {
	w.T.Helper()
	ctx, book := context.Background(), w.Book(contracttest.Regulator)
	head, err := book.Head(ctx)
	w.ok(err)
	out := map[string]int{}
	for e, err := range book.Events(ctx, 1, head.Height) {
		w.ok(err)
		out[e.Name]++
	}
	return out
}

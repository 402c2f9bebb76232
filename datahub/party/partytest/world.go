// Package partytest makes the world of queries: an embedded ledger with the consortium of package contracttest and three owners more, each with a fleet whose records of an epoch are
// anchored and settled, grants to the lender, and nodes' parts in queries (package party) that ask one another in this process. Only the wires are not real. Nothing outside tests may
// import it.
package partytest

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
)

// The owners, in ascending order, and the others who take part.
const (
	East, North, South = "east", "north", "south"
	Lender             = contracttest.Lender
	Regulator          = contracttest.Regulator
)

// Epoch is the one that there are records of, Step what the bounds of a score's features are multiples of, in percent of state of health.
const (
	Epoch = 11
	Step  = "5"
)

const patience = 5 * time.Minute

// Owners are the three of them.
func Owners() []string { return []string{East, North, South} }

// Members are all who take part in a federated query.
func Members() []string { return append(Owners(), Lender, Regulator) }

// FleetOf is an owner's.
func FleetOf(owner string) string { return "fleet-" + owner }

// sizes are of the fleets: no two have as many batteries.
var sizes = map[string]int{East: 40, North: 45, South: 50}

// World is the ledger with all that is on it, and the nodes that run.
type World struct {
	*embedded.Ledger
	T     testing.TB
	Epoch uint64

	srs    *commit.SRS
	maker  *contracttest.Maker
	clock  atomic.Int64
	chunks map[string]*datahub.Closed // by owner

	mu    sync.Mutex
	nodes map[string]*Node
	fetch func(Request, func() ([]byte, error)) ([]byte, error)
	call  func(Call) Fault
	homes map[string]*home
}

var theSRS = sync.OnceValue(contracttest.SRS)

// New makes the world. No node runs yet.
func New(t testing.TB) *World {
	t.Helper()
	w := &World{T: t, Epoch: Epoch, srs: theSRS(), maker: contracttest.NewMaker("maker-a"), chunks: map[string]*datahub.Closed{}, nodes: map[string]*Node{}, homes: map[string]*home{}}
	g := contracttest.Genesis()
	for _, o := range Owners() {
		g.Organisations = append(g.Organisations, ledger.Organisation{ID: o, Name: o, Roles: []ledger.Role{ledger.RoleOwner}})
	}
	w.at(10, 12*time.Hour)
	var err error
	w.Ledger, err = embedded.Create(t.TempDir(), g, embedded.Options{Clock: w.Now, SRS: w.srs})
	w.OK(err)
	t.Cleanup(func() {
		w.Kill(w.running()...)
		w.Ledger.Close() //nolint:errcheck // the test is over
	})
	w.found()
	return w
}

// OK fails the test on an error.
func (w *World) OK(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

// Done fails the test if a call failed.
func (w *World) Done(_ ledger.Receipt, err error) {
	w.T.Helper()
	w.OK(err)
}

// Now is the time of the ledger and of all nodes.
func (w *World) Now() time.Time { return time.Unix(w.clock.Load(), 0) }

// Pass lets time pass.
func (w *World) Pass(d time.Duration) { w.clock.Add(int64(d / time.Second)) }

func (w *World) at(epoch uint64, after time.Duration) {
	g := contracttest.Genesis()
	w.clock.Store(g.EpochStart(epoch).Add(after).Unix())
}

// Book is an organisation's access to the ledger, without faults.
func (w *World) Book(org string) ledger.Book {
	w.T.Helper()
	b, err := w.Ledger.Book(org)
	w.OK(err)
	return b
}

// found enrols the fleets, lets an epoch pass, anchors and settles it, and makes the grants.
func (w *World) found() {
	w.T.Helper()
	ctx, regulator := context.Background(), w.Book(Regulator)
	w.Done(regulator.PublishKey(ctx, contracttest.SRSKey(w.srs)))
	w.Done(regulator.RegisterMaker(ctx, ledger.RegisterMaker{ID: w.maker.ID, Name: "Maker", Certificate: w.maker.Cert.Raw}))
	devices := map[string][]contracttest.Device{}
	for _, owner := range Owners() {
		devices[owner] = w.maker.Devices("pack-"+owner, sizes[owner])
		w.Done(w.Book(owner).RegisterFleet(ctx, ledger.RegisterFleet{ID: FleetOf(owner), Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))
	}
	w.open()
	for _, owner := range Owners() {
		w.Done(w.Book(owner).Enrol(ctx, contracttest.Enrolment(w.ID(), FleetOf(owner), 0, 0, devices[owner])))
	}
	w.at(Epoch, 0)
	w.open()
	w.at(Epoch+1, time.Hour)
	w.open()
	for _, owner := range Owners() {
		w.chunks[owner] = w.closed(owner, devices[owner])
		w.Done(w.Book(owner).Anchor(ctx, w.chunks[owner].Anchor(), w.chunks[owner].Attestations))
		w.Done(w.Book(owner).Settle(ctx, ledger.EpochRef{Fleet: FleetOf(owner), Epoch: Epoch}))
		w.publish(owner, contracttest.PermissivePolicy())
		w.Grant(owner, nil)
	}
}

func (w *World) open() {
	w.T.Helper()
	_, err := w.Book(Regulator).OpenEpoch(context.Background())
	w.OK(err)
}

func (w *World) publish(owner string, text []byte) {
	w.T.Helper()
	_, receipt, err := w.Book(owner).PublishPolicy(context.Background(), text)
	w.Done(receipt, err)
}

// Grant makes a grant of an owner's to the lender for every kind of query, or what change makes of it.
func (w *World) Grant(owner string, change func(*policy.Terms)) {
	w.T.Helper()
	terms := contracttest.Terms(FleetOf(owner))
	terms.Actions = []policy.Action{policy.Aggregate, policy.Prove, policy.Score}
	if change != nil {
		change(&terms)
	}
	terms.Sort()
	w.Done(w.Book(owner).Grant(context.Background(), terms))
}

// closed is what an owner's devices report of the epoch. All but the last of them do.
func (w *World) closed(owner string, devices []contracttest.Device) *datahub.Closed {
	w.T.Helper()
	place := commit.ChunkPlace{Ledger: w.ID(), SRS: w.srs.Digest(), Fleet: FleetOf(owner), Size: contracttest.ChunkSize, Epoch: Epoch}
	var members []datahub.Member
	var reports []datahub.Report
	for i, d := range devices {
		slot, rec := uint32(i), recordOf(owner, i)
		members = append(members, datahub.Member{Slot: slot, Key: d.Public, Secret: d.Secret})
		if i < len(devices)-1 {
			reports = append(reports, datahub.Report{Slot: slot, Record: rec, Attestation: contracttest.AttestTo(w.srs, place, slot, d, rec)})
		}
	}
	schema, err := record.Lookup(contracttest.Schema)
	w.OK(err)
	out, err := datahub.CloseChunk(w.srs, schema, place, members, reports)
	w.OK(err)
	return out
}

// recordOf is another for each battery of each owner.
func recordOf(owner string, i int) record.Record {
	return committest.Record(100*slices.Index(Owners(), owner) + i)
}

// Records are what an owner's anchor of the epoch is of.
func (w *World) Records(owner string) []record.Record { return w.chunks[owner].Chunk.Records }

// Chunk is an owner's.
func (w *World) Chunk(owner string) *zk.Chunk { return &w.chunks[owner].Chunk }

// Federated is a query over the fleets of all owners for count and sum of the state of health, changed, with what a requester may leave out.
func (w *World) Federated(change func(*ledger.Query)) *ledger.Query {
	w.T.Helper()
	q := &ledger.Query{
		Kind: ledger.QueryFederated, Schema: contracttest.Schema, Epoch: Epoch, Totals: []string{policy.TotalCount, policy.TotalSum}, Subject: "state_of_health",
		Purpose: contracttest.Purpose, MinimumCohort: 10, Regulator: Regulator, InputSeconds: 600,
	}
	for _, o := range Owners() {
		q.Parts = append(q.Parts, ledger.QueryPart{Fleet: FleetOf(o), Grant: contracttest.GrantID})
	}
	if change != nil {
		change(q)
	}
	out, err := query.Draft(q, nil, Lender, w.Now())
	w.OK(err)
	return out
}

// Ask asks it as the lender.
func (w *World) Ask(change func(*ledger.Query)) commit.Digest {
	w.T.Helper()
	id, receipt, err := w.Book(Lender).Ask(context.Background(), w.Federated(change))
	w.Done(receipt, err)
	return id
}

// Entry is a query with what followed.
func (w *World) Entry(id commit.Digest) ledger.QueryEntry {
	w.T.Helper()
	e, err := w.Book(Lender).QueryEntry(context.Background(), id)
	w.OK(err)
	return e
}

// Session is the state of a query's n-th session, from 0.
func (w *World) Session(id commit.Digest, n int) ledger.SessionState {
	w.T.Helper()
	e := w.Entry(id)
	if n >= len(e.Sessions) {
		w.T.Fatalf("query %s has %d sessions", id, len(e.Sessions))
	}
	s, err := w.Book(Lender).SessionState(context.Background(), e.Sessions[n].ID)
	w.OK(err)
	return s
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

package scoring_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

const (
	fleetID   = "fleet-a"
	batteries = 400
	operator  = contracttest.Operator
	lender    = contracttest.Lender
)

// world is a lender and an owner on the contract, with a query that is approved. Their processes may be killed and their stores exchanged.
type world struct {
	t       *testing.T
	genesis *ledger.Genesis
	state   *contracttest.State
	now     time.Time
	calls   int
	mu      sync.Mutex

	query   commit.Digest
	model   *score.Model
	records []record.Record
	steps   map[string]map[string]string
	stores  map[string]session.Store
	scans   int // how often the owner's records were read
	// fault is asked before each thing that a process does outside itself.
	fault func(what string) fault
	// tamper changes what the bytes of an item are on their way.
	tamper func(item string, b []byte) []byte

	lender *scoring.Lender
	owner  *scoring.Owner
	served map[commit.Digest]bool // digests of answers that left the owner
}

// fault is what goes wrong with a call: it is lost before it does anything, or its answer is.
type fault int

const (
	noFault fault = iota
	lostRequest
	lostAnswer
)

var errLost = errors.New("lost")

func newWorld(t *testing.T, change ...func(*ledger.Query)) *world {
	t.Helper()
	w := &world{
		t: t, genesis: contracttest.WithKeys(contracttest.Genesis()), state: contracttest.NewState(), stores: map[string]session.Store{}, served: map[commit.Digest]bool{},
		steps: map[string]map[string]string{fleetID: {"state_of_health": "5", "age_days": "365"}}, model: aModel(false), records: aFleet(batteries),
	}
	for epoch := uint64(10); epoch <= 12; epoch++ {
		w.now = w.genesis.EpochStart(epoch).Add(2 * time.Hour)
		w.must(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: epoch})
	}
	w.must(operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: fleetID, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize})
	w.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()})
	terms := contracttest.Terms(fleetID)
	terms.Actions, terms.DeltaBudget = []policy.Action{policy.Score}, "0.01"
	w.must(operator, ledger.FnGrant, ledger.Grant{Terms: terms})
	w.closes(11, uint32(len(w.records)))
	for _, name := range []string{lender, operator} {
		w.stores[name] = w.fileStore(name)
	}
	w.asks(change...)
	w.restart()
	return w
}

// closes leaves of an epoch what a query looks at.
func (w *world) closes(epoch uint64, attested uint32) {
	tx := w.state.Begin()
	for key, value := range map[string]any{
		ledger.ChunkKey(fleetID, 0): ledger.Chunk{}, ledger.ClosingKey(fleetID, epoch): ledger.Closing{Time: 1},
		ledger.AnchorKey(fleetID, epoch, 0): ledger.Anchor{Commitment: []byte("a"), Attested: attested, Enrolled: attested, Classes: [4]uint32{attested}},
	} {
		w.ok(tx.Put(key, ledger.Encode(value)))
	}
	tx.Commit()
}

// asks has the lender ask and the owner approve, from then on what the world is about.
func (w *world) asks(change ...func(*ledger.Query)) {
	w.t.Helper()
	features, err := query.Features(w.model, contracttest.Schema)
	w.ok(err)
	w.calls++
	q := &ledger.Query{
		Version: ledger.QueryVersion, Kind: ledger.QueryScore, Requester: lender, Parts: []ledger.QueryPart{{Fleet: fleetID, Grant: contracttest.GrantID}}, Schema: contracttest.Schema,
		Epoch: 11, Features: features, Degree: uint32(w.model.Degree), Spread: w.model.Spread, Purpose: contracttest.Purpose, MinimumCohort: 10, Parameters: score.Parameters,
		Nonce: fmt.Sprintf("%032x", w.calls), Expiry: w.now.Add(time.Hour).Unix(),
	}
	for _, c := range change {
		c(q)
	}
	w.must(lender, ledger.FnAsk, ledger.AskQuery{Query: *q})
	w.query = q.ID(w.genesis.ID())
	w.must(operator, ledger.FnAnswer, ledger.Answer{Query: w.query, Fleet: fleetID, Approve: true})
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) fileStore(name string) session.Store {
	w.t.Helper()
	s, err := session.OpenFileStore(filepath.Join(w.t.TempDir(), name), name, sessiontest.NewSealer())
	w.ok(err)
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

// restart ends both processes and starts new ones.
func (w *world) restart() {
	w.t.Helper()
	var err error
	w.lender, err = scoring.NewLender(w.node(lender))
	w.ok(err)
	w.owner, err = scoring.NewOwner(w.node(operator), w.read, w.steps)
	w.ok(err)
	if err := w.lender.KeepModel(context.Background(), w.query, w.modelFile()); err != nil && !errors.Is(err, session.ErrDestroyed) && !errors.Is(err, errLost) {
		w.t.Fatal(err)
	}
}

func (w *world) modelFile() []byte {
	b, err := score.MarshalModel(w.model)
	w.ok(err)
	return b
}

func (w *world) node(name string) scoring.Node {
	return scoring.Node{
		Self: name, Book: ledger.Book{Client: &client{world: w, org: name}}, Store: &store{Store: w.stores[name], world: w, of: name}, Peers: &peers{w, name}, Now: func() time.Time { return w.now },
	}
}

func (w *world) read(context.Context, *ledger.QueryEntry, string) iter.Seq2[[]record.Record, error] {
	return func(yield func([]record.Record, error) bool) {
		w.scans++
		if w.what("read records") != noFault {
			yield(nil, errLost)
			return
		}
		yield(w.records, nil)
	}
}

func (w *world) what(did string) fault {
	if w.fault == nil {
		return noFault
	}
	return w.fault(did)
}

// do runs a call and commits what it writes, unless it is refused.
func (w *world) do(org, function string, args []byte) (result []byte, txID string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	txID = commit.Digest(sha256.Sum256(fmt.Append(nil, w.calls))).String()
	tx := w.state.Begin()
	result, err = contract.Execute(&contract.Environment{}, w.tx(org, txID), tx, ledger.Call{Function: function, Args: args})
	if err == nil {
		tx.Commit()
	}
	return result, txID, err
}

func (w *world) tx(org, id string) *contract.Tx {
	return &contract.Tx{ID: id, Time: w.now, Caller: contract.Caller{Org: org}, Ledger: w.genesis.ID(), Genesis: w.genesis}
}

func (w *world) must(org, function string, args any) {
	w.t.Helper()
	if _, _, err := w.do(org, function, ledger.Encode(args)); err != nil {
		w.t.Fatalf("%s by %s: %v", function, org, err)
	}
}

// begins begins a session.
func (w *world) begins() commit.Digest {
	w.t.Helper()
	_, tx, err := w.do(lender, ledger.FnBegin, ledger.Encode(ledger.QueryRef{Query: w.query}))
	w.ok(err)
	return ledger.SessionID(w.query, tx)
}

func (w *world) book(org string) ledger.Book {
	return ledger.Book{Client: &client{world: w, org: org, sound: true}}
}

func (w *world) entry() *ledger.QueryEntry {
	w.t.Helper()
	e, err := w.book(lender).QueryEntry(context.Background(), w.query)
	w.ok(err)
	return &e
}

func (w *world) session(id commit.Digest) *ledger.SessionState {
	w.t.Helper()
	s, err := w.book(lender).SessionState(context.Background(), id)
	w.ok(err)
	return &s
}

func (w *world) posts(org string, id commit.Digest, round ledger.Round, digest commit.Digest) {
	w.t.Helper()
	w.must(org, ledger.FnPost, ledger.Post{Session: id, Round: round, Digest: digest})
}

func (w *world) stepLender(id commit.Digest) (scoring.Standing, error) {
	return w.lender.Step(context.Background(), w.entry(), w.session(id))
}

func (w *world) stepOwner(id commit.Digest) (scoring.Standing, error) {
	return w.owner.Step(context.Background(), w.entry(), w.session(id))
}

// lenderStands and ownerStands step, and want no error.
func (w *world) lenderStands(id commit.Digest) scoring.Standing {
	w.t.Helper()
	s, err := w.stepLender(id)
	w.ok(err)
	return s
}

func (w *world) ownerStands(id commit.Digest) scoring.Standing {
	w.t.Helper()
	s, err := w.stepOwner(id)
	w.ok(err)
	return s
}

// plays steps both in turn until both are done.
func (w *world) plays(id commit.Digest) (ofLender, ofOwner scoring.Standing) {
	w.t.Helper()
	for range 10 {
		if ofLender, ofOwner = w.lenderStands(id), w.ownerStands(id); ofLender.Done && ofOwner.Done {
			return ofLender, ofOwner
		}
	}
	w.t.Fatalf("not done: the lender stands at %+v, the owner at %+v", ofLender, ofOwner)
	return
}

// aFleet is deterministic.
func aFleet(n int) []record.Record {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]record.Record, n)
	for i := range out {
		out[i] = record.Record{1, 6_000 + r.Uint32N(4_000), r.Uint32N(20_000), 100 + r.Uint32N(3_000), 40_000, 10, 600, 0}
	}
	return out
}

func aModel(spread bool) *score.Model {
	return &score.Model{Kind: score.Logistic, Intercept: -4, Degree: 3, Interval: 8, Spread: spread, Features: []score.Weighted{
		{Feature: score.Feature{Lane: "state_of_health", Low: 5_000, High: 10_000}, Weight: 0.001},
		{Feature: score.Feature{Lane: "age_days", Low: 0, High: 3_650}, Weight: -0.001},
	}}
}

package server_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// third is an owner besides the operator and the rival.
const third = "third"

func theOwners() []string { return []string{operator, rival, third} }

func fleetOf(owner string) string { return "fleet-of-" + owner }

// newQueryWorld has a fleet of each of three owners, with a policy and a grant that allow the lender everything, and epoch 11 closed with two of two batteries. It is epoch 12.
func newQueryWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, maker: contracttest.NewMaker("maker-a"), srs: contracttest.SRS()}
	w.at(10, 12*time.Hour)
	g := contracttest.Genesis()
	g.Organisations = append(g.Organisations, ledger.Organisation{ID: third, Name: "Third", Roles: []ledger.Role{ledger.RoleOwner}})
	w.ledger = must(embedded.Create(t.TempDir(), g, embedded.Options{Clock: w.now, SRS: w.srs}))(t)
	t.Cleanup(func() { w.ledger.Close() }) //nolint:errcheck // the test is over
	ctx := t.Context()
	must(w.book(regulator).PublishKey(ctx, contracttest.SRSKey(w.srs)))(t)
	must(w.book(regulator).RegisterMaker(ctx, ledger.RegisterMaker{ID: w.maker.ID, Name: "Maker", Certificate: w.maker.Cert.Raw}))(t)
	must(w.book(regulator).OpenEpoch(ctx))(t)
	fleets := map[string][]contracttest.Device{}
	for _, owner := range theOwners() {
		must(w.book(owner).RegisterFleet(ctx, ledger.RegisterFleet{ID: fleetOf(owner), Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))(t)
		w.allows(owner, contracttest.GrantID, nil)
		fleets[owner] = w.maker.Devices(owner, 2)
		must(w.book(owner).Enrol(ctx, contracttest.Enrolment(w.ledger.ID(), fleetOf(owner), 0, 0, fleets[owner])))(t)
	}
	w.at(11, 0)
	must(w.book(regulator).OpenEpoch(ctx))(t)
	w.at(12, time.Hour)
	must(w.book(regulator).OpenEpoch(ctx))(t)
	for owner, devices := range fleets {
		w.closes(owner, devices)
	}
	return w
}

// allows publishes the permissive policy and grants the lender everything, or what change makes of it.
func (w *world) allows(owner, id string, change func(*policy.Terms)) {
	w.t.Helper()
	ctx := w.t.Context()
	if id == contracttest.GrantID {
		if _, _, err := w.book(owner).PublishPolicy(ctx, contracttest.PermissivePolicy()); err != nil {
			w.t.Fatal(err)
		}
	}
	terms := contracttest.Terms(fleetOf(owner))
	terms.ID, terms.Actions = id, []policy.Action{policy.Aggregate, policy.Prove, policy.Score}
	if change != nil {
		change(&terms)
	}
	terms.Sort()
	must(w.book(owner).Grant(ctx, terms))(w.t)
}

// closes anchors epoch 11 and settles it.
func (w *world) closes(owner string, devices []contracttest.Device) {
	w.t.Helper()
	ctx := w.t.Context()
	place := commit.ChunkPlace{Ledger: w.ledger.ID(), SRS: w.srs.Digest(), Fleet: fleetOf(owner), Size: contracttest.ChunkSize, Epoch: 11}
	var attested [][]byte
	for i, d := range devices {
		attested = append(attested, contracttest.Attest(w.srs, place, uint32(i), d))
	}
	must(w.book(owner).Anchor(ctx, contracttest.Anchor(place, attested), attested))(w.t)
	must(w.book(lender).Settle(ctx, ledger.EpochRef{Fleet: fleetOf(owner), Epoch: 11}))(w.t)
}

// aQuery asks for a count and a sum over all three fleets, and leaves out what a node fills in.
func aQuery() string {
	return fmt.Sprintf(`{"parts": [%s, %s, %s], "epoch": 11, "totals": ["count", "sum"], "subject": "state_of_health", "purpose": %q, "minimum_cohort": 10, "regulator": %q}`,
		aPart(third), aPart(operator), aPart(rival), contracttest.Purpose, regulator)
}

func aPart(owner string) string {
	return fmt.Sprintf(`{"fleet": %q, "grant": %q}`, fleetOf(owner), contracttest.GrantID)
}

// aScore asks for a score of the operator's fleet, by aModel, whose weights are found nowhere else.
func aScore() string {
	return fmt.Sprintf(`{"parts": [%s], "epoch": 11, "purpose": %q, "minimum_cohort": 20}`, aPart(operator), contracttest.Purpose)
}

const (
	aModel = `{"format": "assay-score/1", "kind": "linear", "intercept": 0.31415926, "features": [
	{"lane": "state_of_health", "low": 6000, "high": 10000, "weight": 0.00271828}, {"lane": "age_days", "low": 0, "high": 3650, "weight": -0.00161803}]}`
	// anotherModel has the same features.
	anotherModel = `{"format": "assay-score/1", "kind": "linear", "intercept": 0.5, "features": [
	{"lane": "state_of_health", "low": 6000, "high": 10000, "weight": 0.001}, {"lane": "age_days", "low": 0, "high": 3650, "weight": -0.002}]}`
)

func (n *node) queries() assayv1.QueryServiceClient    { return assayv1.NewQueryServiceClient(n) }
func (n *node) sessions() assayv1.SessionServiceClient { return assayv1.NewSessionServiceClient(n) }

// part is a node's part in queries, as far as its interface is concerned.
type part struct {
	mu      sync.Mutex
	models  map[commit.Digest]string
	results map[commit.Digest]*query.Answer
	states  map[commit.Digest]party.State
	items   map[string][]byte
	calls   []string
	failure error
}

func newPart() *part {
	return &part{models: map[commit.Digest]string{}, results: map[commit.Digest]*query.Answer{}, states: map[commit.Digest]party.State{}, items: map[string][]byte{}}
}

// asPart lets a node take part.
func asPart(p *part) func(*server.Options) { return func(o *server.Options) { o.Queries = p } }

func (p *part) KeepModel(_ context.Context, id commit.Digest, model []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure != nil {
		return p.failure
	}
	if kept, ok := p.models[id]; ok && kept != string(model) {
		return scoring.ErrOtherModel
	}
	p.models[id] = string(model)
	return nil
}

func (p *part) Result(_ context.Context, id commit.Digest) (*query.Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure != nil {
		return nil, p.failure
	}
	if a := p.results[id]; a != nil {
		return a, nil
	}
	return nil, party.ErrNoResult
}

func (p *part) State(id commit.Digest) (party.State, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.states[id]
	return s, ok
}

func (p *part) Item(_ context.Context, caller string, id commit.Digest, item string, size int) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, fmt.Sprintf("%s %s %s %d", caller, id, item, size))
	switch item {
	case "alive":
		return nil, fmt.Errorf("session %s: %w", id, party.ErrNotYet)
	case "part":
		return nil, fmt.Errorf("session %s: %w", id, party.ErrForbidden)
	case "share":
		return nil, fmt.Errorf("session %s: %w", id, party.ErrUnknown)
	case "broken":
		return nil, errors.New("open /var/lib/assay/secret: no such file")
	}
	return p.items[item], nil
}

// asks asks at the lender's node.
func (w *world) asks(text string) *assayv1.Query {
	w.t.Helper()
	return must(w.node(lender, asPart(newPart())).queries().CreateQuery(w.call(), &assayv1.CreateQueryRequest{Query: text}))(w.t).GetQuery()
}

func digestOf(t *testing.T, text string) (d commit.Digest) {
	t.Helper()
	if err := d.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return d
}

// approves has owners approve their parts.
func (w *world) approves(id commit.Digest, owners ...string) {
	w.t.Helper()
	for _, owner := range owners {
		must(w.book(owner).Answer(w.t.Context(), ledger.Answer{Query: id, Fleet: fleetOf(owner), Approve: true, Reasons: []string{}}))(w.t)
	}
}

// begins begins a session.
func (w *world) begins(id commit.Digest) commit.Digest {
	w.t.Helper()
	session, _, err := w.book(lender).Begin(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return session
}

// posts has parties post in a round what the contract takes.
func (w *world) posts(session commit.Digest, round ledger.Round, parties ...string) {
	w.t.Helper()
	for _, party := range parties {
		p := ledger.Post{Session: session, Round: round, Digest: commit.Digest{1, byte(len(party))}}
		switch round {
		case ledger.RoundClose:
			p.Digest = commit.Digest{}
		case ledger.RoundAbort:
			p.Digest, p.Detail = commit.Digest{}, []byte("the fleet is too small")
		case ledger.RoundActivate:
			p.Detail = []byte{1, 3}
		case ledger.RoundInput:
			p.Detail = ledger.Encode(must(w.book(party).AnchorReference(w.t.Context(), ledger.EpochRef{Fleet: fleetOf(party), Epoch: 11}))(w.t))
		}
		must(w.book(party).Post(w.t.Context(), p))(w.t)
	}
}

// everyone are the members of a federated session.
func everyone() []string { return append(theOwners(), regulator, lender) }

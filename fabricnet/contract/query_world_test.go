package contract_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// The owners of a queries' world, in order. Each has one fleet.
const (
	east, north, south, west = "east", "north", "south", "west"
	// supervisor is a second regulator, broker another financier, which owns fleet-broker.
	supervisor, broker = "supervisor", "broker"
)

var theOwners = []string{east, north, south, west}

func fleetOf(owner string) string { return "fleet-" + owner }

// queriesWorld has four owners with a fleet each, whose epoch 11 is closed with 50 of 60 batteries attested, and grants to the lender. It is epoch 12.
func queriesWorld(t *testing.T) *world {
	t.Helper()
	g := contracttest.Genesis()
	for _, o := range theOwners {
		g.Organisations = append(g.Organisations, ledger.Organisation{ID: o, Name: o, Roles: []ledger.Role{ledger.RoleOwner}})
	}
	g.Organisations = append(g.Organisations,
		ledger.Organisation{ID: supervisor, Name: supervisor, Roles: []ledger.Role{ledger.RoleRegulator}},
		ledger.Organisation{ID: broker, Name: broker, Roles: []ledger.Role{ledger.RoleOwner, ledger.RoleFinancier}})
	w := &world{t: t, genesis: contracttest.WithKeys(g), state: contracttest.NewState(), kept: map[commit.Digest][]byte{}, policies: &contract.PolicyCache{}}
	if err := w.genesis.Check(); err != nil {
		t.Fatal(err)
	}
	w.id = w.genesis.ID()
	w.at(12, 2*time.Hour)
	for _, o := range append([]string{broker}, theOwners...) {
		w.must(o, ledger.FnRegisterFleet, fleetArgs(fleetOf(o)))
		w.must(o, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()})
		w.grantsQueries(o, contracttest.GrantID, nil)
		w.closes(fleetOf(o), 11)
	}
	return w
}

// closes leaves of an epoch of a fleet what a query looks at.
func (w *world) closes(fleet string, epoch uint64) {
	w.t.Helper()
	tx := w.state.Begin()
	for key, record := range map[string]any{
		ledger.ChunkKey(fleet, 0): ledger.Chunk{}, ledger.ClosingKey(fleet, epoch): ledger.Closing{Time: 1},
		ledger.AnchorKey(fleet, epoch, 0): ledger.Anchor{Commitment: []byte(fleet), Attested: 50, Enrolled: 60, Classes: [4]uint32{60}},
	} {
		if err := tx.Put(key, ledger.Encode(record)); err != nil {
			w.t.Fatal(err)
		}
	}
	tx.Commit()
}

// grantsQueries makes a grant of an owner's to the lender for everything.
func (w *world) grantsQueries(owner, id string, change func(*policy.Terms)) {
	w.t.Helper()
	terms := contracttest.Terms(fleetOf(owner))
	terms.ID, terms.Actions = id, []policy.Action{policy.Aggregate, policy.Prove, policy.Score}
	if change != nil {
		change(&terms)
	}
	terms.Sort()
	w.must(owner, ledger.FnGrant, ledger.Grant{Terms: terms})
}

func partsOf(owners ...string) []ledger.QueryPart {
	var out []ledger.QueryPart
	for _, o := range owners {
		out = append(out, ledger.QueryPart{Fleet: fleetOf(o), Grant: contracttest.GrantID})
	}
	return out
}

// federated is a query over the fleets of east, north and south, changed.
func (w *world) federated(change func(*ledger.Query)) *ledger.Query {
	w.nonce++
	q := &ledger.Query{
		Version: ledger.QueryVersion, Kind: ledger.QueryFederated, Requester: lender, Parts: partsOf(east, north, south), Schema: contracttest.Schema, Epoch: 11,
		Totals: []string{policy.TotalCount, policy.TotalSum}, Subject: "state_of_health", Purpose: contracttest.Purpose, MinimumCohort: 10,
		Regulator: regulator, Threshold: 2, InputSeconds: 600, Parameters: "assay-bgv-13-1", Nonce: fmt.Sprintf("%032x", w.nonce), Expiry: w.now.Add(time.Hour).Unix(),
	}
	if change != nil {
		change(q)
	}
	return q
}

// scoring is a score over the fleet of east, changed.
func (w *world) scoring(change func(*ledger.Query)) *ledger.Query {
	w.nonce++
	q := &ledger.Query{
		Version: ledger.QueryVersion, Kind: ledger.QueryScore, Requester: lender, Parts: partsOf(east), Schema: contracttest.Schema, Epoch: 11,
		Features: []ledger.Feature{{Lane: "state_of_health", Lo: "50.00", Hi: "100.00"}, {Lane: "age_days", Lo: "0", Hi: "3650"}}, Degree: 3,
		Purpose: contracttest.Purpose, MinimumCohort: 10, Parameters: "assay-score-1", Nonce: fmt.Sprintf("%032x", w.nonce), Expiry: w.now.Add(time.Hour).Unix(),
	}
	if change != nil {
		change(q)
	}
	return q
}

func (w *world) asksQuery(q *ledger.Query) commit.Digest {
	w.t.Helper()
	w.must(q.Requester, ledger.FnAsk, ledger.AskQuery{Query: *q})
	return q.ID(w.id)
}

func yes(id commit.Digest, owner string) ledger.Answer {
	return ledger.Answer{Query: id, Fleet: fleetOf(owner), Approve: true}
}

func ownerOf(fleet string) string { return strings.TrimPrefix(fleet, "fleet-") }

// approvedQuery asks, and has everybody approve.
func (w *world) approvedQuery(q *ledger.Query) commit.Digest {
	w.t.Helper()
	id := w.asksQuery(q)
	for _, p := range q.Parts {
		w.must(ownerOf(p.Fleet), ledger.FnAnswer, yes(id, ownerOf(p.Fleet)))
	}
	return id
}

// beginsQuery begins a session.
func (w *world) beginsQuery(id commit.Digest) *session {
	w.t.Helper()
	result := w.must(lender, ledger.FnBegin, ledger.QueryRef{Query: id})
	s, err := ledger.Decode[ledger.Session]("session", result, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	return &session{world: w, Session: s, id: s.ID()}
}

// inSession asks, has everybody approve, and begins.
func (w *world) inSession(q *ledger.Query) *session {
	w.t.Helper()
	return w.beginsQuery(w.approvedQuery(q))
}

// session is one that began.
type session struct {
	*world
	*ledger.Session
	id commit.Digest
}

// entry is what a party posts in a round if nothing is amiss.
func (s *session) entry(round ledger.Round, party string) ledger.Post {
	p := ledger.Post{Session: s.id, Round: round, Digest: commit.Digest{1, byte(len(party))}}
	switch round {
	case ledger.RoundClose:
		p.Digest = commit.Digest{}
	case ledger.RoundAbort:
		p.Digest, p.Detail = commit.Digest{}, []byte("enough")
	case ledger.RoundActivate:
		p.Detail = []byte{1, 2}
	case ledger.RoundInput:
		fleet := s.FleetOf(party)
		anchors := query[[]ledger.AnchorEntry](s.world, ledger.QueryAnchors, ledger.EpochRef{Fleet: fleet, Epoch: 11})
		p.Detail = ledger.Encode(ledger.ReferTo(fleet, 11, anchors))
	}
	return p
}

func (s *session) posts(round ledger.Round, parties ...string) {
	s.t.Helper()
	for _, party := range parties {
		s.must(party, ledger.FnPost, s.entry(round, party))
	}
}

// until has everybody post what there is before a round.
func (s *session) until(round ledger.Round) *session {
	s.t.Helper()
	for _, step := range []struct {
		round   ledger.Round
		parties []string
	}{
		{ledger.RoundKey, s.Members()}, {ledger.RoundReady, s.Members()}, {ledger.RoundInput, s.Owners()}, {ledger.RoundClose, []string{lender}},
		{ledger.RoundActivate, []string{lender}}, {ledger.RoundShare, []string{s.Owners()[0], s.Owners()[min(1, len(s.Owners())-1)], regulator}}, {ledger.RoundResult, []string{lender}},
	} {
		if step.round == round {
			break
		}
		s.posts(step.round, step.parties...)
	}
	return s
}

func (s *session) state() ledger.SessionState {
	s.t.Helper()
	return query[ledger.SessionState](s.world, ledger.QuerySession, ledger.SessionRef{Session: s.id})
}

func (w *world) queryEntry(id commit.Digest) ledger.QueryEntry {
	w.t.Helper()
	return query[ledger.QueryEntry](w, ledger.QueryQuery, ledger.QueryRef{Query: id})
}

func (w *world) wantStatus(id commit.Digest, want ledger.QueryStatus) {
	w.t.Helper()
	if e := w.queryEntry(id); e.Status != want {
		w.t.Errorf("query %s is %s, want %s", id, e.Status, want)
	}
}

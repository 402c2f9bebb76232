package review

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// The owners of a queries' world, in the order of their fleets.
var poolOwners = []string{contracttest.Operator, contracttest.Rival, "third"}

func poolFleet(owner string) string { return "pool-" + owner }

const batteries = 12

// queriesWorld has three owners with a fleet each, whose epoch is anchored and closed, and grants of theirs to the lender.
type queriesWorld struct {
	*desktest.World
	nonce byte
}

func newQueriesWorld(t *testing.T) *queriesWorld {
	t.Helper()
	if testing.Short() {
		t.Skip("takes more than a second")
	}
	w := &queriesWorld{World: &desktest.World{T: t}}
	g := contracttest.Genesis()
	g.Organisations = append(g.Organisations, ledger.Organisation{ID: "third", Name: "Third", Roles: []ledger.Role{ledger.RoleOwner}})
	w.At(10, 12*time.Hour)
	srs := contracttest.SRS()
	l, err := embedded.Create(t.TempDir(), g, embedded.Options{Clock: w.Now, SRS: srs})
	w.ok(err)
	w.Ledger = l
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	maker := contracttest.NewMaker("maker-a")
	devices := map[string][]contracttest.Device{}
	w.did(w.Book(contracttest.Regulator).PublishKey(t.Context(), contracttest.SRSKey(srs)))
	w.did(w.Book(contracttest.Regulator).RegisterMaker(t.Context(), ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}))
	w.opensEpoch()
	for _, owner := range poolOwners {
		book := w.Book(owner)
		w.did(book.RegisterFleet(t.Context(), ledger.RegisterFleet{ID: poolFleet(owner), Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))
		_, _, err := book.PublishPolicy(t.Context(), contracttest.PermissivePolicy())
		w.ok(err)
		terms := contracttest.Terms(poolFleet(owner))
		terms.Actions = []policy.Action{policy.Aggregate, policy.Prove, policy.Score}
		w.did(book.Grant(t.Context(), terms))
		devices[owner] = maker.Devices(owner, batteries)
		w.did(book.Enrol(t.Context(), contracttest.Enrolment(w.ID(), poolFleet(owner), 0, 0, devices[owner])))
	}
	w.At(11, 0)
	w.opensEpoch()
	w.At(12, time.Hour)
	w.opensEpoch()
	for _, owner := range poolOwners {
		place := commit.ChunkPlace{Ledger: w.ID(), SRS: srs.Digest(), Fleet: poolFleet(owner), Size: contracttest.ChunkSize, Epoch: 11}
		attestations := make([][]byte, batteries)
		for i, d := range devices[owner] {
			attestations[i] = contracttest.Attest(srs, place, uint32(i), d)
		}
		w.did(w.Book(owner).Anchor(t.Context(), contracttest.Anchor(place, attestations), attestations))
		w.did(w.Book(owner).Settle(t.Context(), ledger.EpochRef{Fleet: poolFleet(owner), Epoch: 11}))
	}
	return w
}

func (w *queriesWorld) ok(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

func (w *queriesWorld) did(_ ledger.Receipt, err error) {
	w.T.Helper()
	w.ok(err)
}

func (w *queriesWorld) opensEpoch() {
	w.T.Helper()
	_, err := w.Book(contracttest.Regulator).OpenEpoch(context.Background())
	w.ok(err)
}

// federated is a query over all fleets, changed.
func (w *queriesWorld) federated(change func(*ledger.Query)) *ledger.Query {
	w.nonce++
	q := &ledger.Query{
		Version: ledger.QueryVersion, Kind: ledger.QueryFederated, Requester: contracttest.Lender, Schema: contracttest.Schema, Epoch: 11,
		Totals: []string{policy.TotalCount, policy.TotalSum}, Subject: "state_of_health", Purpose: contracttest.Purpose, MinimumCohort: 10,
		Regulator: contracttest.Regulator, Threshold: 2, InputSeconds: 60, Parameters: "assay-bgv-13-1", Nonce: fmt.Sprintf("%032x", w.nonce), Expiry: w.Now().Add(time.Hour).Unix(),
	}
	for _, owner := range poolOwners {
		q.Parts = append(q.Parts, ledger.QueryPart{Fleet: poolFleet(owner), Grant: contracttest.GrantID})
	}
	if change != nil {
		change(q)
	}
	return q
}

// score is one of the first owner's fleet.
func (w *queriesWorld) score(change func(*ledger.Query)) *ledger.Query {
	return w.federated(func(q *ledger.Query) {
		q.Kind, q.Parts, q.Totals, q.Subject, q.Regulator, q.Threshold, q.InputSeconds = ledger.QueryScore, q.Parts[:1], nil, "", "", 0, 0
		q.Features, q.Degree, q.Parameters = []ledger.Feature{{Lane: "state_of_health", Lo: "50.00", Hi: "100.00"}}, 1, "assay-score-1"
		if change != nil {
			change(q)
		}
	})
}

func cycles(min, max string) func(*ledger.Query) {
	return func(q *ledger.Query) { q.Cohort = []statement.Range{{Lane: "age_days", Min: min, Max: max}} }
}

// approved asks, and has all owners approve: the first without a person.
func (w *queriesWorld) approved(q *ledger.Query) commit.Digest {
	w.T.Helper()
	id, _, err := w.Book(contracttest.Lender).Ask(context.Background(), q)
	w.ok(err)
	for i, p := range q.Parts {
		w.did(w.Book(poolOwners[i]).Answer(context.Background(), ledger.Answer{Query: id, Fleet: p.Fleet, Approve: true, Reasons: []string{}, Automatic: i == 0}))
	}
	return id
}

func (w *queriesWorld) begun(id commit.Digest) commit.Digest {
	w.T.Helper()
	session, _, err := w.Book(contracttest.Lender).Begin(context.Background(), id)
	w.ok(err)
	return session
}

// posts has parties post in a round, as they should.
func (w *queriesWorld) posts(session commit.Digest, round ledger.Round, parties ...string) {
	w.T.Helper()
	for _, party := range parties {
		p := ledger.Post{Session: session, Round: round, Digest: commit.Digest{1, byte(len(party))}}
		switch round {
		case ledger.RoundClose:
			p.Digest = commit.Digest{}
		case ledger.RoundAbort:
			p.Digest, p.Detail = commit.Digest{}, []byte("enough")
		case ledger.RoundActivate:
			p.Detail = []byte{1, 2}
		case ledger.RoundInput:
			reference, err := w.Book(party).AnchorReference(context.Background(), ledger.EpochRef{Fleet: poolFleet(party), Epoch: 11})
			w.ok(err)
			p.Detail = ledger.Encode(reference)
		}
		_, err := w.Book(party).Post(context.Background(), p)
		w.ok(err)
	}
}

// answered takes a federated query to its result.
func (w *queriesWorld) answered(q *ledger.Query) (id, session commit.Digest) {
	w.T.Helper()
	id = w.approved(q)
	session = w.begun(id)
	members := append([]string{contracttest.Lender, contracttest.Regulator}, poolOwners...)
	w.posts(session, ledger.RoundKey, members...)
	w.posts(session, ledger.RoundReady, members...)
	w.posts(session, ledger.RoundInput, poolOwners...)
	w.posts(session, ledger.RoundClose, contracttest.Lender)
	w.posts(session, ledger.RoundActivate, contracttest.Lender)
	s, err := w.Book(contracttest.Lender).SessionState(context.Background(), session)
	w.ok(err)
	w.posts(session, ledger.RoundShare, append(s.Session.Owners()[:2], contracttest.Regulator)...)
	w.posts(session, ledger.RoundResult, contracttest.Lender)
	return id, session
}

// scored takes a score to its result.
func (w *queriesWorld) scored(q *ledger.Query) (id, session commit.Digest) {
	w.T.Helper()
	id = w.approved(q)
	session = w.begun(id)
	w.posts(session, ledger.RoundRequest, contracttest.Lender)
	w.posts(session, ledger.RoundAnswer, poolOwners[0])
	w.posts(session, ledger.RoundResult, contracttest.Lender)
	return id, session
}

package contract_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

func aged(min, max string) func(*statement.Statement) {
	return func(s *statement.Statement) {
		s.Fleet, s.Claims, s.Disclose = fleetOf(east), nil, []string{"count"}
		s.Cohort = []statement.Range{{Lane: "age_days", Min: min, Max: max}}
	}
}

// eastApproves asks for a proof about the fleet of east and approves it.
func (w *world) eastApproves(change func(*statement.Statement)) commit.Digest {
	w.t.Helper()
	id, _ := w.asks(change)
	w.must(east, ledger.FnDecide, approval(id))
	return id
}

func TestScore(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.scoring(func(q *ledger.Query) { q.Spread = true }))
	want := &ledger.Session{
		Query: s.Query, Kind: ledger.QueryScore, Receiver: lender, Seats: []ledger.Seat{{Owner: east, Fleet: fleetOf(east)}}, Parameters: "assay-score-1",
		Expires: s.Expires, Time: w.now.Unix(), TxID: s.TxID,
	}
	if diff := cmp.Diff(want, s.Session); diff != "" {
		t.Error(diff)
	}
	if d := w.queryEntry(s.Query).Answers[0].Decision; d.Cost != "2" {
		t.Errorf("a score and its spread cost %s", d.Cost)
	}
	post := func(round ledger.Round) ledger.Post {
		return ledger.Post{Session: s.id, Round: round, Digest: commit.Digest{1}}
	}
	w.refused(ledger.Invalid, "has no round", east, ledger.FnPost, post(ledger.RoundKey))
	w.refused(ledger.Forbidden, "is no member", regulator, ledger.FnPost, post(ledger.RoundRequest))
	w.refused(ledger.Forbidden, "is not for east", east, ledger.FnPost, post(ledger.RoundRequest))
	w.refused(ledger.Conflict, "have no entry for round request", east, ledger.FnPost, post(ledger.RoundAnswer))
	w.must(lender, ledger.FnPost, post(ledger.RoundRequest))
	w.refused(ledger.Conflict, "have no entry for round answer", lender, ledger.FnPost, post(ledger.RoundResult))
	w.refused(ledger.Forbidden, "is not for lender", lender, ledger.FnPost, post(ledger.RoundAnswer))
	w.wantStatus(s.Query, ledger.QueryRunning)
	w.must(east, ledger.FnPost, post(ledger.RoundAnswer))
	w.wantStatus(s.Query, ledger.QueryAnswered)
	w.refused(ledger.Forbidden, "is not for east", east, ledger.FnPost, post(ledger.RoundResult))
	w.now = w.now.Add(2 * time.Hour)
	w.must(lender, ledger.FnPost, post(ledger.RoundResult))
	w.wantStatus(s.Query, ledger.QueryAnswered)
	w.refused(ledger.Expired, "expired", lender, ledger.FnBegin, ledger.QueryRef{Query: s.Query})
}

func TestScoreAnsweredOnce(t *testing.T) {
	w := queriesWorld(t)
	id := w.approvedQuery(w.scoring(nil))
	first, second := w.beginsQuery(id), w.beginsQuery(id)
	for _, s := range []*session{first, second} {
		s.posts(ledger.RoundRequest, lender)
	}
	first.posts(ledger.RoundAnswer, east)
	w.refused(ledger.Conflict, "is answered in session", east, ledger.FnPost, second.entry(ledger.RoundAnswer, east))
	w.refused(ledger.Conflict, "began before", lender, ledger.FnBegin, ledger.QueryRef{Query: id})
}

func TestScoreNotAnsweredAfterRevocation(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.scoring(nil))
	s.posts(ledger.RoundRequest, lender)
	w.must(east, ledger.FnRevoke, ledger.Revoke{Grant: "whatever-it-is", Reason: "the loan is repaid"})
	w.refused(ledger.Forbidden, "the loan is repaid", east, ledger.FnPost, s.entry(ledger.RoundAnswer, east))
}

// A score joins the cohorts of its fleet's proofs: its own is the same as another or disjoint, for it shows no count.
func TestScoreBesideProofs(t *testing.T) {
	young, all := ages("0", "99"), func(*ledger.Query) {}
	for name, c := range map[string]struct {
		proof func(*statement.Statement)
		score func(*ledger.Query)
		why   string
	}{
		"the same":            {aged("0", "99"), young, ""},
		"disjoint":            {aged("100", "200"), young, ""},
		"nested":              {aged("0", "50"), young, "hold one another"},
		"nested otherwise":    {aged("0", "200"), young, "hold one another"},
		"crossing":            {aged("50", "200"), young, "overlaps"},
		"all, one beside it":  {aged("0", "99"), all, "is not recorded"},
		"all, with all of it": {func(s *statement.Statement) { s.Fleet, s.Claims, s.Disclose = fleetOf(east), nil, []string{"count"} }, all, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := queriesWorld(t)
			w.eastApproves(c.proof)
			if c.why != "" {
				w.deniedPart(c.why, w.scoring(c.score))
				return
			}
			w.approvedQuery(w.scoring(c.score))
		})
		t.Run(name+", the score first", func(t *testing.T) {
			w := queriesWorld(t)
			s := w.inSession(w.scoring(c.score))
			s.posts(ledger.RoundRequest, lender)
			s.posts(ledger.RoundAnswer, east)
			w.now = w.now.Add(2 * time.Hour)
			id, _ := w.asks(c.proof)
			if c.why == "" || name == "all, one beside it" { // its count is on the ledger
				w.must(east, ledger.FnDecide, approval(id))
				return
			}
			w.refused(ledger.Forbidden, c.why, east, ledger.FnDecide, approval(id))
		})
	}
}

// What was approved and never answered frees its place when it expires, what was answered never.
func TestScorePlace(t *testing.T) {
	w := queriesWorld(t)
	w.inSession(w.scoring(ages("0", "99")))
	w.deniedPart("hold one another", w.scoring(ages("0", "50")))
	w.now = w.now.Add(time.Hour)
	s := w.inSession(w.scoring(ages("0", "50")))
	s.posts(ledger.RoundRequest, lender)
	s.posts(ledger.RoundAnswer, east)
	w.now = w.now.Add(time.Hour)
	w.deniedPart("hold one another", w.scoring(ages("0", "99")))
}

// The whole fleet's size is on the ledger: if it is too small, no score of it is approved.
func TestScoreOfAFleetThatIsTooSmall(t *testing.T) {
	w := queriesWorld(t)
	w.grantsQueries(east, "large", func(t *policy.Terms) { t.MinimumCohort = 51 })
	w.deniedPart("fewer than the 51 batteries", w.scoring(func(q *ledger.Query) { q.MinimumCohort = 51; q.Parts[0].Grant = "large" }))
}

// Sums over several fleets and answers about one of them do not stand in each other's way: no part is shown.
func TestPooledBesideProofs(t *testing.T) {
	w := queriesWorld(t)
	w.eastApproves(aged("0", "50"))
	w.approvedQuery(w.scoring(ages("51", "99")))
	w.answers(w.federated(ages("0", "60")))
}

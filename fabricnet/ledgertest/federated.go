package ledgertest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

func (q *queries) asking(t *testing.T) {
	good := q.federated(nil)
	id, r, err := q.as(q.financier).Ask(q.ctx, good)
	if err != nil {
		t.Fatal(err)
	}
	e := must[ledger.QueryEntry](t)(q.as(q.regulator).QueryEntry(q.ctx, id))
	want := ledger.QueryEntry{
		ID: id, Status: ledger.QueryOpen, Answers: []ledger.QueryAnswer{}, Sessions: []ledger.SessionHead{},
		Record: ledger.QueryRecord{Query: *good, Owners: q.owners, Attributes: e.Record.Attributes, Time: e.Record.Time, TxID: r.TxID},
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Error(diff)
	}
	var c checks
	add := func(name string, code ledger.Code, attempt call) {
		c.add(name, func() error { return q.refused(code, attempt) })
	}
	add("asking again", ledger.Conflict, q.askCall(good))
	for _, org := range q.but(q.financier) {
		attempt := q.askCall(q.federated(nil))
		attempt.by = org
		add(org+" asks in another's name", ledger.Forbidden, attempt)
	}
	add("two owners", ledger.Invalid, q.askCall(q.federated(func(f *ledger.Query) { f.Parts = f.Parts[:2] })))
	add("no such fleet", ledger.NotFound, q.askCall(q.federated(func(f *ledger.Query) { f.Parts[2].Fleet = "z-none-" + q.run })))
	add("no such grant", ledger.NotFound, q.askCall(q.federated(func(f *ledger.Query) { f.Parts[2].Grant = "none" })))
	add("a regulator that is none", ledger.Invalid, q.askCall(q.federated(func(f *ledger.Query) { f.Regulator = q.owners[0] })))
	add("beginning what is not approved", ledger.Conflict, call{by: q.financier, function: ledger.FnBegin, args: ledger.QueryRef{Query: id}})
	add("answering for another", ledger.Forbidden, q.yes(q.owners[1], id, q.owners[0]))
	add("answering nothing", ledger.NotFound, q.yes(q.owners[0], commit.Digest{1}, q.owners[0]))
	c.must(t)
	no := ledger.Answer{Query: id, Fleet: q.fleets[q.owners[0]], Reasons: []string{"not now"}}
	q.mustSubmit(t, call{by: q.owners[0], function: ledger.FnAnswer, args: no})
	checks{{"answering again", func() error { return q.refused(ledger.Conflict, q.yes(q.owners[0], id, q.owners[0])) }}}.must(t)
	q.wantStatus(t, id, ledger.QueryRefused)
}

func (q *queries) yes(by string, id commit.Digest, owner string) call {
	return call{by: by, function: ledger.FnAnswer, args: ledger.Answer{Query: id, Fleet: q.fleets[owner], Approve: true, Reasons: []string{"granted"}}}
}

func (q *queries) wantStatus(t *testing.T, id commit.Digest, want ledger.QueryStatus) {
	t.Helper()
	if e := must[ledger.QueryEntry](t)(q.as(q.regulator).QueryEntry(q.ctx, id)); e.Status != want {
		t.Errorf("query %s is %s, must be %s", id, e.Status, want)
	}
}

// approved asks, and has all owners approve at the same time.
func (q *queries) approved(t *testing.T, f *ledger.Query) commit.Digest {
	t.Helper()
	q.mustSubmit(t, q.askCall(f))
	id := f.ID(q.Genesis.ID())
	var c checks
	for i := range f.Parts {
		owner := q.owners[i]
		c.add(owner+" approves", func() error { return q.done(q.yes(owner, id, owner)) })
	}
	c.must(t)
	return id
}

func (q *queries) begins(t *testing.T, id commit.Digest) commit.Digest {
	t.Helper()
	session, r, err := q.as(q.financier).Begin(q.ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if got := result[ledger.Session](t, r); got.ID() != session || got.Query != id {
		t.Errorf("session %s is %+v", session, got)
	}
	return session
}

// entry is what a party posts in a round.
func (q *queries) entry(t *testing.T, session commit.Digest, round ledger.Round, party string) call {
	t.Helper()
	p := ledger.Post{Session: session, Round: round, Digest: digestOf([]byte(string(round) + party))}
	switch round {
	case ledger.RoundClose:
		p.Digest = commit.Digest{}
	case ledger.RoundAbort:
		p.Digest, p.Detail = commit.Digest{}, []byte("enough")
	case ledger.RoundActivate:
		p.Detail = []byte{1, 3}
	case ledger.RoundInput:
		p.Detail = ledger.Encode(must[ledger.AnchorReference](t)(q.as(party).AnchorReference(q.ctx, ledger.EpochRef{Fleet: q.fleets[party], Epoch: q.over})))
	}
	return call{by: party, function: ledger.FnPost, args: p}
}

// posts has parties post in a round at the same time.
func (q *queries) posts(t *testing.T, session commit.Digest, round ledger.Round, parties ...string) {
	t.Helper()
	var c checks
	for _, party := range parties {
		attempt := q.entry(t, session, round, party)
		c.add(fmt.Sprintf("%s of %s", round, party), func() error { return q.done(attempt) })
	}
	c.must(t)
}

// odd is a query about a part of what the others are about.
func (q *queries) odd() *ledger.Query {
	return q.federated(func(f *ledger.Query) { f.Cohort = []statement.Range{{Lane: "state_of_health", Min: "80.00"}} })
}

// federates takes a query to its result, though another that must not be answered beside it began before.
func (q *queries) federates(t *testing.T) {
	stalled := q.begins(t, q.approved(t, q.odd()))
	defer q.posts(t, stalled, ledger.RoundAbort, q.financier)
	id := q.approved(t, q.federated(nil))
	q.wantStatus(t, id, ledger.QueryApproved)
	session := q.begins(t, id)
	members := append(slices.Clone(q.owners), q.regulator, q.financier)
	notYet := func(code ledger.Code, round ledger.Round, party string) {
		t.Helper()
		if err := q.refused(code, q.entry(t, session, round, party)); err != nil {
			t.Error(err)
		}
	}
	q.posts(t, session, ledger.RoundKey, members[1:]...)
	notYet(ledger.Conflict, ledger.RoundReady, members[1])
	q.posts(t, session, ledger.RoundKey, members[0])
	q.posts(t, session, ledger.RoundReady, members...)
	notYet(ledger.Conflict, ledger.RoundClose, q.financier)
	wrong := q.entry(t, session, ledger.RoundInput, q.owners[0])
	wrong.args = ledger.Post{Session: session, Round: ledger.RoundInput, Digest: commit.Digest{1}, Detail: ledger.Encode(ledger.AnchorReference{Epoch: q.over, Chunks: 1})}
	checks{{"an input of other anchors", func() error { return q.refused(ledger.Invalid, wrong) }}}.must(t)
	q.posts(t, session, ledger.RoundInput, q.owners...)
	q.posts(t, session, ledger.RoundClose, q.financier)
	q.posts(t, session, ledger.RoundActivate, q.financier)
	notYet(ledger.Forbidden, ledger.RoundShare, q.owners[1])
	notYet(ledger.Conflict, ledger.RoundResult, q.financier)
	q.wantStatus(t, id, ledger.QueryRunning)
	q.posts(t, session, ledger.RoundShare, q.owners[0], q.owners[2], q.regulator)
	q.wantStatus(t, id, ledger.QueryAnswered)
	q.posts(t, session, ledger.RoundResult, q.financier)
	notYet(ledger.Conflict, ledger.RoundAbort, q.owners[0])
	s := must[ledger.SessionState](t)(q.as(q.owners[1]).SessionState(q.ctx, session))
	var rounds []ledger.Round
	for _, e := range s.Entries {
		rounds = append(rounds, e.Round)
		if height, err := q.as(q.owners[1]).Locate(q.ctx, e.TxID); err != nil || height == 0 {
			t.Errorf("entry %+v is in block %d: %v", e, height, err)
		}
	}
	if s.Status != ledger.SessionAnswered || len(s.Entries) != 2*len(members)+3+2+3+1 || !slices.Equal(slices.Compact(rounds), ledger.RoundsOf(ledger.QueryFederated)[:7]) {
		t.Errorf("the session is %+v", s)
	}
}

// postsAtOnce has a party say two things at the same time, of which one is recorded, and one thing twice, which is recorded once.
func (q *queries) postsAtOnce(t *testing.T) {
	session := q.begins(t, q.approved(t, q.federated(nil)))
	for i, party := range q.owners[:2] {
		var errs [2]error
		var entries [2]*ledger.SessionEntry
		var wait sync.WaitGroup
		for j := range errs {
			p := ledger.Post{Session: session, Round: ledger.RoundKey, Digest: commit.Digest{1, byte(i * j)}} // the first party says the same
			wait.Go(func() { entries[j], errs[j] = q.as(party).Post(q.ctx, p) })
		}
		wait.Wait()
		switch same := i == 0; {
		case same && (errs[0] != nil || errs[1] != nil || cmp.Diff(entries[0], entries[1]) != ""):
			t.Errorf("the same twice at once: %v and %v, %v and %v", entries[0], entries[1], errs[0], errs[1])
		case !same && (errs[0] == nil) == (errs[1] == nil):
			t.Errorf("two things at once: %v and %v", errs[0], errs[1])
		case !same && ledger.CodeOf(errs[0]) != ledger.AlreadyRecorded && ledger.CodeOf(errs[1]) != ledger.AlreadyRecorded:
			t.Errorf("of two things at once: %v and %v", errs[0], errs[1])
		}
	}
	q.posts(t, session, ledger.RoundAbort, q.regulator)
}

// lastAnswer approves two queries at the same time under a grant that is for one.
func (q *queries) lastAnswer(t *testing.T) {
	owner := q.owners[0]
	q.mustSubmit(t, q.grantCall(owner, q.queryTerms("once-"+q.run, owner, func(t *policy.Terms) { t.Answers = 1 })))
	var errs [2]error
	var wait sync.WaitGroup
	for i := range errs {
		f := q.federated(func(f *ledger.Query) { f.Parts[0].Grant = "once-" + q.run })
		q.mustSubmit(t, q.askCall(f))
		attempt := q.yes(owner, f.ID(q.Genesis.ID()), owner)
		wait.Go(func() { _, errs[i] = q.submit(attempt) })
	}
	wait.Wait()
	if errs[0] != nil {
		errs[0], errs[1] = errs[1], errs[0]
	}
	if errs[0] != nil || ledger.CodeOf(errs[1]) != ledger.Forbidden {
		t.Errorf("two answers for the last of a grant: %v and %v", errs[0], errs[1])
	}
	if e := must[ledger.GrantEntry](t)(q.as(owner).GrantEntry(q.ctx, owner, "once-"+q.run)); e.Spent.Answers != 1 || e.Status != ledger.GrantUsedUp {
		t.Errorf("the grant is %+v", e)
	}
}

// besideOneAnother asks what was not to be answered beside the query that was.
func (q *queries) besideOneAnother(t *testing.T) {
	f := q.odd()
	q.mustSubmit(t, q.askCall(f))
	id := f.ID(q.Genesis.ID())
	checks{{"a part of a cohort", func() error { return q.refused(ledger.Forbidden, q.yes(q.owners[1], id, q.owners[1])) }}}.must(t)
	if a := must[ledger.Assessment](t)(q.as(q.financier).AssessQuery(q.ctx, id, q.fleets[q.owners[1]])); a.Allowed || a.Wait || len(a.Reasons) != 1 {
		t.Errorf("the assessment is %+v", a)
	}
}

func (q *queries) scores(t *testing.T) {
	id := q.approved(t, q.score())
	session := q.begins(t, id)
	if err := q.refused(ledger.Conflict, q.entry(t, session, ledger.RoundAnswer, q.owners[0])); err != nil {
		t.Error(err)
	}
	q.posts(t, session, ledger.RoundRequest, q.financier)
	q.posts(t, session, ledger.RoundAnswer, q.owners[0])
	q.posts(t, session, ledger.RoundResult, q.financier)
	q.wantStatus(t, id, ledger.QueryAnswered)
	if err := q.refused(ledger.Conflict, call{by: q.financier, function: ledger.FnBegin, args: ledger.QueryRef{Query: id}}); err != nil {
		t.Error(err)
	}
}

// told lists queries in several ways, and looks at events.
func (q *queries) told(t *testing.T) {
	all := must[[]ledger.QueryEntry](t)(q.as(q.owners[0]).Queries(q.ctx, ledger.QueriesQuery{Fleet: q.fleets[q.owners[0]], Limit: 2}))
	for status, want := range map[ledger.QueryStatus]int{ledger.QueryAnswered: 2, ledger.QueryRefused: 1, ledger.QueryApproved: 2, ledger.QueryOpen: 3} {
		if got := must[[]ledger.QueryEntry](t)(q.as(q.regulator).Queries(q.ctx, ledger.QueriesQuery{Fleet: q.fleets[q.owners[0]], Requester: q.financier, Status: status})); len(got) != want {
			t.Errorf("%d of %d queries are %s, must be %d", len(got), len(all), status, want)
		}
	}
	names := map[string]int{}
	for _, e := range q.events(t, q.owners[1], q.log.start+1, q.log.latest()) {
		switch e.Name {
		case ledger.EventQueryAsked, ledger.EventQueryAnswered, ledger.EventSessionBegun, ledger.EventPosted:
			names[e.Name]++
			if e.Payload.Query == nil || e.Payload.Requester != q.financier || (e.Payload.Session == nil) != (e.Name == ledger.EventQueryAsked || e.Name == ledger.EventQueryAnswered) {
				t.Errorf("an event is %+v", e)
			}
		}
	}
	if len(names) != 4 || names[ledger.EventSessionBegun] != 4 {
		t.Errorf("events are %v", names)
	}
}

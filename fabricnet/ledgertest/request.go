package ledgertest

import (
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// question is a request with its statement.
type question struct {
	id        commit.Digest
	statement *statement.Statement
	requester string
}

// asked are the requests of a run: all but `settled` are about the fleet that can still anchor.
type asked struct {
	// open stays undecided, brief expires so, approved is approved, refused refused, withdrawn withdrawn.
	open, brief, approved, refused, withdrawn question
	// settled is approved too.
	settled question
}

func (s *suite) statement(requester, fleet string, epoch uint64, expiry time.Time) *statement.Statement {
	q := contracttest.Statement(fleet, epoch, 0, expiry.UTC().Truncate(time.Second))
	nonce := make([]byte, statement.NonceBytes)
	rand.Read(nonce) //nolint:errcheck // never fails
	q.Requester, q.Grant, q.Nonce = requester, s.grantOf(requester), hex.EncodeToString(nonce)
	return q
}

// takesRequests asks about the epoch that is over.
func (s *suite) takesRequests(t *testing.T) {
	later := s.Genesis.EpochEnd(s.over + 100)
	s.requestRefusals(t, s.statement(s.financier, s.fleet, s.over, later)).must(t)
	soon := s.Genesis.EpochEnd(s.over + 1)
	if least := s.Now().Add(s.Genesis.ClockSkew() + time.Second); soon.Before(least) {
		soon = least
	}
	var c checks
	for q, about := range map[*question]struct {
		requester, fleet string
		expiry           time.Time
	}{
		&s.asked.open:      {s.regulator, s.fleet, later},
		&s.asked.brief:     {s.financier, s.fleet, soon},
		&s.asked.approved:  {s.financier, s.fleet, later},
		&s.asked.refused:   {s.financier, s.fleet, later},
		&s.asked.withdrawn: {s.financier, s.fleet, later},
		&s.asked.settled:   {s.regulator, s.closed, later},
	} {
		c.add("asking about "+about.fleet, func() error {
			*q = question{statement: s.statement(about.requester, about.fleet, s.over, about.expiry), requester: about.requester}
			var err error
			q.id, _, err = s.as(about.requester).Request(s.ctx, q.statement)
			return err
		})
	}
	c.must(t)
	s.noncesAreUsedOnce(t)
	s.showsRequest(t, s.asked.open, ledger.StatusOpen)
}

func (s *suite) noncesAreUsedOnce(t *testing.T) {
	otherwise, anothers := *s.asked.open.statement, *s.asked.open.statement
	otherwise.Purpose, anothers.Requester, anothers.Grant = "another loan", s.financier, s.grantOf(s.financier)
	var c checks
	c.add("asking again", func() error { return s.refused(ledger.Conflict, s.ask(s.regulator, s.asked.open.statement)) })
	c.add("a nonce again", func() error { return s.refused(ledger.Conflict, s.ask(s.regulator, &otherwise)) })
	c.add("another's nonce", func() error { return s.done(s.ask(s.financier, &anothers)) })
	c.must(t)
}

func (s *suite) ask(by string, q *statement.Statement) call {
	return call{by: by, function: ledger.FnRequest, args: ledger.Ask{Statement: q.Canonical()}}
}

func (s *suite) requestRefusals(_ *testing.T, good *statement.Statement) (c checks) {
	add := func(name string, code ledger.Code, by string, change func(*statement.Statement)) {
		q := *good
		change(&q)
		c.add(name, func() error { return s.refused(code, s.ask(by, &q)) })
	}
	for _, org := range s.all {
		if !s.Genesis.HasRole(org, ledger.RoleFinancier) && !s.Genesis.HasRole(org, ledger.RoleRegulator) {
			add("neither a financier nor a regulator", ledger.Forbidden, org, func(q *statement.Statement) { q.Requester = org })
		}
		if org != s.financier {
			add("in another's name", ledger.Forbidden, org, func(*statement.Statement) {})
		}
	}
	add("no purpose", ledger.Invalid, s.financier, func(q *statement.Statement) { q.Purpose = "" })
	add("no such fleet", ledger.NotFound, s.financier, func(q *statement.Statement) { q.Fleet = "none-" + s.run })
	add("fleet with a separator", ledger.Invalid, s.financier, func(q *statement.Statement) { q.Fleet += "/" })
	add("another schema", ledger.Invalid, s.financier, func(q *statement.Statement) { q.Schema = "charger/v1" })
	add("an epoch to come", ledger.Invalid, s.financier, func(q *statement.Statement) { q.Epoch = 1 << 62 })
	add("expired", ledger.Expired, s.financier, func(q *statement.Statement) { q.Expiry = s.Now().UTC().Truncate(time.Second) })
	for name, b := range map[string][]byte{"nothing": nil, "not canonical": append(good.Canonical(), '\n'), "garbage": []byte("statement")} {
		c.add("statement: "+name, func() error {
			return s.refused(ledger.Invalid, call{by: s.financier, function: ledger.FnRequest, args: ledger.Ask{Statement: b}})
		})
	}
	return c
}

// showsRequest compares a request's entry with what was asked.
func (s *suite) showsRequest(t *testing.T, q question, status ledger.Status) ledger.RequestEntry {
	t.Helper()
	e := must[ledger.RequestEntry](t)(s.as(s.owner).RequestEntry(s.ctx, q.id))
	want := ledger.Request{
		Statement: q.statement.Canonical(), Requester: q.requester, Owner: s.owner, Fleet: q.statement.Fleet, Epoch: q.statement.Epoch,
		Expiry: q.statement.Expiry.Unix(), Attributes: e.Request.Attributes, Time: e.Request.Time, TxID: e.Request.TxID,
	}
	if diff := cmp.Diff(want, e.Request); diff != "" || e.ID != q.id || e.Status != status {
		t.Errorf("request %s is %s, must be %s: %s", e.ID, e.Status, status, diff)
	}
	return e
}

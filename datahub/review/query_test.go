package review

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Whatever an honest ledger comes to, it gives no reason for an alert.
func TestHonestQueriesAreAgreedWith(t *testing.T) {
	w := newQueriesWorld(t)
	w.answered(w.federated(cycles("0", "4000")))
	w.answered(w.federated(cycles("0", "4000")))
	w.answered(w.federated(cycles("4001", "9000")))
	w.scored(w.score(nil))
	w.scored(w.score(nil))
	w.begun(w.approved(w.score(nil)))
	second := w.approved(w.federated(cycles("0", "4000")))
	for range 2 {
		s := w.begun(second)
		w.posts(s, ledger.RoundKey, contracttest.Lender)
		w.posts(s, ledger.RoundAbort, poolOwners[1])
		w.posts(s, ledger.RoundAbort, poolOwners[1]) // says it again
	}
	members := append([]string{contracttest.Lender, contracttest.Regulator}, poolOwners...)
	third := w.begun(second)
	w.posts(third, ledger.RoundKey, members...)
	w.posts(third, ledger.RoundReady, members...)
	_, err := w.Book(poolOwners[0]).Post(t.Context(), ledger.Post{Session: third, Round: ledger.RoundInput})
	w.ok(err)
	w.posts(third, ledger.RoundInput, poolOwners[1])
	w.posts(third, ledger.RoundAbort, contracttest.Lender)
	w.did(w.Book(poolOwners[2]).Revoke(t.Context(), ledger.Revoke{Grant: contracttest.GrantID, Reason: "over"}))
	w.Pass(2 * time.Hour)

	seen := prometheus.NewRegistry()
	r := reviewer(w.World, contracttest.Regulator, w.Book(contracttest.Regulator).Client, filepath.Join(t.TempDir(), "cursor"), func(o *Options) { o.Metrics = seen })
	run(w.World, r)
	if got := alerts(w.World); len(got) != 0 {
		t.Errorf("alerts: %+v", got)
	}
	gathered, err := seen.Gather()
	w.ok(err)
	agreed := 0.0
	for _, family := range gathered {
		if family.GetName() == "assay_review_queries_total" {
			agreed += family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	if agreed < 20 {
		t.Errorf("%v reviews of queries agreed", agreed)
	}
}

// changing changes what a ledger says of one subject as text, everywhere.
func changing(from, to string) func(args, result []byte) ([]byte, error) {
	return func(_, result []byte) ([]byte, error) {
		return bytes.ReplaceAll(result, []byte(from), []byte(to)), nil
	}
}

// A regulator's node that is shown a query, or a session, as it was not recorded raises an alert about the query, and keeps what it was shown.
func TestForgedQueriesRaiseAnAlert(t *testing.T) {
	w := newQueriesWorld(t)
	id, session := w.answered(w.federated(cycles("0", "4000")))
	other, _ := w.answered(w.federated(cycles("4001", "9000")))
	book := w.Book(contracttest.Regulator)
	s, err := book.SessionState(t.Context(), session)
	w.ok(err)
	entry := func(party string, round ledger.Round) string { return string(ledger.Encode(*s.Entry(party, round))) }
	without := func(party string, round ledger.Round) func(args, result []byte) ([]byte, error) {
		return changing(entry(party, round)+",", "")
	}
	edited := func(party string, round ledger.Round, from, to string) func(args, result []byte) ([]byte, error) {
		text := entry(party, round)
		return changing(text, strings.Replace(text, from, to, 1))
	}
	type forgery = map[string]func(args, result []byte) ([]byte, error)
	for name, test := range map[string]struct {
		forger
		text string
	}{
		"another query":            {forger{query: forgery{ledger.QueryQuery: changing(`"minimum_cohort":10,"regulator"`, `"minimum_cohort":11,"regulator"`)}}, "its digest is"},
		"another owner":            {forger{query: forgery{ledger.QueryQuery: changing(`"owners":["operator"`, `"owners":["lender"`)}}, "one has two places"},
		"another cost":             {forger{query: forgery{ledger.QueryQuery: changing(`"cost":"2"`, `"cost":"1"`)}}, "the grant's price is 2"},
		"a person's approval":      {forger{query: forgery{ledger.QueryQuery: changing(`"automatic":true,`, ``)}}, "other arguments"},
		"another settled epoch":    {forger{query: forgery{ledger.QueryQuery: changing(`"attested":12`, `"attested":13`)}}, "another state of epoch"},
		"an approval less":         {forger{query: forgery{ledger.QueryQuery: changing(`"approved":true`, `"approved":false`)}}, "not approved when it began"},
		"not activated":            {forger{query: forgery{ledger.QueryQuery: changing(`"activated":{`, `"activatee":{`)}}, "cannot be read"},
		"other fleets in the sum":  {forger{query: forgery{ledger.QueryQuery: changing(`"fleets":["pool-operator",`, `"fleets":[`)}}, "sessions say otherwise"},
		"a grant with other terms": {forger{query: forgery{ledger.QueryGrant: changing(`"budget":"1000000"`, `"budget":"1"`)}}, "grant of"},
		"no grant": {forger{query: forgery{ledger.QueryGrant: func([]byte, []byte) ([]byte, error) { return nil, ledger.Refuse(ledger.NotFound, "none") }}},
			"is not there"},
		"a revoked grant": {forger{query: forgery{ledger.QueryGrant: changing(`"status":"active"`, `"status":"revoked","revocation":{"reason":"x","time":1,"tx_id":"`+s.Session.TxID+`"}`)}},
			"revo"},
		"another policy": {forger{query: forgery{ledger.QueryPolicy: changing(`"version":1`, `"version":2`)}}, "policy of"},
		"a policy that forbids": {forger{query: forgery{ledger.QueryPolicy: func(_, result []byte) ([]byte, error) {
			p, err := ledger.Decode[ledger.PolicyRecord](ledger.QueryPolicy, result, ledger.MaxRecord)
			if err != nil {
				return nil, err
			}
			p.Text = []byte("@id(\"no\") forbid (principal, action, resource);")
			return ledger.Encode(p), nil
		}}}, "is not there"},
		"an entry less":         {forger{query: forgery{ledger.QuerySession: without(contracttest.Regulator, ledger.RoundReady)}}, "phase"},
		"a key less":            {forger{query: forgery{ledger.QuerySession: without(poolOwners[1], ledger.RoundKey)}}, "phase"},
		"no close":              {forger{query: forgery{ledger.QuerySession: without(contracttest.Lender, ledger.RoundClose)}}, "phase"},
		"an input less":         {forger{query: forgery{ledger.QuerySession: without(poolOwners[2], ledger.RoundInput)}}, "inputs: 2"},
		"another digest":        {forger{query: forgery{ledger.QuerySession: edited(poolOwners[0], ledger.RoundInput, `"digest":"01`, `"digest":"02`)}}, "input of operator: transaction"},
		"another party's":       {forger{query: forgery{ledger.QuerySession: edited(poolOwners[0], ledger.RoundShare, `"party":"operator"`, `"party":"third"`)}}, "open"},
		"another time":          {forger{query: forgery{ledger.QuerySession: edited(poolOwners[0], ledger.RoundKey, `"time":`, `"time":1`)}}, "expires"},
		"another transaction's": {forger{query: forgery{ledger.QuerySession: edited(poolOwners[0], ledger.RoundKey, `"tx_id":"`, `"tx_id":"x`)}}, "no block holds"},
		"another threshold":     {forger{query: forgery{ledger.QuerySession: changing(`"threshold":2`, `"threshold":1`)}}, "not the one that the query names"},
		"a sum beside it":       {forger{query: forgery{ledger.QueryQueries: changing(`"max":"4000"`, `"max":"4002"`)}}, "difference: the cohort overlaps that of query " + id.String()},
		"no query":              {forger{query: forgery{ledger.QueryQuery: changing(`{`, `[`)}}, "cannot be read"},
		"another's block": {forger{block: func(uint64, []byte) []byte {
			b, err := book.Block(t.Context(), 1)
			if err != nil {
				t.Error(err)
			}
			return b
		}}, "blocks"},
		"a block without endorsements that count": {forger{block: func(_ uint64, b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(contracttest.Regulator), []byte("legislato"))
		}}, "blocks"},
	} {
		t.Run(name, func(t *testing.T) {
			w.Pass(time.Second)
			before := alerts(w.World)
			test.Client = book.Client
			dir := t.TempDir()
			run(w.World, reviewer(w.World, contracttest.Regulator, &test.forger, filepath.Join(dir, "cursor"), nil))
			raised := alerts(w.World)[len(before):]
			if !strings.Contains(joined(raised), test.text) {
				t.Errorf("alerts say nothing of %q: %s", test.text, joined(raised))
			}
			for _, a := range raised {
				if a.Query != id && a.Query != other || !a.Request.IsZero() {
					t.Errorf("an alert is %+v", a)
				}
			}
			dossiers(t, w, dir, raised)
			if name != "another cost" { // one is enough
				return
			}
			again := len(alerts(w.World))
			if run(w.World, reviewer(w.World, contracttest.Regulator, &test.forger, filepath.Join(dir, "another"), nil)); len(alerts(w.World)) != again {
				t.Error("alerts are raised again after a restart without a position")
			}
		})
	}
}

// dossiers wants what was looked at behind every alert to be kept and signed, but where there was nothing.
func dossiers(t *testing.T, w *queriesWorld, dir string, raised []ledger.AlertRecord) {
	t.Helper()
	genesis := w.Genesis()
	regulator, _ := genesis.Organisation(contracttest.Regulator)
	key, err := regulator.PublicKey()
	w.ok(err)
	kept := map[commit.Digest]bool{}
	paths, err := filepath.Glob(filepath.Join(dir, "kept", "*.query.json"))
	w.ok(err)
	for _, path := range paths {
		b, err := os.ReadFile(path)
		w.ok(err)
		var d Dossier
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatal(err)
		}
		message, err := d.SigningBytes()
		if err != nil || !ed25519.Verify(key, message, d.Signature) || len(d.Faults) == 0 || d.Version != DossierVersion {
			t.Errorf("%s is not signed, or says nothing: %v, %v", filepath.Base(path), d.Faults, err)
		}
		kept[sha256.Sum256(b)] = true
	}
	for _, a := range raised {
		if !kept[a.Digest] && a.Digest != commit.Digest(sha256.Sum256([]byte(a.Text))) {
			t.Errorf("what the alert %q is about is not kept", a.Text)
		}
	}
}

// A score, and a proof, that differ by few batteries from another are found even if the contract let them pass.
func TestForgedScoresRaiseAnAlert(t *testing.T) {
	w := newQueriesWorld(t)
	id, _ := w.scored(w.score(cycles("0", "4000")))
	other, _ := w.scored(w.score(cycles("4001", "9000")))
	f := &forger{Client: w.Book(contracttest.Regulator).Client, query: map[string]func(args, result []byte) ([]byte, error){
		ledger.QueryQueries: changing(`"max":"4000"`, `"max":"4002"`),
	}}
	run(w.World, reviewer(w.World, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), nil))
	got := alerts(w.World)
	if len(got) == 0 || got[0].Query != other || !strings.Contains(got[0].Text, "difference: the cohort overlaps that of request "+id.String()) {
		t.Errorf("alerts: %+v", got)
	}
	w.Pass(time.Second)
	for name, test := range map[string]struct{ from, to, text string }{
		"an answer out of turn":  {`"round":"request"`, `"round":"result"`, "out of turn"},
		"an answer by the other": {`"party":"operator"`, `"party":"lender"`, "out of turn"},
	} {
		t.Run(name, func(t *testing.T) {
			w.Pass(time.Second)
			before := len(alerts(w.World))
			f := &forger{Client: w.Book(contracttest.Regulator).Client, query: map[string]func(args, result []byte) ([]byte, error){ledger.QuerySession: changing(test.from, test.to)}}
			run(w.World, reviewer(w.World, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), nil))
			if raised := alerts(w.World)[before:]; !strings.Contains(joined(raised), test.text) {
				t.Errorf("alerts: %+v", raised)
			}
		})
	}
}

// moving is a ledger on which something is recorded while a query is read.
type moving struct {
	ledger.Client
	meanwhile func()
}

func (m *moving) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	if function == ledger.QuerySession && m.meanwhile != nil {
		b, err := m.Client.Evaluate(ctx, function, args)
		m.meanwhile()
		return b, err
	}
	return m.Client.Evaluate(ctx, function, args)
}

// What is recorded between one reading and the next does not make them disagree.
func TestQueryThatMovesIsReadAgain(t *testing.T) {
	w := newQueriesWorld(t)
	id := w.approved(w.score(nil))
	session := w.begun(id)
	w.posts(session, ledger.RoundRequest, contracttest.Lender)
	m := &moving{Client: w.Book(contracttest.Regulator).Client}
	m.meanwhile = func() {
		m.meanwhile = nil
		w.posts(session, ledger.RoundAnswer, poolOwners[0])
	}
	r := reviewer(w.World, contracttest.Regulator, m, filepath.Join(t.TempDir(), "cursor"), nil)
	f, err := r.ReviewQuery(t.Context(), id)
	if err != nil || len(f.Faults) != 0 || f.Dossier.Query.Activated == nil {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := r.ReviewQuery(t.Context(), commit.Digest{1}); err != nil || f.Dossier != nil || len(f.Faults) != 1 {
		t.Errorf("of no query: %+v, %v", f, err)
	}
}

// An event of a query tells what the query then does not show.
func TestForgedQueryEvents(t *testing.T) {
	w := newQueriesWorld(t)
	id := w.approved(w.federated(nil))
	w.begun(id)
	for name, test := range map[string]struct {
		forge func(*ledger.Event)
		text  string
	}{
		"an approval": {func(e *ledger.Event) {
			if e.Name == ledger.EventQueryAnswered {
				e.TxID = strings.Repeat("ab", 32)
			}
		}, "tells of an approval"},
		"a session": {func(e *ledger.Event) {
			if e.Name == ledger.EventSessionBegun {
				e.TxID = strings.Repeat("ab", 32)
			}
		}, "tells of a session"},
		"an entry": {func(e *ledger.Event) {
			if e.Name == ledger.EventSessionBegun {
				e.Name, e.Payload.Round = ledger.EventPosted, ledger.RoundActivate
			}
		}, "tells of an entry"},
	} {
		t.Run(name, func(t *testing.T) {
			w.Pass(time.Second)
			before := len(alerts(w.World))
			f := &forger{Client: w.Book(contracttest.Regulator).Client, event: func(e ledger.Event) ledger.Event { test.forge(&e); return e }}
			run(w.World, reviewer(w.World, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), nil))
			if raised := alerts(w.World)[before:]; !strings.Contains(joined(raised), test.text) || raised[0].Query != id {
				t.Errorf("alerts: %+v", raised)
			}
		})
	}
}

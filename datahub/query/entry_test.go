package query_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

const begun = 1_700_000_000

func aFederated() *ledger.Query {
	return &ledger.Query{
		Version: ledger.QueryVersion, Kind: ledger.QueryFederated, Requester: "bank", Schema: "battery/v1", Epoch: 7,
		Parts:  []ledger.QueryPart{{Fleet: "fleet-a", Grant: "g"}, {Fleet: "fleet-b", Grant: "g"}, {Fleet: "fleet-c", Grant: "h"}},
		Cohort: []statement.Range{{Lane: "state_of_health", Min: "70.00"}}, Subject: "state_of_health", Edges: []string{"75.00", "80.00"},
		Totals:  []string{policy.TotalCount, policy.TotalSum, policy.TotalSquares, policy.TotalHistogram},
		Purpose: "a loan", MinimumCohort: 10, Regulator: "regulator", Threshold: 2, InputSeconds: 600,
		Parameters: collective.Standard().ID(), Nonce: strings.Repeat("0", 32), Expiry: begun + 86_400,
	}
}

func aScore() *ledger.Query {
	return &ledger.Query{
		Version: ledger.QueryVersion, Kind: ledger.QueryScore, Requester: "bank", Schema: "battery/v1", Epoch: 7, Parts: []ledger.QueryPart{{Fleet: "fleet-a", Grant: "g"}},
		Features: []ledger.Feature{{Lane: "state_of_health", Lo: "50.00", Hi: "100.00"}, {Lane: "peak_temperature", Lo: "-10.0", Hi: "60.0"}}, Degree: 3, Spread: true,
		Purpose: "a loan", MinimumCohort: 10, Parameters: score.Parameters, Nonce: strings.Repeat("0", 32), Expiry: begun + 86_400,
	}
}

func ofValue(q *ledger.Query) {
	q.Subject, q.Edges = "value", []string{"10.5", "100"}
	q.Valuation = &statement.Valuation{Price: "1250.00", Currency: "EUR", Curves: []statement.Curve{
		{Lane: "state_of_health", Knots: []statement.Knot{{At: "60.00", Factor: "0.1"}, {At: "100.00", Factor: "1"}}},
		{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "1"}, {At: "3650", Factor: "0.333333"}}},
	}}
}

// ownerOf names owners against the order of their fleets, so that nobody takes the one for the other.
func ownerOf(fleet int) string { return fmt.Sprintf("owner-%02d", 20-fleet) }

// approved is a query of which all parts are approved, with so many enrolled in each fleet.
func approved(q *ledger.Query, enrolled ...uint64) *ledger.QueryEntry {
	e := &ledger.QueryEntry{ID: q.ID(commit.Digest{1}), Status: ledger.QueryApproved, Record: ledger.QueryRecord{Query: *q, Time: begun - 60, TxID: "asked"}}
	for i, p := range q.Parts {
		n := uint64(60)
		if i < len(enrolled) {
			n = enrolled[i]
		}
		e.Record.Owners = append(e.Record.Owners, ownerOf(i))
		e.Answers = append(e.Answers, ledger.QueryAnswer{Fleet: p.Fleet, Decision: ledger.Decision{Approved: true}, Settled: &ledger.SettledEpoch{
			Anchors: ledger.AnchorReference{Epoch: q.Epoch, Chunks: 1}, Attested: n, Enrolled: n,
		}})
	}
	return e
}

// session is what the contract begins.
func session(e *ledger.QueryEntry) *ledger.Session {
	q := &e.Record.Query
	s := &ledger.Session{Query: e.ID, Kind: q.Kind, Receiver: q.Requester, Parameters: q.Parameters, Expires: q.Expiry, Time: begun, TxID: "begun"}
	for i := len(q.Parts) - 1; i >= 0; i-- {
		s.Seats = append(s.Seats, ledger.Seat{Owner: e.Record.Owners[i], Fleet: q.Parts[i].Fleet})
	}
	if q.Kind == ledger.QueryFederated {
		s.Regulator, s.Threshold, s.Minimum, s.InputsUntil = q.Regulator, q.Threshold, q.MinimumInputs(), begun+q.InputSeconds
	}
	return s
}

// copied shares nothing with the original.
func copied[T any](t testing.TB, v *T) *T {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out := new(T)
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// chunked gives records in chunks of some size.
func chunked(records []record.Record, size int) iter.Seq2[[]record.Record, error] {
	return func(yield func([]record.Record, error) bool) {
		for chunk := range slices.Chunk(records, size) {
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

func wants(t testing.TB, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want one with %q", err, text)
	}
}

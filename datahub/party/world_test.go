package party_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// world is for tests that play whole sessions.
func world(t *testing.T) *partytest.World {
	t.Helper()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	return partytest.New(t)
}

// answered waits for a result at the requester's node.
func answered(w *partytest.World, id commit.Digest) *query.Answer {
	w.T.Helper()
	var a *query.Answer
	w.Until("a result of query "+id.String(), func() bool {
		n := w.Node(partytest.Lender)
		if n == nil {
			return false
		}
		var err error
		a, err = n.Result(context.Background(), id)
		if err != nil && !errors.Is(err, party.ErrNoResult) {
			w.T.Fatal(err)
		}
		return err == nil
	})
	return a
}

// wantTruth compares count and sum of the state of health with those of some owners' records.
func wantTruth(w *partytest.World, a *query.Answer, owners ...string) {
	w.T.Helper()
	count, sum := 0, new(big.Int)
	for _, o := range owners {
		for _, r := range w.Records(o) {
			if r[record.Presence] == 1 {
				count++
				sum.Add(sum, big.NewInt(int64(r[1])))
			}
		}
	}
	want := map[query.FigureKind]string{query.FigureCount: fmt.Sprint(count), query.FigureSum: fmt.Sprintf("%s.%02d", new(big.Int).Div(sum, big.NewInt(100)), new(big.Int).Mod(sum, big.NewInt(100)))}
	if !slices.Equal(a.Owners, owners) {
		w.T.Errorf("the answer is of %v, want %v", a.Owners, owners)
	}
	for _, f := range a.Figures {
		if v, ok := want[f.Kind]; ok && v != f.Value {
			w.T.Errorf("%s is %s, want %s", f.Kind, f.Value, v)
		}
		delete(want, f.Kind)
	}
	if len(want) > 0 {
		w.T.Errorf("without %v: %s", want, a.Text())
	}
}

func wantStatus(w *partytest.World, id commit.Digest, want ledger.QueryStatus) {
	w.T.Helper()
	w.Until(fmt.Sprintf("query to be %s", want), func() bool { return w.Entry(id).Status == want })
}

// recorded says whether a session of the query has an entry.
func recorded(w *partytest.World, id commit.Digest, n int, party string, round ledger.Round) func() bool {
	return func() bool {
		if len(w.Entry(id).Sessions) <= n {
			return false
		}
		s := w.Session(id, n)
		return s.Entry(party, round) != nil
	}
}

// noised asks for noise.
func noised(q *ledger.Query) { q.Epsilon = "0.5" }

// totals asks for all kinds of totals.
func totals(q *ledger.Query) {
	q.Totals, q.Edges = []string{policy.TotalCount, policy.TotalSum, policy.TotalSquares, policy.TotalHistogram}, []string{"94.50", "94.80"}
}

package mpc_test

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// must fails the test at an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// question is a sum and a histogram of 16 bands over one lane.
func question(population uint64) *federated.Query {
	bands := federated.Figure{Kind: federated.Histogram, Of: "state_of_health"}
	for edge := range uint64(15) {
		bands.Edges = append(bands.Edges, 2500+500*edge)
	}
	return &federated.Query{
		Version: federated.Version, Epoch: 7, Schema: "battery/v1", Population: population, Minimum: 100,
		Lanes:   []federated.Lane{federated.Presence, {Name: "state_of_health", Max: 10_000}, {Name: "age_days", Max: 36_525}},
		Cohort:  federated.Cohort{Lo: []uint32{0, 0, 365}, Hi: []uint32{0, 10_000, 36_525}},
		Figures: []federated.Figure{{Kind: federated.Sum, Of: "state_of_health"}, bands},
	}
}

// fleet is one owner's records, in memory.
type fleet []uint32

func newFleet(seed uint64, batteries int) fleet {
	r, f := rand.New(rand.NewPCG(seed, 3)), make(fleet, 0, 3*batteries)
	for range batteries {
		f = append(f, 1, 4_000+r.Uint32N(6_001), r.Uint32N(3_650))
	}
	return f
}

func (f fleet) records(yield func(federated.Record, error) bool) {
	for i := 0; i < len(f); i += 3 {
		if !yield(federated.Record{Lanes: f[i : i+3]}, nil) {
			return
		}
	}
}

// clearly answers the question over all fleets in the open: the sum, then the bands.
func clearly(q *federated.Query, fleets ...fleet) []int64 {
	out := make([]int64, 2+len(q.Figures[1].Edges))
	for _, f := range fleets {
		for i := 0; i < len(f); i += 3 {
			health, age := f[i+1], f[i+2]
			if age < q.Cohort.Lo[2] {
				continue
			}
			band := 0
			for band < len(q.Figures[1].Edges) && uint64(health) >= q.Figures[1].Edges[band] {
				band++
			}
			out[0] += int64(health)
			out[1+band]++
		}
	}
	return out
}

// play has owners with these fleets, a regulator and a lender answer the question in a session of their own.
func play(t testing.TB, q *federated.Query, threshold int, prepare func(*sessiontest.Network), fleets ...fleet) *federated.Result {
	t.Helper()
	plan := must(federated.NewPlan(q, len(fleets), collective.Standard().Moduli()))(t)
	n := sessiontest.New(t, len(fleets), threshold, func(o *transcript.Opening) {
		o.Query, o.Used, o.Ciphertexts = q.Digest(), plan.Used(), plan.Ciphertexts()
	})
	of := map[string]fleet{}
	for i, owner := range n.Opening.Roster.Owners {
		of[owner] = fleets[i]
	}
	n.Change = func(c *session.Config) {
		f := of[c.Self]
		c.Totals = func(context.Context, transcript.ID, *transcript.Opening) (*session.Totals, error) {
			values, err := plan.Totals(f.records)
			return &session.Totals{Values: values, Anchor: []byte("epoch 7")}, err
		}
	}
	if prepare != nil {
		prepare(n)
	}
	n.Start()
	n.Play(n.Over)
	if len(n.Results) != 1 {
		t.Fatalf("%d results:\n%s", len(n.Results), n.Describe())
	}
	return must(plan.Read(n.Results[0].Totals, len(n.Results[0].Owners)))(t)
}

// A question is asked, answered by what three owners have, opened by the regulator and two of them, and read: it is what adding up everything in the open gives.
func TestQuestionIsAnswered(t *testing.T) {
	q := question(10_000)
	fleets := []fleet{newFleet(1, 3_000), newFleet(2, 900), newFleet(3, 10_000)}
	want := clearly(q, fleets...)
	r := play(t, q, 2, nil, fleets...)
	got := []int64{r.Answers[0].Value.Num().Int64()}
	if !r.Answers[0].Value.IsInt() {
		t.Errorf("the sum is %s", r.Answers[0].Value)
	}
	for _, band := range r.Answers[1].Bands {
		got = append(got, band.Int64())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Parts != 3 || r.Totals[0].Value.Cmp(big.NewInt(3)) != 0 && r.Totals[0].Name == "parts" {
		t.Errorf("%d parts, first total %+v", r.Parts, r.Totals[0])
	}
}

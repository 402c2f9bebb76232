package zk

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// TestFleetTwin draws totals and claims near what they claim, and shows that the
// circuit accepts what the native twin says about them and nothing else.
func TestFleetTwin(t *testing.T) {
	system := without(t, "fleet")
	runs := 25
	if testing.Short() {
		runs = 3
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for run := range runs {
		s, opened, sum := randomFleet(rng, run%2 == 1)
		w, out, err := newFleetWitness(s, opened)
		if err != nil {
			t.Fatal(err)
		}
		if out.Output != verify.NewOutput(sum, w.salt) {
			t.Fatalf("run %d: the output opens to %v, want %v", run, out.Totals, sum)
		}
		for i := range s.Claims {
			if w.statement.Holds[i] != s.Claims[i].Holds(sum) {
				t.Errorf("run %d: claim %d", run, i)
			}
		}
		if err := w.solve(system); err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		i := rng.IntN(len(s.Claims))
		w.statement.Holds[i] = !w.statement.Holds[i]
		if w.solve(system) == nil {
			t.Errorf("run %d: claim %d turned round is accepted", run, i)
		}
	}
}

func (w *fleetWitness) solve(system partialSystem) error {
	full, err := w.full()
	if err != nil {
		return err
	}
	_, err = system.Solve(full)
	return err
}

// randomFleet draws 1 to 64 openings, the first of them a fleet's if folded, and
// claims whose bounds lie at, above or below their sums.
func randomFleet(rng *rand.Rand, folded bool) (verify.FleetStatement, []*Opened, statement.Totals) {
	var opened []*Opened
	sum := statement.Totals{Exact: new(big.Int)}
	for k := range 1 + rng.IntN(verify.FleetInputs) {
		t := statement.Totals{Population: rng.Uint64N(1 << 25), Exact: new(big.Int).Lsh(new(big.Int).SetUint64(rng.Uint64()), uint(rng.IntN(110)))}
		t.Count = rng.Uint64N(t.Population + 1)
		for i := 1; i < len(t.Sums); i++ {
			t.Sums[i] = rng.Uint64N(1 << 55)
		}
		tag := verify.ChunkOutput
		if folded && k == 0 {
			tag = verify.FleetOutput
		}
		o := verify.NewOutput(t, uniform())
		opened, sum = append(opened, &Opened{Totals: t, Output: o, T: o.Commit(tag)}), sum.Add(t)
	}
	s := verify.FleetStatement{Binding: uniform(), Folded: folded}
	for i := range s.Disclose {
		s.Disclose[i] = rng.IntN(2) == 0
	}
	for range 1 + rng.IntN(statement.MaxClaims) {
		c := statement.IntegerClaim{B: big.NewInt(rng.Int64N(3) - 1)}
		for i, v := range sum.Vector() {
			c.A[i] = big.NewInt(rng.Int64N(1<<40) * (rng.Int64N(3) - 1))
			c.B.Add(c.B, new(big.Int).Mul(c.A[i], v))
		}
		s.Claims = append(s.Claims, c)
	}
	return s, opened, sum
}

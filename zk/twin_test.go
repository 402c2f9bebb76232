package zk

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"pgregory.net/rapid"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// TestChunkTwin draws statements and chunks and shows that three agree: the
// circuit, the native sum, and an evaluation of the statement's own text in
// rational numbers.
func TestChunkTwin(t *testing.T) {
	system := without(t, "chunk")
	rapid.Check(t, func(t *rapid.T) {
		s := statements(t)
		p, err := s.Parameters()
		if err != nil {
			t.Skip(err) // a curve that falls below zero by rounding
		}
		schema, err := record.Lookup(s.Schema)
		if err != nil {
			t.Fatal(err)
		}
		records := randomRecords(t, forgedSlots, schema, p)
		totals := p.Sum(records)
		naiveFrom(t, s, schema, records).compare(t, s, totals)

		w, proven, err := newChunkWitness(records, make([]fr.Element, len(records)), p)
		if err != nil {
			t.Fatal(err)
		}
		if verify.NewOutput(proven, w.salt) != verify.NewOutput(totals, w.salt) {
			t.Fatalf("the prover's totals are %v, the native sum %v", proven, totals)
		}
		if err := solveWitness(w, p, system); err != nil {
			t.Fatal(err)
		}
		totals.Exact.Add(totals.Exact, big.NewInt(1))
		o := verify.NewOutput(totals, w.salt)
		if w.output = o.Commit(verify.ChunkOutput); solveWitness(w, p, system) == nil {
			t.Fatal("the circuit accepts other totals")
		}
	})
}

// solveWitness fills in the challenge fields as the prover does, with
// challenges from the solver's caller.
func solveWitness(w *chunkWitness, p *statement.Parameters, system partialSystem) error {
	w.digest, w.challenge = uniform(), uniform()
	w.evaluation, w.fingerprint = evaluate(w.polynomial(), w.challenge), p.Fingerprint(w.challenge)
	full, err := w.full()
	if err != nil {
		return err
	}
	_, err = system.Solve(full, drawn(w.challenge, uniform()))
	return err
}

// naive holds totals in physical units.
type naive struct {
	population, count int64
	value             *big.Rat
	sums              [record.Lanes]*big.Rat
}

func number(t *rapid.T, text string) *big.Rat {
	v, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q is no number", text)
	}
	return v
}

// naiveFrom evaluates a statement as its documentation words it, from its text.
func naiveFrom(t *rapid.T, s *statement.Statement, schema *record.Schema, records []record.Record) *naive {
	n := &naive{value: new(big.Rat)}
	for i := range n.sums {
		n.sums[i] = new(big.Rat)
	}
	for _, rec := range records {
		if rec[0] == 0 {
			continue
		}
		n.population++
		lanes, inside := map[string]*big.Rat{}, true
		for i := 1; i < record.Lanes; i++ {
			l := schema.Lanes[i]
			lanes[l.Name] = new(big.Rat).SetFrac(big.NewInt(int64(rec[i])), power(10, l.Scale))
			lanes[l.Name].Sub(lanes[l.Name], new(big.Rat).SetInt64(int64(l.Offset)))
			inside = inside && rec[i] >= l.Min && rec[i] <= l.Max
		}
		for _, r := range s.Cohort {
			inside = inside && (r.Min == "" || lanes[r.Lane].Cmp(number(t, r.Min)) >= 0)
			inside = inside && (r.Max == "" || lanes[r.Lane].Cmp(number(t, r.Max)) <= 0)
		}
		if inside {
			n.add(t, s, schema, lanes)
		}
	}
	return n
}

func (n *naive) add(t *rapid.T, s *statement.Statement, schema *record.Schema, lanes map[string]*big.Rat) {
	n.count++
	for i := 1; i < record.Lanes; i++ {
		n.sums[i].Add(n.sums[i], lanes[schema.Lanes[i].Name])
	}
	value := number(t, s.Valuation.Price)
	for _, c := range s.Valuation.Curves {
		i, _ := schema.LaneIndex(c.Lane)
		value.Mul(value, naiveFactor(t, c, power(10, schema.Lanes[i].Scale), lanes[c.Lane]))
	}
	n.value.Add(n.value, value)
}

// naiveFactor rounds a slope down to 2^-32 of 10^-6 for each lane unit, and
// nothing else.
func naiveFactor(t *rapid.T, c statement.Curve, unitsPer *big.Int, lane *big.Rat) *big.Rat {
	at, factor := number(t, c.Knots[0].At), number(t, c.Knots[0].Factor)
	if lane.Cmp(at) < 0 {
		return factor
	}
	grain := new(big.Rat).SetInt(new(big.Int).Mul(power(10, 6), power(2, 32)))
	for _, k := range c.Knots[1:] {
		nextAt, nextFactor := number(t, k.At), number(t, k.Factor)
		if lane.Cmp(nextAt) < 0 {
			slope := new(big.Rat).Sub(nextFactor, factor)
			width := new(big.Rat).Sub(nextAt, at)
			units := new(big.Rat).SetInt(unitsPer)
			slope.Quo(slope, width.Mul(width, units)).Mul(slope, grain)
			slope.SetInt(new(big.Int).Div(slope.Num(), slope.Denom())).Quo(slope, grain)
			run := new(big.Rat).Sub(lane, at)
			return slope.Mul(slope, run.Mul(run, units)).Add(slope, factor)
		}
		at, factor = nextAt, nextFactor
	}
	return factor
}

func power(base, exponent int) *big.Int {
	return new(big.Int).Exp(big.NewInt(int64(base)), big.NewInt(int64(exponent)), nil)
}

// compare checks totals in stored units, and what the claims say about them.
func (n *naive) compare(t *rapid.T, s *statement.Statement, totals statement.Totals) {
	if int64(totals.Population) != n.population || int64(totals.Count) != n.count {
		t.Fatalf("population %d, count %d, want %d and %d", totals.Population, totals.Count, n.population, n.count)
	}
	unit := new(big.Int).Mul(statement.ValueScale(), big.NewInt(100))
	if exact := new(big.Rat).SetFrac(totals.Exact, unit); exact.Cmp(n.value) != 0 {
		t.Fatalf("value is %s, want %s", exact.FloatString(30), n.value.FloatString(30))
	}
	cents := new(big.Rat).Mul(n.value, big.NewRat(100, 1))
	if down := new(big.Int).Quo(cents.Num(), cents.Denom()); totals.Value().Cmp(down) != 0 {
		t.Fatalf("value is %s, want %s", totals.Value(), down)
	}
	physical := map[string]*big.Rat{
		"population": new(big.Rat).SetInt64(n.population), "count": new(big.Rat).SetInt64(n.count),
		"value": new(big.Rat).SetFrac(totals.Value(), big.NewInt(100)),
	}
	schema, _ := record.Lookup(s.Schema)
	for i := 1; i < record.Lanes; i++ {
		l := schema.Lanes[i]
		sum := new(big.Rat).SetFrac(new(big.Int).SetUint64(totals.Sums[i]), power(10, l.Scale))
		sum.Sub(sum, new(big.Rat).SetInt64(n.count*int64(l.Offset)))
		if sum.Cmp(n.sums[i]) != 0 {
			t.Fatalf("sum of %s is %s, want %s", l.Name, sum, n.sums[i])
		}
		physical[l.Name] = sum
	}
	n.compareClaims(t, s, totals, physical)
}

func (n *naive) compareClaims(t *rapid.T, s *statement.Statement, totals statement.Totals, physical map[string]*big.Rat) {
	claims, err := s.Integers()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range s.Claims {
		sum := new(big.Rat)
		for _, term := range c.Terms {
			sum.Add(sum, new(big.Rat).Mul(number(t, term.Coefficient), physical[term.Total]))
		}
		if want := sum.Cmp(number(t, c.AtLeast)) >= 0; claims[i].Holds(totals) != want {
			t.Fatalf("claim %s holds: %v, want %v", c.String(), !want, want)
		}
	}
}

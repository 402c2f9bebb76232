package zk

import (
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
	fcs "github.com/consensys/gnark/frontend/cs"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// forgedSlots keeps the circuits under test small. A chunk of largeSlots looks
// limbs up in another way.
const (
	forgedSlots = 64
	largeSlots  = 1024
)

// advice is what a prover says about a slot: which row it uses, and the offsets
// and distances that are to show it. They need not be true, or fit their limbs.
type advice struct {
	row          int
	lower, upper [record.Lanes]int64
	pick         [statement.MaxCurves]int64
}

// forgery is an assignment of the chunk circuit in which anything can be
// changed. Everything that follows from a change is recomputed, so that no
// assertion fails but the one that is there to notice the change.
type forgery struct {
	p     *statement.Parameters // of the statement that the verifier knows
	slots []advice

	x, r                         []fr.Element
	mask                         [2]fr.Element
	linkBlind, lookupBlind, salt fr.Element
	parameters                   []fr.Element
	limbs, uses, rows            []fr.Element
	output                       fr.Element
	// anchored is the polynomial that the verifier's y is an evaluation of;
	// nil for the assignment's own.
	anchored []fr.Element
	// public is called last, on cd, ρ, y, σ, T.
	public func(v []fr.Element)
}

// newForgery is an honest assignment to start from.
func newForgery(t *testing.T, records []record.Record, p *statement.Parameters) *forgery {
	t.Helper()
	f := &forgery{p: p, slots: make([]advice, len(records)), x: make([]fr.Element, len(records)), r: make([]fr.Element, len(records))}
	for s, rec := range records {
		f.x[s] = rec.Pack()
		f.slots[s] = honest(t, rec, p)
		f.r[s].MustSetRandom()
	}
	for _, v := range []*fr.Element{&f.mask[0], &f.mask[1], &f.linkBlind, &f.lookupBlind, &f.salt} {
		v.MustSetRandom()
	}
	f.parameters = p.Vector()
	f.settle()
	return f
}

func honest(t *testing.T, rec record.Record, p *statement.Parameters) advice {
	t.Helper()
	b, err := boxOf(rec, p)
	if err != nil {
		t.Fatal(err)
	}
	return inBox(rec, b, p)
}

// inBox places a record in a box, whether it lies in it or not.
func inBox(rec record.Record, b box, p *statement.Parameters) advice {
	a := advice{row: b.row}
	for i := 1; i < record.Lanes; i++ {
		a.upper[i] = int64(b.upper[i]) - int64(rec[i])
		a.lower[i] = int64(rec[i]) - int64(b.lower[i])
		if c := curveOf(p, i); c >= 0 {
			a.pick[c], a.lower[i] = a.lower[i], 0
		}
	}
	return a
}

// settle recomputes limbs, their uses, the rows' sums and the output from the
// slots' advice.
func (f *forgery) settle() {
	f.limbs = nil
	f.rows = make([]fr.Element, tableRows*rowSums)
	for s := range f.slots {
		a := &f.slots[s]
		f.limbs = append(f.limbs, a.limbs()...)
		for k, v := range a.weights() {
			row := &f.rows[a.row*rowSums+k]
			row.Add(row, &v)
		}
	}
	f.countUses()
	f.bind()
}

// countUses recomputes the uses of the limbs that are in the table.
func (f *forgery) countUses() {
	f.uses = make([]fr.Element, tableSize)
	for i := range f.limbs {
		if v := f.limbs[i]; v.IsUint64() && v.Uint64() < tableSize {
			increase(&f.uses[v.Uint64()], 1)
		}
	}
}

func increase(v *fr.Element, by int64) {
	d := scaled(by, 0)
	v.Add(v, &d)
}

// bind recomputes the output from the rows and the parameters.
func (f *forgery) bind() {
	o := f.totals()
	f.output = o.Commit(verify.ChunkOutput)
}

func (a *advice) limbs() []fr.Element {
	out := make([]fr.Element, slotLimbs)
	for i := 1; i < record.Lanes; i++ {
		split(out[atLower+laneStart(i):][:laneLimbs(i)], a.lower[i])
		split(out[atUpper+laneStart(i):][:laneLimbs(i)], a.upper[i])
	}
	for c, v := range a.pick {
		split(out[atPick+c*pickLimbs:][:pickLimbs], v)
	}
	return out
}

// split writes a number in limbs; what does not fit is left to the first limb.
func split(limbs []fr.Element, v int64) {
	if v < 0 || v>>(limbBits*len(limbs)) != 0 {
		limbs[0].SetInt64(v)
		return
	}
	for i := range limbs {
		limbs[i].SetInt64(v >> (limbBits * i) & (tableSize - 1))
	}
}

// weights are the slot's parts of its row's sums.
func (a *advice) weights() [rowSums]fr.Element {
	var w [rowSums]fr.Element
	w[rowCount].SetOne()
	w[rowPick0].SetInt64(a.pick[0])
	w[rowPick1].SetInt64(a.pick[1])
	w[rowProduct].Mul(&w[rowPick0], &w[rowPick1])
	for i := 1; i < record.Lanes; i++ {
		k, at := rowFirst, i-1
		if i > verify.FirstSums {
			k, at = rowSecond, i-1-verify.FirstSums
		}
		v := scaled(a.lower[i], statement.SumBits*at)
		w[k].Add(&w[k], &v)
	}
	return w
}

func scaled(v int64, bits int) fr.Element {
	var e fr.Element
	e.SetBigInt(new(big.Int).Lsh(big.NewInt(v), uint(bits)))
	return e
}

func (f *forgery) polynomial() []fr.Element {
	return append(slices.Concat(f.x, f.r), f.mask[0], f.mask[1])
}

// solve draws the challenges, as if by a random oracle, over the finished
// assignment, and asks the solver.
func (f *forgery) solve(system partialSystem) error {
	var rho, beta fr.Element
	rho.MustSetRandom()
	beta.MustSetRandom()
	anchored := f.anchored
	if anchored == nil {
		anchored = f.polynomial()
	}
	public := []fr.Element{uniform(), rho, evaluate(anchored, rho), f.p.Fingerprint(rho), f.output}
	if f.public != nil {
		f.public(public)
	}
	secret := append(f.polynomial(), f.linkBlind)
	secret = slices.Concat(secret, f.parameters, []fr.Element{f.lookupBlind}, f.limbs, f.uses, f.rows, []fr.Element{f.salt})
	w, err := vector(public, secret)
	if err != nil {
		return err
	}
	_, err = system.Solve(w, drawn(rho, beta))
	return err
}

// drawn puts the commitments' challenges in place of their hints.
func drawn(challenges ...fr.Element) solver.Option {
	return solver.OverrideHint(solver.GetHintID(fcs.Bsb22CommitmentComputePlaceholder), func(_ *big.Int, in, out []*big.Int) error {
		if !in[0].IsInt64() || in[0].Int64() >= int64(len(challenges)) {
			return errors.New("a commitment without a challenge")
		}
		challenges[in[0].Int64()].BigInt(out[0])
		return nil
	})
}

func uniform() fr.Element {
	var e fr.Element
	return *e.MustSetRandom()
}

func evaluate(coefficients []fr.Element, at fr.Element) fr.Element {
	var sum fr.Element
	for i := len(coefficients) - 1; i >= 0; i-- {
		sum.Mul(&sum, &at).Add(&sum, &coefficients[i])
	}
	return sum
}

// refused shows that the circuit refuses a forgery, and that it would accept it
// without the named assertions.
func refused(t *testing.T, f *forgery, assertions ...string) {
	t.Helper()
	circuit := "chunk"
	if len(f.x) == largeSlots {
		circuit = "large chunk"
	}
	if err := f.solve(without(t, circuit)); err == nil {
		t.Error("the circuit accepts the forgery")
	}
	if err := f.solve(without(t, circuit, assertions...)); err != nil {
		t.Errorf("without %q the circuit still refuses the forgery, so it does not test them: %v", assertions, err)
	}
}

package zk

import (
	"errors"
	"math/big"

	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/permutation/poseidon2"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// ChunkCircuit is the circuit for one chunk; the package comment argues why it
// is sound. All advice is a secret input, none is a hint, so an assignment can
// forge each of them.
type ChunkCircuit struct {
	Digest      frontend.Variable `gnark:",public"` // cd
	Challenge   frontend.Variable `gnark:",public"` // ρ
	Evaluation  frontend.Variable `gnark:",public"` // y
	Fingerprint frontend.Variable `gnark:",public"` // σ
	Output      frontend.Variable `gnark:",public"` // T

	// The link commitment covers these, in this order.
	X, R       []frontend.Variable
	Mask       [2]frontend.Variable
	LinkBlind  frontend.Variable
	Parameters [statement.VectorSize]frontend.Variable

	// The lookup commitment covers these, in this order.
	LookupBlind frontend.Variable
	Limbs       []frontend.Variable // slotLimbs for each slot
	LimbUses    []frontend.Variable // how often each limb value occurs
	Rows        []frontend.Variable // rowSums for each row of the cohort table

	Salt frontend.Variable
}

// NewChunkCircuit returns the circuit for chunks of n slots, to be compiled.
func NewChunkCircuit(n int) *ChunkCircuit {
	return &ChunkCircuit{
		X:        make([]frontend.Variable, n),
		R:        make([]frontend.Variable, n),
		Limbs:    make([]frontend.Variable, n*slotLimbs),
		LimbUses: make([]frontend.Variable, tableSize),
		Rows:     make([]frontend.Variable, tableRows*rowSums),
	}
}

// Define states the constraints.
func (c *ChunkCircuit) Define(api frontend.API) error {
	b := &chunkBuilder{API: api, c: c, n: len(c.X)}
	if err := b.link(); err != nil {
		return err
	}
	return b.addUp()
}

// addUp proves that the output commits to the totals of the records in X.
func (b *chunkBuilder) addUp() error {
	if err := b.drawLookupChallenges(); err != nil {
		return err
	}
	b.readParameters()
	b.readSlots()
	if err := b.invert(); err != nil {
		return err
	}
	b.checkLimbs()
	b.checkRows()
	b.checkPicksAreWhole()
	return b.bindTotals()
}

type chunkBuilder struct {
	frontend.API
	c *ChunkCircuit
	n int

	beta, gamma frontend.Variable
	parameters  parameterWires
	slots       []slotWires

	limbInverse, slotInverse, rowInverse []frontend.Variable
}

// link binds the slots to the anchored commitment and the parameters to the
// statement: with the committed values fixed, Horner's rule at the challenge
// must give the public evaluations.
func (b *chunkBuilder) link() error {
	c := b.c
	coefficients := append(append(append([]frontend.Variable{}, c.X...), c.R...), c.Mask[0], c.Mask[1])
	committed := append(append([]frontend.Variable{c.Digest}, coefficients...), c.LinkBlind)
	rho, err := b.commit(append(committed, c.Parameters[:]...))
	if err != nil {
		return err
	}
	b.AssertIsEqual(c.Challenge, rho)
	b.AssertIsEqual(c.Evaluation, b.horner(coefficients, rho))
	b.AssertIsEqual(c.Fingerprint, b.horner(c.Parameters[:], rho))
	// A committed wire that no constraint uses masks nothing: this one uses both.
	b.Mul(c.LinkBlind, c.LookupBlind)
	// The challenge covers cd; a constraint of its own binds it a second time
	// and keeps its point in the key from being infinity.
	b.Mul(c.Digest, c.Digest)
	b.beta = rho // what the lookups' commitment covers in place of the slots
	return nil
}

func (b *chunkBuilder) commit(v []frontend.Variable) (frontend.Variable, error) {
	committer, ok := b.Compiler().(frontend.Committer)
	if !ok {
		return nil, errors.New("the compiler has no commitments")
	}
	return committer.Commit(v...)
}

func (b *chunkBuilder) horner(coefficients []frontend.Variable, at frontend.Variable) frontend.Variable {
	last := len(coefficients) - 1
	sum := coefficients[last]
	for i := last - 1; i >= 0; i-- {
		sum = b.Add(b.Mul(sum, at), coefficients[i])
	}
	return sum
}

// drawLookupChallenges draws β over the advice and the link's challenge, which
// stands for everything that the link commits to. γ is derived from β by a
// hash: a power of β would let two different rows share a root.
func (b *chunkBuilder) drawLookupChallenges() error {
	c := b.c
	committed := append([]frontend.Variable{b.beta, c.LookupBlind}, c.Limbs...)
	committed = append(append(committed, c.LimbUses...), c.Rows...)
	var err error
	if b.beta, err = b.commit(committed); err != nil {
		return err
	}
	p, err := poseidon2.NewPoseidon2FromParameters(b.API, gammaWidth, gammaFullRounds, gammaPartialRounds)
	if err != nil {
		return err
	}
	state := make([]frontend.Variable, gammaWidth)
	for i := range state {
		state[i] = 0
	}
	state[1] = b.beta
	if err := p.Permutation(state); err != nil {
		return err
	}
	b.gamma = state[1]
	return nil
}

const (
	gammaWidth         = 4
	gammaFullRounds    = 8
	gammaPartialRounds = 56
)

// slotWires are the linear combinations that a slot's limbs stand for.
type slotWires struct {
	x     frontend.Variable
	lower [record.Lanes]frontend.Variable // offset above the row's lower corner, 0 in the curve lanes
	upper frontend.Variable               // distance below the upper corner, packed
	pick  [statement.MaxCurves]frontend.Variable
	key   frontend.Variable // A + γB, A and B the row's corners
}

func (b *chunkBuilder) readSlots() {
	b.slots = make([]slotWires, b.n)
	for s := range b.slots {
		limbs := b.c.Limbs[s*slotLimbs:][:slotLimbs]
		w := &b.slots[s]
		w.x = b.c.X[s]
		w.upper = 0
		lower := frontend.Variable(0)
		for i := 1; i < record.Lanes; i++ {
			at, k := laneStart(i), laneLimbs(i)
			w.lower[i] = b.compose(limbs[atLower+at:][:k])
			lower = b.Add(lower, b.shift(w.lower[i], record.LaneBits*i))
			w.upper = b.Add(w.upper, b.shift(b.compose(limbs[atUpper+at:][:k]), record.LaneBits*i))
		}
		for j := range w.pick {
			w.pick[j] = b.compose(limbs[atPick+j*pickLimbs:][:pickLimbs])
			lower = b.Add(lower, b.Mul(w.pick[j], b.parameters.weight[j]))
		}
		// x = A + lower = B − upper for the corners A and B of some row.
		w.key = b.Add(b.Sub(w.x, lower), b.Mul(b.Add(w.x, w.upper), b.gamma))
	}
}

// compose joins limbs, least significant first.
func (b *chunkBuilder) compose(limbs []frontend.Variable) frontend.Variable {
	sum := limbs[0]
	for i := 1; i < len(limbs); i++ {
		sum = b.Add(sum, b.shift(limbs[i], limbBits*i))
	}
	return sum
}

func (b *chunkBuilder) shift(v frontend.Variable, bits int) frontend.Variable {
	return b.Mul(v, new(big.Int).Lsh(big.NewInt(1), uint(bits)))
}

func (b *chunkBuilder) sum(v []frontend.Variable) frontend.Variable {
	switch len(v) {
	case 0:
		return 0
	case 1:
		return v[0]
	}
	return b.Add(v[0], v[1], v[2:]...)
}

// invert computes 1/(β − v) for every limb, every slot's key and every row's
// key in one batch.
func (b *chunkBuilder) invert() error {
	inverter, ok := b.Compiler().(frontend.BatchInverter)
	if !ok {
		return errors.New("the compiler has no batch inversion")
	}
	in := make([]frontend.Variable, 0, len(b.c.Limbs)+b.n+tableRows)
	for _, l := range b.c.Limbs {
		in = append(in, b.Sub(b.beta, l))
	}
	for i := range b.slots {
		in = append(in, b.Sub(b.beta, b.slots[i].key))
	}
	for _, key := range b.rowKeys() {
		in = append(in, b.Sub(b.beta, key))
	}
	out := inverter.BatchInvert(in)
	b.limbInverse, out = out[:len(b.c.Limbs)], out[len(b.c.Limbs):]
	b.slotInverse, b.rowInverse = out[:b.n], out[b.n:]
	return nil
}

// checkLimbs shows that every limb is below 2^limbBits: the sum of 1/(β − limb)
// equals the sum of uses/(β − value) over the table.
func (b *chunkBuilder) checkLimbs() {
	table := make([]frontend.Variable, tableSize)
	for v := range table {
		table[v] = b.DivUnchecked(b.c.LimbUses[v], b.Sub(b.beta, v))
	}
	b.AssertIsEqual(b.sum(table), b.sum(b.limbInverse))
}

// checkRows shows that every slot's corners are those of a row, and that each
// row's sums are those of the slots that use it: for every sum,
// Σ over slots of w/(β − key) equals Σ over rows of W/(β − key).
func (b *chunkBuilder) checkRows() {
	slots := make([][]frontend.Variable, rowSums)
	for s := range b.slots {
		w, q := &b.slots[s], b.slotInverse[s]
		pick0 := b.Mul(q, w.pick[0])
		slots[rowCount] = append(slots[rowCount], q)
		slots[rowPick0] = append(slots[rowPick0], pick0)
		slots[rowPick1] = append(slots[rowPick1], b.Mul(q, w.pick[1]))
		slots[rowProduct] = append(slots[rowProduct], b.Mul(pick0, w.pick[1]))
		slots[rowFirst] = append(slots[rowFirst], b.Mul(q, b.packSums(w.lower[1:1+verify.FirstSums])))
		slots[rowSecond] = append(slots[rowSecond], b.Mul(q, b.packSums(w.lower[1+verify.FirstSums:])))
	}
	for k := range rowSums {
		rows := make([]frontend.Variable, tableRows)
		for r := range rows {
			rows[r] = b.Mul(b.rowInverse[r], b.row(r, k))
		}
		b.AssertIsEqual(b.sum(rows), b.sum(slots[k]))
	}
}

func (b *chunkBuilder) row(r, sum int) frontend.Variable { return b.c.Rows[r*rowSums+sum] }

// packSums lays lane values at the stride of lane sums.
func (b *chunkBuilder) packSums(lanes []frontend.Variable) frontend.Variable {
	sum := lanes[0]
	for i := 1; i < len(lanes); i++ {
		sum = b.Add(sum, b.shift(lanes[i], statement.SumBits*i))
	}
	return sum
}

// checkPicksAreWhole shows that the curve lanes' fixed offsets are zero in every
// slot, so that the picked offsets are all of them. Offsets are not negative
// and their sums far below the field's size, so a sum of zero is zero in every
// term.
func (b *chunkBuilder) checkPicksAreWhole() {
	sum := frontend.Variable(0)
	for i := 1; i < record.Lanes; i++ {
		lane := make([]frontend.Variable, b.n)
		for s := range b.slots {
			lane[s] = b.slots[s].lower[i]
		}
		either := b.Add(b.parameters.selected[0][i], b.parameters.selected[1][i])
		sum = b.Add(sum, b.Mul(b.sum(lane), either))
	}
	b.AssertIsEqual(sum, 0)
}

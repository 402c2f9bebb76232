package verify

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
)

// equations are checked together, as one product of pairings. Every point in them must have been checked to be in its
// group when it was parsed; what holds beyond that is in the package's comment.
type equations struct {
	draw  func() fr.Element // numbers of 128 bits
	count int
	// varying pairs points of G1 with proofs' own points of G2, fixed pairs sums in G1 with the points of keys.
	varyingG1 []bn254.G1Affine
	varyingG2 []bn254.G2Affine
	fixed     []*fixedTerm
	constants []*constantTerms
}

type fixedTerm struct {
	combination
	lines *lines
}

// constantTerms are the scalars of a circuit's own points of G1, collected over its proofs.
type constantTerms struct {
	key    *circuitKey
	alpha  fr.Element
	public fr.Vector // of key.K
}

// weight is drawn for each equation: 1 for the first, and then of 128 bits.
func (e *equations) weight() fr.Element {
	if e.count++; e.count == 1 {
		return fr.One()
	}
	return shortWeight(e.draw())
}

// with returns the sum that is paired with a fixed point.
func (e *equations) with(l *lines) *combination {
	for _, t := range e.fixed {
		if t.lines == l {
			return &t.combination
		}
	}
	e.fixed = append(e.fixed, &fixedTerm{lines: l})
	return &e.fixed[len(e.fixed)-1].combination
}

func (e *equations) of(key *circuitKey) *constantTerms {
	for _, t := range e.constants {
		if t.key == key {
			return t
		}
	}
	e.constants = append(e.constants, &constantTerms{key: key, public: make(fr.Vector, len(key.K))})
	return e.constants[len(e.constants)-1]
}

// groth16 adds a proof: e(A, B) = e(α, β)·e(Σ public·K + Σ D, γ)·e(C, δ), with its in-circuit commitments D; and, if it
// has any, that their values are known: e(Σ c^i·D_i, −σ_i)·e(proof of knowledge, generator) = 1.
func (e *equations) groth16(key *circuitKey, proof *Groth16Proof, public fr.Vector) error {
	public, fold, err := key.challenges(proof, public)
	if err != nil {
		return err
	}
	l, own, weight := key.lines(), e.of(key), e.weight()
	a := combination{}
	a.add(proof.Ar, weight)
	e.varyingG1, e.varyingG2 = append(e.varyingG1, a.sum()), append(e.varyingG2, proof.Bs)
	weight.Neg(&weight)
	e.with(&l.delta).add(proof.Krs, weight)
	own.alpha.Add(&own.alpha, &weight)
	own.public[0].Add(&own.public[0], &weight)
	for i := range public {
		var term fr.Element
		own.public[i+1].Add(&own.public[i+1], term.Mul(&public[i], &weight))
	}
	if len(proof.Commitments) == 0 {
		return nil
	}
	e.with(&l.gamma).add(commit.Sum(proof.Commitments), weight)
	weight = e.weight()
	e.with(&l.generator).add(proof.CommitmentPok, weight)
	for i, d := range proof.Commitments {
		e.with(&l.secrets[i]).add(d, weight)
		weight.Mul(&weight, &fold)
	}
	return nil
}

// opening adds that the polynomial behind a commitment has value y at point: e(commitment − y·[1] + point·quotient, [1])
// = e(quotient, [τ]).
func (e *equations) opening(srs *srsKey, commitment, quotient bn254.G1Affine, point, y fr.Element) {
	weight := e.weight()
	one := e.with(&srs.key.Lines[0])
	one.add(commitment, weight)
	one.add(quotient, *point.Mul(&point, &weight))
	y.Mul(&y, &weight)
	one.add(srs.key.G1, *y.Neg(&y))
	e.with(&srs.key.Lines[1]).add(quotient, *weight.Neg(&weight))
}

// representation adds z₀·bases₀ + z₁·bases₁ − R − challenge·m = 0, paired with [1].
func (e *equations) representation(srs *srsKey, bases [2]bn254.G1Affine, m bn254.G1Affine, proof *commit.Representation, challenge fr.Element) {
	weight := e.weight()
	one := e.with(&srs.key.Lines[0])
	var scalar fr.Element
	one.add(bases[0], *scalar.Mul(&proof.Zx, &weight))
	one.add(bases[1], *scalar.Mul(&proof.Zr, &weight))
	one.add(m, *scalar.Mul(&challenge, &weight).Neg(&scalar))
	one.add(proof.R, *weight.Neg(&weight))
}

// hold reports whether the product of all is 1.
func (e *equations) hold() (bool, error) {
	for _, t := range e.constants {
		l := t.key.lines()
		e.with(&l.beta).add(t.key.Alpha, t.alpha)
		t.addPublic(e.with(&l.gamma))
	}
	points, precomputed := make([]bn254.G1Affine, len(e.fixed)), make([]lines, len(e.fixed))
	for i, t := range e.fixed {
		points[i], precomputed[i] = t.sum(), *t.lines // copied: they are written to
	}
	fixed, err := bn254.MillerLoopFixedQ(points, precomputed)
	if err != nil {
		return false, fmt.Errorf("pairing with keys: %w", err)
	}
	varying, err := bn254.MillerLoop(e.varyingG1, e.varyingG2)
	if err != nil {
		return false, fmt.Errorf("pairing with proofs: %w", err)
	}
	product := bn254.FinalExponentiation(&fixed, &varying)
	return product.IsOne(), nil
}

// addPublic adds up the points of equal scalars first: most public inputs of a fleet's proof are one constant.
func (t *constantTerms) addPublic(to *combination) {
	place := map[fr.Element]int{}
	var scalars []fr.Element
	var sums []bn254.G1Jac
	for i, scalar := range t.public {
		at, ok := place[scalar]
		if !ok {
			at, place[scalar] = len(sums), len(sums)
			scalars, sums = append(scalars, scalar), append(sums, bn254.G1Jac{})
		}
		sums[at].AddMixed(&t.key.K[i])
	}
	for i, point := range bn254.BatchJacobianToAffineG1(sums) {
		to.add(point, scalars[i])
	}
}

package verify

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Groth16Proof is a proof of a circuit, with the points of its in-circuit commitments and one proof that their values are known. A circuit without such
// commitments has neither.
type Groth16Proof struct {
	Ar            bn254.G1Affine
	Bs            bn254.G2Affine
	Krs           bn254.G1Affine
	Commitments   []bn254.G1Affine
	CommitmentPok bn254.G1Affine
}

// VerifyingKey is what a circuit's proofs are checked against. It holds points and checks nothing of them: a key that a verifier uses came through
// [NewKeyring], which does.
type VerifyingKey struct {
	Alpha              bn254.G1Affine
	Beta, Gamma, Delta bn254.G2Affine
	// K has a point for the constant 1, for each public input and for each in-circuit commitment's challenge, in this order.
	K           []bn254.G1Affine
	Commitments []CommitmentKey
	// Covered says over which values each commitment's challenge is drawn besides its point: by their places in K.
	Covered [][]int
}

// CommitmentKey is what in-circuit commitments' proofs of knowledge are checked with.
type CommitmentKey struct {
	Generator, Secret bn254.G2Affine
}

// Domains of Groth16's challenges.
const (
	commitmentTag = "bsb22-commitment"
	// foldTag is that of the challenge that folds the proofs of knowledge of a proof's in-circuit commitments.
	foldTag = "G16-BSB22"
)

// commitmentChallenge is what a circuit's verifier draws for an in-circuit commitment.
func commitmentChallenge(point *bn254.G1Affine, covered ...fr.Element) fr.Element {
	message := point.Marshal()
	for i := range covered {
		message = append(message, covered[i].Marshal()...)
	}
	return hashed(message, commitmentTag)
}

func hashed(message []byte, tag string) fr.Element {
	out, err := fr.Hash(message, []byte(tag), 1)
	if err != nil {
		panic(err) // only for a domain longer than 255 bytes
	}
	return out[0]
}

// challenges returns the public inputs followed by the challenge of each in-circuit commitment, and the challenge by whose powers the commitments' proofs
// of knowledge are folded.
func (k *VerifyingKey) challenges(proof *Groth16Proof, public fr.Vector) (fr.Vector, fr.Element, error) {
	if len(proof.Commitments) != len(k.Commitments) || len(k.Covered) != len(k.Commitments) || len(public)+len(proof.Commitments)+1 != len(k.K) {
		return nil, fr.Element{}, fmt.Errorf("%d public inputs and %d commitments do not fit the key", len(public), len(proof.Commitments))
	}
	out := append(fr.Vector{}, public...)
	var folded []byte
	for i, covered := range k.Covered {
		values := make([]fr.Element, len(covered))
		for j, wire := range covered {
			values[j] = out[wire-1] // wire 0 is the constant 1
		}
		challenge := commitmentChallenge(&proof.Commitments[i], values...)
		out, folded = append(out, challenge), append(folded, challenge.Marshal()...)
	}
	if len(folded) == 0 {
		return out, fr.Element{}, nil
	}
	return out, hashed(folded, foldTag), nil
}

// check checks a proof by itself, each of its equations for itself and without weights. It shares nothing with [equations] but the challenges, so that
// what it says of a proof owes nothing to the way proofs are checked together.
func (k *VerifyingKey) check(proof *Groth16Proof, public fr.Vector) error {
	if err := proof.inGroups(); err != nil {
		return err
	}
	values, fold, err := k.challenges(proof, public)
	if err != nil {
		return err
	}
	if err := k.checkKnowledge(proof, fold); err != nil {
		return err
	}
	var sum bn254.G1Jac
	if _, err := sum.MultiExp(k.K[1:], values, ecc.MultiExpConfig{}); err != nil {
		return fmt.Errorf("adding up public inputs: %w", err)
	}
	sum.AddMixed(&k.K[0])
	for i := range proof.Commitments {
		sum.AddMixed(&proof.Commitments[i])
	}
	var v, minusA bn254.G1Affine
	v.FromJacobian(&sum)
	minusA.Neg(&proof.Ar)
	// e(A, B) = e(α, β)·e(V, γ)·e(C, δ)
	return pairToOne("proof", []bn254.G1Affine{minusA, k.Alpha, v, proof.Krs}, []bn254.G2Affine{proof.Bs, k.Beta, k.Gamma, k.Delta})
}

// checkKnowledge checks that the values behind in-circuit commitments D are known: Π e(f^i·D_i, −σ_i)·e(proof of knowledge, generator) = 1.
func (k *VerifyingKey) checkKnowledge(proof *Groth16Proof, fold fr.Element) error {
	if len(proof.Commitments) == 0 {
		return nil
	}
	g1, g2 := []bn254.G1Affine{proof.CommitmentPok}, []bn254.G2Affine{k.Commitments[0].Generator}
	power := fr.One()
	for i := range proof.Commitments {
		var d bn254.G1Affine
		d.ScalarMultiplication(&proof.Commitments[i], power.BigInt(new(big.Int)))
		g1, g2 = append(g1, d), append(g2, k.Commitments[i].Secret)
		power.Mul(&power, &fold)
	}
	return pairToOne("proof of knowledge", g1, g2)
}

func pairToOne(what string, g1 []bn254.G1Affine, g2 []bn254.G2Affine) error {
	ok, err := bn254.PairingCheck(g1, g2)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if !ok {
		return fmt.Errorf("%s: pairing doesn't match", what)
	}
	return nil
}

// inGroups checks again what parsing has, for proofs that were never parsed.
func (p *Groth16Proof) inGroups() error {
	ok := p.Ar.IsInSubGroup() && p.Krs.IsInSubGroup() && p.Bs.IsInSubGroup() && p.CommitmentPok.IsInSubGroup()
	for i := range p.Commitments {
		ok = ok && p.Commitments[i].IsInSubGroup()
	}
	if !ok {
		return errors.New("a point of the proof is not in its group")
	}
	return nil
}

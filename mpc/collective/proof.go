package collective

import (
	"encoding/binary"
	"errors"

	"github.com/tuneinsight/lattigo/v5/ring"
)

const (
	errorBound      = 21        // of an error's coefficient, from the binomial
	secretBound     = 1         // of a secret's coefficient
	challengeWeight = 64        // non-zero coefficients of a challenge: see classBits in the tests for why not fewer
	maskBound       = 1<<31 - 1 // of a mask's coefficient
	proofWordBytes  = 4         // of a response's coefficient
)

// proof shows that its maker knows short x, y with t = a*x + y. See "What a proof shows" in the package documentation.
type proof struct {
	challenge [32]byte
	z         [2][]int32
}

// responseBounds are what the responses may be: a mask's bound less what the challenge times a witness can be. Within them each response has exactly
// one mask for any witness, so that responses are uniform there and tell nothing; outside, the prover starts again.
var responseBounds = [2]int64{maskBound - challengeWeight*secretBound, maskBound - challengeWeight*errorBound}

var errProof = errors.New("proof of knowledge does not hold")

// prove makes the proof for witness x = (ternary, error) and t = a*x[0] + x[1]. statement digests all that the proof is bound to, t and a included.
// nonce is the maker's secret from which masks are drawn, and must not be the seed of anything else under the label "proof mask".
func (p *Params) prove(a ring.Poly, x [2][]int32, statement [32]byte, nonce []byte) *proof {
	for attempt := uint64(0); ; attempt++ { // one in 186 fails, whatever the witness
		r := p.stream("proof mask", nonce, statement[:], binary.LittleEndian.AppendUint64(nil, attempt))
		y := [2][]int32{box(r, p.N()), box(r, p.N())}
		w := p.productPlus(a, p.lift(y[0]), p.lift(y[1]))
		out := &proof{challenge: p.challenge(statement, w)}
		c := p.sparse(out.challenge)
		accepted := true
		for i := range y {
			out.z[i] = make([]int32, p.N())
			accepted = respond(out.z[i], y[i], c.times(x[i]), responseBounds[i]) && accepted
		}
		if accepted {
			return out
		}
	}
}

// respond writes mask + shift, and says whether all of it is within the bound, but not to a clock where it is not.
func respond(z, mask []int32, shift []int64, bound int64) bool {
	var signs int64
	for i, m := range mask {
		v := int64(m) + shift[i]
		signs |= (bound - v) | (bound + v) // one of them is negative outside
		z[i] = int32(v)
	}
	return signs >= 0
}

// verify is nil if the proof holds for t = a*x + y and the statement.
func (p *Params) verify(a, t ring.Poly, statement [32]byte, proof *proof) error {
	for i, z := range proof.z {
		for _, v := range z {
			if int64(v) < -responseBounds[i] || int64(v) > responseBounds[i] {
				return errProof
			}
		}
	}
	w := p.productPlus(a, p.lift(proof.z[0]), p.lift(proof.z[1]))
	p.ring.Sub(w, p.product(p.lift(p.sparse(proof.challenge).dense(p.N())), t), w)
	if p.challenge(statement, w) != proof.challenge {
		return errProof
	}
	return nil
}

func (p *Params) challenge(statement [32]byte, w ring.Poly) [32]byte {
	return p.digest("proof challenge", statement[:], appendWords(nil, words(w.Coeffs)))
}

// sparse is a challenge: a ternary element with challengeWeight non-zero coefficients.
type sparse []struct {
	position int
	sign     int32
}

// sparse draws the challenge that a digest stands for, uniformly.
func (p *Params) sparse(digest [32]byte) sparse {
	r := p.stream("proof sparse", digest[:])
	var c sparse
	taken := make([]bool, p.N())
	var b [4]byte
	for len(c) < challengeWeight {
		fill(r, b[:])
		v := binary.LittleEndian.Uint32(b[:])
		position := int(v>>1) & (p.N() - 1)
		if taken[position] {
			continue
		}
		taken[position] = true
		c = append(c, struct {
			position int
			sign     int32
		}{position, 1 - 2*int32(v&1)})
	}
	return c
}

func (c sparse) dense(n int) []int32 {
	out := make([]int32, n)
	for _, term := range c {
		out[term.position] = term.sign
	}
	return out
}

// times is c*x over the integers, modulo X^N + 1.
func (c sparse) times(x []int32) []int64 {
	out := make([]int64, len(x))
	for _, term := range c {
		for i, v := range x[:len(x)-term.position] {
			out[i+term.position] += int64(term.sign * v)
		}
		for i, v := range x[len(x)-term.position:] {
			out[i] -= int64(term.sign * v)
		}
	}
	return out
}

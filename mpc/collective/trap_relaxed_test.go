package collective

import (
	"encoding/binary"
	"errors"
	"math/big"
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// classBits is how rare the challenges are that are zero modulo (1-X)^(2^j): those whose positions, modulo 2^j, meet each residue an even number of
// times. Such a challenge can be answered for a fraction with that denominator, which then asks for 2^j bits.
func classBits(p *Params, j int) float64 {
	bucket := make([]*big.Int, challengeWeight+1) // ways to choose k of one residue's positions
	for k := range bucket {
		bucket[k] = new(big.Int)
		if k%2 == 0 {
			bucket[k].Binomial(int64(p.N()>>j), int64(k))
		}
	}
	for range j {
		squared := make([]*big.Int, len(bucket))
		for k := range squared {
			squared[k] = new(big.Int)
			for i := 0; i <= k; i += 2 {
				squared[k].Add(squared[k], new(big.Int).Mul(bucket[i], bucket[k-i]))
			}
		}
		bucket = squared
	}
	return log2(new(big.Int).Binomial(int64(p.N()), challengeWeight)) - log2(bucket[challengeWeight])
}

// A prover that guesses the class of its challenge modulo an ideal proves fractions with that denominator, and learns the key's error modulo it. A
// challenge of few coefficients falls into few classes modulo powers of 1-X: at weight 24, 64 bits would cost 2^35 hashes, 256 bits 2^59.
func TestTrapChallengesOfOneClassAreRare(t *testing.T) {
	p := Standard()
	for _, c := range []struct {
		j    int
		want float64
	}{{1, 1}, {2, 3}, {3, 7}, {4, 14.9}, {5, 30}, {6, 53}, {7, 82}, {8, 112}} {
		if got := classBits(p, c.j); got < c.want-0.01 {
			t.Errorf("%d bits cost 2^%.1f hashes, want 2^%.1f", 1<<c.j, got, c.want)
		}
	}
}

// What the proof concedes: every challenge has an even number of coefficients, and is divisible by 1-X; so c1 = a*u with u = 1/(1-X) = (1 + X + ... +
// X^(N-1))/2 modulo Q passes, and shows, in every coefficient alike, whether the sum of the key's error is odd: one bit, and the session has failed.
func TestTrapHalfAsksForOneBit(t *testing.T) {
	for range 3 {
		s := newSession(t, insecure(), 3, 2)
		p, shape, forger := s.p, Shape{Used: 32, Ciphertexts: 1}, s.owners[0].ctx
		ones := make([]int32, p.N())
		for i := range ones {
			ones[i] = 1
		}
		u := p.lift(ones)
		p.ring.MulScalarBigint(u, new(big.Int).ModInverse(big.NewInt(2), p.ring.Modulus()), u)
		forged := &Input{p: p, shape: shape, parts: []inputPart{{c0: p.coefficients(p.product(s.key.b, u), shape.Used), c1: p.product(s.key.a, u)}}}
		forged.parts[0].proof = p.proveHalf(s.key.a, ones, p.statement(forged.common(s.key, forger), 0))
		terms := []*Term{must(p.CheckInput(s.key, forger, forged))}
		for _, one := range s.owners[1:] {
			terms = append(terms, must(p.CheckInput(s.key, one.ctx, must(p.Encrypt(s.key, one.ctx, shape, zeros(shape.Used), NewSecret().seed)))))
		}
		sum := must(p.Add(terms...))
		e := p.ring.NewPoly()
		p.ring.MulCoeffsMontgomery(s.key.a, s.lattigoKey().Value.Q, e)
		p.ring.Add(e, s.key.b, e)
		total := new(big.Int)
		for j := range p.N() {
			total.Add(total, p.centred(p.coefficients(e, p.N()), j, 1))
		}
		for j, v := range s.noisy(sum, s.shares(t, sum, 1, 2)) {
			if odd := v.BitLen() > floodBits+3; odd != (total.Bit(0) == 1) {
				t.Fatalf("coefficient %d: shows odd %t, the error's sum is %d", j, odd, total)
			}
		}
		if _, err := p.Open(s.receiver, sum, s.shares(t, sum, 1, 2)...); (total.Bit(0) == 1) != errors.Is(err, ErrOpening) {
			t.Errorf("sum of the error %d: %v", total, err)
		}
	}
}

func zeros(n int) (out []*big.Int) {
	for range n {
		out = append(out, new(big.Int))
	}
	return out
}

// proveHalf proves t = a*x/2 where the challenge times x is even.
func (p *Params) proveHalf(a ring.Poly, x []int32, statement [32]byte) *proof {
	for attempt := uint64(0); ; attempt++ {
		r := p.stream("test", statement[:], binary.LittleEndian.AppendUint64(nil, attempt))
		y := [2][]int32{box(r, p.N()), box(r, p.N())}
		out := &proof{challenge: p.challenge(statement, p.productPlus(a, p.lift(y[0]), p.lift(y[1])))}
		shift := p.sparse(out.challenge).times(x)
		for j := range shift {
			shift[j] /= 2
		}
		out.z = [2][]int32{make([]int32, p.N()), y[1]}
		if respond(out.z[0], y[0], shift, responseBounds[0]) && respond(make([]int32, p.N()), y[1], make([]int64, p.N()), responseBounds[1]) {
			return out
		}
	}
}

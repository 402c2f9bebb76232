package score

import (
	"math"
	"math/big"
	"testing"
)

// A lender chooses b, and so a linear functional of u that the value tells it beside the mask. Flooding leaves it no more
// than 30 bits of that: at best 18 of u's 8192 coefficients, as 3^19 is more than 2^30.
func TestTrapChosenBlind(t *testing.T) {
	const shown = 18
	s := plainShape(2, 1)
	m := moments(t, s, fleet(1, 100, 7))
	q, k := hostile(t, s, constants(s.Monomials(), new(big.Int), 0))
	q.sealed[0] = make([]number, s.Monomials()) // nothing of the moments in the value: all room for u
	r := theRing()
	b := r.NewPoly()
	step := pow2(floodBits)
	for j := range shown {
		n := toNumber(step)
		at := 0
		if j > 0 { // (u·b)_0 = u_0·b_0 - Σ u_j·b_(N-j)
			at, n = ringDegree-j, toNumber(new(big.Int).Neg(step))
		}
		for i := range moduli {
			b.Coeffs[i][at] = n[i]
		}
		step = new(big.Int).Mul(step, big.NewInt(3))
	}
	if step.Cmp(modulus()) >= 0 || step.Mul(step, big.NewInt(3)).Cmp(modulus()) < 0 {
		t.Errorf("%d is not how many coefficients fit", shown)
	}
	r.NTT(b, b)
	q.blind = b
	c := toss()
	value := q.evaluate(0, m.fixed, c).value.centred()
	value.Add(value, pow2(floodBits-1)).Rsh(value, floodBits) // to the nearest: flooding is in [-1/2, 1/2)
	for j := range shown {
		digit := int8(new(big.Int).Mod(value, big.NewInt(3)).Int64())
		if digit == 2 {
			digit = -1
		}
		if digit != c.u[j] {
			t.Errorf("coefficient %d: read %d, is %d", j, digit, c.u[j])
		}
		value.Sub(value, big.NewInt(int64(digit))).Quo(value, big.NewInt(3))
	}
	if value.Sign() != 0 {
		t.Errorf("%s is left of the value", value)
	}
	// Without b there is no u in the value, and the mask hides the moments as well.
	q.blind = r.NewPoly()
	far := 0
	for _, v := range quotient(q.evaluate(0, m.fixed, toss()).mask, expand(q.head(), sealIndex)) {
		if v.BitLen() > 160 {
			far++
		}
	}
	if far < ringDegree*99/100 {
		t.Errorf("%d of %d quotients are not near the whole modulus", ringDegree-far, ringDegree)
	}
	k.Destroy()
}

// Answers to the same request have independent noise: the average of many has little. So an owner makes one and keeps it.
func TestTrapRepeatedAnswers(t *testing.T) {
	const answers = 100
	s := plainShape(2, 1)
	m := moments(t, s, fleet(1, 100, 7))
	w := constants(s.Monomials(), pow2(130), 1)
	q, k := hostile(t, s, w)
	want := new(big.Int).Mul(w[1], big.NewInt(m.fixed[1]))
	sum := new(big.Int)
	for range answers {
		a, err := owner().Answer(q, Context{}, m)
		must(t, err)
		sum.Add(sum, k.decrypt(a.numbers[0])).Sub(sum, want)
	}
	miss, _ := new(big.Float).SetInt(sum).Float64()
	deviation := math.Ldexp(1, floodBits-1) / math.Sqrt(3)
	if math.Abs(miss)/answers > 7*deviation/math.Sqrt(answers) {
		t.Errorf("the average of %d answers is off by 2^%.1f", answers, math.Log2(math.Abs(miss)/answers))
	}
}

package score

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// hostile makes a request whose coefficients are any integers modulo Q: what a lender that keeps to no bound can send.
func hostile(t testing.TB, s Shape, coefficients ...[]*big.Int) (*Request, *Secret) {
	t.Helper()
	r := theRing()
	q := &Request{Shape: s, seed: [32]byte{7}}
	k := &Secret{key: factor(ternary(ringDegree))}
	q.blind = lift(small(ringDegree))
	r.MulCoeffsMontgomeryThenSub(expand(q.head(), blindIndex), k.key, q.blind)
	for i, c := range coefficients {
		q.sealed = append(q.sealed, k.encrypt(c, expand(q.head(), sealIndex+byte(i))))
		k.numbers = append(k.numbers, opening{terms: len(c)})
	}
	k.request = q.Digest()
	return q, k
}

func randomCoefficients(seed uint64, n int) []*big.Int {
	r := rand.New(rand.NewPCG(seed, 3))
	c := make([]*big.Int, n)
	for i := range c {
		c[i] = new(big.Int)
		for range 3 {
			c[i].Lsh(c[i], 58).Add(c[i], new(big.Int).SetUint64(r.Uint64()>>6))
		}
		c[i].Mod(c[i], modulus())
	}
	return c
}

func constants(n int, v *big.Int, at int) []*big.Int {
	c := make([]*big.Int, n)
	for i := range c {
		c[i] = new(big.Int)
	}
	c[at] = v
	return c
}

func pow2(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

func plainShape(features, degree int) Shape {
	s := Shape{Degree: degree}
	for i := range features {
		s.Features = append(s.Features, Feature{Lane: lanes(7)[i].Name, Low: 100 + 2*grid, High: 100 + 18*grid})
	}
	return s
}

func moments(t testing.TB, s Shape, f [][]uint32) *Moments {
	t.Helper()
	m, err := owner().Collect(s, records(f))
	must(t, err)
	return m
}

// A lender cannot tell batteries apart, whatever it sends: every answer is a function of means over the cohort, and the
// same one for every order of the batteries.
func TestTrapSingleBatteriesCannotBeWeighed(t *testing.T) {
	s := plainShape(3, 3)
	f := fleet(1, 500, 7)
	q, _ := hostile(t, s, randomCoefficients(1, s.Monomials()))
	c := toss()
	want := q.evaluate(0, moments(t, s, f).fixed, c)
	r := rand.New(rand.NewPCG(4, 4))
	for range 5 {
		r.Shuffle(len(f), func(i, j int) { f[i], f[j] = f[j], f[i] })
		got := q.evaluate(0, moments(t, s, f).fixed, c)
		if got.value != want.value || !got.mask.Equal(&want.mask) {
			t.Fatal("the order of the batteries shows in the answer")
		}
	}
}

// quotient divides a product by a public polynomial: what a lender does with an answer's second half.
func quotient(p, public ring.Poly) []*big.Int {
	r := theRing()
	q := r.NewPoly()
	for j, s := range r.SubRings {
		for i := range ringDegree {
			inverse := ring.ModExp(public.Coeffs[j][i], s.Modulus-2, s.Modulus)
			q.Coeffs[j][i] = ring.BRed(p.Coeffs[j][i], inverse, s.Modulus, s.BRedConstant)
		}
	}
	r.INTT(q, q)
	values := make([]*big.Int, ringDegree)
	for i := range values {
		values[i] = number{q.Coeffs[0][i], q.Coeffs[1][i], q.Coeffs[2][i]}.centred()
	}
	return values
}

// The second half of a ciphertext times the moments' polynomial is a known polynomial times the moments: division gives
// them all away. So the answer's second half is blinded.
func TestTrapSecondHalfOfTheAnswer(t *testing.T) {
	s := plainShape(3, 3)
	m := moments(t, s, fleet(1, 100, 7))
	q, _ := hostile(t, s, randomCoefficients(1, s.Monomials()))
	public := expand(q.head(), sealIndex)
	none := coins{u: make([]int8, ringDegree), e: make([]int8, ringDegree), flood: new(big.Int)}
	naked := quotient(q.evaluate(0, m.fixed, none).mask, public)
	for k := 1; k < len(m.fixed); k++ {
		if naked[ringDegree-k].Int64() != -m.fixed[k] {
			t.Fatalf("moment %d is not where this attack looks for it", k)
		}
	}
	far := 0
	for _, v := range quotient(q.evaluate(0, m.fixed, toss()).mask, public) {
		if v.BitLen() > 160 {
			far++
		}
	}
	if far < ringDegree*99/100 {
		t.Errorf("%d of %d quotients are not near the whole modulus", ringDegree-far, ringDegree)
	}
}

// Only the constant coefficient can be read: of the others the first half is never sent, and the second half alone is
// uniform.
func TestTrapOnlyOneCoefficient(t *testing.T) {
	s := plainShape(3, 3)
	m := moments(t, s, fleet(1, 100, 7))
	w := constants(s.Monomials(), pow2(130), 0)
	q, k := hostile(t, s, w)
	a, err := owner().Answer(q, Context{}, m)
	must(t, err)
	if b, _ := a.MarshalBinary(); len(b) != answerHead+numberSize+polynomialLen {
		t.Fatalf("an answer has %d bytes", len(b))
	}
	p := theRing().NewPoly()
	theRing().MulCoeffsMontgomery(a.numbers[0].mask, k.key, p)
	theRing().INTT(p, p)
	positive := 0
	for i := 1; i < ringDegree; i++ {
		v := number{p.Coeffs[0][i], p.Coeffs[1][i], p.Coeffs[2][i]}.plus(a.numbers[0].value).centred()
		if v.Sign() > 0 {
			positive++
		}
	}
	if math.Abs(float64(positive)-ringDegree/2) > 6*math.Sqrt(ringDegree)/2 {
		t.Errorf("%d of %d other coefficients are positive", positive, ringDegree-1)
	}
	want := new(big.Int).Mul(w[0], big.NewInt(m.fixed[0]))
	if got := k.decrypt(a.numbers[0]); got.Sub(got, want).BitLen() > floodBits {
		t.Errorf("the one coefficient is off by %d bits", got.BitLen())
	}
}

// A request for a moment's own low bits drowns: what is not multiplied far up is under the flooding noise, whose low bits
// are uniform.
func TestTrapLowBitsAreFlooded(t *testing.T) {
	s := plainShape(2, 1)
	m := moments(t, s, fleet(1, 100, 7))
	q, k := hostile(t, s, constants(s.Monomials(), big.NewInt(1), 1))
	const answers = 100
	ones := make([]int, floodBits-1)
	largest := 0
	for range answers {
		v := k.decrypt(q.evaluate(0, m.fixed, toss()))
		largest = max(largest, v.BitLen())
		v.Add(v, pow2(floodBits))
		for i := range ones {
			ones[i] += int(v.Bit(i))
		}
	}
	if largest < floodBits-8 {
		t.Errorf("the largest of %d answers has %d bits", answers, largest)
	}
	for i, n := range ones {
		if n < answers/5 || n > answers*4/5 { // 6 standard deviations
			t.Errorf("bit %d is 1 in %d of %d answers", i, n, answers)
		}
	}
}

// However large the coefficients of a request, an answer carries no more than the modulus leaves above the flooding: all
// else is a value from 2^144 equally likely ones, of which fewer than 2^30 sets that do not meet fit into the modulus. A
// coefficient that moves the answer by less than such a set does not tell two moments apart.
func TestTrapAnswerCarriesThirtyBits(t *testing.T) {
	for spread, numbers := range map[bool]float64{false: 1, true: 2} {
		if b := BitsPerAnswer(Shape{Spread: spread}); b > 30*numbers || b < 29.9*numbers {
			t.Errorf("spread %v: %g bits", spread, b)
		}
	}
	s := plainShape(2, 1)
	f := fleet(1, 100, 7)
	m := moments(t, s, f)
	near := &Moments{fixed: slices.Clone(m.fixed)}
	near.fixed[1]++
	q, k := hostile(t, s, constants(s.Monomials(), pow2(142), 1))
	inside := 0
	for range 64 {
		v := k.decrypt(q.evaluate(0, near.fixed, toss()))
		v.Sub(v, new(big.Int).Mul(pow2(142), big.NewInt(m.fixed[1])))
		v = toNumber(v).centred()
		if v.CmpAbs(pow2(floodBits-1)) < 0 {
			inside++
		}
	}
	if inside < 25 || inside == 64 {
		t.Errorf("%d of 64 answers about the next moment could be about this one, expected 48", inside)
	}
}

// The key is for one answer: an owner that got several of its own making opened would learn the key coefficient by
// coefficient.
func TestTrapSecondOpening(t *testing.T) {
	m := model(1, Linear, 2, 1, false)
	q, s, err := Seal(m, Context{})
	must(t, err)
	o := owner()
	mo, err := o.Collect(q.Shape, records(fleet(1, 50, 7)))
	must(t, err)
	a, err := o.Answer(q, Context{}, mo)
	must(t, err)
	other, _, err := Seal(m, Context{})
	must(t, err)
	b, err := o.Answer(other, Context{}, mo)
	must(t, err)
	if _, err := s.Open(b); err == nil {
		t.Error("opened the answer to another request")
	}
	_, err = s.Open(a)
	must(t, err)
	if _, err := s.Open(a); !errors.Is(err, ErrSpent) {
		t.Errorf("opened a second answer: %v", err)
	}
	for _, c := range s.key.Coeffs {
		if slices.Max(c) != 0 {
			t.Error("the key is still there")
		}
	}
}

// A request is for one context, and every one of its bytes is bound to the public polynomials.
func TestTrapOtherContext(t *testing.T) {
	q, _, err := Seal(model(1, Linear, 2, 1, false), Context{1})
	must(t, err)
	o := owner()
	mo, err := o.Collect(q.Shape, records(fleet(1, 50, 7)))
	must(t, err)
	if _, err := o.Answer(q, Context{2}, mo); err == nil {
		t.Error("answered in another context")
	}
	before := expand(q.head(), sealIndex)
	q.Context = Context{2}
	if after := expand(q.head(), sealIndex); after.Equal(&before) {
		t.Error("the context is not bound")
	}
}

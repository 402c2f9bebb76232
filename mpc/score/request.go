package score

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Context ties a request to what it is for, such as the digest of the ledger's record of the query. Lender and owner
// must hold the same one.
type Context [32]byte

// Request is what the lender sends: the shape of its model, and the coefficients encrypted. Encode with MarshalBinary.
type Request struct {
	Shape   Shape
	Context Context

	seed [32]byte
	// blind is the second component of an encryption of zero, b = -a·s + e; a is expanded from the head.
	blind ring.Poly
	// sealed[i][k] is coefficient k of -c_i·s + e_i + W_i: the k-th coefficient of the i-th number's polynomial, encrypted.
	sealed [][]number
}

// indices of the polynomials that the head of a request expands to
const (
	blindIndex = 0
	sealIndex  = 1 // and the next one with Shape.Spread
)

// Secret opens the one answer to a request. It is not safe for concurrent use.
type Secret struct {
	key     ring.Poly
	request [32]byte
	numbers []opening
	spread  bool
	spent   bool
}

// opening is what the lender keeps of one number: the scale it sealed with, the sum of its polynomial's absolute
// coefficients, and the same before terms cancelled, which rounding errors are relative to.
type opening struct {
	scale       int // log2
	mass, gross float64
	terms       int
}

// ErrSpent is returned by Open after it has opened an answer, and after Destroy.
var ErrSpent = errors.New("the secret has opened an answer before or is destroyed")

// Seal makes a request for the model's score over one cohort, with a key that is used for nothing else. The request
// shows the shape of the model and nothing of its coefficients.
func Seal(m *Model, context Context) (*Request, *Secret, error) {
	if err := m.Check(); err != nil {
		return nil, nil, fmt.Errorf("sealing a model: %w", err)
	}
	r := theRing()
	q := &Request{Shape: m.Shape(), Context: context}
	rand.Read(q.seed[:])
	head := q.head()
	key := ternary(ringDegree)
	s := &Secret{key: factor(key), spread: m.Spread}
	clear(key)

	q.blind = lift(small(ringDegree))
	r.MulCoeffsMontgomeryThenSub(expand(head, blindIndex), s.key, q.blind)
	for i := range q.Shape.numbers() {
		fixed, o, err := fixCoefficients(m.expand(i == 1))
		if err != nil {
			return nil, nil, fmt.Errorf("sealing a model: %w", err)
		}
		o.gross = m.gross(i == 1)
		s.numbers = append(s.numbers, o)
		q.sealed = append(q.sealed, s.encrypt(fixed, expand(head, sealIndex+byte(i))))
	}
	s.request = q.Digest()
	return q, s, nil
}

// encrypt seals one integer in each of the first coefficients. Those beyond are never made: nothing reads them.
func (s *Secret) encrypt(values []*big.Int, c ring.Poly) []number {
	r := theRing()
	p := lift(small(ringDegree))
	r.MulCoeffsMontgomeryThenSub(c, s.key, p)
	r.INTT(p, p)
	sealed := make([]number, len(values))
	for k, v := range values {
		for j := range moduli {
			sealed[k][j] = p.Coeffs[j][k]
		}
		sealed[k] = sealed[k].plus(toNumber(v))
	}
	wipe(p)
	return sealed
}

// maxMass bounds the sum of the absolute coefficients of a polynomial.
const maxMass = 1 << 48

// fixCoefficients scales coefficients so far up that a mean of the polynomial, times 2^40, stays below 2^171 whatever the
// moments are. They are rounded to integers.
func fixCoefficients(coefficients []float64) ([]*big.Int, opening, error) {
	o := opening{terms: len(coefficients)}
	for _, c := range coefficients {
		o.mass += math.Abs(c)
	}
	if !(o.mass <= maxMass) {
		return nil, o, errors.New("the coefficients of the score's polynomial add up to more than 2^48")
	}
	o.scale = scaleOf(o.mass)
	fixed := make([]*big.Int, len(coefficients))
	for k, c := range coefficients {
		fixed[k] = roundScaled(c, o.scale)
	}
	return fixed, o, nil
}

// scaleOf is log2 of the scale for coefficients of a mass.
func scaleOf(mass float64) int {
	_, exponent := math.Frexp(max(mass, 0x1p-20))
	return sumBits - momentBits - exponent // mass < 2^exponent
}

// roundScaled returns c·2^scale rounded to an integer.
func roundScaled(c float64, scale int) *big.Int {
	f := new(big.Float).SetPrec(256).SetFloat64(c)
	f.SetMantExp(f, scale)
	half := 0.5
	if c < 0 {
		half = -half
	}
	v, _ := f.Add(f, big.NewFloat(half)).Int(nil)
	return v
}

// Destroy overwrites the key, as far as Go lets a program do that.
func (s *Secret) Destroy() {
	wipe(s.key)
	clear(s.numbers)
	s.spent = true
}

// String keeps the key out of logs.
func (s Secret) String() string { return "score.Secret" }

// GoString keeps the key out of logs.
func (s Secret) GoString() string { return s.String() }

// times is the inner product of sealed coefficients and moments modulo Q.
func times(sealed []number, fixed []int64) number {
	var sum number
	for j, q := range moduli {
		for k, w := range sealed {
			hi, lo := bits.Mul64(w[j], residue(fixed[k], q))
			_, rest := bits.Div64(hi, lo, q)
			sum[j] = ring.CRed(sum[j]+rest, q)
		}
	}
	return sum
}

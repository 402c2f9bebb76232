package score

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Answer is what the owner returns: for each number asked for, one coefficient under the lender's key. Encode with
// MarshalBinary.
type Answer struct {
	request [32]byte
	numbers []masked
}

// masked is one coefficient encrypted: value + (mask·s)_0 is the number plus noise.
type masked struct {
	value number
	mask  ring.Poly // in the transform
}

// coins are the owner's randomness for one number.
type coins struct {
	u, e  []int8
	flood *big.Int
}

func toss() coins {
	return coins{u: ternary(ringDegree), e: small(ringDegree), flood: flood()}
}

func (c coins) wipe() {
	clear(c.u)
	clear(c.e)
	clear(c.flood.Bits())
	c.flood.SetInt64(0)
}

// Answer evaluates the request's model on the cohort's moments. It refuses a shape that Admit refuses, a context other
// than the given one, moments of another shape and, again, a cohort that is too small.
//
// Every call draws new noise, so a second answer to a request tells as much again, and the average of many has little
// noise left. Nothing here stops that: call it once for a request, keep the bytes, and send the same again when asked again.
func (o *Owner) Answer(q *Request, context Context, m *Moments) (*Answer, error) {
	if err := o.Admit(q.Shape); err != nil {
		return nil, fmt.Errorf("answering: %w", err)
	}
	switch {
	case !q.whole():
		return nil, errors.New("answering: the request's ciphertexts are not of its shape")
	case q.Context != context:
		return nil, errors.New("answering: the request is for another context")
	case !m.shape.equal(q.Shape):
		return nil, errors.New("answering: the moments are of another shape than the request")
	case m.batteries < max(o.Least, q.Shape.LeastCohort()):
		return nil, fmt.Errorf("answering: %w", ErrCohort)
	}
	a := &Answer{request: q.Digest()}
	for i := range q.Shape.numbers() {
		c := toss()
		a.numbers = append(a.numbers, q.evaluate(i, m.fixed, c))
		c.wipe()
	}
	return a, nil
}

// whole says whether the ciphertexts are those of the shape: a caller may have changed it.
func (q *Request) whole() bool {
	ok := len(q.sealed) == q.Shape.numbers()
	for i := range q.sealed {
		ok = ok && len(q.sealed[i]) == q.Shape.terms(i)
	}
	return ok
}

// evaluate multiplies the i-th ciphertext by the polynomial of the moments, whose product with the coefficients has
// their inner product with the moments as its constant coefficient, hides the product under a fresh encryption of zero
// and floods the one coefficient that is kept. Everything is a function of request, moments and coins.
func (q *Request) evaluate(i int, fixed []int64, c coins) masked {
	r := theRing()
	head := q.head()
	fixed = fixed[:q.Shape.terms(i)]
	u := factor(c.u)

	mask := lift(c.e)
	r.MulCoeffsMontgomeryThenAdd(expand(head, blindIndex), u, mask)
	weights := reversed(fixed)
	r.MulCoeffsMontgomeryThenAdd(expand(head, sealIndex+byte(i)), weights, mask)

	zero := r.NewPoly()
	r.MulCoeffsMontgomery(q.blind, u, zero)
	r.INTT(zero, zero)
	value := times(q.sealed[i], fixed).plus(constant(zero)).plus(toNumber(c.flood))
	wipe(u, weights, zero)
	return masked{value: value, mask: mask}
}

// reversed is Σ fixed[k]·X^-k, ready to be a factor. X^-k is -X^(N-k).
func reversed(fixed []int64) ring.Poly {
	r := theRing()
	p := r.NewPoly()
	for j, q := range moduli {
		p.Coeffs[j][0] = residue(fixed[0], q)
		for k := 1; k < len(fixed); k++ {
			p.Coeffs[j][ringDegree-k] = residue(-fixed[k], q)
		}
	}
	r.NTT(p, p)
	r.MForm(p, p)
	return p
}

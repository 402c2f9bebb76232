package score

import (
	"errors"
	"fmt"
	"math"
	"math/big"
)

// Result is what a lender learns, rounded to what the encryption promises.
type Result struct {
	// Mean of the score over the cohort, and a bound of its error against the same polynomial on open data. Differential
	// privacy by the owner comes on top and is not in the bound (Model.NoiseIn), nor is the misfit of the polynomial (Model.Misfit).
	Mean, MeanError float64
	// MeanSquare of the score and its error bound; 0 unless the model asked for the spread.
	MeanSquare, MeanSquareError float64
}

// Deviation is the standard deviation of the score, and a bound of its error. Both are NaN unless the spread was asked for,
// and where no cohort has such means: that of the square is further below the square of the other than their errors allow.
// An owner's noise can bring that about, and so can an owner that is not honest.
func (r Result) Deviation() (deviation, bound float64) {
	variance := r.MeanSquare - r.Mean*r.Mean
	miss := r.MeanSquareError + (2*math.Abs(r.Mean)+r.MeanError)*r.MeanError
	if r.MeanSquareError == 0 || !(variance+miss > 0) {
		return math.NaN(), math.NaN()
	}
	deviation = math.Sqrt(max(0, variance))
	above := math.Sqrt(variance + miss) // each difference of two roots as one of their squares over their sum: it may be small
	if variance > 0 {
		above = miss / (above + deviation)
	}
	below := deviation
	if variance > miss {
		below = miss / (deviation + math.Sqrt(variance-miss))
	}
	return deviation, max(above, below) * (1 + 0x1p-20) // the variance's own rounding is below 2^-22 of the miss
}

// Open decrypts the answer to the request that this secret was made with, and rounds. It works once: a secret that
// opened several answers of an owner's choosing would be an oracle for the key. An answer to another request is refused
// and does not spend the secret.
func (s *Secret) Open(a *Answer) (Result, error) {
	switch {
	case s.spent:
		return Result{}, fmt.Errorf("opening an answer: %w", ErrSpent)
	case a.request != s.request:
		return Result{}, errors.New("opening an answer: it is to another request")
	case len(a.numbers) != len(s.numbers):
		return Result{}, fmt.Errorf("opening an answer: %d numbers, must be %d", len(a.numbers), len(s.numbers))
	}
	defer s.Destroy()
	var values, bounds [2]float64
	for i, n := range a.numbers {
		o := s.numbers[i]
		values[i], bounds[i] = o.round(s.decrypt(n))
		if math.Abs(values[i]) > o.mass+bounds[i] {
			return Result{}, errors.New("opening an answer: no moments have this score: it is damaged or not honest")
		}
	}
	return Result{Mean: values[0], MeanError: bounds[0], MeanSquare: values[1], MeanSquareError: bounds[1]}, nil
}

func (s *Secret) decrypt(n masked) *big.Int {
	r := theRing()
	p := r.NewPoly()
	r.MulCoeffsMontgomery(n.mask, s.key, p)
	r.INTT(p, p)
	defer wipe(p)
	return constant(p).plus(n.value).centred()
}

// noise bounds what encryption adds to the scaled number, before flooding: the coefficients' errors times the moments,
// and the blinding's u·e, e·s.
func (o opening) noise() float64 {
	return float64(o.terms)*errorBound*(1<<momentBits) + 2*ringDegree*errorBound
}

// bound is how far a decrypted number may be from the mean of the polynomial over the cohort. The parts are: flooding and
// noise; the coefficients' rounding to integers; the fewer than 120 roundings, of 2^-53 each, in computing one (30 in
// shifting the polynomial, twice that and 9 in squaring it, 43 in a monomial of 14 weights); and the moments'.
func (o opening) bound() float64 {
	unit := math.Ldexp(1, -o.scale)
	return (math.Ldexp(1, floodBits-1)+o.noise())*unit*math.Ldexp(1, -momentBits) +
		float64(o.terms)*unit/2 + o.gross*0x1p-46 + o.mass*MomentError
}

// round cuts a decrypted number to a multiple of the power of two next above its error bound. What is below is noise
// that depends on the key (Li and Micciancio 2021), and would be published with the result.
func (o opening) round(raw *big.Int) (value, bound float64) {
	bound = o.bound()
	_, exponent := math.Frexp(bound)
	f := new(big.Float).SetPrec(256).SetInt(raw)
	f.SetMantExp(f, -o.scale-momentBits-exponent)
	scaled, _ := f.Float64()
	step := math.Ldexp(1, exponent)
	return math.RoundToEven(scaled) * step, bound + step*(0.5+0x1p-24) // at most 2^28 steps: Float64 is off by 2^-25
}

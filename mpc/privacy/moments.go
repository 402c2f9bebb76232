package privacy

import (
	"errors"
	"fmt"
	"math"
	"math/big"
)

// MaxMoment bounds the numbers of [Noise] as a multiple of their sensitivity.
const MaxMoment = 1 << 50

// Noise adds noise to a vector of real sums, such as moments of normalised
// features and the count beside them, of which one record more or less changes
// at most l0, these by at most lInf. It returns a new vector and the standard
// deviation of the noise in each entry.
//
// Sums are rounded to a grid of about 2^-40 of lInf first and are noised as
// integers, by [New]. They must have the stated sensitivity as they are given:
// sums of floating-point numbers whose rounding errors depend on the records
// have more than the sum of the terms' bounds. Add up terms that are multiples
// of one power of two, which is exact below 2^53 of it, or add a bound of the
// error to lInf.
//
// Divide by a noised count only. A mean of sums over the exact count is not
// private at the cost of the sums.
func Noise(sums []float64, l0 int, lInf float64, b Budget) (noised []float64, deviation float64, err error) {
	if !(lInf >= 0x1p-64 && lInf <= 0x1p64) {
		return nil, 0, fmt.Errorf("privacy: sensitivity (lInf) is %g, want 2^-64 to 2^64", lInf)
	}
	for _, s := range sums {
		if !(math.Abs(s) <= MaxMoment*lInf) {
			return nil, 0, fmt.Errorf("privacy: a sum is not a number or is above 2^50 of its sensitivity %g", lInf)
		}
	}
	_, e := math.Frexp(lInf)
	unit := e - 40 // lInf is in [2^39, 2^40) of it
	sensitivity, _ := big.NewFloat(math.Ceil(math.Ldexp(lInf, -unit))).Int(nil)
	m, err := New(l0, sensitivity, b)
	if err != nil {
		return nil, 0, err
	}
	noised = make([]float64, len(sums))
	for i, s := range sums {
		if noised[i], err = m.addFloat(s, unit); err != nil {
			return nil, 0, err
		}
	}
	return noised, math.Ldexp(m.Deviation(), unit), nil
}

// addFloat rounds to multiples of 2^unit downwards. Floor commutes with steps
// of the grid, which rounding halves to even does not.
func (m *Mechanism) addFloat(s float64, unit int) (float64, error) {
	x, accuracy := big.NewFloat(math.Floor(math.Ldexp(s, -unit))).Int(nil)
	if accuracy != big.Exact {
		return 0, errors.New("privacy: a sum is not rounded")
	}
	y, err := m.add(x)
	if err != nil {
		return 0, err
	}
	f, _ := new(big.Float).SetInt(y).Float64()
	return math.Ldexp(f, unit), nil
}

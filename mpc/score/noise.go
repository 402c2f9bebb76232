package score

import "math"

// NoiseIn bounds what noise in an owner's sums (Owner.Noise), of this standard deviation in each, did to a result over a cohort that
// has so many batteries, with the noise and without it: the root mean square of what it added to the mean of the score, and
// to its standard deviation if the spread was asked for. The latter is to first order, as it takes the noised mean for any.
//
// A moment S/n becomes (S + e)/(n + f), cut to [-1, 1], where S/n is. So it moves by at most |e - f·S/n|/(n + f), of which the
// root mean square is at most √2·deviation/batteries, and by 2 at most. A mean moves by at most that for each monomial but the
// constant, times the coefficient. A variance Q - M² moves as Q - 2M·(noised mean) does, and by the square of what the mean
// moves by; and its root by at most the root of that, or that over the noised root.
//
// That the noised number was not below the least, which an answer shows, makes f no larger in square mean, as long as the true one is not
// below it either.
func (m *Model) NoiseIn(r Result, deviation, batteries float64) (mean, spread float64) {
	moved := min(2, math.Sqrt2*deviation/max(1, batteries))
	ofMean := m.expand(false)
	mean = moved * massWithoutConstant(ofMean)
	if !m.Spread {
		return mean, 0
	}
	ofVariance := m.expand(true) // which begins with the same monomials
	for k, c := range ofMean {
		ofVariance[k] -= 2 * r.Mean * c
	}
	variance := moved*massWithoutConstant(ofVariance) + mean*mean
	spread = math.Sqrt(variance)
	if root, _ := r.Deviation(); root > 0 {
		spread = min(spread, variance/root)
	}
	return mean, spread
}

func massWithoutConstant(coefficients []float64) (sum float64) {
	for _, c := range coefficients[1:] {
		sum += math.Abs(c)
	}
	return sum
}

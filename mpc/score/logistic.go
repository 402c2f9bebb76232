package score

import "math"

func logistic(t float64) float64 { return 1 / (1 + math.Exp(-t)) }

// fitPoints is how many points of an interval fits are compared at.
const fitPoints = 1<<14 + 1

// fitLogistic returns the coefficients, in powers of t/interval, of the polynomial of the given odd degree that equals
// the logistic function at the Chebyshev nodes of [-interval, interval]. Interpolation there is within a small factor of
// the best polynomial of the degree (Trefethen, Approximation Theory and Approximation Practice, 2013, chapter 16).
func fitLogistic(degree int, interval float64) []float64 {
	n := degree + 1
	chebyshev := make([]float64, n) // of logistic - 1/2, which is odd: even ones are 0
	for j := 1; j < n; j += 2 {
		for k := range n {
			angle := math.Pi * (float64(k) + 0.5) / float64(n)
			chebyshev[j] += (logistic(interval*math.Cos(angle)) - 0.5) * math.Cos(float64(j)*angle) * 2 / float64(n)
		}
	}
	p := make([]float64, n)
	p[0] = 0.5
	before, now := make([]float64, n), make([]float64, n) // T_0 and T_1
	before[0], now[1] = 1, 1
	for j := 1; j < n; j++ {
		next := make([]float64, n)
		for i := range n {
			p[i] += chebyshev[j] * now[i]
			next[i] -= before[i]
			if i > 0 {
				next[i] += 2 * now[i-1]
			}
		}
		before, now = now, next
	}
	return p
}

func horner(p []float64, t float64) float64 {
	v := 0.0
	for i := len(p) - 1; i >= 0; i-- {
		v = v*t + p[i]
	}
	return v
}

// largestMiss is the largest difference of p, in powers of t/interval, from the logistic function over fitPoints points
// of [from, to].
func largestMiss(p []float64, interval, from, to float64) float64 {
	worst := 0.0
	for i := range fitPoints {
		t := from + (to-from)*float64(i)/(fitPoints-1)
		worst = max(worst, math.Abs(horner(p, t/interval)-logistic(t)))
	}
	return worst
}

// shifted returns the coefficients of p(b + y) in powers of y.
func shifted(p []float64, b float64) []float64 {
	q := make([]float64, len(p))
	for i := len(p) - 1; i >= 0; i-- { // Horner's scheme with y + b in the place of t
		for j := len(q) - 1; j >= 0; j-- {
			q[j] *= b
			if j > 0 {
				q[j] += q[j-1]
			}
		}
		q[0] += p[i]
	}
	return q
}

func squared(p []float64) []float64 {
	s := make([]float64, 2*len(p)-1)
	for i, a := range p {
		for j, b := range p {
			s[i+j] += a * b
		}
	}
	return s
}

package simulate

import (
	"math"
	"math/rand/v2"
)

// between draws uniformly from [low, high).
func between(random *rand.Rand, low, high float64) float64 {
	return low + (high-low)*random.Float64()
}

// around draws a normal number, cut at three standard deviations.
func around(random *rand.Rand, mean, deviation float64) float64 {
	return mean + deviation*max(-3, min(3, random.NormFloat64()))
}

// factor draws a log-normal factor of median 1, cut at three standard deviations.
func factor(random *rand.Rand, deviation float64) float64 {
	return math.Exp(around(random, 0, deviation))
}

// poisson draws how often something of this mean happens: by multiplying uniform numbers where the mean is small, and
// from the normal approximation above 30.
func poisson(random *rand.Rand, mean float64) uint32 {
	if mean > 30 {
		return uint32(math.Round(max(0, mean+math.Sqrt(mean)*random.NormFloat64())))
	}
	var count uint32
	for product := random.Float64(); product > math.Exp(-mean); product *= random.Float64() {
		count++
	}
	return count
}

// season is the yearly swing, from −1 on day 0 to 1 half a year later.
func season(day float64) float64 { return -math.Cos(2 * math.Pi * day / 365.25) }

// stored rounds a physical value down to an integer of at least 0 that fits a lane.
func stored(v float64) uint32 { return uint32(max(0, min(1<<31-1, math.Floor(v)))) }

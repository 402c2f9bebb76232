package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
)

// Model names a valuation model: SHA-256, in hex, over the schema's name and
// the curves in the order of their lanes. Price and currency are no part of
// it, so that one model may be asked with several prices, up to max_price of a
// grant: a value is exact to 0.01, so the price decides how fine a difference
// between factors it shows. A model without curves,
// price times count, has a name too.
func Model(schema string, curves []CurveShape) string {
	curves = slices.SortedStableFunc(slices.Values(curves), func(a, b CurveShape) int { return cmp.Compare(a.Lane, b.Lane) })
	h := []byte("assay/model/v1")
	number := func(n uint64) { h = binary.BigEndian.AppendUint64(h, n) }
	text := func(s string) { number(uint64(len(s))); h = append(h, s...) }
	text(schema)
	number(uint64(len(curves)))
	for _, c := range curves {
		text(c.Lane)
		number(uint64(len(c.Knots)))
		for _, k := range c.Knots {
			number(uint64(k.At))
			number(k.Factor)
		}
	}
	sum := sha256.Sum256(h)
	return hex.EncodeToString(sum[:])
}

// What a model may do without a warning.
const (
	maxCurves       = 2
	maxKnots        = 64
	maxFactor       = 10_000_000 // 10, in millionths
	maxFactorRatio  = 10
	minPiecePercent = 1
	// plainPrice, in 0.01: from there on the last decimal place of a factor is
	// worth 0.01 of one battery's value.
	plainPrice = 1_000_000
)

// Warnings says how a model, asked with a price in 0.01, could single out
// batteries of a cohort: its factor ranges over more than 10:1 within the
// cohort, or changes within less than 1 % of a lane's range, as a step does and
// a bump, or the price is so high that a value shows the last decimal place of
// every factor. None of them refuses a question by itself, and a model without
// any can still tell something about a few: see the package comment.
func Warnings(curves []CurveShape, cohort Cohort, price uint64) []string {
	if len(curves) > maxCurves {
		return []string{fmt.Sprintf("the model has %d curves, at most %d", len(curves), maxCurves)}
	}
	var warnings []string
	lowest, highest := uint64(1), uint64(1)
	if len(curves) > 0 && price >= plainPrice {
		warnings = append(warnings, fmt.Sprintf(
			"at a price of %s the value shows differences between factors down to their last decimal place: it can hold the totals of several groups side by side", formatPrice(price)))
	}
	for i := range curves {
		c := &curves[i]
		if problem := c.problem(); problem != "" {
			warnings = append(warnings, fmt.Sprintf("the curve over %s %s", c.Lane, problem))
			continue
		}
		lo, hi := c.within(cohort)
		low, high := c.factors(lo, hi)
		lowest, highest = lowest*low, highest*high // at most 10^14
		warnings = append(warnings, c.narrow(lo, hi)...)
	}
	if highest > maxFactorRatio*lowest {
		warnings = append(warnings, fmt.Sprintf(
			"the model weighs some batteries of the cohort more than %d times as much as others: its value can be about a few", maxFactorRatio))
	}
	return warnings
}

// problem says why a curve is none.
func (c *CurveShape) problem() string {
	switch {
	case len(c.Knots) == 0 || len(c.Knots) > maxKnots:
		return fmt.Sprintf("has %d knots, want 1 to %d", len(c.Knots), maxKnots)
	case c.Min > c.Max:
		return "has no range"
	}
	for i, k := range c.Knots {
		if i > 0 && k.At <= c.Knots[i-1].At {
			return "has knots out of order"
		}
		if k.Factor > maxFactor {
			return fmt.Sprintf("has a factor above %s", FormatUnits(maxFactor))
		}
	}
	return ""
}

// within is the lane's interval in the cohort.
func (c *CurveShape) within(cohort Cohort) (lo, hi uint32) {
	lo, hi = c.Min, c.Max
	if c.Index >= 0 && c.Index < len(cohort.Lo) && c.Index < len(cohort.Hi) {
		lo, hi = max(lo, cohort.Lo[c.Index]), min(hi, cohort.Hi[c.Index])
	}
	return lo, max(lo, hi)
}

// factors are the lowest and the highest over an interval. A curve that is
// straight between knots has them at a knot or at an end.
func (c *CurveShape) factors(lo, hi uint32) (low, high uint64) {
	low = c.at(lo)
	high = low
	take := func(f uint64) { low, high = min(low, f), max(high, f) }
	take(c.at(hi))
	for _, k := range c.Knots {
		if k.At >= lo && k.At <= hi {
			take(k.Factor)
		}
	}
	return low, high
}

// at is the factor at a lane value, rounded towards the factor before.
func (c *CurveShape) at(x uint32) uint64 {
	after := slices.IndexFunc(c.Knots, func(k Knot) bool { return k.At >= x })
	switch {
	case after < 0:
		return c.Knots[len(c.Knots)-1].Factor
	case after == 0:
		return c.Knots[0].Factor
	}
	from, to := c.Knots[after-1], c.Knots[after]
	rise := (int64(to.Factor) - int64(from.Factor)) * (int64(x) - int64(from.At)) / (int64(to.At) - int64(from.At))
	return uint64(int64(from.Factor) + rise)
}

// narrow lists the pieces within an interval over which the factor changes too
// soon.
func (c *CurveShape) narrow(lo, hi uint32) (warnings []string) {
	for i := 1; i < len(c.Knots); i++ {
		from, to := c.Knots[i-1], c.Knots[i]
		if from.Factor == to.Factor || to.At <= lo || from.At >= hi {
			continue
		}
		if 100*uint64(to.At-from.At) < minPiecePercent*uint64(c.Max-c.Min) {
			warnings = append(warnings, fmt.Sprintf(
				"the curve over %s goes from %s to %s within less than %d %% of the lane's range, after knot %d: a step or a bump can single out a few",
				c.Lane, FormatUnits(from.Factor), FormatUnits(to.Factor), minPiecePercent, i))
		}
	}
	return warnings
}

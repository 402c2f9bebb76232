package query

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// significant is how many digits a deviation or a bound has at least.
const significant = 4

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// rationalText is x / 10^scale with so many places, rounded half away from zero.
func rationalText(x *big.Rat, scale, places int) string {
	text := new(big.Rat).Quo(x, new(big.Rat).SetInt(pow10(scale))).FloatString(places)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// deviationText is of four digits or more, and without an exponent. Nothing is said of what is 0.
func deviationText(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'f', places(x), 64)
}

// boundText is not below x, and hardly above it.
func boundText(x float64) string {
	if x == 0 {
		return "0"
	}
	p := places(x)
	unit := math.Pow10(-p)
	return strconv.FormatFloat((math.Floor(x*(1+0x1p-40)/unit)+1)*unit, 'f', p, 64)
}

func places(x float64) int {
	return min(max(0, significant-1-int(math.Floor(math.Log10(math.Abs(x))))), 60)
}

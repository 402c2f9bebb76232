package policy

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Decimal places of a unit of budget, a delta, a percentage and a price.
const (
	unitPlaces     = 6
	deltaPlaces    = 12
	coveragePlaces = 2
	pricePlaces    = 2
	coverageFull   = 10000 // 100 %
)

// parseUnsigned reads plain decimal text as an integer × 10^-places, exactly.
// It takes digits with at most places of them after one point, and nothing
// else: no sign, no exponent, no leading zeros. One number may be written with
// more or fewer zeros at its end.
func parseUnsigned(text string, places int) (uint64, error) {
	whole, fraction, point := strings.Cut(text, ".")
	switch {
	case text == "":
		return 0, errors.New("is missing")
	case whole == "" || point && fraction == "" || !digits(whole) || !digits(fraction):
		return 0, fmt.Errorf("%q is not a decimal number", shorten(text, 40))
	case len(whole) > 1 && whole[0] == '0':
		return 0, fmt.Errorf("%q has a leading zero", shorten(text, 40))
	case len(fraction) > places:
		return 0, fmt.Errorf("%q has more than %d decimal places", shorten(text, 40), places)
	}
	var n uint64
	for _, c := range []byte(whole + fraction + strings.Repeat("0", places-len(fraction))) {
		d := uint64(c - '0')
		if n > (math.MaxUint64-d)/10 {
			return 0, fmt.Errorf("%q is too large", shorten(text, 40))
		}
		n = 10*n + d
	}
	return n, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}

// FormatUnits writes millionths as decimal text without zeros at its end, as budgets and costs are written.
func FormatUnits(n uint64) string {
	text := fmt.Sprintf("%d.%06d", n/1_000_000, n%1_000_000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// formatDelta writes 10^-12 as decimal text without zeros at its end.
func formatDelta(n uint64) string {
	text := fmt.Sprintf("%d.%012d", n/1_000_000_000_000, n%1_000_000_000_000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// formatPrice writes hundredths as decimal text.
func formatPrice(n uint64) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

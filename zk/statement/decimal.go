package statement

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// decimal is digits × 10^-places, exact.
type decimal struct {
	digits *big.Int
	places int
}

const maxDecimalDigits = 40

// parseDecimal reads plain decimal text: an optional minus, digits, at most
// places digits after one point. No exponent, no plus, no leading zeros, no "-0".
func parseDecimal(text string, places int) (decimal, error) {
	if text == "" {
		return decimal{}, errors.New("missing number")
	}
	if len(text) > maxDecimalDigits {
		return decimal{}, fmt.Errorf("number longer than %d characters", maxDecimalDigits)
	}
	body, negative := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(body, ".")
	if whole == "" || (point && fraction == "") || !allDigits(whole) || !allDigits(fraction) {
		return decimal{}, fmt.Errorf("%q is not a decimal number", text)
	}
	if len(whole) > 1 && whole[0] == '0' {
		return decimal{}, fmt.Errorf("%q has a leading zero", text)
	}
	if len(fraction) > places {
		return decimal{}, fmt.Errorf("%q has more than %d decimal places", text, places)
	}
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return decimal{}, fmt.Errorf("%q is not a decimal number", text)
	}
	if negative {
		if n.Sign() == 0 {
			return decimal{}, fmt.Errorf("%q is minus zero", text)
		}
		n.Neg(n)
	}
	return decimal{n, len(fraction)}, nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// scaled is the number × 10^places, exact for places ≥ d.places.
func (d decimal) scaled(places int) *big.Int {
	return new(big.Int).Mul(d.digits, pow10(places-d.places))
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

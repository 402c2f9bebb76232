package record

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// MaxDecimal is the longest text, in bytes, that Parse looks at.
const MaxDecimal = 32

// Format writes a stored value as decimal text in the lane's unit, with exactly Scale decimal places: 9342 of a lane
// with Scale 2 is "93.42". It does not check v against the lane's bounds.
func (l Lane) Format(v uint32) string {
	return FormatDecimal(new(big.Int).Sub(big.NewInt(int64(v)), l.storedOffset()), l.Scale)
}

// FormatSum writes the sum of count stored values as decimal text in the lane's unit: every one of them had its offset
// added before it was summed.
func (l Lane) FormatSum(sum, count uint64) string {
	offsets := new(big.Int).Mul(l.storedOffset(), new(big.Int).SetUint64(count))
	return FormatDecimal(offsets.Sub(new(big.Int).SetUint64(sum), offsets), l.Scale)
}

// Parse reads decimal text in the lane's unit, such as "93.42" or "-12.5", and returns the stored value. Zeros beyond
// Scale decimal places are accepted; any other digit there, an exponent, a sign other than one leading minus, a
// needless leading zero and white space are not. The result lies within [Min, Max].
func (l Lane) Parse(text string) (uint32, error) {
	whole, fraction, negative, err := splitDecimal(text)
	if err != nil {
		return 0, fmt.Errorf("lane %s: %w", l.Name, err)
	}
	for len(fraction) > l.Scale {
		if fraction[len(fraction)-1] != '0' {
			return 0, fmt.Errorf("lane %s: %q has more than %d decimal places", l.Name, text, l.Scale)
		}
		fraction = fraction[:len(fraction)-1]
	}
	digits := whole + fraction + strings.Repeat("0", l.Scale-len(fraction))
	v, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return 0, fmt.Errorf("lane %s: %q is not a decimal number", l.Name, text)
	}
	if negative {
		v.Neg(v)
	}
	v.Add(v, l.storedOffset())
	if v.Cmp(big.NewInt(int64(l.Min))) < 0 || v.Cmp(big.NewInt(int64(l.Max))) > 0 {
		return 0, fmt.Errorf("lane %s: %s is outside [%s, %s] %s", l.Name, text, l.Format(l.Min), l.Format(l.Max), l.Unit)
	}
	return uint32(v.Uint64()), nil
}

// storedOffset is the offset in stored units.
func (l Lane) storedOffset() *big.Int {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(l.Scale)), nil)
	return power.Mul(power, big.NewInt(int64(l.Offset)))
}

// splitDecimal accepts what JSON calls a number without an exponent.
func splitDecimal(text string) (whole, fraction string, negative bool, err error) {
	if len(text) > MaxDecimal {
		return "", "", false, fmt.Errorf("number of %d bytes is longer than %d", len(text), MaxDecimal)
	}
	rest, negative := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(rest, ".")
	leadingZero := len(whole) > 1 && whole[0] == '0'
	if !allDigits(whole) || leadingZero || (point && !allDigits(fraction)) {
		return "", "", false, fmt.Errorf("%q is not a plain decimal number", text)
	}
	return whole, fraction, negative, nil
}

func allDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// FormatDecimal writes v / 10^scale with exactly scale decimal places.
func FormatDecimal(v *big.Int, scale int) string {
	if scale == 0 {
		return v.String()
	}
	sign := ""
	if v.Sign() < 0 {
		sign = "-"
	}
	digits := fmt.Sprintf("%0"+strconv.Itoa(scale+1)+"s", new(big.Int).Abs(v).String())
	split := len(digits) - scale
	return sign + digits[:split] + "." + digits[split:]
}

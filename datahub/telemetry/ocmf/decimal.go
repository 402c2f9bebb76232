package ocmf

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxDecimal bounds the text of one number, in bytes.
const MaxDecimal = 64

// ErrInexact says that a decimal has more digits than the integer that it was to become.
var ErrInexact = errors.New("has more decimals than fit")

// Decimal is a decimal number as text, so that 2935.600 keeps its zeros and 0.1 stays 0.1. The zero Decimal is no number.
type Decimal struct{ text string }

// ParseDecimal takes text such as "-12.50" or "5.65E-05". White space around it, as meters pad, is left out; leading zeros stay.
func ParseDecimal(text string) (Decimal, error) {
	d := Decimal{strings.Trim(text, " \t\r\n")}
	if len(d.text) > MaxDecimal {
		return Decimal{}, fmt.Errorf("number of %d bytes, at most %d", len(d.text), MaxDecimal)
	}
	if _, _, _, err := d.parts(); err != nil {
		return Decimal{}, err
	}
	return d, nil
}

// String is the text, "" for no number.
func (d Decimal) String() string { return d.text }

// Known says whether there is a number.
func (d Decimal) Known() bool { return d.text != "" }

// MarshalJSON writes the number with its own digits. It must be one as JSON has them: no plus sign, no zeros in front.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if !json.Valid([]byte(d.text)) {
		return nil, errors.New("decimal is no JSON number")
	}
	return []byte(d.text), nil
}

// Exact is d × 10^places. Digits that would be lost are ErrInexact, unless they are zeros.
func (d Decimal) Exact(places int) (int64, error) {
	v, exact, err := d.scaled(places)
	if err == nil && !exact {
		return 0, ErrInexact
	}
	return v, err
}

// Rounded is d × 10^places, rounded half away from zero.
func (d Decimal) Rounded(places int) (int64, error) {
	v, _, err := d.scaled(places)
	return v, err
}

var errNotDecimal = errors.New("not a decimal number")

// parts are d's digits and the power of ten they are to be multiplied with.
func (d Decimal) parts() (negative bool, digits string, exponent int, err error) {
	text := d.text
	if text != "" && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		if len(text)-at > 5 { // e, sign and three digits
			return false, "", 0, errNotDecimal
		}
		if exponent, err = strconv.Atoi(text[at+1:]); err != nil {
			return false, "", 0, errNotDecimal
		}
		text = text[:at]
	}
	whole, fraction, point := strings.Cut(text, ".")
	digits = whole + fraction
	if whole == "" || point && fraction == "" || strings.Trim(digits, "0123456789") != "" {
		return false, "", 0, errNotDecimal
	}
	return negative, digits, exponent - len(fraction), nil
}

func (d Decimal) scaled(places int) (v int64, exact bool, err error) {
	negative, digits, exponent, err := d.parts()
	if err != nil {
		return 0, false, err
	}
	digits = strings.TrimLeft(digits, "0")
	kept := len(digits) + exponent + places
	switch {
	case digits == "" || kept < 0:
		return 0, digits == "", nil
	case kept > 18: // 18 digits always fit an int64
		return 0, false, errors.New("number is too large")
	case kept > len(digits):
		digits += strings.Repeat("0", kept-len(digits))
	}
	v, err = strconv.ParseInt("0"+digits[:kept], 10, 64)
	lost := digits[kept:]
	if lost != "" && lost[0] >= '5' {
		v++
	}
	if negative {
		v = -v
	}
	return v, strings.Trim(lost, "0") == "", err
}

package health

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxDecimalText bounds the text of one number, in bytes.
const maxDecimalText = 64

var (
	errMissing   = errors.New("value is missing")
	errNotFinite = errors.New("value is not finite")
	errNotNumber = errors.New("value is not a decimal number")
	errTooLarge  = errors.New("value is too large")
)

// ParseDecimal reads decimal text such as "-12.5" or "5.65E-05" and returns it times 10^places, rounded half away from zero. No
// floating point is involved. Space around the number is ignored.
func ParseDecimal(text string, places int) (int64, error) {
	text = strings.Trim(text, " \t")
	if err := notDecimal(text); err != nil {
		return 0, err
	}
	mantissa, exponent, err := splitExponent(text)
	if err != nil {
		return 0, err
	}
	unsigned := strings.TrimLeft(mantissa, "+-")
	if len(mantissa)-len(unsigned) > 1 {
		return 0, errNotNumber
	}
	whole, fraction, _ := strings.Cut(unsigned, ".")
	if !digits(whole+fraction) || whole+fraction == "" {
		return 0, errNotNumber
	}
	v, err := shifted(strings.TrimLeft(whole+fraction, "0"), places+exponent-len(fraction))
	if mantissa[0] == '-' {
		v = -v
	}
	return v, err
}

// notDecimal sorts out the texts that loggers write for "no value", so that a report can tell them from damage.
func notDecimal(text string) error {
	if len(text) > maxDecimalText {
		return fmt.Errorf("%w: %d bytes, at most %d", errNotNumber, len(text), maxDecimalText)
	}
	switch strings.ToLower(strings.TrimLeft(text, "+-")) {
	case "", "null", "none", "n/a":
		return errMissing
	case "nan", "inf", "infinity":
		return errNotFinite
	}
	return nil
}

func splitExponent(text string) (mantissa string, exponent int, err error) {
	at := strings.IndexAny(text, "eE")
	if at < 0 {
		return text, 0, nil
	}
	if at == 0 || len(text)-at > 5 {
		return "", 0, errNotNumber
	}
	exponent, err = strconv.Atoi(text[at+1:])
	if err != nil {
		return "", 0, errNotNumber
	}
	return text[:at], exponent, nil
}

// shifted is significant × 10^shift, rounded half away from zero. significant has no leading zero and at most maxDecimalText
// digits; 18 digits always fit an int64.
func shifted(significant string, shift int) (int64, error) {
	length := len(significant) + shift
	switch {
	case significant == "" || length < 0:
		return 0, nil
	case length > 18:
		return 0, errTooLarge
	case shift >= 0:
		significant += strings.Repeat("0", shift)
	}
	kept, err := strconv.ParseInt("0"+significant[:length], 10, 64)
	if err == nil && shift < 0 && significant[length] >= '5' {
		kept++
	}
	return kept, err
}

func digits(text string) bool { return strings.Trim(text, "0123456789") == "" }

func formatMicro(v int64) string { return formatDecimal(v, 6) }

// formatDecimal writes v / 10^places with as many decimals as it needs.
func formatDecimal(v int64, places int) string {
	sign := ""
	if v < 0 {
		sign, v = "-", -v
	}
	text := fmt.Sprintf("%0*d", places+1, v)
	whole, fraction := text[:len(text)-places], strings.TrimRight(text[len(text)-places:], "0")
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

package health

import (
	"errors"
	"math/big"
	"strings"
	"testing"
)

func TestParseDecimal(t *testing.T) {
	for _, test := range []struct {
		text   string
		places int
		want   int64
	}{
		{"0", 6, 0}, {"-0.0", 6, 0}, {"1", 6, 1_000_000}, {"+1.5", 6, 1_500_000}, {".5", 1, 5}, {"5.", 1, 50},
		{"007.25", 2, 725}, {"5.65E-05", 9, 56_500}, {"-3.78E-05", 6, -38}, {"1e3", 0, 1000}, {"12e-1", 0, 1},
		{"0.0000005", 6, 1}, {"0.00000049999", 6, 0}, {"-0.0000005", 6, -1}, {"1.4999999", 0, 1}, {"1.5", 0, 2}, {"-1.5", 0, -2},
		{" 2.5\t", 1, 25}, {"1e-999", 6, 0}, {"0e999", 6, 0}, {"999999999999999999", 0, 999_999_999_999_999_999},
	} {
		got, err := ParseDecimal(test.text, test.places)
		if err != nil || got != test.want {
			t.Errorf("%q with %d places: %d, %v; want %d", test.text, test.places, got, err, test.want)
		}
	}
	for text, want := range map[string]error{
		"": errMissing, "  ": errMissing, "null": errMissing, "N/A": errMissing, "-": errMissing,
		"NaN": errNotFinite, "-Inf": errNotFinite, "Infinity": errNotFinite,
		"1,5": errNotNumber, "1.2.3": errNotNumber, "0x10": errNotNumber, "1e": errNotNumber, "e5": errNotNumber, "--1": errNotNumber,
		"1e99999": errNotNumber, "１": errNotNumber, "1_000": errNotNumber, ".": errNotNumber, strings.Repeat("1", 65): errNotNumber,
		"1e300": errTooLarge, "1000000000000000000": errTooLarge,
	} {
		if got, err := ParseDecimal(text, 0); !errors.Is(err, want) {
			t.Errorf("%q: %d, %v; want %v", text, got, err, want)
		}
	}
}

// Whatever parses is what exact rational arithmetic says, rounded half away from zero.
func FuzzParseDecimal(f *testing.F) {
	for _, text := range []string{"", "0", "-12.5", "5.65E-05", "1e18", "0.4999999999", ".", "NaN", "1e-6"} {
		f.Add(text, uint8(6))
	}
	f.Fuzz(func(t *testing.T, text string, places uint8) {
		got, err := ParseDecimal(text, int(places%10))
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(strings.TrimSuffix(strings.Trim(text, " \t"), "."))
		if !ok {
			_, ok = new(big.Rat).SetString(strings.Replace(strings.Trim(text, " \t"), ".", "", 1))
			if !ok || !strings.Contains(text, ".") {
				t.Fatalf("%q is read as %d, but is no number", text, got)
			}
			return // "5.e3" and the like, which big.Rat does not read
		}
		exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places%10)), nil)))
		off := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(got))
		if off.Abs(off).Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("%q is read as %d/10^%d", text, got, places%10)
		}
	})
}

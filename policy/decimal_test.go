package policy

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestParseUnsigned(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "1": 1_000_000, "0.000001": 1, "1.5": 1_500_000, "1.500000": 1_500_000,
		"18446744073709.551615": math.MaxUint64,
	} {
		if got, err := parseUnsigned(text, unitPlaces); err != nil || got != want {
			t.Errorf("%q: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", ".", "1.", ".5", "-1", "+1", "1e3", "01", "00", "0x1", "1,5", " 1", "1 ", "٣", "1.0000001", "1..2", "1.2.3",
		"18446744073709.551616", "99999999999999999999999999999999", "NaN", "∞",
	} {
		if got, err := parseUnsigned(text, unitPlaces); err == nil {
			t.Errorf("%q: %d", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "n")
		if got, err := parseUnsigned(FormatUnits(n), unitPlaces); err != nil || got != n {
			t.Fatalf("%d became %q and %d, %v", n, FormatUnits(n), got, err)
		}
	})
}

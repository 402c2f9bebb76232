package statement

import (
	"math/big"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/record"
)

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]struct {
		digits string
		places int
	}{
		"0": {"0", 0}, "0.0": {"0", 1}, "0.000000": {"0", 6}, "7": {"7", 0}, "10": {"10", 0}, "0.5": {"5", 1}, "0.50": {"50", 2},
		"-1": {"-1", 0}, "-0.000001": {"-1", 6}, "123456.654321": {"123456654321", 6},
		strings.Repeat("9", 40):             {strings.Repeat("9", 40), 0},
		"-" + strings.Repeat("9", 39):       {"-" + strings.Repeat("9", 39), 0},
		strings.Repeat("9", 33) + ".123456": {strings.Repeat("9", 33) + "123456", 6},
	} {
		d, err := parseDecimal(text, 6)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if d.digits.String() != want.digits || d.places != want.places {
			t.Errorf("%q: got %s with %d places, want %s with %d", text, d.digits, d.places, want.digits, want.places)
		}
		exact, _ := new(big.Rat).SetString(text)
		if got := new(big.Rat).SetFrac(d.scaled(9), pow10(9)); got.Cmp(exact) != 0 {
			t.Errorf("%q: scaled to %s", text, got)
		}
		if got := record.FormatDecimal(d.digits, d.places); got != text {
			t.Errorf("%q: printed as %q", text, got)
		}
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, text := range []string{
		"", "-", ".", "-.", "1.", ".5", "-.5", "+1", "--1", "- 1", "1-", " 1", "1 ", "1\n", "1e3", "1E3", "0x1", "1_000", "1,5", "1.2.3",
		"00", "01", "-01", "00.5", "-0", "-0.0", "-0.000000", "NaN", "Inf", "½", "१", "１", "0.0000001", "1\x00", strings.Repeat("9", 41),
	} {
		if d, err := parseDecimal(text, 6); err == nil {
			t.Errorf("%q is read as %s with %d places", text, d.digits, d.places)
		}
	}
	if _, err := parseDecimal("1.0", 0); err == nil {
		t.Error("a decimal place where none may be")
	}
}

func TestFormatDecimal(t *testing.T) {
	for _, c := range []struct {
		v      int64
		places int
		want   string
	}{{0, 0, "0"}, {0, 2, "0.00"}, {5, 2, "0.05"}, {-5, 2, "-0.05"}, {-123, 2, "-1.23"}, {100, 2, "1.00"}, {7, 0, "7"}} {
		if got := record.FormatDecimal(big.NewInt(c.v), c.places); got != c.want {
			t.Errorf("%d with %d places: got %s, want %s", c.v, c.places, got, c.want)
		}
	}
}

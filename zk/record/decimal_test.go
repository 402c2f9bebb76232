package record

import (
	"testing"

	"pgregory.net/rapid"
)

func lane(t testing.TB, schema, name string) Lane {
	t.Helper()
	s, err := Lookup(schema)
	if err != nil {
		t.Fatal(err)
	}
	i, ok := s.LaneIndex(name)
	if !ok {
		t.Fatalf("no lane %s", name)
	}
	return s.Lanes[i]
}

func TestParseAndFormat(t *testing.T) {
	soh, age, peak := lane(t, "battery/v1", "state_of_health"), lane(t, "battery/v1", "age_days"), lane(t, "battery/v1", "peak_temperature")
	for _, c := range []struct {
		lane   Lane
		text   string
		stored uint32
		shown  string
	}{
		{soh, "93.42", 9342, "93.42"},
		{soh, "93.4", 9340, "93.40"},
		{soh, "93.4200000", 9342, "93.42"},
		{soh, "0", 0, "0.00"},
		{soh, "-0", 0, "0.00"},
		{soh, "0.07", 7, "0.07"},
		{soh, "150", 15000, "150.00"},
		{age, "36525", 36525, "36525"},
		{age, "12.0", 12, "12"},
		{peak, "25.5", 655, "25.5"},
		{peak, "-40", 0, "-40.0"},
		{peak, "-39.9", 1, "-39.9"},
		{peak, "-0.5", 395, "-0.5"},
		{peak, "200", 2400, "200.0"},
	} {
		got, err := c.lane.Parse(c.text)
		if err != nil || got != c.stored {
			t.Errorf("%s.Parse(%q) = %d, %v, want %d", c.lane.Name, c.text, got, err, c.stored)
		}
		if shown := c.lane.Format(c.stored); shown != c.shown {
			t.Errorf("%s.Format(%d) = %s, want %s", c.lane.Name, c.stored, shown, c.shown)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	soh, peak := lane(t, "battery/v1", "state_of_health"), lane(t, "battery/v1", "peak_temperature")
	for _, text := range []string{
		"", "-", ".", "1.", ".5", "+1", "1e2", "0x10", " 1", "1 ", "1,5", "00", "01", "--1", "NaN", "Inf", "1.2.3",
		"93.421", "150.01", "-0.01", "99999999999999999999", "1.000000000000000000000000000000000", "९३", "1_0",
	} {
		if v, err := soh.Parse(text); err == nil {
			t.Errorf("Parse(%q) = %d, want an error", text, v)
		}
	}
	for _, text := range []string{"-40.1", "200.1", "25.55"} {
		if v, err := peak.Parse(text); err == nil {
			t.Errorf("peak Parse(%q) = %d, want an error", text, v)
		}
	}
}

func TestFormatSumTakesEveryOffsetOff(t *testing.T) {
	peak := lane(t, "battery/v1", "peak_temperature")
	sum := uint64(655 + 1 + 395) // 25.5 − 39.9 − 0.5
	if got := peak.FormatSum(sum, 3); got != "-14.9" {
		t.Errorf("FormatSum = %s, want -14.9", got)
	}
	soh := lane(t, "battery/v1", "state_of_health")
	if got := soh.FormatSum(1<<40, 7); got != "10995116277.76" {
		t.Errorf("FormatSum = %s", got)
	}
}

func TestFormatAndParseAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(Schemas()).Draw(t, "schema")
		l := s.Lanes[rapid.IntRange(0, Lanes-1).Draw(t, "lane")]
		v := rapid.Uint32Range(l.Min, l.Max).Draw(t, "value")
		if got, err := l.Parse(l.Format(v)); err != nil || got != v {
			t.Fatalf("%s: Parse(Format(%d)) = %d, %v", l.Name, v, got, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"93.42", "-40", "-39.9", "0.0", "1e5", "", "200.00000", "12345678901234567890123456789012"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"state_of_health", "age_days", "peak_temperature"} {
			l := lane(t, "battery/v1", name)
			v, err := l.Parse(text)
			if err != nil {
				continue
			}
			if v < l.Min || v > l.Max {
				t.Fatalf("%s: %q gave %d, out of bounds", name, text, v)
			}
			if again, err := l.Parse(l.Format(v)); err != nil || again != v {
				t.Fatalf("%s: %q gave %d, which reads back as %d, %v", name, text, v, again, err)
			}
		}
	})
}

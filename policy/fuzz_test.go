package policy

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func examples(tb testing.TB) [][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/policies/*.cedar")
	if err != nil {
		tb.Fatal(err)
	}
	var texts [][]byte
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		texts = append(texts, text)
	}
	return texts
}

// FuzzParse holds that no text panics or hangs, at parsing or at evaluation,
// and that what a text decides it decides again.
func FuzzParse(f *testing.F) {
	for _, text := range examples(f) {
		f.Add(text)
	}
	for _, condition := range []string{
		`if context.valued then context.epoch > -9223372036854775808 else !true`,
		`principal has "a" || context["purpose"] like "*\*\u{41}*"`,
		`principal is Organisation in Role::"x" && resource is Fleet`,
		`principal in [Role::"a", Role::"b"] && [1, 2].containsAny([context.epoch]) && [].isEmpty()`,
		`decimal("1.2345").lessThan(context.minimum_coverage) && ip("::1/127").isInRange(ip("10.0.0.0/8"))`,
		`context.time.toDate().offset(duration("-1d2h3m4s5ms")).toTime().toDays() == 1`,
		`datetime("0000-01-01").durationSince(datetime("9999-12-31T23:59:59.999+2359")) < duration("0ms")`,
		`principal.hasTag(context.purpose) && principal.getTag(context.purpose) == "x"`,
		`-(-(-(1))) * 9223372036854775807 + context.epoch - 1 >= 0 // "`,
	} {
		f.Add([]byte(permit(condition)))
	}
	f.Add([]byte(`/* " */ @id @else("x") forbid(principal,action in[],resource,);`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if err != nil {
			var parsing *ParseError
			if !errors.As(err, &parsing) || len(parsing.Problems) == 0 || len(parsing.Problems) > maxProblems {
				t.Fatalf("error %v", err)
			}
			if _, again := Parse(text); again == nil || again.Error() != err.Error() {
				t.Fatalf("errors %v and %v", err, again)
			}
			return
		}
		again, err := Parse(s.Text())
		if err != nil || again.Digest() != s.Digest() {
			t.Fatalf("a text that was taken is not taken again: %v", err)
		}
		for _, q := range []*Question{question(), {Action: Score, Count: CountHidden}} {
			d := s.Decide(q)
			if diff := cmp.Diff(d, again.Decide(q)); diff != "" {
				t.Fatal(diff)
			}
			if len(d.Reasons) == 0 || d.Allowed && len(d.Policies) == 0 {
				t.Fatalf("%+v", d)
			}
		}
	})
}

// FuzzTerms holds that no terms panic, and that those which are not valid
// cover nothing.
func FuzzTerms(f *testing.F) {
	b, err := json.Marshal(loans())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, uint32(0), uint64(0))
	f.Add([]byte(`{"budget":"18446744073709.551615","answers":4294967295}`), ^uint32(0), ^uint64(0))
	f.Fuzz(func(t *testing.T, text []byte, answers uint32, units uint64) {
		var terms Terms
		if json.Unmarshal(text, &terms) != nil {
			return
		}
		spent := Spent{Answers: answers, Units: units}
		reasons := terms.Limits(question(), spent)
		if terms.Check() != nil {
			if len(reasons) == 0 {
				t.Fatal("terms that are not valid cover a question")
			}
			terms.Sort()
			return
		}
		if len(reasons) > 0 {
			return
		}
		cost, err := terms.Cost(question())
		if err != nil {
			t.Fatal(err)
		}
		after, err := spent.Add(cost, 0)
		if err != nil || after.Answers > terms.Answers {
			t.Fatalf("%+v, %v", after, err)
		}
	})
}

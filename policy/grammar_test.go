package policy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// expressions of one kind, for the most part: what bytes drawn at random never
// get to, the validator and the evaluator.
func expression(t *rapid.T, kind string, depth int) string {
	if depth == 0 || rapid.IntRange(0, 9).Draw(t, "leaf") == 0 {
		return rapid.SampledFrom(leaves[kind]).Draw(t, kind)
	}
	if rapid.IntRange(0, 40).Draw(t, "odd") == 0 {
		kind = rapid.SampledFrom([]string{"bool", "long", "text", "set", "time", "decimal", "entity"}).Draw(t, "kind")
	}
	form := rapid.SampledFrom(forms[kind]).Draw(t, "form")
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(form, "<")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		inner, after, _ := strings.Cut(rest, ">")
		b.WriteString(expression(t, inner, depth-1))
		form = after
	}
}

var leaves = map[string][]string{
	"bool":    {"true", "false", "context.valued", "context.whole_fleet", `principal has "x"`, `principal.hasTag("O")`},
	"long":    {"0", "1", "-9223372036854775808", "9223372036854775807", "context.epoch", "context.claim_count"},
	"text":    {`""`, `"loan"`, `"\u{1F50B}"`, "context.purpose", "resource.schema", `principal.getTag("O")`},
	"set":     {`["count"]`, `["a", "b"]`, "context.lanes", "context.disclose", "[]"},
	"time":    {"context.time", "context.expiry", `datetime("2026-11-22")`, `datetime("x")`},
	"decimal": {"context.minimum_coverage", `decimal("-1.2345")`, `decimal("922337203685477.5807")`},
	"entity":  {"principal", "resource", "resource.owner", "action", `Organisation::"bank"`, `Fleet::"other"`, `Role::"financier"`},
}

// Comparisons of form are put into brackets: "≺" stands for less than.
var forms = map[string][]string{
	"bool": {"(<bool> && <bool>)", "(<bool> || <bool>)", "!<bool>", "(if <bool> then <bool> else <bool>)", "(<long> ≺ <long>)", "(<long> == <long>)",
		"(<text> != <text>)", `(<text> like "*l*\**")`, "<set>.contains(<text>)", "<set>.containsAll(<set>)", "<set>.containsAny(<set>)", "<set>.isEmpty()",
		"(<time> ≺= <time>)", "<decimal>.greaterThan(<decimal>)", "(<entity> in <entity>)", "(<entity> is Organisation)", "(<entity> == <entity>)",
		"<entity>.hasTag(<text>)", `(<entity>.hasTag("k") && <entity>.getTag("k") == <text>)`, "(<entity> has owner)"},
	"long":    {"(<long> + <long>)", "(<long> - <long>)", "(<long> * <long>)", "-<long>", "(if <bool> then <long> else <long>)", "<time>.durationSince(<time>).toDays()"},
	"text":    {"(if <bool> then <text> else <text>)", "<entity>.getTag(<text>)", "<entity>.schema"},
	"set":     {"[<text>, <text>]", "[<long>]", "(if <bool> then <set> else <set>)"},
	"time":    {`<time>.offset(duration("-1d2h"))`, "<time>.toDate()", "(if <bool> then <time> else <time>)"},
	"decimal": {"(if <bool> then <decimal> else <decimal>)"},
	"entity":  {"(if <bool> then <entity> else <entity>)", "<entity>.owner"},
}

// Whatever the validator takes is decided, and decided the same again.
func TestDrawnPolicies(t *testing.T) {
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		var text strings.Builder
		for i := range rapid.IntRange(1, 3).Draw(t, "policies") {
			fmt.Fprintf(&text, "@id(\"p%d\") %s (principal, action, resource) when { %s };\n", i,
				rapid.SampledFrom([]string{"permit", "forbid"}).Draw(t, "effect"), expression(t, "bool", rapid.IntRange(0, 4).Draw(t, "depth")))
		}
		source := strings.ReplaceAll(text.String(), "≺", "<")
		s, err := Parse([]byte(source))
		if err != nil {
			return
		}
		taken++
		d := s.Decide(question())
		if diff := cmp.Diff(d, parse(t, source).Decide(question())); diff != "" {
			t.Fatal(diff)
		}
		if d.Allowed && len(d.Policies) == 0 || len(d.Reasons) == 0 {
			t.Fatalf("%+v", d)
		}
	})
	if taken == 0 {
		t.Error("no policy was valid")
	}
}

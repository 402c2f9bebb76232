package policy

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// permit makes a policy of a condition.
func permit(condition string) string {
	return `@id("a") permit (principal, action, resource) when { ` + condition + ` };`
}

func repeat(text, between string, n int) string {
	return strings.TrimSuffix(strings.Repeat(text+between, n), between)
}

// Each of these keeps cedar-go 1.9 busy for seconds or minutes, or needs a
// stack as deep as the text is long.
func TestParseRefusesWhatCostsTooMuch(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"size":               {strings.Repeat("// long\n", MaxText/8+1), "at most 65536"},
		"parentheses":        {permit(strings.Repeat("(", 30000) + "true" + strings.Repeat(")", 30000)), "nested deeper than 64"},
		"negations":          {permit(strings.Repeat("!", 60000) + "true"), "signs ! or - in a row"},
		"negations in ( )":   {permit(strings.Repeat("!(", 20000) + "true" + strings.Repeat(")", 20000)), "nested deeper than 64"},
		"ifs":                {permit(strings.Repeat("if ", 20000)), "nested deeper than 64"},
		"else ifs":           {permit(strings.Repeat("if true then true else ", 2000) + "true"), "nested deeper than 64"},
		"ifs behind commas":  {permit(strings.Repeat("[true, if ", 2000)), "brackets [ ] within brackets"},
		"tags":               {permit(repeat(`principal.hasTag("a")`, "&&", 600)), "has or hasTag more than 32"},
		"has":                {permit(repeat(`context has purpose`, "&&", 600)), "has or hasTag more than 32"},
		"has a path":         {permit("context has " + repeat("a", ".", 10000)), "8 names in a row"},
		"names":              {permit(repeat("a", "::", 10000) + `::"x" == principal`), "8 names in a row"},
		"sets of sets":       {permit("[" + repeat("[1,4],[2,3]", ",", 2000) + "].isEmpty()"), "brackets [ ] within brackets"},
		"records":            {permit(`{"a": 1} == {"a": 1}`), "braces within brackets"},
		"a condition":        {permit(repeat("context.valued", "||", 2000)), "more than 4096 words"},
		"annotations":        {repeat(`@a("b")`, " ", 2000), "more than 4096 words"},
		"policies":           {repeat(`permit(principal,action,resource);`, "\n", 257), "more than 256 policies"},
		"tags in a comment":  {`/* " */` + permit(repeat(`principal.hasTag("a")`, "&&", 600)), "has or hasTag"},
		"tags after a quote": {`@description("\"/*")` + permit(repeat(`principal.hasTag("a")`, "&&", 600)), "has or hasTag"},
	} {
		_, err := Parse([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if err != nil && len(err.Error()) > maxProblems*(maxMessage+200) {
			t.Errorf("%s: the error has %d bytes", name, len(err.Error()))
		}
	}
}

// What is allowed is allowed up to the bounds.
func TestParseTakesWhatFits(t *testing.T) {
	for name, condition := range map[string]string{
		"nesting":  strings.Repeat("(", MaxNesting-1) + "true" + strings.Repeat(")", MaxNesting-1),
		"else ifs": strings.Repeat("if context.valued then true else ", MaxNesting-1) + "true",
		"tags":     repeat(`principal.hasTag("a")`, " && ", maxHas),
		"a list":   "[" + repeat(`"purpose"`, ",", 1500) + "].contains(context.purpose)",
		"signs":    "!!!!context.valued",
		"brackets in strings and comments": `context.purpose != "` + strings.Repeat("([{", 100) + `" // ` + strings.Repeat("(", 100) + `
			/* ` + strings.Repeat("[", 100) + ` */`,
		"lists beside each other": repeat(`["a"].contains(context.purpose)`, " || ", 200),
	} {
		if _, err := Parse([]byte(permit(condition))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseNamesWhatIsWrong(t *testing.T) {
	plain := ` permit (principal, action, resource);`
	for name, c := range map[string]struct{ text, want string }{
		"nothing":            {"// nothing\n", "holds no policy"},
		"no id":              {plain, `1:2: has no @id("…")`},
		"an empty id":        {`@id("")` + plain, "@id is missing"},
		"an id with a slash": {`@id("a/b")` + plain, `@id "a/b" may hold letters`},
		"an id with a dot":   {`@id(".a")` + plain, "begins with a letter"},
		"a long id":          {`@id("` + strings.Repeat("a", 65) + `")` + plain, "@id is longer than 64 bytes"},
		"an id twice":        {`@id("a")` + plain + "\n" + `@id("a")` + plain, `2:1: policy "a": another policy has the same @id`},
		"a misspelt note":    {`@id("a") @aproval("person")` + plain, "@aproval is not known"},
		"approval by whom":   {`@id("a") @approval("two")` + plain, `@approval is "two", want "person"`},
		"approval of no":     {`@id("a") @approval("person") forbid (principal, action, resource);`, "stands on a forbid"},
		"a description":      {`@id("a") @description("` + strings.Repeat("a", 257) + `")` + plain, "@description has 257 bytes"},
		"a slip of the pen":  {"@id(\"a\")\npermit (principal, action, resource) when {\n  context.purpose = \"x\" };", `3:21: got = want }, before "\"x\""`},
		"an unknown field":   {permit(`context.colour == "red"`), "`colour` in context not found"},
		"another type":       {permit(`context.epoch == "1"`), "policy \"a\": "},
		"a set as text":      {permit(`context.lanes == "age_days"`), "policy \"a\": "},
		"an unguarded tag":   {permit(`principal.getTag("O") == "Bank"`), "policy \"a\": "},
		"an unknown action":  {`@id("a") permit (principal, action == Action::"read", resource);`, `Action::"read"`},
		"an unknown type":    {`@id("a") permit (principal == User::"x", action, resource);`, "User"},
		"a resource that is no fleet": {
			`@id("a") permit (principal, action, resource is Organisation);`, "unable to find an applicable action"},
		"not a condition":     {permit(`context.epoch`), "policy \"a\": "},
		"not UTF-8":           {permit("\"\xff\" == context.purpose"), "not valid UTF-8"},
		"text turned round":   {permit("\"\u202e\" == context.purpose"), "unprintable character U+202E"},
		"an invisible letter": {"@id(\"a\u200b\")" + plain, "1:7: unprintable character U+200B"},
		"no end of a text":    {`@id("a) permit (principal, action, resource);`, "not terminated"},
		"a number":            {permit(`context.epoch == 9223372036854775808`), "out of range"},
	} {
		_, err := Parse([]byte(c.text))
		var parsing *ParseError
		if !errors.As(err, &parsing) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// The validator asks for each action, in any order; peers have to say the same.
func TestParseErrorsHaveOneOrder(t *testing.T) {
	text := ""
	for i := range 9 {
		text += fmt.Sprintf("@id(\"p%d\") permit (principal, action, resource) when { context.a%d == 1 && context.b == 2 || context.lanes == 1 };\n", i, i)
	}
	_, first := Parse([]byte(text))
	if first == nil || strings.Contains(first.Error(), `Action::"`) {
		t.Fatalf("error %v", first)
	}
	for range 50 {
		if _, again := Parse([]byte(text)); again.Error() != first.Error() {
			t.Fatalf("the error was\n%v\nand is\n%v", first, again)
		}
	}
}

func TestSetKeepsItsText(t *testing.T) {
	text := []byte("// ours\n" + permit("true"))
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	original := bytes.Clone(text)
	text[0] = 'x'
	s.Text()[0] = 'y'
	if !bytes.Equal(s.Text(), original) || s.Digest() != sha256.Sum256(original) {
		t.Error("the text changed with its caller's")
	}
	if diff := cmp.Diff([]string{"a"}, s.IDs()); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(Schema(), schemaText) || len(Schema()) == 0 {
		t.Error("the schema is not the embedded one")
	}
}

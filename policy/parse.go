package policy

import (
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
)

//go:embed schema.cedarschema
var schemaText []byte

// Schema is the Cedar schema that every policy is validated against.
func Schema() []byte { return slices.Clone(schemaText) }

// validator is made when a policy is validated and no earlier, and nothing else
// refers to it, so that Cedar is not in programs that only read what was decided.
func validator() *validate.Validator {
	once.Do(func() {
		var s schema.Schema
		if err := s.UnmarshalCedar(schemaText); err != nil {
			panic(fmt.Sprintf("schema.cedarschema: %v", err))
		}
		resolved, err := s.Resolve()
		if err != nil {
			panic(fmt.Sprintf("schema.cedarschema: %v", err))
		}
		validates = validate.New(resolved, validate.WithStrict())
	})
	return validates
}

var (
	once      sync.Once
	validates *validate.Validator
)

// Problem is one thing wrong with a policy text. Line and column count from 1,
// in characters; both are 0 for what concerns the text as a whole. Of what the
// validator says, they are those of the policy.
type Problem struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Policy  string `json:"policy,omitempty"`
	Message string `json:"message"`
}

func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	}
	if p.Policy != "" {
		fmt.Fprintf(&b, "policy %q: ", p.Policy)
	}
	return b.String() + p.Message
}

// ParseError lists what is wrong with a text, in its order, at most
// maxProblems.
type ParseError struct{ Problems []Problem }

const (
	maxProblems = 20
	maxMessage  = 300
)

func (e *ParseError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return "policy text: " + strings.Join(lines, "\n")
}

func parseError(problems ...Problem) error {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	problems = slices.Compact(problems)
	for i := range problems {
		problems[i].Message = shorten(problems[i].Message, maxMessage)
	}
	return &ParseError{Problems: problems[:min(len(problems), maxProblems)]}
}

// shorten cuts a text to some bytes, at a character.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

// Parse reads a policy text: it holds at least one policy, each has an id, and
// all are valid under the schema. The error is a [*ParseError].
func Parse(text []byte) (*Set, error) {
	if len(text) > MaxText {
		return nil, parseError(Problem{Message: fmt.Sprintf("%d bytes, at most %d", len(text), MaxText)})
	}
	if p := scan(string(text)); p != nil {
		return nil, parseError(*p)
	}
	list, err := cedar.NewPolicyListFromBytes("", text)
	if err != nil {
		return nil, parseError(syntax(err))
	}
	if len(list) == 0 {
		return nil, parseError(Problem{Message: "holds no policy"})
	}
	if len(list) > MaxPolicies {
		return nil, parseError(Problem{Message: fmt.Sprintf("%d policies, at most %d", len(list), MaxPolicies)})
	}
	s := &Set{text: slices.Clone(text)}
	var problems []Problem
	for _, p := range list {
		r, found := newRule(p)
		problems = append(problems, found...)
		s.rules = append(s.rules, r)
	}
	slices.SortStableFunc(s.rules, func(a, b *rule) int { return cmp.Compare(a.id, b.id) })
	if problems = append(problems, twice(s.rules)...); len(problems) > 0 {
		return nil, parseError(problems...)
	}
	return s, nil
}

func twice(rules []*rule) (problems []Problem) {
	for i := 1; i < len(rules); i++ {
		if rules[i].id != "" && rules[i].id == rules[i-1].id {
			problems = append(problems, rules[i].problem(`another policy has the same @id`))
		}
	}
	return problems
}

var (
	syntaxPosition = regexp.MustCompile(`^(?:parser error: )?(?:parse error at )?<input>:(\d+):(\d+):? ?`)
	anyAction      = regexp.MustCompile(` for Action::"[a-z]+"`)
)

// syntax takes position and message from what Cedar's parser says.
func syntax(err error) Problem {
	message := err.Error()
	m := syntaxPosition.FindStringSubmatch(message)
	if m == nil {
		return Problem{Message: strings.TrimPrefix(message, "parser error: ")}
	}
	p := Problem{Message: strings.Replace(message[len(m[0]):], "exact got", "got", 1)}
	p.Line, _ = strconv.Atoi(m[1])
	p.Column, _ = strconv.Atoi(m[2])
	if before, after, ok := strings.Cut(p.Message, ": "); ok && strings.HasPrefix(before, `"`) {
		p.Message = fmt.Sprintf("%s, before %s", after, shorten(before, 40))
	}
	return p
}

// invalid lists what the validator says of a policy. The same mistake is made
// once for each action.
func invalid(p *cedar.Policy) []string {
	said := map[string]bool{}
	collect(validator().Policy("", (*ast.Policy)(p.AST())), said)
	return slices.Sorted(maps.Keys(said))
}

func collect(err error, into map[string]bool) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			collect(e, into)
		}
		return
	}
	into[anyAction.ReplaceAllString(err.Error(), "")] = true
}

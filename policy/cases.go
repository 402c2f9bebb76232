package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bounds of a file of cases.
const (
	CasesVersion  = "assay-policy-cases/v1"
	MaxCasesText  = 256 << 10
	MaxCases      = 256
	maxCasesDepth = 16
)

// Case is a question and what its owner expects the policies to say.
type Case struct {
	Name     string
	Question Question
	Expect   Outcome
	// By are the ids of the policies that decide; empty: any.
	By []string
}

// Outcome of a question.
type Outcome string

// What a case may expect.
const (
	Allow   Outcome = "allow"   // at once
	Approve Outcome = "approve" // once a person approves
	Refuse  Outcome = "refuse"
)

// Outcome is the decision in a word.
func (d *Decision) Outcome() Outcome {
	switch {
	case !d.Allowed:
		return Refuse
	case d.Approval != "":
		return Approve
	}
	return Allow
}

// Result of one case. Problem is empty when it passed.
type Result struct {
	Name     string   `json:"name"`
	Passed   bool     `json:"passed"`
	Problem  string   `json:"problem,omitempty"`
	Decision Decision `json:"decision"`
}

// Test decides every case.
func (s *Set) Test(cases []Case) []Result {
	results := make([]Result, len(cases))
	for i := range cases {
		results[i] = s.test(&cases[i])
	}
	return results
}

func (s *Set) test(c *Case) Result {
	d := s.Decide(&c.Question)
	r := Result{Name: c.Name, Decision: d}
	ids := s.IDs()
	for _, id := range c.By {
		if !slices.Contains(ids, id) {
			r.Problem = fmt.Sprintf("by names policy %q, which the text does not hold", id)
			return r
		}
	}
	switch got := d.Outcome(); {
	case got != c.Expect:
		r.Problem = fmt.Sprintf("want %s, got %s: %s", c.Expect, got, strings.Join(d.Reasons, "; "))
	case len(c.By) > 0 && !slices.Equal(sorted(c.By), d.Policies):
		r.Problem = fmt.Sprintf("%s as wanted, by %q instead of %q: %s", got, d.Policies, sorted(c.By), strings.Join(d.Reasons, "; "))
	default:
		r.Passed = true
	}
	return r
}

// casesFile is the document. Questions stay as they are until every case has
// its own copy of the one that all start from.
type casesFile struct {
	Version  string          `json:"version"`
	Question json.RawMessage `json:"question"`
	Cases    []struct {
		Name     string          `json:"name"`
		Question json.RawMessage `json:"question"`
		Expect   Outcome         `json:"expect"`
		By       []string        `json:"by"`
	} `json:"cases"`
}

// ParseCases reads a file of cases, YAML or JSON; see the package comment. Of
// YAML it takes what JSON can say: anchors and unknown fields are refused.
func ParseCases(text []byte) ([]Case, error) {
	asJSON, err := fromYAML(text)
	if err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	var f casesFile
	if err := strict(asJSON, &f); err != nil {
		return nil, fmt.Errorf("cases: %w", err)
	}
	if f.Version != CasesVersion {
		return nil, fmt.Errorf("cases: version is %q, want %q", shorten(f.Version, maxID), CasesVersion)
	}
	if len(f.Cases) == 0 || len(f.Cases) > MaxCases {
		return nil, fmt.Errorf("cases: %d cases, want 1 to %d", len(f.Cases), MaxCases)
	}
	cases := make([]Case, len(f.Cases))
	seen := map[string]bool{}
	for i, c := range f.Cases {
		name := shorten(c.Name, maxName)
		if name == "" || seen[name] {
			return nil, fmt.Errorf("cases: cases[%d].name is %q, want one of its own", i, name)
		}
		seen[name] = true
		switch c.Expect {
		case Allow, Approve, Refuse:
		default:
			return nil, fmt.Errorf("cases: %q: expect is %q, want %q, %q or %q", name, shorten(string(c.Expect), maxID), Allow, Approve, Refuse)
		}
		cases[i] = Case{Name: name, Expect: c.Expect, By: c.By, Question: plainQuestion()}
		for _, part := range []json.RawMessage{f.Question, c.Question} {
			if err := strict(part, &cases[i].Question); err != nil {
				return nil, fmt.Errorf("cases: %q: question: %w", name, err)
			}
		}
	}
	return cases, nil
}

// plainQuestion is what a file's question starts from.
func plainQuestion() Question {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return Question{Action: Prove, Count: CountHidden, Time: at, Expiry: at.Add(24 * time.Hour)}
}

// strict decodes JSON over what v holds. Nothing changes nothing.
func strict(text []byte, v any) error {
	if len(text) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// fromYAML turns one bounded document without anchors into JSON.
func fromYAML(text []byte) ([]byte, error) {
	if len(text) > MaxCasesText {
		return nil, fmt.Errorf("%d bytes, at most %d", len(text), MaxCasesText)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var n yaml.Node
	if err := d.Decode(&n); err != nil {
		return nil, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	if err := plainYAML(&n, 0); err != nil {
		return nil, err
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func plainYAML(n *yaml.Node, depth int) error {
	switch {
	case depth > maxCasesDepth:
		return fmt.Errorf("line %d: nested deeper than %d", n.Line, maxCasesDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return fmt.Errorf("line %d: anchors and aliases are not read", n.Line)
	case n.Kind == yaml.MappingNode && len(n.Content) > 2*maxEntries:
		return fmt.Errorf("line %d: more than %d fields", n.Line, maxEntries)
	}
	for _, child := range n.Content {
		if err := plainYAML(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

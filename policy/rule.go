package policy

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	cedar "github.com/cedar-policy/cedar-go"
	public "github.com/cedar-policy/cedar-go/ast"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
)

// Annotations that a policy may carry. Others are refused, so that none is
// misspelt unnoticed.
const (
	annotationID          = "id"
	annotationApproval    = "approval"
	annotationDescription = "description"

	maxID          = 64
	maxDescription = 256
)

// rule is one policy.
type rule struct {
	id, description string
	approval        string
	permit          bool
	policy          *cedar.Policy
	// needs are the conditions of a permit, one by one, made when first a
	// question is refused.
	needs func() []need
}

func newRule(p *cedar.Policy) (*rule, []Problem) {
	r := &rule{policy: p, permit: p.Effect() == cedar.Permit}
	r.needs = sync.OnceValue(func() []need { return needsOf(p) })
	notes := p.Annotations()
	r.id = string(notes[annotationID])
	r.description = string(notes[annotationDescription])
	r.approval = string(notes[annotationApproval])
	var problems []Problem
	for _, message := range append(r.annotations(notes), invalid(p)...) {
		problems = append(problems, r.problem(message))
	}
	return r, problems
}

func (r *rule) problem(message string) Problem {
	at := r.policy.Position()
	p := Problem{Line: at.Line, Column: at.Column, Message: message}
	if nameProblem(r.id, maxID) == "" {
		p.Policy = r.id
	}
	return p
}

func (r *rule) annotations(notes cedar.Annotations) (problems []string) {
	for key, value := range notes {
		switch key {
		case annotationID:
		case annotationDescription:
			if value == "" || len(value) > maxDescription {
				problems = append(problems, fmt.Sprintf("@description has %d bytes, want 1 to %d", len(value), maxDescription))
			}
		case annotationApproval:
			if value != Person {
				problems = append(problems, fmt.Sprintf("@approval is %q, want %q", shorten(string(value), maxID), Person))
			} else if !r.permit {
				problems = append(problems, "@approval stands on a forbid: only a permit can wait for a person")
			}
		default:
			problems = append(problems, fmt.Sprintf("@%s is not known: want @id, @description or @approval", shorten(string(key), maxID)))
		}
	}
	if _, ok := notes[annotationID]; !ok {
		return append(problems, `has no @id("…")`)
	}
	if p := nameProblem(r.id, maxID); p != "" {
		problems = append(problems, "@id "+p)
	}
	return problems
}

// nameProblem accepts letters, digits, ".", "_" and "-", the first not a sign.
func nameProblem(name string, limit int) string {
	switch {
	case name == "":
		return "is missing"
	case len(name) > limit:
		return fmt.Sprintf("is longer than %d bytes", limit)
	}
	for i, c := range []byte(name) {
		if sign := c == '.' || c == '_' || c == '-'; sign && i == 0 || !sign && (!word(c)) {
			return fmt.Sprintf("%q may hold letters, digits, dots, dashes and underscores, and begins with a letter or a digit", name)
		}
	}
	return ""
}

// String names a rule for people.
func (r *rule) String() string {
	if r.description == "" {
		return fmt.Sprintf("policy %q", r.id)
	}
	return fmt.Sprintf("policy %q (%s)", r.id, r.description)
}

// need is one condition of a permit by itself.
type need struct {
	missing string // what to say when it does not hold
	policy  *cedar.Policy
}

const maxNeed = 200

// needsOf takes a permit apart: its scope, then each part of its when clauses
// that is joined by &&, then each unless clause.
func needsOf(p *cedar.Policy) []need {
	source := (*ast.Policy)(p.AST())
	scope := *source
	scope.Conditions, scope.Annotations = nil, nil
	needs := []need{{"is about another requester, action or fleet", compile(&scope)}}
	for _, c := range source.Conditions {
		if c.Condition == ast.ConditionUnless {
			needs = append(needs, condition(c))
			continue
		}
		for _, body := range conjuncts(c.Body) {
			needs = append(needs, condition(ast.ConditionType{Condition: ast.ConditionWhen, Body: body}))
		}
	}
	return needs
}

// conjuncts flattens a chain of &&, in the order of evaluation, without
// recursion on its left side, which is as long as the chain.
func conjuncts(body ast.IsNode) []ast.IsNode {
	var reversed []ast.IsNode
	for {
		and, ok := body.(ast.NodeTypeAnd)
		if !ok {
			break
		}
		right := conjuncts(and.Right)
		slices.Reverse(right)
		reversed = append(reversed, right...)
		body = and.Left
	}
	reversed = append(reversed, body)
	slices.Reverse(reversed)
	return reversed
}

func condition(c ast.ConditionType) need {
	p := ast.Permit()
	p.Conditions = []ast.ConditionType{c}
	compiled := compile(p)
	_, text, _ := strings.Cut(string(compiled.MarshalCedar()), "\n")
	text = strings.TrimSuffix(text, ";")
	if c.Condition == ast.ConditionWhen {
		text = strings.TrimSuffix(strings.TrimPrefix(text, "when { "), " }")
	}
	return need{"needs " + shorten(strings.Join(strings.Fields(text), " "), maxNeed), compiled}
}

func compile(p *ast.Policy) *cedar.Policy { return cedar.NewPolicyFromAST((*public.Policy)(p)) }

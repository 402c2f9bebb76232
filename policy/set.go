package policy

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"

	cedar "github.com/cedar-policy/cedar-go"
)

// Bounds of a policy text. MaxNesting counts brackets, and ifs without
// brackets.
const (
	MaxText     = 64 << 10
	MaxPolicies = 256
	MaxNesting  = 64
)

// maxNear bounds how many permits a refusal explains.
const maxNear = 8

// Set is a policy text that was parsed and validated. It is immutable and safe
// for concurrent use.
type Set struct {
	text  []byte
	rules []*rule // by id
}

// Digest is the SHA-256 of the text, as sha256sum prints it.
func (s *Set) Digest() [32]byte { return sha256.Sum256(s.text) }

// Text is the text that was parsed.
func (s *Set) Text() []byte { return slices.Clone(s.text) }

// IDs lists the policies, sorted.
func (s *Set) IDs() []string {
	ids := make([]string, len(s.rules))
	for i, r := range s.rules {
		ids[i] = r.id
	}
	return ids
}

// ordered lets Cedar evaluate the policies by id, so that what it reports has
// one order.
type ordered []*rule

// All is Cedar's interface to a set.
func (o ordered) All() iter.Seq2[cedar.PolicyID, *cedar.Policy] {
	return func(yield func(cedar.PolicyID, *cedar.Policy) bool) {
		for _, r := range o {
			if !yield(cedar.PolicyID(r.id), r.policy) {
				return
			}
		}
	}
}

// Decide evaluates every policy. A question is allowed when a permit applies,
// no forbid does, and none failed to evaluate. Equal sets give equal decisions
// for equal questions, word for word.
func (s *Set) Decide(q *Question) Decision {
	e, err := environmentOf(q)
	if err != nil {
		return Decision{Reasons: []string{fmt.Sprintf("no policy can be asked: %v", err)}}
	}
	verdict, diagnostic := cedar.Authorize(ordered(s.rules), e.entities, e.request)
	reasons := map[string]bool{}
	failed := map[string]bool{}
	for _, r := range diagnostic.Reasons {
		reasons[string(r.PolicyID)] = true
	}
	for _, e := range diagnostic.Errors {
		failed[string(e.PolicyID)] = true
	}
	switch {
	case len(failed) > 0 || verdict == cedar.Deny && len(reasons) > 0:
		return s.refused(reasons, failed)
	case verdict == cedar.Allow:
		return s.allowed(reasons)
	}
	return Decision{Reasons: s.near(e)}
}

// refused names the forbids that apply and what failed. What Cedar says of a
// failure is left out: it may differ from one version of the library to the
// next, and decisions are compared between peers.
func (s *Set) refused(reasons, failed map[string]bool) Decision {
	var d Decision
	for _, r := range s.rules {
		switch {
		case failed[r.id]:
			d.Reasons = append(d.Reasons, fmt.Sprintf("%v could not be evaluated: an overflow, or an entity that is not part of the question", r))
		case reasons[r.id] && !r.permit:
			d.Reasons = append(d.Reasons, fmt.Sprintf("%v forbids it", r))
		default:
			continue
		}
		d.Policies = append(d.Policies, r.id)
	}
	return d
}

func (s *Set) allowed(reasons map[string]bool) Decision {
	d := Decision{Allowed: true}
	for _, r := range s.rules {
		if !reasons[r.id] {
			continue
		}
		d.Policies = append(d.Policies, r.id)
		if r.approval == "" {
			d.Reasons = append(d.Reasons, fmt.Sprintf("%v permits it", r))
			continue
		}
		d.Approval = r.approval
		d.Reasons = append(d.Reasons, fmt.Sprintf("%v permits it once a person approves", r))
	}
	return d
}

// near says of each permit the first thing that it needs and that does not
// hold.
func (s *Set) near(e *environment) []string {
	reasons := []string{"no policy permits it"}
	left := 0
	for _, r := range s.rules {
		if !r.permit {
			continue
		}
		if len(reasons) > maxNear {
			left++
			continue
		}
		for _, n := range r.needs() {
			if !e.holds(n.policy) {
				reasons = append(reasons, fmt.Sprintf("%v %s", r, n.missing))
				break
			}
		}
	}
	if left > 0 {
		reasons = append(reasons, fmt.Sprintf("nor do %d more", left))
	}
	return reasons
}

package ledger

import (
	"fmt"
	"strconv"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// Shown is what a verdict shows, as far as the limits of a grant depend on it.
type Shown struct {
	Population uint64 `json:"population"`
	// Count is that of the cohort, if the statement has it disclosed.
	Count *uint64 `json:"count,omitempty"`
	// Claims says of each of the statement's claims whether it holds.
	Claims []bool `json:"claims"`
}

// ShownBy takes what matters from a verdict.
func ShownBy(v *verify.Verdict) (Shown, error) {
	s := Shown{Claims: []bool{}}
	for _, c := range v.Claims {
		s.Claims = append(s.Claims, c.Holds)
	}
	known := false
	for _, d := range v.Disclosed {
		if d.Name != totalPopulation && d.Name != totalCount {
			continue
		}
		n, err := strconv.ParseUint(d.Value, 10, 64)
		if err != nil {
			return Shown{}, fmt.Errorf("verdict: %s: %w", d.Name, err)
		}
		if d.Name == totalCount {
			s.Count = &n
		} else {
			s.Population, known = n, true
		}
	}
	if !known {
		return Shown{}, fmt.Errorf("verdict: shows no population")
	}
	return s, nil
}

// ShownOf is what a verdict about totals would show of a statement: what a proof of it comes to, before there is one.
func ShownOf(s *statement.Statement, t statement.Totals) (Shown, error) {
	claims, err := s.Integers()
	if err != nil {
		return Shown{}, err
	}
	disclosed, err := s.Disclosed()
	if err != nil {
		return Shown{}, err
	}
	out := Shown{Population: t.Population, Claims: []bool{}}
	if disclosed[statement.Count] {
		out.Count = &t.Count
	}
	for i := range claims {
		out.Claims = append(out.Claims, claims[i].Holds(t))
	}
	return out, nil
}

// CountOf is how many batteries the cohort has, or nil if the answer does not show it.
func (s *Shown) CountOf(q *policy.Question) *uint64 {
	if s.Count == nil && q.Cohort.All {
		return &s.Population
	}
	return s.Count
}

// Proves reports whether a claim that holds says that the cohort has at least so many batteries, and nothing else.
func (s *Shown) Proves(of *statement.Statement, least uint64) (bool, error) {
	claims, err := of.Integers()
	if err != nil {
		return false, err
	}
	if len(claims) != len(s.Claims) {
		return false, fmt.Errorf("%d claims are shown, the statement has %d", len(s.Claims), len(claims))
	}
	for i := range claims {
		if n := leastCount(&claims[i]); n > 0 && n >= least && s.Claims[i] {
			return true, nil
		}
	}
	return false, nil
}

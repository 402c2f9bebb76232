package ledger

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// Check reports the first field that is missing, out of bounds or not what the schema allows: all that can be said without a ledger.
func (q *Query) Check() error {
	if q.Version != QueryVersion {
		return fmt.Errorf("query: version is %.40q, want %q", q.Version, QueryVersion)
	}
	if err := q.checkParts(); err != nil {
		return err
	}
	// A nonce, a purpose, a cohort, a valuation and an expiry are what they are in statements.
	if err := q.statement(q.Parts[0]).Check(); err != nil {
		return fmt.Errorf("query: %w", err)
	}
	for _, check := range []func() error{q.checkKind, q.checkTerms, q.checkPrivacy} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (q *Query) checkParts() error {
	least, most := MinQueryOwners, MaxQueryOwners
	switch q.Kind {
	case QueryFederated:
	case QueryScore:
		least, most = 1, 1
	default:
		return fmt.Errorf("query: kind is %.40q, want %q or %q", q.Kind, QueryFederated, QueryScore)
	}
	if len(q.Parts) < least || len(q.Parts) > most {
		return fmt.Errorf("query: %d parts, want %d to %d", len(q.Parts), least, most)
	}
	for i, p := range q.Parts {
		if err := CheckID(fmt.Sprintf("query: parts[%d].fleet", i), p.Fleet); err != nil {
			return err
		}
		if err := CheckID(fmt.Sprintf("query: parts[%d].grant", i), p.Grant); err != nil {
			return err
		}
		if i > 0 && q.Parts[i-1].Fleet >= p.Fleet {
			return fmt.Errorf("query: parts[%d]: fleet %s is there twice or not in order", i, p.Fleet)
		}
	}
	return nil
}

// checkKind holds a query to the fields of its kind.
func (q *Query) checkKind() error {
	schema, err := record.Lookup(q.Schema)
	if err != nil {
		return fmt.Errorf("query: schema: %w", err)
	}
	if q.Kind == QueryScore {
		if len(q.Totals) > 0 || q.Subject != "" || len(q.Edges) > 0 || q.Valuation != nil || q.Regulator != "" || q.Threshold != 0 || q.InputSeconds != 0 {
			return errors.New("query: a score has no totals, subject, edges, valuation, regulator, threshold or input_seconds")
		}
		return q.checkFeatures(schema)
	}
	if len(q.Features) > 0 || q.Degree != 0 || q.Spread {
		return errors.New("query: a federated query has no features, degree or spread")
	}
	if err := CheckID("query: regulator", q.Regulator); err != nil {
		return err
	}
	if q.Threshold < MinThreshold || int(q.Threshold) > len(q.Parts) {
		return fmt.Errorf("query: threshold is %d, want %d to %d", q.Threshold, MinThreshold, len(q.Parts))
	}
	if q.InputSeconds < 1 || q.InputSeconds > MaxInputSeconds {
		return fmt.Errorf("query: input_seconds is %d, want 1 to %d", q.InputSeconds, MaxInputSeconds)
	}
	return q.checkTotals(schema)
}

func (q *Query) checkTerms() error {
	if q.MinimumCohort < 1 || q.MinimumCohort > policy.MaxMinimumCohort {
		return fmt.Errorf("query: minimum_cohort is %d, want 1 to %d", q.MinimumCohort, uint64(policy.MaxMinimumCohort))
	}
	if len(q.Parameters) == 0 || len(q.Parameters) > MaxParameters || strings.ContainsFunc(q.Parameters, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.')
	}) {
		return fmt.Errorf("query: parameters have %d characters, want 1 to %d of a-z, 0-9, '-' and '.'", len(q.Parameters), MaxParameters)
	}
	return nil
}

func (q *Query) checkTotals(schema *record.Schema) error {
	known := []string{policy.TotalCount, policy.TotalSum, policy.TotalSquares, policy.TotalHistogram}
	last, ofSubject := -1, false
	for _, total := range q.Totals {
		i := slices.Index(known, total)
		if i <= last {
			return fmt.Errorf("query: totals must be some of %v, in this order", known)
		}
		last, ofSubject = i, ofSubject || i > 0
	}
	if len(q.Totals) == 0 {
		return fmt.Errorf("query: totals must be some of %v", known)
	}
	if ofSubject != (q.Subject != "") {
		return errors.New("query: a subject is there exactly when a total is of it")
	}
	if (q.Valuation != nil) != (q.Subject == totalValue) {
		return fmt.Errorf("query: a valuation is there exactly when the subject is %q", totalValue)
	}
	if lane, ok := schema.LaneIndex(q.Subject); q.Subject != "" && q.Subject != totalValue && (!ok || lane == 0) {
		return fmt.Errorf("query: subject %.40q is neither a lane of %s nor %q", q.Subject, schema.Name, totalValue)
	}
	if slices.Contains(q.Totals, policy.TotalHistogram) != (len(q.Edges) > 0) {
		return errors.New("query: edges are there exactly when a histogram is asked for")
	}
	return q.checkEdges(schema)
}

// checkEdges wants them to ascend, with no band beyond the cohort.
func (q *Query) checkEdges(schema *record.Schema) error {
	if len(q.Edges) >= MaxQueryBands {
		return fmt.Errorf("query: %d edges, at most %d", len(q.Edges), MaxQueryBands-1)
	}
	lo, hi := uint64(0), uint64(maxEdge)
	lane, isLane := schema.LaneIndex(q.Subject)
	if isLane && len(q.Edges) > 0 {
		p, err := q.statement(q.Parts[0]).Parameters()
		if err != nil {
			return fmt.Errorf("query: %w", err)
		}
		lo, hi = uint64(p.Bounds.Lo[lane]), uint64(p.Bounds.Hi[lane])
	}
	for i, text := range q.Edges {
		var edge uint64
		if isLane {
			v, err := schema.Lanes[lane].Parse(text)
			if err != nil {
				return fmt.Errorf("query: edges[%d]: %w", i, err)
			}
			edge = uint64(v)
		} else {
			v, ok := decimal(text, 2)
			if !ok {
				return fmt.Errorf("query: edges[%d]: %.40q is not plain decimal text with at most 2 places", i, text)
			}
			edge = v
		}
		if edge <= lo || edge > hi {
			return fmt.Errorf("query: edges[%d]: %.40q does not ascend, or makes a band outside the cohort", i, text)
		}
		lo = edge
	}
	return nil
}

func (q *Query) checkFeatures(schema *record.Schema) error {
	if len(q.Features) < 1 || len(q.Features) > MaxQueryFeatures {
		return fmt.Errorf("query: %d features, want 1 to %d", len(q.Features), MaxQueryFeatures)
	}
	if q.Degree < 1 || q.Degree > MaxQueryDegree || q.Degree%2 == 0 {
		return fmt.Errorf("query: degree is %d, want an odd number of 1 to %d", q.Degree, MaxQueryDegree)
	}
	for i, f := range q.Features {
		lane, ok := schema.LaneIndex(f.Lane)
		if !ok || lane == 0 {
			return fmt.Errorf("query: features[%d]: schema %s has no lane %.40q", i, schema.Name, f.Lane)
		}
		lo, err := schema.Lanes[lane].Parse(f.Lo)
		if err != nil {
			return fmt.Errorf("query: features[%d]: lo: %w", i, err)
		}
		hi, err := schema.Lanes[lane].Parse(f.Hi)
		if err != nil {
			return fmt.Errorf("query: features[%d]: hi: %w", i, err)
		}
		if lo >= hi {
			return fmt.Errorf("query: features[%d]: lo %.40s is not below hi %.40s", i, f.Lo, f.Hi)
		}
		if slices.Contains(q.Features[:i], f) {
			return fmt.Errorf("query: features[%d] is there twice", i)
		}
	}
	return nil
}

func (q *Query) checkPrivacy() error {
	epsilon, delta, err := q.Privacy()
	switch {
	case err != nil:
		return fmt.Errorf("query: %w", err)
	case q.Epsilon == "" && q.Delta != "":
		return errors.New("query: delta is there without epsilon")
	case q.Epsilon != "" && (epsilon < minEpsilon || epsilon > maxEpsilon):
		return fmt.Errorf("query: epsilon is %s, want 0.001 to 10", q.Epsilon)
	case q.Delta != "" && (delta == 0 || delta > maxDelta):
		return fmt.Errorf("query: delta is %s, want more than 0 and at most 0.0001", q.Delta)
	}
	return nil
}

// Privacy is epsilon in millionths and delta in 10^-12; 0 for what is left out.
func (q *Query) Privacy() (epsilon, delta uint64, err error) {
	var ok bool
	if epsilon, ok = decimal(q.Epsilon, 6); q.Epsilon != "" && !ok {
		return 0, 0, fmt.Errorf("epsilon %.40q is not plain decimal text with at most 6 places", q.Epsilon)
	}
	if delta, ok = decimal(q.Delta, 12); q.Delta != "" && !ok {
		return 0, 0, fmt.Errorf("delta %.40q is not plain decimal text with at most 12 places", q.Delta)
	}
	return epsilon, delta, nil
}

// decimal reads digits with at most so many places, and nothing else, as an integer of the last place. It has one spelling: no zero that could be left out.
func decimal(text string, places int) (uint64, bool) {
	whole, fraction, point := strings.Cut(text, ".")
	digits := whole + fraction
	if len(text) > 40 || whole == "" || point && (fraction == "" || strings.HasSuffix(fraction, "0")) || len(fraction) > places ||
		len(whole) > 1 && whole[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, ok := new(big.Int).SetString(digits+strings.Repeat("0", places-len(fraction)), 10)
	return n.Uint64(), ok && n.IsUint64() && n.Uint64() <= math.MaxInt64
}

// statement is one with the parts of a query that statements have, too.
func (q *Query) statement(p QueryPart) *statement.Statement {
	s := &statement.Statement{
		Version: statement.Version, Fleet: p.Fleet, Epoch: q.Epoch, Schema: q.Schema, Cohort: q.Cohort, Valuation: q.Valuation, MinimumCoverage: "0",
		Requester: q.Requester, Grant: p.Grant, Purpose: q.Purpose, Nonce: q.Nonce, Expiry: time.Unix(q.Expiry, 0).UTC(),
	}
	if q.Subject != "" {
		s.Disclose = []string{q.Subject}
	}
	for _, f := range q.Features {
		if !slices.Contains(s.Disclose, f.Lane) {
			s.Disclose = append(s.Disclose, f.Lane)
		}
	}
	return s
}

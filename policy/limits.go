package policy

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"
)

// Limits says, in words, everything for which the grant does not cover the
// question; nothing when it does. Terms that Check refuses cover nothing. What
// only an answer shows, how large the cohort is and what it leaves over, is
// for the caller and for [Isolates].
func (t *Terms) Limits(q *Question, s Spent) []string {
	if err := t.Check(); err != nil {
		return []string{fmt.Sprintf("the grant is not valid: %v", err)}
	}
	var l limits
	l.check(q.Grant == t.ID, "the request names grant %q, not %q", shorten(q.Grant, maxName), t.ID)
	l.check(q.Requester.ID == t.Grantee, "the grant is %q's, and %q asks", t.Grantee, shorten(q.Requester.ID, maxName))
	l.covers("fleet", t.Fleets, q.Fleet.ID)
	l.covers("purpose", t.Purposes, q.Purpose)
	l.covers("action", names(t.Actions), string(q.Action))
	l.covers("claim about", t.Claims, q.Claims...)
	l.covers("disclosure of", t.Disclose, q.Disclose...)
	l.covers("lane", t.Lanes, q.Lanes...)
	if q.Model != "" {
		l.covers("valuation model", t.Models, q.Model)
		most, err := parseUnsigned(t.MaxPrice, pricePlaces) // Check demands it where there are models
		l.check(len(t.Models) == 0 || err == nil && q.Price <= most, "the question's price of a device is %s, the grant's highest is %s", formatPrice(q.Price), t.MaxPrice)
	}
	l.cohort(t, q)
	l.window(t, q)
	l.spending(t, q, s)
	return l.reasons
}

type limits struct{ reasons []string }

func (l *limits) check(ok bool, format string, args ...any) {
	if !ok {
		l.reasons = append(l.reasons, fmt.Sprintf(format, args...))
	}
}

// covers refuses each entry that is not on the list, once.
func (l *limits) covers(what string, list []string, entries ...string) {
	for _, entry := range sorted(entries) {
		l.check(slices.Contains(list, entry), "the grant does not cover %s %q", what, shorten(entry, maxName))
	}
}

// cohort demands a proof of the cohort's size: a number that a requester
// merely expects is none. Of a homomorphic query nobody but the owner sees the
// size, so that what counts is what the owner is asked to hold to.
func (l *limits) cohort(t *Terms, q *Question) {
	switch {
	case q.homomorphic():
		l.check(q.MinimumCohort >= t.MinimumCohort, "the question is about cohorts of at least %d, the grant demands %d", q.MinimumCohort, t.MinimumCohort)
	case q.Count == CountExact:
	case q.Count == CountProven:
		l.check(q.ProvenMinimum >= t.MinimumCohort, "the question proves that its cohort has at least %d, the grant demands %d", q.ProvenMinimum, t.MinimumCohort)
	default:
		l.check(false, "the question neither discloses count nor claims count ≥ %d: the grant's minimum must be proven", t.MinimumCohort)
	}
	coverage, err := parseUnsigned(t.MinimumCoverage, coveragePlaces)
	l.check(err == nil && q.MinimumCoverage >= coverage, "the question demands a coverage of %d.%02d %%, the grant at least %s",
		q.MinimumCoverage/100, q.MinimumCoverage%100, t.MinimumCoverage)
}

func (q *Question) homomorphic() bool { return q.Action == Aggregate || q.Action == Score }

func (l *limits) window(t *Terms, q *Question) {
	l.check(q.Epoch >= t.FirstEpoch, "epoch %d is before the grant's first, %d", q.Epoch, t.FirstEpoch)
	l.check(t.LastEpoch == 0 || q.Epoch <= t.LastEpoch, "epoch %d is after the grant's last, %d", q.Epoch, t.LastEpoch)
	now := q.Time.Unix()
	l.check(now >= t.NotBefore, "the grant begins on %s", day(t.NotBefore))
	l.check(now <= t.NotAfter, "the grant ended on %s", day(t.NotAfter))
	l.check(q.Expiry.Unix() <= t.NotAfter, "the request expires on %s, after the grant's end on %s", q.Expiry.UTC().Format(time.RFC3339), day(t.NotAfter))
}

func day(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// spending compares what is left with what the question costs.
func (l *limits) spending(t *Terms, q *Question, s Spent) {
	l.check(s.Answers < t.Answers, "all %d answers of the grant are used up", t.Answers)
	cost, err := t.Cost(q)
	if err != nil {
		l.check(false, "the question's cost: %v", err)
		return
	}
	budget, err := parseUnsigned(t.Budget, unitPlaces)
	if err != nil || s.Units > budget {
		l.check(false, "the budget for fleet %q is used up", shorten(q.Fleet.ID, maxName))
		return
	}
	l.check(cost <= budget-s.Units, "the question costs %s units, and %s of the budget for fleet %q are left",
		FormatUnits(cost), FormatUnits(budget-s.Units), shorten(q.Fleet.ID, maxName))
	l.deltas(t, q, s)
}

// deltas add up as epsilons do: without a bound their sum would reach one.
func (l *limits) deltas(t *Terms, q *Question, s Spent) {
	if q.Delta == 0 {
		return
	}
	budget, err := t.deltaBudget()
	left := budget - min(budget, s.Delta)
	l.check(err == nil && q.Delta <= left, "the question's delta is %s, and %s of the delta budget for fleet %q are left",
		formatDelta(q.Delta), formatDelta(left), shorten(q.Fleet.ID, maxName))
}

// deltaBudget is in 10^-12; 0 where there is none.
func (t *Terms) deltaBudget() (uint64, error) {
	if t.DeltaBudget == "" {
		return 0, nil
	}
	return parseUnsigned(t.DeltaBudget, deltaPlaces)
}

// Cost is what an answer spends of the fleet's budget, in millionths of a
// unit: for a proof, each claim and each disclosed total; for a homomorphic
// query, its epsilon or, where it shows exact numbers, each of them as a
// disclosed total. The price of exact totals is a convention for counting and no
// differential privacy.
func (t *Terms) Cost(q *Question) (uint64, error) {
	items := []item{{"cost_claim", t.CostClaim, uint64(len(q.Claims))}, {"cost_disclosure", t.CostDisclosure, uint64(len(q.Disclose))}}
	switch {
	case q.homomorphic() && q.Epsilon > 0:
		return q.Epsilon, nil
	case q.homomorphic() && q.TotalCount == 0:
		return 0, errors.New("a homomorphic query names neither epsilon nor totals")
	case q.homomorphic():
		items = []item{{"cost_disclosure", t.CostDisclosure, q.TotalCount}}
	case q.Action != Prove:
		return 0, fmt.Errorf("action %q is not known", shorten(string(q.Action), maxID))
	}
	var total uint64
	for _, i := range items {
		each, err := parseUnsigned(i.text, unitPlaces)
		if err != nil {
			return 0, fmt.Errorf("%s %w", i.field, err)
		}
		high, cost := bits.Mul64(each, i.times)
		sum, carry := bits.Add64(total, cost, 0)
		if high != 0 || carry != 0 {
			return 0, fmt.Errorf("more than %s units", FormatUnits(math.MaxUint64))
		}
		total = sum
	}
	return total, nil
}

// item is what an answer is charged for, each time at one price.
type item struct {
	field, text string
	times       uint64
}

// Add is what is spent after one more answer of a cost and a delta. It fails
// rather than wrap around.
func (s Spent) Add(cost, delta uint64) (Spent, error) {
	units, carry := bits.Add64(s.Units, cost, 0)
	deltas, over := bits.Add64(s.Delta, delta, 0)
	if carry != 0 || over != 0 || s.Answers == math.MaxUint32 {
		return s, errors.New("more was spent of a grant than can be counted")
	}
	return Spent{Answers: s.Answers + 1, Units: units, Delta: deltas}, nil
}

package policy

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Bounds of a grant's terms.
const (
	maxEntries = 64 // of a list
	maxName    = 128
	maxPurpose = 512
	// MaxMinimumCohort is far above any fleet and far below a Long of Cedar.
	MaxMinimumCohort = 1 << 32
	// maxBudget is 10^12 units, maxCost 10^9, in millionths.
	maxBudget = 1_000_000_000_000_000_000
	maxCost   = 1_000_000_000_000_000
	// maxDeltaBudget is 0.01, in 10^-12: with a delta of one in so many, one battery in
	// so many may be told outright.
	maxDeltaBudget = 10_000_000_000
	// maxPrice is the highest that a statement can have, in 0.01.
	maxPrice = 1 << 40
	maxTime  = 253402300799 // the last second of the year 9999
)

// Check reports the first field that is missing or out of bounds.
func (t *Terms) Check() error {
	if p := nameProblem(t.ID, maxID); p != "" {
		return fmt.Errorf("terms: id %s", p)
	}
	if err := checkText("grantee", t.Grantee, maxName); err != nil {
		return err
	}
	for _, check := range []func() error{t.checkLists, t.checkPrice, t.checkCohort, t.checkAmounts, t.checkWindow} {
		if err := check(); err != nil {
			return err
		}
	}
	return checkDigest("policy", t.Policy)
}

func (t *Terms) checkLists() error {
	actions := map[string]bool{string(Prove): true, string(Aggregate): true, string(Score): true}
	kinds := map[string]bool{ClaimCount: true, ClaimPopulation: true, ClaimValue: true, ClaimLane: true, ClaimMixed: true}
	text := func(limit int) func(string, string) error {
		return func(field, entry string) error { return checkText(field, entry, limit) }
	}
	for _, l := range []struct {
		field    string
		list     []string
		required bool
		check    func(field, entry string) error
	}{
		{"fleets", t.Fleets, true, text(maxName)},
		{"purposes", t.Purposes, true, text(maxPurpose)},
		{"actions", names(t.Actions), true, among(actions)},
		{"claims", t.Claims, false, among(kinds)},
		{"disclose", t.Disclose, false, text(maxName)},
		{"lanes", t.Lanes, false, text(maxName)},
		{"models", t.Models, false, checkDigest},
	} {
		if err := checkList(l.field, l.list, l.required, l.check); err != nil {
			return err
		}
	}
	return nil
}

func checkList(field string, list []string, required bool, check func(field, entry string) error) error {
	if required && len(list) == 0 {
		return fmt.Errorf("terms: %s is empty", field)
	}
	if len(list) > maxEntries {
		return fmt.Errorf("terms: %s has %d entries, at most %d", field, len(list), maxEntries)
	}
	for i, entry := range list {
		if err := check(fmt.Sprintf("%s[%d]", field, i), entry); err != nil {
			return err
		}
		if i > 0 && list[i-1] >= entry {
			return fmt.Errorf("terms: %s is not sorted, or names %q twice", field, entry)
		}
	}
	return nil
}

func (t *Terms) checkCohort() error {
	if t.MinimumCohort < 1 || t.MinimumCohort > MaxMinimumCohort {
		return fmt.Errorf("terms: minimum_cohort is %d, want 1 to %d", t.MinimumCohort, uint64(MaxMinimumCohort))
	}
	coverage, err := parseUnsigned(t.MinimumCoverage, coveragePlaces)
	if err != nil {
		return fmt.Errorf("terms: minimum_coverage %w", err)
	}
	if coverage > coverageFull {
		return fmt.Errorf("terms: minimum_coverage is %s %%, at most 100", t.MinimumCoverage)
	}
	return nil
}

func (t *Terms) checkAmounts() error {
	if t.Answers == 0 {
		return fmt.Errorf("terms: answers is 0, want at least 1")
	}
	for _, a := range []struct {
		field, text string
		max         uint64
	}{{"budget", t.Budget, maxBudget}, {"cost_claim", t.CostClaim, maxCost}, {"cost_disclosure", t.CostDisclosure, maxCost}} {
		n, err := parseUnsigned(a.text, unitPlaces)
		if err != nil {
			return fmt.Errorf("terms: %s %w", a.field, err)
		}
		if n > a.max {
			return fmt.Errorf("terms: %s is %s units, at most %s", a.field, a.text, FormatUnits(a.max))
		}
	}
	delta, err := t.deltaBudget()
	if err != nil {
		return fmt.Errorf("terms: delta_budget %w", err)
	}
	if delta > maxDeltaBudget {
		return fmt.Errorf("terms: delta_budget is %s, at most %s", t.DeltaBudget, formatDelta(maxDeltaBudget))
	}
	return nil
}

// checkPrice demands a highest price where there are models to ask with.
func (t *Terms) checkPrice() error {
	if len(t.Models) == 0 {
		if t.MaxPrice != "" {
			return errors.New("terms: max_price bounds nothing, as models is empty")
		}
		return nil
	}
	price, err := parseUnsigned(t.MaxPrice, pricePlaces)
	if err != nil {
		return fmt.Errorf("terms: max_price %w", err)
	}
	if price > maxPrice {
		return fmt.Errorf("terms: max_price is %s, at most %s", t.MaxPrice, formatPrice(maxPrice))
	}
	return nil
}

func (t *Terms) checkWindow() error {
	if t.LastEpoch != 0 && t.LastEpoch < t.FirstEpoch {
		return fmt.Errorf("terms: last_epoch is %d, before first_epoch %d", t.LastEpoch, t.FirstEpoch)
	}
	if t.NotBefore < 0 || t.NotBefore > maxTime {
		return fmt.Errorf("terms: not_before is %d, want Unix seconds from 0 to %d", t.NotBefore, int64(maxTime))
	}
	if t.NotAfter < t.NotBefore || t.NotAfter > maxTime {
		return fmt.Errorf("terms: not_after is %d, want not_before to %d", t.NotAfter, int64(maxTime))
	}
	return nil
}

// Sort puts the lists into the order that Check demands, each entry once.
func (t *Terms) Sort() {
	for _, list := range []*[]string{&t.Fleets, &t.Purposes, &t.Claims, &t.Disclose, &t.Lanes, &t.Models} {
		*list = sorted(*list)
	}
	t.Actions = sorted(t.Actions)
}

func sorted[T cmp.Ordered](list []T) []T {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

func names(actions []Action) []string {
	out := make([]string, len(actions))
	for i, a := range actions {
		out[i] = string(a)
	}
	return out
}

func among(known map[string]bool) func(field, entry string) error {
	return func(field, entry string) error {
		if !known[entry] {
			return fmt.Errorf("terms: %s: %q is not known", field, shorten(entry, maxID))
		}
		return nil
	}
}

func checkDigest(field, text string) error {
	if b, err := hex.DecodeString(text); err != nil || len(b) != 32 || hex.EncodeToString(b) != text {
		return fmt.Errorf("terms: %s must be 32 bytes in lower-case hex", field)
	}
	return nil
}

func checkText(field, text string, limit int) error {
	switch {
	case text == "":
		return fmt.Errorf("terms: %s is empty", field)
	case len(text) > limit:
		return fmt.Errorf("terms: %s is longer than %d bytes", field, limit)
	case !utf8.ValidString(text):
		return fmt.Errorf("terms: %s is not valid UTF-8", field)
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return fmt.Errorf("terms: %s holds an unprintable character", field)
		}
	}
	return nil
}

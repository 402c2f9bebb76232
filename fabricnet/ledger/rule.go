package ledger

import (
	"slices"
	"strings"
)

// EndorsementRule says which organisations must have endorsed a change. It is always stricter than "some regulator": an owner and a lender that
// it controls do not meet it, and neither does a regulator alone.
type EndorsementRule struct {
	// Regulators is the least number of organisations with the regulator role.
	Regulators int `json:"regulators"`
	// Others is the least number of further organisations, regulators or not, that are not Excluded.
	Others int `json:"others"`
	// Excluded lists the organisations whose endorsement does not count.
	Excluded []string `json:"excluded"`
}

// Check returns a NotEndorsed refusal unless the endorsers meet the rule. An organisation counts once, and only if the genesis names it.
func (r EndorsementRule) Check(g *Genesis, endorsers []string) error {
	var counted []string
	regulators := 0
	for _, id := range endorsers {
		o, ok := g.Organisation(id)
		if !ok || slices.Contains(r.Excluded, id) || slices.Contains(counted, id) {
			continue
		}
		counted = append(counted, id)
		if o.Has(RoleRegulator) {
			regulators++
		}
	}
	if regulators < r.Regulators || len(counted) < r.Regulators+r.Others {
		return Refuse(NotEndorsed, "endorsed by [%s]; %d regulators and %d others are needed, and [%s] do not count",
			strings.Join(endorsers, " "), r.Regulators, r.Others, strings.Join(r.Excluded, " "))
	}
	return nil
}

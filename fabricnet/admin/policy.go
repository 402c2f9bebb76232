package admin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// MaxOrganisations bounds the organisations that a policy names.
	MaxOrganisations = ledger.MaxOrganisations
	// maxGroups bounds a policy's groups.
	maxGroups = 8
	// maxSets bounds the sets of organisations that could meet a policy. Fabric's service discovery stops looking after 10,000.
	maxSets = 8192
)

// Policy says which organisations must endorse: all groups must be met. An organisation that is in several groups counts in each of
// them, and counts once however many of its peers endorse.
type Policy struct {
	Groups []Group `json:"groups"`
}

// Group asks for any AtLeast of the organisations.
type Group struct {
	AtLeast int      `json:"at_least"`
	MSPIDs  []string `json:"msp_ids"`
}

// EndorsementPolicy is the consortium's rule in terms of MSP ids: enough regulators, and enough organisations that own nothing.
func EndorsementPolicy(g *ledger.Genesis) Policy {
	rule := g.EndorsementRule()
	regulators := Group{AtLeast: rule.Regulators}
	counted := Group{AtLeast: rule.Regulators + rule.Others}
	for i := range g.Organisations {
		o := &g.Organisations[i]
		if slices.Contains(rule.Excluded, o.ID) {
			continue
		}
		counted.MSPIDs = append(counted.MSPIDs, o.MSPID())
		if o.Has(ledger.RoleRegulator) {
			regulators.MSPIDs = append(regulators.MSPIDs, o.MSPID())
		}
	}
	return Policy{Groups: []Group{regulators, counted}}
}

// String is the policy for people: "1 of [A], 2 of [A B]".
func (p Policy) String() string {
	groups := make([]string, len(p.Groups))
	for i, g := range p.Groups {
		groups[i] = strconv.Itoa(g.AtLeast) + " of [" + strings.Join(g.MSPIDs, " ") + "]"
	}
	return strings.Join(groups, ", ")
}

// Check reports the first group that is empty, cannot be met or names an organisation twice.
func (p Policy) Check() error {
	if len(p.Groups) == 0 || len(p.Groups) > maxGroups {
		return fmt.Errorf("endorsement policy: %d groups, must be 1 to %d", len(p.Groups), maxGroups)
	}
	named := map[string]bool{}
	for i, g := range p.Groups {
		if g.AtLeast < 1 || g.AtLeast > len(g.MSPIDs) {
			return fmt.Errorf("endorsement policy: group %d asks for %d of %d organisations", i+1, g.AtLeast, len(g.MSPIDs))
		}
		for j, id := range g.MSPIDs {
			if id == "" || slices.Contains(g.MSPIDs[:j], id) {
				return fmt.Errorf("endorsement policy: group %d: organisation %q is empty or named twice", i+1, id)
			}
			named[id] = true
		}
		if len(named) > MaxOrganisations {
			return fmt.Errorf("endorsement policy: more than %d organisations", MaxOrganisations)
		}
	}
	return nil
}

// Met reports whether endorsements of these organisations meet the policy.
func (p Policy) Met(mspIDs []string) bool {
	for _, g := range p.Groups {
		count := 0
		for _, id := range g.MSPIDs {
			if slices.Contains(mspIDs, id) {
				count++
			}
		}
		if count < g.AtLeast {
			return false
		}
	}
	return len(p.Groups) > 0
}

// Envelope is the policy as Fabric evaluates it.
//
// Fabric uses up an endorsement where it counts it, so groups that share organisations cannot stand side by side under one "all of": a regulator's
// endorsement that met the regulators' group would be missing from the next, and two peers of one organisation would stand for two organisations.
// Therefore the policy is written as alternatives that share nothing within themselves: for every smallest choice from the first
// groups, all organisations of the choice, and from the last group as many others as are still missing.
func (p Policy) Envelope() (*common.SignaturePolicyEnvelope, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	w := newPolicyWriter(p)
	if err := w.choose(w.ordered, nil); err != nil {
		return nil, err
	}
	return &common.SignaturePolicyEnvelope{Rule: outOf(1, w.alternatives), Identities: w.principals}, nil
}

// policyWriter gathers the alternatives of a policy.
type policyWriter struct {
	index        map[string]int32
	principals   []*msp.MSPPrincipal
	ordered      []Group
	alternatives []*common.SignaturePolicy
	sets         int
}

func newPolicyWriter(p Policy) *policyWriter {
	w := &policyWriter{index: map[string]int32{}}
	var ids []string
	for _, g := range p.Groups {
		members := slices.Sorted(slices.Values(g.MSPIDs))
		w.ordered = append(w.ordered, Group{AtLeast: g.AtLeast, MSPIDs: members})
		ids = append(ids, members...)
	}
	slices.Sort(ids)
	for i, id := range slices.Compact(ids) {
		w.index[id] = int32(i)
		role, err := encode(&msp.MSPRole{MspIdentifier: id, Role: msp.MSPRole_PEER})
		if err != nil {
			panic(err) // two scalar fields
		}
		w.principals = append(w.principals, &msp.MSPPrincipal{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: role})
	}
	// The group with the most ways to meet it is written as one rule; the others are enumerated.
	slices.SortStableFunc(w.ordered, func(a, b Group) int {
		return choices(len(a.MSPIDs), a.AtLeast) - choices(len(b.MSPIDs), b.AtLeast)
	})
	return w
}

// choose writes the alternatives in which the organisations of chosen endorse and the groups are met.
func (w *policyWriter) choose(groups []Group, chosen []string) error {
	g := groups[0]
	var rest []string
	for _, id := range g.MSPIDs {
		if !slices.Contains(chosen, id) {
			rest = append(rest, id)
		}
	}
	missing := max(0, g.AtLeast-(len(g.MSPIDs)-len(rest)))
	if len(groups) == 1 {
		return w.write(chosen, missing, rest)
	}
	return combinations(rest, missing, func(more []string) error {
		return w.choose(groups[1:], append(slices.Clone(chosen), more...))
	})
}

func (w *policyWriter) write(chosen []string, missing int, rest []string) error {
	if w.sets += choices(len(rest), missing); w.sets > maxSets {
		return fmt.Errorf("endorsement policy: more than %d sets of organisations meet it", maxSets)
	}
	slices.Sort(chosen)
	rules := w.signedBy(chosen)
	if missing > 0 {
		rules = append(rules, outOf(missing, w.signedBy(rest)))
	}
	w.alternatives = append(w.alternatives, outOf(len(rules), rules))
	return nil
}

func (w *policyWriter) signedBy(ids []string) []*common.SignaturePolicy {
	var rules []*common.SignaturePolicy
	for _, id := range ids {
		rules = append(rules, &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: w.index[id]}})
	}
	return rules
}

func outOf(n int, rules []*common.SignaturePolicy) *common.SignaturePolicy {
	return &common.SignaturePolicy{Type: &common.SignaturePolicy_NOutOf_{NOutOf: &common.SignaturePolicy_NOutOf{N: int32(n), Rules: rules}}}
}

// combinations calls f with every choice of n from ids, in order, until f fails.
func combinations(ids []string, n int, f func([]string) error) error {
	if n == 0 {
		return f(nil)
	}
	for i := 0; i+n <= len(ids); i++ {
		err := combinations(ids[i+1:], n-1, func(more []string) error {
			return f(append([]string{ids[i]}, more...))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// choices is the number of ways to choose k of n, or more than maxSets.
func choices(n, k int) int {
	ways := 1
	for i := range min(k, n-k) {
		if ways = ways * (n - i) / (i + 1); ways > maxSets {
			return maxSets + 1
		}
	}
	return ways
}

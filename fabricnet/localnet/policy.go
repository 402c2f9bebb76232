package localnet

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// smallestSets lists the sets of organisations, by MSP id, that meet the consortium's endorsement rule and of which no member can be left out.
func smallestSets(g *ledger.Genesis) [][]string {
	rule := g.EndorsementRule()
	var masks []uint
	for mask := range uint(1) << len(g.Organisations) {
		if rule.Check(g, chosen(g, mask, ledgerID)) == nil {
			masks = append(masks, mask)
		}
	}
	var sets [][]string
	for _, mask := range masks {
		smaller := func(other uint) bool { return other != mask && other&mask == other }
		if !slices.ContainsFunc(masks, smaller) {
			sets = append(sets, chosen(g, mask, (*ledger.Organisation).MSPID))
		}
	}
	return sets
}

func ledgerID(o *ledger.Organisation) string { return o.ID }

func chosen(g *ledger.Genesis, mask uint, name func(*ledger.Organisation) string) []string {
	names := make([]string, 0, bits.OnesCount(mask))
	for i := range g.Organisations {
		if mask&(1<<i) != 0 {
			names = append(names, name(&g.Organisations[i]))
		}
	}
	return names
}

// policyText writes the rule in Fabric's policy language, for members of a role. Fabric uses each signature once in evaluating a policy, so "one regulator, and
// two in all" cannot be said as such: the sets that meet it are listed.
func policyText(g *ledger.Genesis, role string) string {
	var alternatives []string
	for _, set := range smallestSets(g) {
		alternatives = append(alternatives, call("AND", set, role))
	}
	return "OR(" + strings.Join(alternatives, ",") + ")"
}

func call(operator string, mspIDs []string, role string) string {
	principals := make([]string, len(mspIDs))
	for i, id := range mspIDs {
		principals[i] = "'" + id + "." + role + "'"
	}
	return operator + "(" + strings.Join(principals, ",") + ")"
}

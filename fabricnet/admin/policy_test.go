package admin

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
)

func principals(t *testing.T, e *common.SignaturePolicyEnvelope) []string {
	t.Helper()
	var ids []string
	for _, p := range e.Identities {
		var role msp.MSPRole
		if err := decode(p.Principal, &role); err != nil || role.Role != msp.MSPRole_PEER || p.PrincipalClassification != msp.MSPPrincipal_ROLE {
			t.Fatalf("principal %v: %v", p, err)
		}
		ids = append(ids, role.MspIdentifier)
	}
	return ids
}

// Fabric takes exactly the sets of organisations that meet the policy, in whatever order and with however many peers of each.
func TestEnvelopeIsThePolicy(t *testing.T) {
	group := func(n int, ids string) Group { return Group{AtLeast: n, MSPIDs: strings.Split(ids, "")} }
	for _, p := range []Policy{
		{[]Group{group(1, "A")}},
		{[]Group{group(2, "ABC")}},
		{[]Group{group(1, "A"), group(2, "AB")}},
		{[]Group{group(1, "AB"), group(2, "ABC")}},
		{[]Group{group(2, "ABC"), group(4, "ABCDE")}},
		{[]Group{group(1, "AB"), group(1, "CD")}},
		{[]Group{group(2, "ABC"), group(2, "BCD"), group(3, "ABCDE")}},
		{[]Group{group(1, "ABC"), group(1, "CDE"), group(2, "AE")}},
		{[]Group{group(3, "ABC"), group(1, "B")}},
	} {
		e, err := p.Envelope()
		if err != nil {
			t.Fatal(err)
		}
		ids := principals(t, e)
		all := "ABCDE"
		for mask := range 1 << len(all) {
			var members []string
			for i, id := range strings.Split(all, "") {
				if mask&(1<<i) != 0 {
					members = append(members, id)
				}
			}
			backwards := slices.Clone(members)
			slices.Reverse(backwards)
			for _, endorsers := range [][]string{members, backwards, slices.Concat(members, members, backwards)} {
				got := evaluate(e.Rule, ids, endorsers, make([]bool, len(endorsers)))
				if got != p.Met(members) {
					t.Errorf("%s with %v: Fabric says %v", p, endorsers, got)
				}
			}
		}
	}
}

// Groups side by side, as one would write them first, are not the policy.
func TestGroupsSideBySideAreNotThePolicy(t *testing.T) {
	signed := func(i int32) *common.SignaturePolicy {
		return &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: i}}
	}
	naive := outOf(2, []*common.SignaturePolicy{outOf(1, []*common.SignaturePolicy{signed(0)}), outOf(2, []*common.SignaturePolicy{signed(0), signed(1)})})
	endorsers := []string{"A", "B"}
	if !(Policy{[]Group{{1, []string{"A"}}, {2, endorsers}}}).Met(endorsers) || evaluate(naive, endorsers, endorsers, make([]bool, 2)) {
		t.Error("Fabric's evaluation counts an endorsement twice: groups need no alternatives")
	}
}

func TestPolicyRefusals(t *testing.T) {
	many := func(n int, letter string) []string {
		var ids []string
		for i := range n {
			ids = append(ids, fmt.Sprint(letter, i))
		}
		return ids
	}
	for name, c := range map[string]struct {
		policy Policy
		text   string
	}{
		"no group":          {Policy{}, "groups"},
		"many groups":       {Policy{slices.Repeat([]Group{{1, []string{"A"}}}, maxGroups+1)}, "groups"},
		"asks for none":     {Policy{[]Group{{0, []string{"A"}}}}, "0 of 1"},
		"cannot be met":     {Policy{[]Group{{2, []string{"A"}}}}, "2 of 1"},
		"named twice":       {Policy{[]Group{{1, []string{"A", "A"}}}}, "twice"},
		"no name":           {Policy{[]Group{{1, []string{""}}}}, "empty"},
		"many":              {Policy{[]Group{{1, many(MaxOrganisations, "a")}, {1, []string{"b"}}}}, "organisations"},
		"too many ways":     {Policy{[]Group{{20, many(40, "a")}}}, "sets"},
		"ways that combine": {Policy{[]Group{{4, many(16, "a")}, {4, many(16, "b")}}}, "sets"},
	} {
		if _, err := c.policy.Envelope(); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
	if (Policy{}).Met([]string{"A"}) {
		t.Error("a policy without groups is met")
	}
}

func TestEndorsementPolicy(t *testing.T) {
	g := contracttest.WithKeys(contracttest.Genesis())
	p := EndorsementPolicy(g)
	if _, err := p.Envelope(); err != nil {
		t.Fatal(err)
	}
	rule := g.EndorsementRule()
	for mask := range 1 << len(g.Organisations) {
		var ids, mspIDs []string
		for i := range g.Organisations {
			if mask&(1<<i) != 0 {
				ids, mspIDs = append(ids, g.Organisations[i].ID), append(mspIDs, g.Organisations[i].MSPID())
			}
		}
		if met := rule.Check(g, ids) == nil; met != p.Met(mspIDs) {
			t.Errorf("%v: the ledger's rule says %v, the policy %v", ids, met, !met)
		}
	}
}

func TestDefinitionHasPolicy(t *testing.T) {
	p := Policy{[]Group{{1, []string{"A"}}, {2, []string{"B", "A"}}}}
	e, err := p.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	d := Definition{envelope: e}
	if diff := cmp.Diff("1 of [A], 2 of [B A]", p.String()); diff != "" {
		t.Error(diff)
	}
	if !d.HasPolicy(Policy{[]Group{{1, []string{"A"}}, {2, []string{"A", "B"}}}}) || d.HasPolicy(Policy{[]Group{{1, []string{"A"}}}}) || (Definition{}).HasPolicy(p) {
		t.Error("policies are confused")
	}
}

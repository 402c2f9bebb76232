package localnet

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
)

func consortiumOf(q ledger.Quorum, roles ...ledger.Role) *ledger.Genesis {
	g := &ledger.Genesis{Quorum: q}
	for i, r := range roles {
		id := string(rune('a' + i))
		g.Organisations = append(g.Organisations, ledger.Organisation{ID: id, MSP: id + "MSP", Roles: []ledger.Role{r}})
	}
	return g
}

func TestSmallestSets(t *testing.T) {
	const o, f, r = ledger.RoleOwner, ledger.RoleFinancier, ledger.RoleRegulator
	for _, c := range []struct {
		name string
		g    *ledger.Genesis
		want [][]string
	}{
		{"one of each", consortiumOf(ledger.Quorum{Regulators: 1, Others: 1}, o, f, r), [][]string{{"bMSP", "cMSP"}}},
		{"two lenders", consortiumOf(ledger.Quorum{Regulators: 1, Others: 1}, o, f, f, r), [][]string{{"bMSP", "dMSP"}, {"cMSP", "dMSP"}}},
		{"two regulators", consortiumOf(ledger.Quorum{Regulators: 1, Others: 1}, o, f, r, r), [][]string{{"bMSP", "cMSP"}, {"bMSP", "dMSP"}, {"cMSP", "dMSP"}}},
		{"two regulators needed", consortiumOf(ledger.Quorum{Regulators: 2, Others: 1}, o, f, r, r), [][]string{{"bMSP", "cMSP", "dMSP"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, smallestSets(c.g)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPolicyText(t *testing.T) {
	g := consortiumOf(ledger.Quorum{Regulators: 1, Others: 1}, ledger.RoleOwner, ledger.RoleFinancier, ledger.RoleFinancier, ledger.RoleRegulator)
	want := "OR(AND('bMSP.peer','dMSP.peer'),AND('cMSP.peer','dMSP.peer'))"
	if got := policyText(g, "peer"); got != want {
		t.Errorf("got %s", got)
	}
}

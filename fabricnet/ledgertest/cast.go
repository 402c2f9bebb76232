package ledgertest

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// cast are the organisations by what they do.
type cast struct {
	owner, financier, regulator string
	// rival is another owner, or "".
	rival string
	// all is every organisation.
	all []string
}

func castOf(t *testing.T, g *ledger.Genesis) cast {
	t.Helper()
	var c cast
	for i := range g.Organisations {
		o := &g.Organisations[i]
		c.all = append(c.all, o.ID)
		switch {
		case o.Has(ledger.RoleOwner) && c.owner == "":
			c.owner = o.ID
		case o.Has(ledger.RoleOwner) && c.rival == "":
			c.rival = o.ID
		case o.Has(ledger.RoleRegulator) && c.regulator == "":
			c.regulator = o.ID
		case o.Has(ledger.RoleFinancier) && !o.Has(ledger.RoleRegulator) && c.financier == "":
			c.financier = o.ID
		}
	}
	if c.owner == "" || c.financier == "" || c.regulator == "" {
		t.Fatalf("the ledger has no owner, no financier or no regulator: %v", c.all)
	}
	return c
}

// but is everybody but some.
func (c *cast) but(some ...string) []string {
	return slices.DeleteFunc(slices.Clone(c.all), func(id string) bool { return slices.Contains(some, id) })
}

// withoutRole is everybody who lacks a role.
func (s *suite) withoutRole(r ledger.Role) []string { return s.but(s.Genesis.WithRole(r)...) }

// quorum is a smallest set of organisations that meets the endorsement rule.
func (s *suite) quorum() []string {
	rule := s.Genesis.EndorsementRule()
	set := slices.Clone(s.Genesis.WithRole(ledger.RoleRegulator)[:rule.Regulators])
	for _, id := range s.all {
		if len(set) < rule.Regulators+rule.Others && !slices.Contains(set, id) && !slices.Contains(rule.Excluded, id) {
			set = append(set, id)
		}
	}
	return set
}

// tooFew are sets that do not meet it: the ones that somebody would try.
func (s *suite) tooFew() [][]string {
	sets := [][]string{{s.owner}, {s.regulator}, {s.owner, s.financier}, {s.owner, s.regulator}}
	if s.rival != "" {
		sets = append(sets, []string{s.rival, s.regulator}, []string{s.owner, s.rival, s.regulator}, []string{s.rival, s.financier})
	}
	return slices.DeleteFunc(sets, func(set []string) bool {
		return s.Genesis.EndorsementRule().Check(s.Genesis, set) == nil
	})
}

// names are of this run alone.
type names struct {
	run string
	// maker and other are registered, stranger is not.
	maker, other, stranger *contracttest.Maker
}

func newNames() names {
	return names{
		run:   random(),
		maker: contracttest.NewMaker("maker-" + random()), other: contracttest.NewMaker("other-" + random()), stranger: contracttest.NewMaker("stranger-" + random()),
	}
}

// random is ten characters that an id may have.
func random() string { return strings.ToLower(rand.Text()[:10]) }

func fleetArgs(id string) ledger.RegisterFleet {
	return ledger.RegisterFleet{ID: id, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}
}

func makerArgs(m *contracttest.Maker) ledger.RegisterMaker {
	return ledger.RegisterMaker{ID: m.ID, Name: "Maker " + m.ID, Certificate: m.Cert.Raw}
}

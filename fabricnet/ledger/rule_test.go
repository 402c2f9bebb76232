package ledger_test

import (
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func TestEndorsementRule(t *testing.T) {
	g := contracttest.Genesis()
	rule := ledger.EndorsementRule{Regulators: 1, Others: 1, Excluded: []string{"operator"}}
	for _, c := range []struct {
		endorsers []string
		enough    bool
	}{
		{[]string{"regulator", "lender"}, true},
		{[]string{"regulator", "rival"}, true},
		{[]string{"operator", "lender", "regulator"}, true},
		{[]string{"operator", "lender"}, false},
		{[]string{"operator", "regulator"}, false},
		{[]string{"lender", "rival"}, false},
		{[]string{"regulator"}, false},
		{[]string{"regulator", "regulator"}, false},
		{[]string{"regulator", "stranger"}, false},
		{nil, false},
	} {
		err := rule.Check(&g, c.endorsers)
		if (err == nil) != c.enough || !c.enough && ledger.CodeOf(err) != ledger.NotEndorsed {
			t.Errorf("%v: %v", c.endorsers, err)
		}
	}
	two := ledger.EndorsementRule{Regulators: 1, Others: 2}
	if two.Check(&g, []string{"regulator", "lender"}) == nil || two.Check(&g, []string{"regulator", "lender", "rival"}) != nil {
		t.Error("two others are miscounted")
	}
}

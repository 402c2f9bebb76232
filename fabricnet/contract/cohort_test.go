package contract_test

import (
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/statement"
)

func TestOverlappingCohorts(t *testing.T) {
	w := settled(t)
	banded := func(least, most string, disclose ...string) func(*statement.Statement) {
		return func(s *statement.Statement) {
			s.Cohort, s.Disclose = []statement.Range{{Lane: "state_of_health", Min: least, Max: most}}, disclose
		}
	}
	first, _ := w.approved(banded("80.00", "90.00", "count"))
	w.notApproved(first.String()[:8], banded("85.00", "95.00", "count"))
	w.approved(banded("90.01", "95.00", "count"))
	w.approved(banded("80.00", "90.00", "count"))
	w.approved(banded("82.00", "88.00", "count"))
	w.notApproved("count", banded("83.00", "87.00")) // nested, and its count is not shown
	w.approved(nil)                                  // everybody
	// What cannot be answered any more is in nobody's way.
	w.at(14, 12*time.Hour)
	w.approved(func(s *statement.Statement) {
		banded("85.00", "95.00", "count")(s)
		s.Expiry = w.genesis.EpochStart(15)
	})
}

// A cohort that failed is in nobody's way, and what it spent stays spent.
func TestFailureFreesTheCohort(t *testing.T) {
	w := settled(t)
	cohort := func(least, most string) func(*statement.Statement) {
		return func(s *statement.Statement) {
			s.Cohort, s.Disclose = []statement.Range{{Lane: "state_of_health", Min: least, Max: most}}, []string{"count"}
		}
	}
	id, s := w.approved(cohort("80.00", "90.00"))
	w.must(operator, ledger.FnStartProof, ledger.RequestRef{Request: id})
	if got := w.status(id); got != ledger.StatusProving {
		t.Errorf("a request at work is %s", got)
	}
	w.refused(ledger.Conflict, "is being proven", operator, ledger.FnStartProof, ledger.RequestRef{Request: id})
	w.refused(ledger.Invalid, "reasons", operator, ledger.FnFail, ledger.Fail{Request: id})
	for _, org := range []string{lender, regulator} {
		w.refused(ledger.Forbidden, "role of owner", org, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"x"}})
	}
	w.refused(ledger.Forbidden, "fleet of operator", rival, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"x"}})
	w.must(operator, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"too few batteries"}})
	if got := w.status(id); got != ledger.StatusFailed {
		t.Errorf("a failed request is %s", got)
	}
	w.refused(ledger.Conflict, "has failed", operator, ledger.FnSubmitProof, w.proof(id, s))
	w.refused(ledger.Conflict, "has failed", operator, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"x"}})
	w.refused(ledger.Conflict, "has failed", operator, ledger.FnStartProof, ledger.RequestRef{Request: id})
	w.approved(cohort("85.00", "95.00"))
	if e := w.grantEntry(contracttest.GrantID); e.Spent.Answers != 2 {
		t.Errorf("spent is %+v", e.Spent)
	}
}

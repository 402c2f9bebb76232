package contract_test

import (
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

func TestOverlappingCohorts(t *testing.T) {
	w := settled(t)
	first, _ := w.approved(healthy("80.00", "90.00", nil))
	w.notApproved(first.String()[:8], healthy("85.00", "95.00", nil))
	w.approved(healthy("90.01", "95.00", nil))
	w.approved(healthy("80.00", "90.00", nil))
	w.notApproved("count", healthy("83.00", "87.00", func(s *statement.Statement) { s.Disclose = nil })) // nested, and its count is not shown
	for _, nested := range [][]string{{"82.00", "88.00"}, {"79.00", "96.00"}} {
		id, _ := w.asks(healthy(nested[0], nested[1], nil))
		w.deniedApproval("is not recorded", id)
		if a := w.assess(id); !a.Wait {
			t.Errorf("what waits for another's count is %+v", a)
		}
	}
	if id, _ := w.asks(healthy("85.00", "95.00", nil)); w.assess(id).Wait {
		t.Error("what overlaps in part waits")
	}
	// What was never begun, and cannot be answered any more, is in nobody's way.
	w.at(14, 12*time.Hour)
	w.approved(healthy("85.00", "95.00", func(s *statement.Statement) { s.Expiry = w.genesis.EpochStart(15) }))
}

// A cohort whose proof was begun may have been seen. It is in the way of others for ever, whatever becomes of it.
func TestWhatWasBegunCountsForEver(t *testing.T) {
	banded := func(least string, until time.Time) func(*statement.Statement) {
		return healthy(least, "90.00", func(s *statement.Statement) {
			if !until.IsZero() {
				s.Expiry = until
			}
		})
	}
	for name, end := range map[string]func(*world, commit.Digest){
		"failed": func(w *world, id commit.Digest) {
			w.must(operator, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"x"}})
		},
		"expired": func(*world, commit.Digest) {},
	} {
		t.Run(name, func(t *testing.T) {
			w := settled(t)
			id, _ := w.approved(banded("80.00", time.Time{}))
			w.begins(id)
			end(w, id)
			w.at(14, 12*time.Hour)
			later := w.genesis.EpochStart(16)
			w.notApproved("is not recorded", banded("85.00", later))
			w.notApproved("is not recorded", banded("75.00", later))
			if probe, _ := w.asks(banded("85.00", later)); w.assess(probe).Wait {
				t.Error("what will never be recorded is waited for")
			}
			w.approved(banded("80.00", later))
		})
	}
}

func TestProofThatNobodyBeganIsNotTaken(t *testing.T) {
	w := settled(t)
	id, s := w.approved(nil)
	w.refused(ledger.Conflict, "was begun", operator, ledger.FnSubmitProof, w.proof(id, s))
	w.must(operator, ledger.FnRevoke, ledger.Revoke{Grant: contracttest.GrantID, Reason: "over"})
	w.refused(ledger.Forbidden, "revoked", operator, ledger.FnStartProof, ledger.RequestRef{Request: id})
}

// That a cohort failed tells something of it, begun or not: it stays in the way, and what it spent stays spent.
func TestFailureCounts(t *testing.T) {
	w := settled(t)
	id, s := w.approved(healthy("80.00", "90.00", nil))
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
	w.notApproved("in part", healthy("85.00", "95.00", nil))
	unbegun, _ := w.approved(healthy("60.00", "70.00", nil))
	w.must(operator, ledger.FnFail, ledger.Fail{Request: unbegun, Reasons: []string{"too few batteries"}})
	w.notApproved("is not recorded", healthy("60.00", "69.99", nil))
	w.approved(healthy("60.00", "70.00", nil))
	w.approved(healthy("70.01", "79.99", nil))
	if e := w.grantEntry(contracttest.GrantID); e.Spent.Answers != 4 {
		t.Errorf("spent is %+v", e.Spent)
	}
	// Nor does time free what failed.
	w.at(14, 13*time.Hour)
	w.notApproved("is not recorded", healthy("60.00", "69.99", func(s *statement.Statement) { s.Expiry = w.genesis.EpochStart(16) }))
}

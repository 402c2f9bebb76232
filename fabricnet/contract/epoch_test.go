package contract_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func TestOpenEpoch(t *testing.T) {
	w := newWorld(t)
	for _, epoch := range []uint64{9, 11, 1 << 40} {
		w.refused(ledger.Expired, "cannot be opened", regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: epoch})
	}
	w.refused(ledger.Conflict, "epoch 10 is open", regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 10})
	w.clock(12, 0)
	if e := query[ledger.EpochInfo](w, ledger.QueryEpoch, ledger.Nothing{}); e.Epoch != 12 || *e.Opened != 10 {
		t.Errorf("epoch is %+v", e)
	}
	for _, org := range []string{operator, rival, lender} {
		w.refused(ledger.Forbidden, "role of regulator", org, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 12})
	}
	w.must(regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 12})
}

// An owner that could skip an epoch would keep what was endorsed before it until the epoch's figures are known.
func TestAnEpochThatWasNotOpenedInTimeCannotBeAnchored(t *testing.T) {
	for name, late := range map[string]time.Duration{"skipped": -1, "late": 6*time.Hour + time.Second, "in time": 6 * time.Hour} {
		w := newWorld(t)
		d := w.enrolled(0, 12)
		if late >= 0 {
			w.clock(11, late)
			w.must(regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 11})
		}
		w.clock(12, time.Hour)
		w.must(regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 12})
		attestations := w.attested(11, 0, d)
		a := contracttest.Anchor(w.place(11, 0), attestations)
		if name == "in time" {
			w.must(operator, ledger.FnAnchor, a, attestations...)
			continue
		}
		w.refused(ledger.Expired, "epoch 11 was not opened", operator, ledger.FnAnchor, a, attestations...)
	}
}

// Whatever was endorsed before an epoch is void once the epoch is opened: all calls read the key that this writes.
func TestEveryCallDependsOnTheOpenedEpoch(t *testing.T) {
	w := newWorld(t)
	s := w.state.Begin()
	for _, function := range []string{
		ledger.FnRegisterMaker, ledger.FnRegisterFleet, ledger.FnEnrol, ledger.FnRetire, ledger.FnAnchor, ledger.FnPublishKey, ledger.FnRequest,
		ledger.FnDecide, ledger.FnSubmitProof, ledger.FnWithdraw, ledger.FnOpenEpoch, ledger.FnSettle,
	} {
		for _, org := range []string{operator, lender, regulator} {
			clear(s.Reads)
			_, err := contract.Execute(w.environment(), w.tx(org), s, ledger.Call{Function: function, Args: []byte("x")})
			if ledger.CodeOf(err) == ledger.Invalid && !s.Reads[ledger.OpenedKey] {
				t.Errorf("%s by %s does not read the opened epoch", function, org)
			}
		}
	}
}

func TestNobodyIsEnrolledInAnEpochThatIsNotOpened(t *testing.T) {
	w := newWorld(t)
	w.enrolled(0, 2)
	w.clock(11, 0)
	w.refused(ledger.Expired, "epoch 11 is not opened", operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, 0, 5, w.maker.Devices("new", 1)))
	w.refused(ledger.Expired, "epoch 11 is not opened", operator, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{0}, Reason: "worn"})
}

// A retirement that was endorsed in an epoch and held back until the epoch's figures are known read a key that opening the next epoch wrote.
func TestHeldBackRetirementIsVoidOnceTheNextEpochIsOpened(t *testing.T) {
	w := newWorld(t)
	w.enrolled(0, 2)
	held := w.reads(operator, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{0}, Reason: "worn"})
	enrolment := w.reads(operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, 0, 5, w.maker.Devices("new", 1)))
	if !held[ledger.OpenedKey] || !enrolment[ledger.OpenedKey] {
		t.Error("retire or enrol does not depend on the opened epoch")
	}
	if next := w.reads(regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 10}); !next[ledger.OpenedKey] {
		t.Error("two may open one epoch")
	}
}

func TestAnchorsWaitForTheNextEpochToBeOpened(t *testing.T) {
	w := newWorld(t)
	d := w.enrolled(0, 12)
	w.clock(11, 0)
	w.must(regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 11})
	w.clock(12, time.Hour)
	attestations := w.attested(11, 0, d)
	a := contracttest.Anchor(w.place(11, 0), attestations)
	w.refused(ledger.Expired, "no epoch after 11", operator, ledger.FnAnchor, a, attestations...)
	if w.factsAt(11).Final {
		t.Error("final before a later epoch is opened")
	}
	w.must(regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 12})
	w.must(operator, ledger.FnAnchor, a, attestations...)
}

// Once the time is over, settling depends on nothing that the fleet's owner can change.
func TestSettlingLateReadsNothingOfTheOwners(t *testing.T) {
	w, _ := anchorable(t)
	w.clock(12, 12*time.Hour)
	reads := w.reads(lender, ledger.FnSettle, ledger.EpochRef{Fleet: fleetID, Epoch: 11})
	want := map[string]bool{ledger.OpenedKey: true, ledger.FleetKey(fleetID): true, ledger.ClosingKey(fleetID, 11): true}
	if diff := cmp.Diff(want, reads); diff != "" {
		t.Error(diff)
	}
}

func TestSettle(t *testing.T) {
	w, d := anchorable(t)
	of := ledger.EpochRef{Fleet: fleetID, Epoch: 11}
	attestations := w.attested(11, 0, d)
	a := contracttest.Anchor(w.place(11, 0), attestations)
	w.refused(ledger.Expired, "too early", lender, ledger.FnSettle, of)
	w.refused(ledger.Expired, "is not over", lender, ledger.FnSettle, ledger.EpochRef{Fleet: fleetID, Epoch: 12})
	w.refused(ledger.NotFound, "fleet-x", lender, ledger.FnSettle, ledger.EpochRef{Fleet: "fleet-x", Epoch: 11})
	held := w.reads(operator, ledger.FnAnchor, a, attestations...)
	if !held[ledger.ClosingKey(fleetID, 11)] {
		t.Error("an anchor does not depend on its epoch being open")
	}
	w.at(12, 12*time.Hour)
	if e := w.factsAt(11); !e.Final || e.Closed {
		t.Errorf("before: final %v, closed %v", e.Final, e.Closed)
	}
	w.must(lender, ledger.FnSettle, of)
	if e := w.factsAt(11); !e.Final || !e.Closed {
		t.Errorf("after: final %v, closed %v", e.Final, e.Closed)
	}
	w.refused(ledger.Conflict, "is closed", regulator, ledger.FnSettle, of)
	w.clock(12, time.Hour) // as if the anchor were run again
	w.refused(ledger.Conflict, "is closed", operator, ledger.FnAnchor, a, attestations...)
}

package contract_test

import (
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func (w *world) factsAt(epoch uint64) ledger.FactsEntry {
	w.t.Helper()
	e := query[ledger.FactsEntry](w, ledger.QueryFacts, ledger.EpochRef{Fleet: fleetID, Epoch: epoch})
	if err := e.Facts.Check(); err != nil {
		w.t.Errorf("facts of epoch %d: %v", epoch, err)
	}
	return e
}

func TestFactsListEveryChunkOfTheEpochsStart(t *testing.T) {
	w := newWorld(t)
	first := w.enrolled(0, 12)
	w.enrolled(7, 3)
	w.at(11, time.Hour)
	w.enrolled(2, 5) // from epoch 12
	w.at(12, time.Hour)
	w.anchor(11, w.attested(11, 0, first))
	e := w.factsAt(11)
	if f := e.Facts; len(f.Chunks) != 2 || f.Chunks[0].Index != 0 || f.Chunks[1].Index != 7 || f.Enrolled != 15 || f.Chunks[1].Anchored {
		t.Errorf("facts are %+v", f)
	}
	if e.Final {
		t.Error("facts are final while chunk 7 may be anchored")
	}
	if f := w.factsAt(12).Facts; len(f.Chunks) != 3 || f.Enrolled != 20 {
		t.Errorf("facts of the next epoch are %+v", f)
	}
}

func TestFactsBecomeFinal(t *testing.T) {
	w, d := anchorable(t)
	if w.factsAt(11).Final {
		t.Error("final before any anchor")
	}
	settled := 6*time.Hour + w.genesis.ProposalAge() + 2*w.genesis.ClockSkew()
	w.at(12, settled)
	if w.factsAt(11).Final {
		t.Error("final while an anchor may be on its way")
	}
	w.at(12, settled+time.Second)
	if !w.factsAt(11).Final {
		t.Error("not final after the window")
	}
	if w.factsAt(12).Final {
		t.Error("the current epoch is final")
	}
	empty := query[ledger.FactsEntry](w, ledger.QueryFacts, ledger.EpochRef{Fleet: "fleet-b", Epoch: 12})
	if empty.Final {
		t.Error("the current epoch of an empty fleet is final")
	}
	w.at(13, 0)
	w.anchor(12, w.attested(12, 0, d))
	if !w.factsAt(12).Final {
		t.Error("not final though everything is anchored")
	}
	if w.factsAt(3).Facts.Chunks == nil || !w.factsAt(3).Final {
		t.Error("an epoch before the fleet is not final and empty")
	}
}

// The counts of an epoch do not change once it has begun, anchored or not.
func TestFactsOfAnEpochStandStill(t *testing.T) {
	w := newWorld(t)
	w.enrolled(0, 12)
	w.at(13, 0)
	before := w.factsAt(13).Facts
	w.must(operator, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{0, 1}, Reason: "worn"})
	w.must(operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, 0, 20, w.maker.Devices("new", 4)))
	if after := w.factsAt(13).Facts; after.Enrolled != before.Enrolled || after.Retired != before.Retired {
		t.Errorf("facts changed from %+v to %+v", before, after)
	}
	w.at(14, 0)
	if next := w.factsAt(14).Facts; next.Enrolled != 14 || next.Retired != 2 {
		t.Errorf("facts of the next epoch are %+v", next)
	}
	w.at(15, 0)
	if later := w.factsAt(15).Facts; later.Enrolled != 14 || later.Retired != 0 {
		t.Errorf("facts of the epoch after are %+v", later)
	}
}

func TestQueriesRefuse(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		function string
		args     any
		code     ledger.Code
	}{
		"facts of an epoch to come": {ledger.QueryFacts, ledger.EpochRef{Fleet: fleetID, Epoch: 11}, ledger.Expired},
		"facts of no fleet":         {ledger.QueryFacts, ledger.EpochRef{Fleet: "fleet-x"}, ledger.NotFound},
		"a function that changes":   {ledger.FnRegisterFleet, fleetArgs("x"), ledger.Invalid},
		"no request":                {ledger.QueryRequest, ledger.RequestRef{}, ledger.NotFound},
		"a fleet with a separator":  {ledger.QueryChunks, ledger.FleetRef{Fleet: "a/b"}, ledger.Invalid},
	} {
		if _, err := contract.Query(w.environment(), w.tx(lender), w.state.Begin(), c.function, ledger.Encode(c.args)); ledger.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if _, err := contract.Query(w.environment(), w.tx("nobody"), w.state.Begin(), ledger.QueryEpoch, ledger.Encode(ledger.Nothing{})); ledger.CodeOf(err) != ledger.Forbidden {
		t.Errorf("a stranger may ask: %v", err)
	}
	e := query[ledger.EpochInfo](w, ledger.QueryEpoch, ledger.Nothing{})
	if e.Epoch != 10 || e.End-e.Start != 86_400 || e.Now-e.Start != 43_200 {
		t.Errorf("epoch is %+v", e)
	}
}

func TestTransactionBeforeEpochZeroIsRefused(t *testing.T) {
	w := bareWorld(t)
	w.now = w.genesis.EpochStart(0).Add(-time.Second)
	w.refused(ledger.Expired, "epoch 0", operator, ledger.FnRegisterFleet, fleetArgs("x"))
	w.at(0, 0)
	w.must(operator, ledger.FnRegisterFleet, fleetArgs("x"))
}

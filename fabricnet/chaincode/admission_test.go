package chaincode

import (
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// One organisation's large calls leave the other half of the machine to the others.
func TestNoOrganisationTakesEverything(t *testing.T) {
	w := newWorld(t)
	large := w.by("lender", ledger.QueryEpoch, struct{}{})
	large.args = append(large.args, make([]byte, 200<<20))
	leave, err := w.admission.enter("lender", large)
	if err != nil {
		t.Fatal(err)
	}
	if w.admission.each["lender"].TryAcquire(1) {
		t.Error("the lender may run more")
	}
	other, err := w.admission.enter("operator", large)
	if err != nil {
		t.Fatal(err)
	}
	other()
	leave()
	if !w.admission.all.TryAcquire(maxWeight) || !w.admission.each["lender"].TryAcquire(maxWeight/2) {
		t.Error("who left still takes room")
	}
}

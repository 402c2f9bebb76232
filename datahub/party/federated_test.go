package party_test

import (
	"testing"

	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// TestFederatedQuery is asked, approved, begun and answered without a person.
func TestFederatedQuery(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start()
	id := w.Ask(totals)
	a := answered(w, id)
	wantTruth(w, a, partytest.Owners()...)
	wantStatus(w, id, ledger.QueryAnswered)
	t.Log(a.Text())
}

package review

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// What stood when an answer was recorded is held against it, also what has no verdict: a begun proof of another cohort that a ledger hides shows as soon as it is seen.
func TestBegunProofsStandInTheWay(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	owner := w.Book(contracttest.Operator)
	begun := w.Ask(desktest.Healthiest(20))
	w.Done(owner.Decide(t.Context(), ledger.Decide{Request: begun, Approve: true, Reasons: []string{}}))
	if err := owner.StartProof(t.Context(), begun); err != nil {
		t.Fatal(err)
	}
	w.Done(owner.Fail(t.Context(), ledger.Fail{Request: begun, Reasons: []string{"somebody else's turn"}}))
	again := w.Answered(desktest.Healthiest(20))
	book := w.Book(contracttest.Regulator)
	find := func(f *forger, id commit.Digest) string {
		found, err := reviewer(w, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), nil).Review(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(found.Faults, "; ")
	}
	if faults := find(&forger{Client: book.Client}, again); faults != "" {
		t.Errorf("an honest ledger: %s", faults)
	}
	// As if the contract had let a cohort within the begun one through: the begun one's is wider.
	wider := &forger{Client: book.Client, query: map[string]func(args, result []byte) ([]byte, error){
		ledger.QueryRequest: func(args, result []byte) ([]byte, error) {
			if !strings.Contains(string(args), begun.String()) {
				return result, nil
			}
			e, err := ledger.Decode[ledger.RequestEntry](ledger.QueryRequest, result, ledger.MaxRecord)
			if err != nil {
				return nil, err
			}
			s, err := statement.Parse(e.Request.Statement)
			if err != nil {
				return nil, err
			}
			desktest.Healthiest(21)(s)
			e.Request.Statement = s.Canonical()
			return ledger.Encode(e), nil
		},
	}}
	if faults := find(wider, again); !strings.Contains(faults, "difference") || !strings.Contains(faults, "not recorded") {
		t.Errorf("a cohort within one that was begun: %q", faults)
	}
}

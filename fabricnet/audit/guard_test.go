package audit

import (
	"errors"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// TestBreakdownIsARefusal, also where an error that is no refusal is taken for a missing SRS.
func TestBreakdownIsARefusal(t *testing.T) {
	_, err := guarded(func() ([]byte, error) {
		var none []byte
		return none[7:9], nil
	})
	if ledger.CodeOf(err) != ledger.Invalid || !strings.Contains(err.Error(), "out of range") {
		t.Error(err)
	}
	other := errors.New("of its own")
	if got, err := guarded(func() ([]byte, error) { return []byte{1}, other }); len(got) != 1 || err != other {
		t.Errorf("%v, %v", got, err)
	}
}

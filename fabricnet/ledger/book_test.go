package ledger_test

import (
	"context"
	"errors"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// opening is a ledger that is asked to open epoch 7.
type opening struct {
	ledger.Client
	before, after *uint64 // opened
	answer, then  error   // to opening it, and to asking for the epoch after that

	submitted bool
}

func (o *opening) Submit(context.Context, ledger.Call) (ledger.Receipt, error) {
	o.submitted = true
	return ledger.Receipt{}, o.answer
}

func (o *opening) Evaluate(context.Context, string, []byte) ([]byte, error) {
	if o.submitted {
		return ledger.Encode(ledger.EpochInfo{Epoch: 7, Opened: o.after}), o.then
	}
	return ledger.Encode(ledger.EpochInfo{Epoch: 7, Opened: o.before}), nil
}

// A conflict is no proof that somebody else opened the epoch.
func TestOpenEpoch(t *testing.T) {
	six, seven, eight := uint64(6), uint64(7), uint64(8)
	conflict, away := ledger.Refuse(ledger.Conflict, "no"), errors.New("away")
	for name, test := range map[string]struct {
		ledger    opening
		want      error
		submitted bool
	}{
		"opened here":              {ledger: opening{before: &six}, submitted: true},
		"the first one":            {ledger: opening{}, submitted: true},
		"opened before":            {ledger: opening{before: &seven}},
		"somebody was faster":      {ledger: opening{before: &six, answer: conflict, after: &seven}, submitted: true},
		"the next is opened":       {ledger: opening{before: &six, answer: conflict, after: &eight}, submitted: true},
		"conflict, and not opened": {ledger: opening{before: &six, answer: conflict, after: &six}, want: conflict, submitted: true},
		"conflict, and none is":    {ledger: opening{answer: conflict}, want: conflict, submitted: true},
		"conflict, and no answer":  {ledger: opening{answer: conflict, then: away}, want: conflict, submitted: true},
		"no answer":                {ledger: opening{answer: away, after: &seven}, want: away, submitted: true},
	} {
		epoch, err := ledger.Book{Client: &test.ledger}.OpenEpoch(t.Context())
		if !errors.Is(err, test.want) || epoch != 7 || test.ledger.submitted != test.submitted {
			t.Errorf("%s: epoch %d, %v", name, epoch, err)
		}
	}
}

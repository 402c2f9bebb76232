package node

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// flaky is the owner's access to the ledger, which can be cut.
type flaky struct {
	ledger.Client
	cut atomic.Bool
	// lose loses the answers to anchors.
	lose atomic.Bool
	// before, if set, is called before every call is submitted.
	before atomic.Pointer[func(ledger.Call)]
}

func (f *flaky) Submit(ctx context.Context, c ledger.Call) (ledger.Receipt, error) {
	if do := f.before.Load(); do != nil {
		(*do)(c)
	}
	if f.cut.Load() {
		return ledger.Receipt{}, fmt.Errorf("the ledger cannot be reached")
	}
	r, err := f.Client.Submit(ctx, c)
	if f.lose.Load() && c.Function == ledger.FnAnchor {
		return ledger.Receipt{}, fmt.Errorf("the answer was lost")
	}
	return r, err
}

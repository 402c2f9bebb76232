package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// attempt is a call that registers a fleet, and how it ended.
type attempt struct {
	fleet string
	err   error
}

// Whenever the caller gives up, what the error says is so.
func (n network) cancelled(t *testing.T) {
	c := n.open(t, owner)
	var attempts []attempt
	for i := range 16 {
		id := fmt.Sprintf("cancelled-%d", i)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*25*time.Millisecond)
		_, err := c.Book().RegisterFleet(ctx, fleet(id))
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		attempts = append(attempts, attempt{id, err})
	}
	n.settle(t, c, attempts)
}

// settle holds attempts against the ledger: what was acknowledged is there, what is unknown can be learned, and what was not sent is not there.
func (n network) settle(t *testing.T, c *gateway.Client, attempts []attempt) {
	t.Helper()
	count := map[string]int{}
	for _, a := range attempts {
		var unknown *gateway.OutcomeUnknown
		switch {
		case a.err == nil:
			count["acknowledged"]++
			if !n.there(t, c, a.fleet) {
				t.Errorf("%s was acknowledged and is not there", a.fleet)
			}
		case errors.As(a.err, &unknown):
			count["unknown"]++
			n.learned(t, c, a.fleet, unknown.TxID)
		default:
			count["not recorded"]++
			if n.there(t, c, a.fleet) {
				t.Errorf("%s is there, and the call ended with %v", a.fleet, a.err)
			}
		}
	}
	t.Logf("%v", count)
}

func (n network) there(t *testing.T, c *gateway.Client, id string) bool {
	t.Helper()
	_, err := c.Book().Fleet(t.Context(), id)
	if err != nil && ledger.CodeOf(err) != ledger.NotFound {
		t.Fatal(err)
	}
	return err == nil
}

// learned compares the outcome with what is there. A transaction may still be on its way, so what is there is only sure between two equal outcomes.
func (n network) learned(t *testing.T, c *gateway.Client, fleet, txID string) {
	t.Helper()
	for {
		before := must[gateway.Outcome](t)(c.Outcome(t.Context(), txID))
		there := n.there(t, c, fleet)
		if after := must[gateway.Outcome](t)(c.Outcome(t.Context(), txID)); after.State != before.State {
			continue
		}
		if there != (before.State == gateway.Recorded) {
			t.Errorf("%s: outcome %+v, there: %t", fleet, before, there)
		}
		return
	}
}

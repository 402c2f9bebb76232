package contract_test

import (
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// A member that is ready late takes no time from the owners, whose inputs are waited for as long as they would have been.
func TestClosingWaitsForEveryOwner(t *testing.T) {
	for name, c := range map[string]struct {
		keys, ready time.Duration // after the session began
		until       time.Duration // 0: all are waited for
	}{
		"in time":                 {0, 0, 10 * time.Minute},
		"ready late":              {0, 9 * time.Minute, 19 * time.Minute},
		"ready when time is over": {time.Minute, 12 * time.Minute, 21 * time.Minute},
		"keys when time is over":  {11 * time.Minute, 12 * time.Minute, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := queriesWorld(t)
			s := w.inSession(w.federated(over(east, north, south, west)))
			began := w.now
			at := func(d time.Duration) { w.now = began.Add(d) }
			at(c.keys)
			s.posts(ledger.RoundKey, s.Members()...)
			at(c.ready)
			s.posts(ledger.RoundReady, s.Members()...)
			s.posts(ledger.RoundInput, east, north, south)
			if c.until == 0 {
				at(59 * time.Minute)
				w.refused(ledger.Expired, "west", lender, ledger.FnPost, s.entry(ledger.RoundClose, lender))
				s.posts(ledger.RoundInput, west)
			} else {
				at(c.until)
				w.refused(ledger.Expired, "west", lender, ledger.FnPost, s.entry(ledger.RoundClose, lender))
				at(c.until + time.Second)
			}
			s.posts(ledger.RoundClose, lender)
		})
	}
}

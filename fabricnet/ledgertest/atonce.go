package ledgertest

import (
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// takesCallsAtOnce makes many calls about different things, which all must succeed, and then equal ones, of which one must.
func (s *suite) takesCallsAtOnce(t *testing.T) {
	const calls = 32
	attempts := make([]func() error, calls)
	for i := range attempts {
		attempts[i] = s.distinct(t, i)
	}
	errs := make([]error, calls)
	var wait sync.WaitGroup
	for i, attempt := range attempts {
		wait.Go(func() { errs[i] = attempt() })
	}
	wait.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("call %d of %d at once: %v", i, calls, err)
		}
	}
	for range 4 {
		s.oneOfTwo(t)
	}
}

// distinct is the n-th of many calls that have nothing to do with one another.
func (s *suite) distinct(t *testing.T, n int) func() error {
	fleet := call{by: s.owner, function: ledger.FnRegisterFleet, args: fleetArgs("many-" + random())}
	switch n % 4 {
	case 0:
		a := makerArgs(contracttest.NewMaker("many-" + random()))
		s.consent(t, a.Digest())
		return func() error {
			return s.done(call{by: s.regulator, function: ledger.FnRegisterMaker, args: a})
		}
	case 1:
		a := contracttest.Enrolment(s.Genesis.ID(), s.fleet, uint32(100+n), 0, s.draw(s.other, 2))
		return func() error {
			return s.inOpenEpoch(func() error { return s.done(call{by: s.owner, function: ledger.FnEnrol, args: a}) })
		}
	case 2:
		if epoch, err := s.Genesis.EpochAt(s.Now()); err == nil && epoch > 0 {
			q := s.statement(s.financier, s.fleet, epoch-1, s.Now().Add(time.Hour))
			return func() error { return s.done(s.ask(s.financier, q)) }
		}
	}
	return func() error { return s.done(fleet) }
}

// oneOfTwo makes a call twice at the same time.
func (s *suite) oneOfTwo(t *testing.T) {
	t.Helper()
	same := call{by: s.owner, function: ledger.FnRegisterFleet, args: fleetArgs("twice-" + random())}
	var errs [2]error
	var wait sync.WaitGroup
	for i := range errs {
		wait.Go(func() { _, errs[i] = s.submit(same) })
	}
	wait.Wait()
	if errs[0] != nil {
		errs[0], errs[1] = errs[1], errs[0]
	}
	if errs[0] != nil || ledger.CodeOf(errs[1]) != ledger.Conflict {
		t.Errorf("of two equal calls at once: %v and %v", errs[0], errs[1])
	}
}

package ledgertest

import (
	"slices"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// anchorsAfterRetirement anchors, in the window of a later epoch, the chunk of which a device was retired. If a slow machine leaves the window before it is done,
// it goes on with the next epoch.
func (s *suite) anchorsAfterRetirement(t *testing.T) {
	for attempt := 1; ; attempt++ {
		var attestations [][]byte
		var withRetired [][]byte
		next := s.nextEpoch(t, func(next uint64) {
			attestations = s.attested(t, s.fleet, 0, next-1)
			gone := s.device(must[ledger.SlotEntry](t)(s.slot(0, retired)).Enrolment.Device)
			withRetired = append(slices.Clone(attestations), contracttest.Attest(s.SRS, s.place(s.fleet, 0, next-1), retired, gone))
		})
		over := next - 1
		s.opensAtOnce(t, next)
		failures := checks{{"anchoring with the retired device", func() error {
			return s.refused(ledger.Invalid, s.anchorCall(s.fleet, 0, over, withRetired))
		}}}.run()
		r, err := s.submit(s.anchorCall(s.fleet, 0, over, attestations))
		if err != nil {
			failures = append(failures, err)
		}
		if tooLate(failures) && attempt < 3 {
			t.Logf("the window of epoch %d was over too soon: %v", over, failures)
			continue
		}
		report(t, failures)
		if err == nil {
			key := anchorKey{s.fleet, over, 0}
			args := contracttest.Anchor(s.place(s.fleet, 0, over), attestations)
			s.anchored[key] = anchored{args: args, attestations: attestations, receipt: r}
			s.countsRetired(t, key)
		}
		return
	}
}

func (s *suite) countsRetired(t *testing.T, key anchorKey) {
	t.Helper()
	s.showsAnchor(t, key, s.anchored[key])
	s.factsAgree(t, must[ledger.FactsEntry](t)(s.as(s.financier).Facts(s.ctx, s.fleet, key.epoch)))
	// The epoch before is as it was.
	s.factsAgree(t, must[ledger.FactsEntry](t)(s.as(s.financier).Facts(s.ctx, s.fleet, s.over)))
	if last, err := s.slotsAnchored(0); err != nil || last != key.epoch {
		t.Errorf("chunk 0 was last anchored for %d, %v", last, err)
	}
}

// isTooLate is when nothing can be added to the epoch that the scenes before were about.
func (s *suite) isTooLate(t *testing.T) {
	s.Until(t, latest(s.Genesis.SettledAfter(s.over).Add(time.Second), s.asked.brief.statement.Expiry))
	missed := s.attested(t, s.fleet, 2, s.over)
	var c checks
	expired := func(name string, late call) {
		c.add(name, func() error { return s.refused(ledger.Expired, late) })
	}
	expired("anchoring after the window", s.anchorCall(s.fleet, 2, s.over, missed))
	expired("deciding after expiry", call{by: s.owner, function: ledger.FnDecide, args: ledger.Decide{Request: s.asked.brief.id, Approve: true}})
	expired("withdrawing after expiry", s.withdraw(s.financier, s.asked.brief))
	expired("proving after expiry", s.prove(s.owner, s.asked.brief.id, bundle(t, s.asked.brief.statement)))
	c.add("proving after the window, nothing", func() error {
		return s.refused(ledger.Invalid, s.prove(s.owner, s.asked.approved.id, bundle(t, s.asked.approved.statement)))
	})
	c.must(t)
	s.showsRequest(t, s.asked.brief, ledger.StatusExpired)
	of := ledger.EpochRef{Fleet: s.fleet, Epoch: s.over}
	if f := must[ledger.FactsEntry](t)(s.as(s.owner).Facts(s.ctx, of.Fleet, of.Epoch)); !f.Final || f.Closed {
		t.Errorf("facts after the window: final %v, closed %v", f.Final, f.Closed)
	}
	s.mustSubmit(t, call{by: s.regulator, function: ledger.FnSettle, args: of})
	f := must[ledger.FactsEntry](t)(s.as(s.owner).Facts(s.ctx, of.Fleet, of.Epoch))
	if !f.Final || !f.Closed {
		t.Errorf("facts after settling: final %v, closed %v", f.Final, f.Closed)
	}
	s.factsAgree(t, f)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

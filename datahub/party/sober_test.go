package party_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// TestTrapQueriesWithoutEnd are asked of nobody's leave: they leave nothing to do at the regulator's node, which takes part in their sessions all the same.
func TestTrapQueriesWithoutEnd(t *testing.T) {
	t.Parallel()
	w := world(t)
	c := &faulty{}
	regulator := startFaulty(w, partytest.Regulator, c)
	w.Until("the regulator to follow", func() bool { return c.listed.Load() > 0 })
	id := w.Ask(nil)
	w.Until("the regulator to look at it", func() bool { return c.asked.Load() > 0 })
	w.Until("the regulator to be done with it", func() bool { return regulator.Tasks() == 0 })
	w.Kill(partytest.Regulator)
	c = &faulty{}
	regulator = startFaulty(w, partytest.Regulator, c)
	w.Start(append(partytest.Owners(), partytest.Lender)...)
	wantTruth(w, answered(w, id), partytest.Owners()...)
}

// TestDoubt has the ledger's answer about an approval be wrong for a moment, as of a peer that is behind: what would be declined for good is not.
func TestDoubt(t *testing.T) {
	t.Parallel()
	w := world(t)
	var wrong atomic.Int64
	east := &faulty{}
	east.answer = func(function string, args []byte) ([]byte, bool) {
		if function != ledger.QueryAssessQuery || wrong.Add(1) == 1 || wrong.Load() > 2 { // the first is about the approval
			return nil, false
		}
		return ledger.Encode(ledger.Assessment{Reasons: []string{"behind"}, Policies: []commit.Digest{}, PolicyIDs: []string{}, Cost: "0"}), true
	}
	startFaulty(w, partytest.East, east)
	w.Start(partytest.North, partytest.South, partytest.Lender, partytest.Regulator)
	id := w.Ask(nil)
	wantTruth(w, answered(w, id), partytest.Owners()...)
	if e := w.Entry(id); len(e.Sessions) != 1 || wrong.Load() < 3 {
		t.Errorf("%d sessions began, the ledger was asked %d times", len(e.Sessions), wrong.Load())
	}
}

// TestAllowedNoMore has a policy that forbids it be published after all approved: the requester's node sees that no session can answer the query.
func TestAllowedNoMore(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.Owners()...)
	id := w.Ask(nil)
	wantStatus(w, id, ledger.QueryApproved)
	_, receipt, err := w.Book(partytest.East).PublishPolicy(t.Context(), []byte("@id(\"nothing\")\nforbid (principal, action, resource);\n"))
	w.Done(receipt, err)
	heard := startHeard(w, partytest.Lender)
	w.Until("the lender to see that it is futile", func() bool { return heard.says(futile) > 0 })
	if e := w.Entry(id); len(e.Sessions) != 0 {
		t.Errorf("%d sessions began", len(e.Sessions))
	}
}

// TestClipSteps are compared with the schema of the fleet.
func TestClipSteps(t *testing.T) {
	t.Parallel()
	w := world(t)
	for name, steps := range map[string]map[string]string{"no lane": {"state_of_mind": "5"}, "no step": {"state_of_health": "0.001"}} {
		o := w.Options(partytest.East)
		o.Book, o.ClipSteps = w.Book(partytest.East), map[string]map[string]string{partytest.FleetOf(partytest.East): steps}
		if m, err := party.New(o); err == nil || !strings.Contains(err.Error(), partytest.FleetOf(partytest.East)) {
			t.Errorf("%s: error %v", name, err)
			if err == nil {
				w.OK(m.Close())
			}
		}
	}
	cut := &faulty{Client: w.Book(partytest.East).Client}
	cut.away.Store(true)
	o := w.Options(partytest.East)
	o.Book, o.ClipSteps = ledger.Book{Client: cut}, map[string]map[string]string{partytest.FleetOf(partytest.East): {"state_of_mind": "5"}}
	m, err := party.New(o)
	if err != nil {
		t.Fatalf("without a ledger: %v", err)
	}
	w.OK(m.Close())
}

// TestSlowNode saw a session in time and comes to it late: that is no reason to end it.
func TestSlowNode(t *testing.T) {
	t.Parallel()
	w := world(t)
	var asked atomic.Int64
	var late atomic.Bool
	startFaulty(w, partytest.East, &faulty{fails: func(function string) bool {
		return function == ledger.QueryAssessQuery && asked.Add(1) > 1 && !late.Load() // the first is about the approval
	}})
	o := w.Options(partytest.Lender)
	o.Patience = time.Hour
	w.StartWith(partytest.Lender, o)
	w.Start(partytest.North, partytest.South, partytest.Regulator)
	id := w.Ask(nil)
	w.Until("east to see the session", func() bool { return asked.Load() > 1 })
	for _, org := range []string{partytest.North, partytest.South, partytest.Regulator} {
		w.Until(org+" to see it", recorded(w, id, 0, org, ledger.RoundKey))
	}
	w.Pass(6 * time.Minute)
	late.Store(true)
	wantTruth(w, answered(w, id), partytest.Owners()...)
	if e := w.Entry(id); len(e.Sessions) != 1 {
		t.Errorf("%d sessions began", len(e.Sessions))
	}
}

// TestRecordOutOfBounds has what a node shows of its session not say which it is.
func TestRecordOutOfBounds(t *testing.T) {
	t.Parallel()
	w := world(t)
	o := w.Options(partytest.East)
	o.Openings = func(context.Context, string, uint64, *verify.ChunkFacts) (*zk.Chunk, error) {
		c := *w.Chunk(partytest.East)
		c.Records = slices.Clone(c.Records)
		c.Records[17][1] = 1 << 31
		return &c, nil
	}
	w.StartWith(partytest.East, o)
	w.Start(partytest.North, partytest.South, partytest.Lender, partytest.Regulator)
	id := w.Ask(nil)
	w.Until("east to fail", func() bool {
		e := w.Entry(id)
		if len(e.Sessions) == 0 {
			return false
		}
		s, ok := w.Node(partytest.East).State(e.Sessions[0].ID)
		if strings.Contains(s.Error, "record 17") {
			t.Fatalf("error: %s", s.Error)
		}
		return ok && strings.Contains(s.Error, "not what the query is laid out for")
	})
}

package ledgertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// eventOf is the name of a function's event.
var eventOf = map[string]string{
	ledger.FnRegisterMaker: ledger.EventMakerRegistered, ledger.FnRegisterFleet: ledger.EventFleetRegistered, ledger.FnEnrol: ledger.EventEnrolled,
	ledger.FnRetire: ledger.EventRetired, ledger.FnAnchor: ledger.EventAnchored, ledger.FnPublishKey: ledger.EventKeyPublished, ledger.FnRequest: ledger.EventRequested,
	ledger.FnDecide: ledger.EventDecided, ledger.FnWithdraw: ledger.EventWithdrawn, ledger.FnOpenEpoch: ledger.EventEpochOpened, ledger.FnSettle: ledger.EventSettled,
	ledger.FnPublishPolicy: ledger.EventPolicyPublished, ledger.FnGrant: ledger.EventGranted, ledger.FnRevoke: ledger.EventRevoked, ledger.FnStartProof: ledger.EventProving,
	ledger.FnFail: ledger.EventFailed, ledger.FnSubmitProof: ledger.EventVerified, ledger.FnPublishNode: ledger.EventNodePublished, ledger.FnAlert: ledger.EventAlerted,
	ledger.FnSetKeyStatus: ledger.EventKeyStatusSet, ledger.FnPlanCeremony: ledger.EventCeremonyPlanned, ledger.FnRecordContribution: ledger.EventContributed,
	ledger.FnEndCeremonyStage: ledger.EventStageEnded, ledger.FnCloseCeremonyStage: ledger.EventStageClosed,
}

// grows has the ledger's head move with what is recorded.
func (s *suite) grows(t *testing.T) {
	b := s.as(s.owner)
	before := must[ledger.Head](t)(b.Head(s.ctx))
	for range 2 {
		r := s.mustSubmit(t, call{by: s.owner, function: ledger.FnRegisterFleet, args: fleetArgs("head-" + random())})
		after := must[ledger.Head](t)(b.Head(s.ctx))
		if r.Height <= before.Height || after.Height < r.Height || after.Hash == before.Hash || after.Hash == (commit.Digest{}) {
			t.Errorf("recorded at %d, the head went from %+v to %+v", r.Height, before, after)
		}
		before = after
	}
	for _, org := range s.all {
		for _, id := range []string{"", "x", "00000000000000000000000000000000000000000000000000000000000000ff", string(make([]byte, 64))} {
			if _, err := s.as(org).Locate(s.ctx, id); ledger.CodeOf(err) == "" {
				t.Errorf("locating transaction %q: %v", id, err)
			}
		}
	}
	if err := wrongCode(ledger.NotFound, "locating a transaction that is not there", second(b.Locate(s.ctx, unknownTx))); err != nil {
		t.Error(err)
	}
}

// unknownTx is the id of no transaction.
const unknownTx = "00000000000000000000000000000000000000000000000000000000000000ff"

// tellsEvents compares the run's events, as everybody is told them, with its receipts.
func (s *suite) tellsEvents(t *testing.T) {
	head := s.log.latest()
	events := s.events(t, s.owner, s.log.start+1, head)
	s.log.mu.Lock()
	calls := append([]recorded(nil), s.log.recorded...)
	s.log.mu.Unlock()
	byTx := map[string][]ledger.Event{}
	for i, e := range events {
		byTx[e.TxID] = append(byTx[e.TxID], e)
		if i > 0 && e.Height < events[i-1].Height || e.Height <= s.log.start || e.Height > head {
			t.Errorf("event %d of blocks %d to %d is of block %d", i, s.log.start+1, head, e.Height)
		}
		if e.Payload.Organisation == "" || e.Name == "" {
			t.Errorf("event is %+v", e)
		}
	}
	for _, c := range calls {
		got := byTx[c.receipt.TxID]
		if len(got) != 1 {
			t.Errorf("%s by %s has %d events", c.function, c.by, len(got))
			continue
		}
		if e := got[0]; e.Name != eventOf[c.function] || e.Height != c.receipt.Height || e.Payload.Organisation != c.by {
			t.Errorf("event of %s by %s in block %d: %+v", c.function, c.by, c.receipt.Height, e)
		}
		if h, err := s.as(s.financier).Locate(s.ctx, c.receipt.TxID); err != nil || h != c.receipt.Height {
			t.Errorf("%s by %s is located at %d, its receipt says %d: %v", c.function, c.by, h, c.receipt.Height, err)
		}
	}
	for _, org := range s.but(s.owner) {
		if diff := cmp.Diff(events, s.events(t, org, s.log.start+1, head)); diff != "" {
			t.Errorf("%s is told other events: %s", org, diff)
		}
	}
	s.payloads(t, byTx)
	s.ranges(t, events)
}

// events are those of a range, which ends.
func (s *suite) events(t *testing.T, org string, from, to uint64) []ledger.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	var events []ledger.Event
	for e, err := range s.as(org).Events(ctx, from, to) {
		if err != nil {
			t.Fatalf("events of blocks %d to %d for %s: %v", from, to, org, err)
		}
		events = append(events, e)
	}
	return events
}

// payloads looks at what listeners go by.
func (s *suite) payloads(t *testing.T, byTx map[string][]ledger.Event) {
	for key, a := range s.anchored {
		want := ledger.EventPayload{
			Organisation: s.owner, Fleet: key.fleet, Owner: s.owner, Chunk: &key.chunk, Epoch: &key.epoch, Devices: len(a.attestations), Digest: &a.args.Root,
		}
		if diff := cmp.Diff(want, byTx[a.receipt.TxID][0].Payload); diff != "" {
			t.Errorf("payload of an anchor's event: %s", diff)
		}
	}
	q := s.asked.approved
	e := must[ledger.RequestEntry](t)(s.as(s.owner).RequestEntry(s.ctx, q.id))
	yes := true
	for tx, want := range map[string]ledger.EventPayload{
		e.Request.TxID:  {Organisation: q.requester, Fleet: s.fleet, Owner: s.owner, Requester: q.requester, Epoch: &s.over, Request: &q.id, Grant: q.statement.Grant},
		e.Decision.TxID: {Organisation: s.owner, Fleet: s.fleet, Owner: s.owner, Requester: q.requester, Request: &q.id, Approved: &yes, Grant: q.statement.Grant},
	} {
		if diff := cmp.Diff(want, byTx[tx][0].Payload); diff != "" {
			t.Errorf("payload of a request's or decision's event: %s", diff)
		}
	}
}

// ranges asks for a part of the events, and breaks off.
func (s *suite) ranges(t *testing.T, events []ledger.Event) {
	middle := events[len(events)/2].Height
	var want []ledger.Event
	for _, e := range events {
		if e.Height == middle {
			want = append(want, e)
		}
	}
	if diff := cmp.Diff(want, s.events(t, s.regulator, middle, middle)); diff != "" {
		t.Errorf("events of one block: %s", diff)
	}
	if got := s.events(t, s.regulator, middle, middle-1); len(got) != 0 {
		t.Errorf("%d events of no block", len(got))
	}
	for e, err := range s.as(s.regulator).Events(s.ctx, events[0].Height, 0) {
		if diff := cmp.Diff(events[0], e); err != nil || diff != "" {
			t.Errorf("the first event: %v %s", err, diff)
		}
		break
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	var last error
	for _, err := range s.as(s.regulator).Events(ctx, events[len(events)-1].Height, 0) {
		last = err
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("following ended with %v after it was cancelled", last)
	}
}

// isFollowed follows the ledger through interruptions, and meanwhile records more.
func (s *suite) isFollowed(t *testing.T) {
	from := ledger.Cursor{Height: s.log.latest()}
	const fleets = 6
	var ids []string
	for range fleets {
		ids = append(ids, "live-"+random())
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	live := make(chan ledger.Event, fleets)
	ended := make(chan error, 1)
	go func() { ended <- s.follow(ctx, s.financier, from, s.only(ids, live)) }()
	for _, id := range ids {
		s.mustSubmit(t, call{by: s.owner, function: ledger.FnRegisterFleet, args: fleetArgs(id)})
	}
	if err := <-ended; err != nil {
		t.Fatalf("following: %v", err)
	}
	close(live)
	i := 0
	for e := range live {
		if e.Payload.Fleet != ids[i] || e.Name != ledger.EventFleetRegistered {
			t.Errorf("event %d is %+v, must be of %s", i, e, ids[i])
		}
		i++
	}
	s.resumes(ctx, t)
}

var errEnough = errors.New("enough")

// only passes on the events of some fleets, and ends when it had all of them.
func (s *suite) only(fleets []string, to chan<- ledger.Event) func(ledger.Event, ledger.Cursor) error {
	left := map[string]bool{}
	for _, id := range fleets {
		left[id] = true
	}
	return func(e ledger.Event, _ ledger.Cursor) error {
		if !left[e.Payload.Fleet] {
			return nil
		}
		to <- e
		if delete(left, e.Payload.Fleet); len(left) == 0 {
			return errEnough
		}
		return nil
	}
}

// follow returns nil when the handler had enough.
func (s *suite) follow(ctx context.Context, org string, after ledger.Cursor, fn func(ledger.Event, ledger.Cursor) error) error {
	err := ledger.Follow(ctx, s.as(org), after, fn)
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// resumes reads the run's events a few at a time, each time from where it stopped.
func (s *suite) resumes(ctx context.Context, t *testing.T) {
	want := s.events(t, s.owner, s.log.start+1, s.log.latest())
	var got []ledger.Event
	cursor := ledger.Cursor{Height: s.log.start}
	for step := 1; len(got) < len(want); step = step%17 + 1 {
		left := min(step, len(want)-len(got))
		if err := s.follow(ctx, s.financier, cursor, func(e ledger.Event, behind ledger.Cursor) error {
			got, cursor = append(got, e), behind
			if left--; left == 0 {
				return errEnough
			}
			return nil
		}); err != nil {
			t.Fatalf("following from %+v: %v", cursor, err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("followed in steps: %s", diff)
	}
	wrong := ledger.Cursor{Height: want[0].Height, TxID: unknownTx}
	if err := s.follow(ctx, s.financier, wrong, func(ledger.Event, ledger.Cursor) error { return nil }); err == nil || ctx.Err() != nil {
		t.Errorf("following from a transaction that is not there: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	if err := s.follow(short, s.financier, cursor, func(ledger.Event, ledger.Cursor) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("following for a while ended with %v", err)
	}
}

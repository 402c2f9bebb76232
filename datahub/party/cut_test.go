package party_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// faulty is access to the ledger that goes wrong.
type faulty struct {
	ledger.Client
	away   atomic.Bool
	fails  func(function string) bool
	asked  atomic.Int64                                    // queries' entries that were read
	listed atomic.Int64                                    // lists of queries that were read: what is asked behind the first is heard
	submit func(ledger.Call) (ledger.Receipt, error, bool) // true if it does not get to the ledger
	answer func(function string, args []byte) ([]byte, bool)
}

var errAway = errors.New("the ledger is away")

func (c *faulty) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	if c.away.Load() || c.fails != nil && c.fails(function) {
		return nil, errAway
	}
	switch function {
	case ledger.QueryQuery:
		c.asked.Add(1)
	case ledger.QueryQueries:
		c.listed.Add(1)
	}
	if c.answer != nil {
		if b, ok := c.answer(function, args); ok {
			return b, nil
		}
	}
	return c.Client.Evaluate(ctx, function, args)
}

func (c *faulty) Submit(ctx context.Context, call ledger.Call) (ledger.Receipt, error) {
	if c.away.Load() {
		return ledger.Receipt{}, errAway
	}
	if c.submit != nil {
		if r, err, stop := c.submit(call); stop {
			return r, err
		}
	}
	return c.Client.Submit(ctx, call)
}

func (c *faulty) Head(ctx context.Context) (ledger.Head, error) {
	if c.away.Load() {
		return ledger.Head{}, errAway
	}
	return c.Client.Head(ctx)
}

// startFaulty starts a node with such access.
func startFaulty(w *partytest.World, org string, c *faulty) *partytest.Node {
	c.Client = w.Book(org).Client
	o := w.Options(org)
	o.Book = ledger.Book{Client: c}
	return w.StartWith(org, o)
}

func keysOf(t *testing.T, n *partytest.Node) (keys, sessions int) {
	t.Helper()
	kept, err := n.Kept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, has := range kept {
		if has {
			keys++
		}
	}
	return keys, len(kept)
}

// TestTrapCutOffFromTheLedger has the keys of a session outlive it neither in a node whose ledger does not answer any more nor in one that is started then.
func TestTrapCutOffFromTheLedger(t *testing.T) {
	t.Parallel()
	w := world(t)
	stopAt(w, partytest.South, ledger.RoundReady) // the session stays open
	east, north := &faulty{}, &faulty{}
	startFaulty(w, partytest.East, east)
	startFaulty(w, partytest.North, north)
	w.Start(partytest.South, partytest.Lender, partytest.Regulator)
	id := w.Ask(nil)
	for _, org := range []string{partytest.East, partytest.North} {
		w.Until(org+" to be ready", recorded(w, id, 0, org, ledger.RoundReady))
		if keys, _ := keysOf(t, w.Node(org)); keys != 1 {
			t.Fatalf("%s has the keys of %d sessions, want 1", org, keys)
		}
	}
	east.away.Store(true)
	north.away.Store(true)
	w.Kill(partytest.North)
	w.Pass(25 * time.Hour)
	startFaulty(w, partytest.North, north)
	for _, org := range []string{partytest.East, partytest.North} {
		w.Until(org+" to destroy its keys", func() bool { keys, sessions := keysOf(t, w.Node(org)); return keys == 0 && sessions == 1 })
	}
	if b, err := w.Node(partytest.East).Item(t.Context(), partytest.North, w.Entry(id).Sessions[0].ID, "part", 1); !errors.Is(err, party.ErrNotYet) {
		t.Errorf("%d bytes of a part, error %v, want %v", len(b), err, party.ErrNotYet)
	}
	for _, c := range []*faulty{east, north} {
		c.away.Store(false)
	}
	for _, org := range []string{partytest.East, partytest.North} {
		w.Until(org+" to destroy the rest", func() bool { _, sessions := keysOf(t, w.Node(org)); return sessions == 0 })
	}
}

// TestTrapSessionsBesideTheOneThatAnswers are ended by owners and regulator where the requester's node does not.
func TestTrapSessionsBesideTheOneThatAnswers(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.Start(partytest.Owners()...)
	id := w.Ask(nil)
	wantStatus(w, id, ledger.QueryApproved)
	for range 2 {
		_, receipt, err := w.Book(partytest.Lender).Begin(t.Context(), id)
		w.Done(receipt, err)
	}
	w.Start(partytest.Regulator)
	startFaulty(w, partytest.Lender, &faulty{submit: func(c ledger.Call) (ledger.Receipt, error, bool) {
		p, err := ledger.Decode[ledger.Post]("post", c.Args, ledger.MaxArgsOf(ledger.FnPost))
		return ledger.Receipt{}, nil, c.Function == ledger.FnPost && err == nil && p.Round == ledger.RoundAbort
	}})
	a := answered(w, id)
	wantTruth(w, a, partytest.Owners()...)
	for i, h := range w.Entry(id).Sessions {
		if h.ID == a.Session {
			continue
		}
		w.Until("the other session to be ended", func() bool { return w.Entry(id).Sessions[i].End != nil })
		if end := w.Entry(id).Sessions[i].End; end.Party == partytest.Lender {
			t.Errorf("the lender ended it")
		}
		w.Until("east to destroy its keys", func() bool { keys, _ := keysOf(t, w.Node(partytest.East)); return keys == 0 })
	}
}

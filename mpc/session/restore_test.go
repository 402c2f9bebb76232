package session_test

import (
	"context"
	"errors"
	"testing"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// before gives a copy of a party's store from just before it stored a slot for the first time, once it has.
func before(n *sessiontest.Network, party, slot string) func() *sessiontest.Store {
	var backup *sessiontest.Store
	n.Store(party).SetFault(func(s string) sessiontest.Fault {
		if s == slot && backup == nil {
			backup = n.Backup(party)
		}
		return sessiontest.NoFault
	})
	return func() *sessiontest.Store { return backup }
}

func entryOf(n *sessiontest.Network, party string, round transcript.Round) *transcript.Entry {
	for _, e := range n.Board.Entries(n.Session) {
		if e.Party == party && e.Round == round {
			return &e
		}
	}
	return nil
}

// TestTrapRestoredBackup puts a backup in place of each party's store that is older than what the ledger has of the party: it refuses the session, for good, and says nothing more in it.
func TestTrapRestoredBackup(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays many sessions")
	}
	for _, c := range []struct {
		party, slot string
		round       transcript.Round
	}{
		{"owner-01", session.SecretSlot, transcript.Key},
		{"owner-01", session.HoldingSlot, transcript.Ready},
		{"owner-01", session.KeysSlot, transcript.Ready},
		{"owner-01", session.InputSlot, transcript.Input},
		{"owner-01", session.ShareSlot, transcript.Share},
		{sessiontest.Regulator, session.SecretSlot, transcript.Key},
		{sessiontest.Regulator, session.KeysSlot, transcript.Ready},
		{sessiontest.Regulator, session.ShareSlot, transcript.Share},
		{sessiontest.Receiver, session.SecretSlot, transcript.Key},
		{sessiontest.Receiver, session.ActivationSlot, transcript.Activate},
	} {
		t.Run(c.party+" before "+c.slot, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 3, 2)
			backup := before(n, c.party, c.slot)
			n.Start()
			n.Play(func() bool { return entryOf(n, c.party, c.round) != nil })
			n.Kill(c.party)
			n.SetStore(backup())
			said := len(n.Board.Entries(n.Session))
			wantRefusing(t, n, c.party)
			wantRefusing(t, n, c.party)
			if now := len(n.Board.Entries(n.Session)); now != said {
				t.Errorf("%d entries, want the %d from before", now, said)
			}
			if _, err := n.Store(c.party).Get(t.Context(), n.Session, session.SecretSlot); !errors.Is(err, session.ErrDestroyed) {
				t.Errorf("secret: error %v, want %v", err, session.ErrDestroyed)
			}
		})
	}
}

// wantRefusing starts a party for a step: it refuses the session, and shows nothing.
func wantRefusing(t *testing.T, n *sessiontest.Network, party string) {
	t.Helper()
	n.Start(party)
	defer n.Kill(party)
	state, err := n.Step(party)
	if err != nil || state.Phase != session.Refused {
		t.Fatalf("state %v (error %v), want %s", state, err, session.Refused)
	}
	for _, item := range []session.Item{{Kind: session.PublicItem}, {Kind: session.PartItem}, {Kind: session.ShareItem}, {Kind: session.InputItem, Of: party}} {
		for _, caller := range n.Names() {
			if b, err := n.Party(party).Serve(caller, item); err == nil {
				t.Errorf("shows %d bytes of %s to %s", len(b), item, caller)
			}
		}
	}
}

// TestRestoredReceiverAfterTheResult says that it has none, and the session is over.
func TestRestoredReceiverAfterTheResult(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	backup := before(n, sessiontest.Receiver, session.ResultSlot)
	n.Change = func(cfg *session.Config) {
		cfg.Deliver = func(context.Context, *session.Result) error { return errors.New("not now") }
	}
	n.Start()
	for n.Recorded(transcript.Result) == 0 {
		_ = n.Turn()
	}
	n.Kill(sessiontest.Receiver)
	n.SetStore(backup())
	n.Start(sessiontest.Receiver)
	state, err := n.Step(sessiontest.Receiver)
	if err != nil || state.Phase != transcript.Answered || state.Reason == "" {
		t.Errorf("state %v (error %v), want answered, with a reason why there is no result", state, err)
	}
}

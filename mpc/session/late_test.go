package session_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestTrapReceiverThatIsReadyLate waits until the time for inputs is over before it lets anyone give one: the owners have as long as they would have had, and it cannot close when the
// first inputs are enough.
func TestTrapReceiverThatIsReadyLate(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 4, 2)
	n.Start()
	n.Play(func() bool { return n.Recorded(transcript.Key) == 6 })
	n.Kill(sessiontest.Receiver)
	n.Start(sessiontest.Receiver) // shows its key, and says nothing
	quiet := true
	n.Board.SetFault(func(e transcript.Entry) sessiontest.Fault {
		if quiet && e.Party == sessiontest.Receiver {
			return sessiontest.LostRequest
		}
		return sessiontest.NoFault
	})
	for range 8 {
		_ = n.Turn() // the receiver's own steps fail
	}
	if got := n.Recorded(transcript.Ready); got != 5 {
		t.Fatalf("%d are ready, want all but the receiver", got)
	}
	n.Board.Set(time.Unix(n.Opening.InputsUntil, 0))
	quiet = false
	n.Kill("owner-04")
	idle(t, n)
	n.Board.Set(time.Unix(n.Opening.InputsUntil+1, 0))
	early := transcript.Entry{Session: n.Session, Party: sessiontest.Receiver, Round: transcript.Close}
	if err := n.Board.As(sessiontest.Receiver).Post(t.Context(), early); err == nil || n.Recorded(transcript.Input) != 3 {
		t.Errorf("with %d inputs of 4, a second after all are ready: close recorded, error %v", n.Recorded(transcript.Input), err)
	}
	n.Start("owner-04")
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
}

// TestLedgerThatStaysBehind does not have a party say the same again and again: what is recorded already is waited for.
func TestLedgerThatStaysBehind(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	n.Start("owner-01")
	n.Board.Behind("owner-01", 100)
	for i, want := range []bool{true, false, false} {
		state, err := n.Step("owner-01")
		if err != nil || session.Posted(state) != want {
			t.Errorf("step %d: %v (error %v), recorded something: %t, want %t", i, state, err, session.Posted(state), want)
		}
	}
}

// TestRestartBehindTheEnd starts an owner on a ledger that does not show yet what it has seen the end of: its keys are gone, what it keeps for a dispute is not.
func TestRestartBehindTheEnd(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	for _, party := range []string{"owner-01", sessiontest.Receiver} {
		t.Run(party, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 3, 2)
			n.Start()
			n.Play(n.Over)
			n.Kill(party)
			n.Start(party)
			n.Board.Behind(party, 2)
			for range 2 {
				if state, err := n.Step(party); err != nil || state.Over() {
					t.Fatalf("state %v (error %v), want one that waits", state, err)
				}
			}
			n.Board.Behind(party, 0)
			n.Play(n.Over)
			n.WantResult(n.Opening.Roster.Owners...)
			if party == sessiontest.Receiver {
				return
			}
			if _, err := n.Party(party).Disclose(t.Context()); err != nil {
				t.Errorf("disclosing: %v", err)
			}
		})
	}
}

// TestExpiredWithoutALedger destroys keys when the session has expired, whether or not the ledger answers.
func TestExpiredWithoutALedger(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	away := false
	n.Change = func(cfg *session.Config) { cfg.Board = &absentBoard{cfg.Board, &away} }
	n.Start()
	n.Play(n.In(transcript.Input))
	away = true
	n.Board.Set(time.Unix(n.Opening.Expires+1, 0))
	for range 2 {
		for _, name := range n.Names() {
			if state, err := n.Step(name); !errors.Is(err, sessiontest.ErrLost) || state.Over() {
				t.Errorf("%s: %v, error %v: want %v", name, state, err, sessiontest.ErrLost)
			}
			wantKeysGone(t, n, name)
			if b, err := n.Party(name).Serve("owner-02", session.Item{Kind: session.PublicItem}); err == nil {
				t.Errorf("%s shows %d bytes", name, len(b))
			}
		}
	}
	away = false
	expire(t, n)
	n.WantPhase(session.Expired)
}

// TestKeysWithoutALedger are destroyed by whoever has the store, which says when; the party shows nothing more from when it is told.
func TestKeysWithoutALedger(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	n.Start()
	n.Play(n.In(transcript.Ready))
	n.Board.Set(time.Unix(n.Opening.Expires+1, 0))
	for _, name := range n.Names() {
		store := n.Store(name)
		if at, err := session.Expiry(t.Context(), store, n.Session); err != nil || at != n.Opening.Expires {
			t.Errorf("%s: expires at %d (error %v), want %d", name, at, err, n.Opening.Expires)
		}
		if _, err := session.Expiry(t.Context(), store, transcript.ID{1}); !errors.Is(err, session.ErrAbsent) {
			t.Errorf("%s: of no session: error %v", name, err)
		}
		for range 2 {
			if err := errors.Join(session.DestroyKeys(t.Context(), store, n.Session), n.Party(name).Expire(t.Context())); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		wantKeysGone(t, n, name)
		if b, err := n.Party(name).Serve("owner-02", session.Item{Kind: session.PublicItem}); err == nil {
			t.Errorf("%s shows %d bytes", name, len(b))
		}
	}
	expire(t, n)
	n.WantPhase(session.Expired)
	for _, name := range n.Names() {
		if _, err := session.Expiry(t.Context(), n.Store(name), n.Session); !errors.Is(err, session.ErrDestroyed) {
			t.Errorf("%s: of what is destroyed: error %v", name, err)
		}
	}
}

type absentBoard struct {
	session.Board
	away *bool
}

func (b *absentBoard) Entries(ctx context.Context, id transcript.ID) ([]transcript.Entry, error) {
	if *b.away {
		return nil, sessiontest.ErrLost
	}
	return b.Board.Entries(ctx, id)
}

func wantKeysGone(t *testing.T, n *sessiontest.Network, party string) {
	t.Helper()
	for _, slot := range []string{session.SecretSlot, session.HoldingSlot, session.ShareSlot} {
		if _, err := n.Store(party).Get(t.Context(), n.Session, slot); !errors.Is(err, session.ErrDestroyed) {
			t.Errorf("%s keeps %s: error %v", party, slot, err)
		}
	}
}

// TestKeyOfAResultThatNobodyTakes is destroyed all the same, and the result delivered later.
func TestKeyOfAResultThatNobodyTakes(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	full := true
	n.Change = func(cfg *session.Config) {
		deliver := cfg.Deliver
		cfg.Deliver = func(ctx context.Context, r *session.Result) error {
			if full {
				return errors.New("the disk is full")
			}
			return deliver(ctx, r)
		}
	}
	n.Start()
	for range 30 {
		if _ = n.Turn(); n.Over() {
			break
		}
	}
	n.WantPhase(transcript.Answered)
	wantKeysGone(t, n, sessiontest.Receiver)
	full = false
	n.Kill(sessiontest.Receiver)
	n.Start(sessiontest.Receiver)
	if _, err := n.Step(sessiontest.Receiver); err != nil {
		t.Fatal(err)
	}
	n.WantResult(n.Opening.Roster.Owners...)
}

// TestFileStoreAfterAFailedSync reads nothing that may not be on the disk.
func TestFileStoreAfterAFailedSync(t *testing.T) {
	t.Parallel()
	s := openStore(t, filepath.Join(t.TempDir(), "s"), "a", sessiontest.NewSealer())
	id := transcript.ID{1}
	if _, err := s.Put(t.Context(), id, "a", []byte("value")); err != nil {
		t.Fatal(err)
	}
	session.BreakDisk(s)
	for name, err := range map[string]error{
		"get": func() error { _, err := s.Get(t.Context(), id, "a"); return err }(),
		"put": func() error { _, err := s.Put(t.Context(), id, "b", nil); return err }(),
	} {
		if err == nil || errors.Is(err, session.ErrAbsent) || errors.Is(err, session.ErrDestroyed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

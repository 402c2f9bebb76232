package session_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestTrapTwoCopiesOfANode runs a party twice, with a copy of its store, from before each thing that it draws at random. The twin's ledger is behind, so that it makes its own;
// only one of the two is recorded, and only that is ever shown.
func TestTrapTwoCopiesOfANode(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays several sessions")
	}
	for _, c := range []struct {
		slot  string
		round transcript.Round
	}{{session.SecretSlot, transcript.Key}, {session.InputSlot, transcript.Input}} {
		t.Run(c.slot, func(t *testing.T) {
			t.Parallel()
			const party = "owner-02"
			n := sessiontest.New(t, 3, 2)
			sameBytes(t, n)
			copied := before(n, party, c.slot)
			n.Start()
			n.Play(func() bool { return entryOf(n, party, c.round) != nil })
			recorded := entryOf(n, party, c.round)
			entries := n.Board.Entries(n.Session)
			cfg := n.Config(party)
			cfg.Store = copied()
			at := slices.IndexFunc(entries, func(e transcript.Entry) bool { return e.Party == party && e.Round == c.round })
			behind := &blinkered{Board: cfg.Board, see: func(all []transcript.Entry) []transcript.Entry { return all[:at] }}
			cfg.Board = behind
			twin, err := session.Join(cfg, n.Session)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := twin.Step(t.Context()); !errors.Is(err, transcript.ErrRecorded) {
				t.Fatalf("the twin's step: error %v, want %v", err, transcript.ErrRecorded)
			}
			if behind.posted == nil || behind.posted.Digest == recorded.Digest {
				t.Fatal("the twin made the same: this tests nothing")
			}
			behind.see = nil
			state, err := twin.Step(t.Context())
			if err != nil || state.Phase != session.Refused {
				t.Errorf("the twin: %v (error %v), want %s", state, err, session.Refused)
			}
			n.Play(n.Over)
			n.WantResult(n.Opening.Roster.Owners...)
		})
	}
}

// blinkered is a board that a test has a hand in.
type blinkered struct {
	session.Board
	see    func([]transcript.Entry) []transcript.Entry
	mute   bool
	posted *transcript.Entry
}

func (b *blinkered) Entries(ctx context.Context, id transcript.ID) ([]transcript.Entry, error) {
	entries, err := b.Board.Entries(ctx, id)
	if err == nil && b.see != nil {
		entries = b.see(entries)
	}
	return entries, err
}

func (b *blinkered) Post(ctx context.Context, e transcript.Entry) error {
	b.posted = &e
	if b.mute {
		return sessiontest.ErrLost
	}
	return b.Board.Post(ctx, e)
}

// TestTwoProcessesWithOneStore are one party.
func TestTwoProcessesWithOneStore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	sameBytes(t, n)
	n.Start()
	twins := map[string]*session.Party{}
	for _, name := range n.Names() {
		p, err := session.Join(n.Config(name), n.Session)
		if err != nil {
			t.Fatal(err)
		}
		twins[name] = p
	}
	n.Play(func() bool {
		for name, p := range twins {
			if state, err := p.Step(t.Context()); err != nil || state.Phase == session.Refused {
				t.Fatalf("%s: %v (error %v)", name, state, err)
			}
		}
		return n.Over()
	})
	n.WantDelivered(n.Opening.Roster.Owners...)
}

// TestTrapOneShareForEver shows a party another activation after it has stored a share, and none of its own entries: the share that it has is all that it ever gives.
func TestTrapOneShareForEver(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 4, 2)
	n.Start()
	n.Play(n.In(transcript.Activate))
	const party = "owner-01"
	n.Kill(party)
	cfg := n.Config(party)
	board := &blinkered{Board: cfg.Board, mute: true}
	cfg.Board = board
	step := func() *transcript.Entry {
		p, err := session.Join(cfg, n.Session)
		if err != nil {
			t.Fatal(err)
		}
		if state, err := p.Step(t.Context()); !errors.Is(err, sessiontest.ErrLost) {
			t.Fatalf("state %v, error %v", state, err)
		}
		return board.posted
	}
	first := step()
	kept, err := n.Store(party).Get(t.Context(), n.Session, session.ShareSlot)
	if err != nil {
		t.Fatal(err)
	}
	board.see = func(entries []transcript.Entry) []transcript.Entry {
		for i := range entries {
			if entries[i].Round == transcript.Activate {
				entries[i].Digest = transcript.Hash("another sum")
				entries[i].Detail, _ = transcript.EncodeActive(&n.Opening.Roster, []string{party, "owner-04"})
			}
		}
		return entries
	}
	if second := step(); second.Digest != first.Digest {
		t.Error("another share was promised for another activation")
	}
	now, err := n.Store(party).Get(t.Context(), n.Session, session.ShareSlot)
	if err != nil || !bytes.Equal(now, kept) {
		t.Errorf("another share is stored (error %v)", err)
	}
}

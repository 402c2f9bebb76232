package session_test

import (
	"context"
	"testing"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestLedgerThatIsBehind is believed as far as it goes, and goes on.
func TestLedgerThatIsBehind(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	n.Start()
	for i := range 25 {
		for j, name := range n.Names() {
			n.Board.Behind(name, (i*7+j*3)%4)
		}
		_ = n.Turn() // a peer that is behind may have a party say what the ledger refuses
	}
	for _, name := range n.Names() {
		n.Board.Behind(name, 0)
	}
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
}

// TestLedgersThatAreNotBelieved change what they showed, or show what the rules forbid.
func TestLedgersThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	for name, see := range map[string]func([]transcript.Entry) []transcript.Entry{
		"another entry": func(e []transcript.Entry) []transcript.Entry { e[0].Digest[0]++; return e },
		"another time":  func(e []transcript.Entry) []transcript.Entry { e[0].At++; return e },
		"another order": func(e []transcript.Entry) []transcript.Entry { e[0], e[1] = e[1], e[0]; return e },
		"too many":      func(e []transcript.Entry) []transcript.Entry { return make([]transcript.Entry, 1000) },
		"against the rules": func(e []transcript.Entry) []transcript.Entry {
			return append(e, transcript.Entry{Session: e[0].Session, Party: sessiontest.Receiver, Round: transcript.Result, Digest: transcript.Digest{1}, At: e[0].At})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 3, 2)
			var board *blinkered
			n.Change = func(cfg *session.Config) {
				if cfg.Self == "owner-01" {
					board = &blinkered{Board: cfg.Board}
					cfg.Board = board
				}
			}
			n.Start()
			n.Play(n.In(transcript.Ready))
			board.see = see
			if _, err := n.Step("owner-01"); err == nil {
				t.Error("believed")
			}
			board.see = nil
			n.Play(n.Over)
			n.WantResult(n.Opening.Roster.Owners...)
		})
	}
}

// TestOpeningsThatAreNotBelieved are another session's, or have no place for this party.
func TestOpeningsThatAreNotBelieved(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	n.Start()
	for name, cfg := range map[string]session.Config{
		"another session's": withBoard(n.Config("owner-01"), func(b session.Board) session.Board {
			return &forger{b, func(o *transcript.Opening) { o.Used++ }}
		}),
		"out of bounds": withBoard(n.Config("owner-01"), func(b session.Board) session.Board {
			return &forger{b, func(o *transcript.Opening) { o.Minimum = 2 }}
		}),
		"no place": n.Config("owner-99"),
	} {
		p, err := session.Join(cfg, n.Session)
		if err != nil {
			t.Fatal(err)
		}
		if state, err := p.Step(t.Context()); err == nil {
			t.Errorf("%s: %v", name, state)
		}
	}
	if _, err := session.Join(session.Config{Self: "owner-01"}, n.Session); err == nil {
		t.Error("a party of nothing")
	}
}

type forger struct {
	session.Board
	forge func(*transcript.Opening)
}

func (f *forger) Opening(ctx context.Context, id transcript.ID) (*transcript.Opening, string, error) {
	o, name, err := f.Board.Opening(ctx, id)
	if err == nil {
		f.forge(o)
	}
	return o, name, err
}

func withBoard(cfg session.Config, f func(session.Board) session.Board) session.Config {
	cfg.Board = f(cfg.Board)
	return cfg
}

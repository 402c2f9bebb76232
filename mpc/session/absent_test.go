package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// expire moves the clock past the session's end and has everyone see it: nothing is left in any store.
func expire(t *testing.T, n *sessiontest.Network) {
	t.Helper()
	n.Board.Set(time.Unix(n.Opening.Expires+1, 0))
	if err := n.Turn(); err != nil {
		t.Fatal(err)
	}
	for _, name := range n.Names() {
		if n.Party(name) == nil {
			continue
		}
		if left, err := n.Store(name).Sessions(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("%s keeps sessions %v (error %v), want none", name, left, err)
		}
		if _, err := n.Store(name).Get(t.Context(), n.Session, session.SecretSlot); !errors.Is(err, session.ErrDestroyed) {
			t.Errorf("%s: secret: error %v, want %v", name, err, session.ErrDestroyed)
		}
	}
}

// idle has everyone do all that they can do without whoever is away.
func idle(t *testing.T, n *sessiontest.Network) {
	t.Helper()
	for before := -1; before != len(n.Board.Entries(n.Session)); {
		before = len(n.Board.Entries(n.Session))
		if err := n.Turn(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhoseAbsenceStopsASession kills one party for good at one phase.
func TestWhoseAbsenceStopsASession(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays many sessions")
	}
	const active, inactive = "owner-01", "owner-04"
	for _, c := range []struct {
		from   transcript.Round // that is recorded when the party goes
		all    int              // entries of it
		party  string
		inputs int // in the result; 0: none
	}{
		{transcript.Key, 1, inactive, 0},
		{transcript.Ready, 1, active, 0},
		{transcript.Ready, 6, active, 3}, // away from the time that all are ready
		{transcript.Ready, 6, inactive, 3},
		{transcript.Input, 4, inactive, 0}, // its input is closed over, and nobody has it
		{transcript.Activate, 1, inactive, 4},
		{transcript.Activate, 1, active, 0}, // a set of active owners never changes
		{transcript.Ready, 6, sessiontest.Regulator, 0},
		{transcript.Share, 2, active, 0},
		{transcript.Share, 2, sessiontest.Receiver, 0},
	} {
		t.Run(fmt.Sprintf("%s after %d %s", c.party, c.all, c.from), func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 4, 2)
			n.Start()
			n.Play(func() bool { return n.Recorded(c.from) >= c.all })
			n.Kill(c.party)
			idle(t, n)
			n.Board.Set(time.Unix(n.Opening.InputsUntil+1, 0))
			if c.inputs > 0 {
				n.Play(n.Over)
				n.WantPhase(transcript.Answered)
				if len(n.Results) != 1 || len(n.Results[0].Owners) != c.inputs {
					t.Fatalf("results %v, want one of %d owners", n.Results, c.inputs)
				}
				n.WantResult(n.Results[0].Owners...)
				return
			}
			idle(t, n)
			n.WantNoResult()
			expire(t, n)
			n.WantPhase(session.Expired)
			n.WantNoResult()
		})
	}
}

// TestLateParties come one by one, each when all others can do no more.
func TestLateParties(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	for _, name := range n.Names() {
		n.Start(name)
		idle(t, n)
	}
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
}

// TestFreshSessionAfterAKilledParty is what is left when an active owner does not come back.
func TestFreshSessionAfterAKilledParty(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 4, 2)
	n.Start()
	n.Play(n.In(transcript.Activate))
	n.Kill("owner-01")
	idle(t, n)
	expire(t, n)
	n.WantNoResult()
	n.Opening.InputsUntil, n.Opening.Expires = n.Opening.Expires+60, n.Opening.Expires+3600
	n.Reopen()
	n.Start()
	n.Play(func() bool { return n.Recorded(transcript.Ready) == 6 })
	n.Kill("owner-01")
	idle(t, n)
	n.Board.Set(time.Unix(n.Opening.InputsUntil+1, 0))
	n.Play(n.Over)
	n.WantResult("owner-02", "owner-03", "owner-04")
}

// TestOwnersDecline is no result of too few, and one of the others if they are enough.
func TestOwnersDecline(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	for declining, want := range map[string]transcript.Phase{"owner-01": transcript.Answered, "owner-01 owner-02": transcript.Aborted} {
		t.Run(declining, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 4, 2)
			n.Change = func(cfg *session.Config) {
				if strings.Contains(declining, cfg.Self) {
					cfg.Totals = func(context.Context, transcript.ID, *transcript.Opening) (*session.Totals, error) {
						return nil, fmt.Errorf("%w: the cohort is too small", session.ErrDeclined)
					}
				}
			}
			n.Start()
			n.Play(n.Over)
			n.WantPhase(want)
			if want == transcript.Aborted {
				n.WantNoResult()
				return
			}
			n.WantResult("owner-02", "owner-03", "owner-04")
		})
	}
}

// TestTotalsThatCannotBeEncrypted are declined before they are.
func TestTotalsThatCannotBeEncrypted(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	limit := sessiontest.New(t, 3, 2).Params.Limit(1)
	beyond := new(big.Int).Add(limit, big.NewInt(1))
	one := big.NewInt(1)
	for name, totals := range map[string]*session.Totals{
		"overflow":          {Values: []*big.Int{one, beyond, one}},
		"negative overflow": {Values: []*big.Int{one, one, new(big.Int).Neg(beyond)}},
		"no one":            {Values: []*big.Int{big.NewInt(2), one, one}},
		"too few":           {Values: []*big.Int{one, one}},
		"nil":               {Values: []*big.Int{one, nil, one}},
		"long anchor":       {Values: []*big.Int{one, one, one}, Anchor: make([]byte, 513)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 3, 2)
			n.Change = func(cfg *session.Config) {
				if cfg.Self == "owner-02" {
					cfg.Totals = func(context.Context, transcript.ID, *transcript.Opening) (*session.Totals, error) { return totals, nil }
				}
			}
			n.Start()
			n.Play(n.Over)
			n.WantPhase(transcript.Aborted)
			for _, e := range n.Board.Entries(n.Session) {
				if e.Round == transcript.Input && e.Party == "owner-02" && !e.Declined() {
					t.Error("an input was recorded")
				}
			}
		})
	}
}

// TestNotAdmitted ends the session before the party has made anything.
func TestNotAdmitted(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	n.Change = func(cfg *session.Config) {
		if cfg.Self == sessiontest.Regulator {
			cfg.Admit = func(context.Context, transcript.ID, *transcript.Opening) error {
				return fmt.Errorf("%w: the grant is used up by 7 of 8", session.ErrDeclined)
			}
		}
	}
	n.Start()
	n.Play(n.Over)
	n.WantPhase(transcript.Aborted)
	for _, e := range n.Board.Entries(n.Session) {
		if e.Party == sessiontest.Regulator && (e.Round != transcript.Abort || string(e.Detail) != "declined") {
			t.Errorf("%s %q of a party that declines", e.Round, e.Detail)
		}
	}
	if _, err := n.Store(sessiontest.Regulator).Get(t.Context(), n.Session, session.SecretSlot); !errors.Is(err, session.ErrDestroyed) {
		t.Errorf("secret of a party that declined: error %v", err)
	}
}

// TestAskedAgain: what is no refusal is tried again.
func TestAskedAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	times := map[string]int{}
	failing := func(what string) error {
		if times[what]++; times[what] < 3 {
			return errors.New("not now")
		}
		return nil
	}
	n.Change = func(cfg *session.Config) {
		totals, deliver, self := cfg.Totals, cfg.Deliver, cfg.Self
		cfg.Admit = func(context.Context, transcript.ID, *transcript.Opening) error { return failing("admit " + self) }
		cfg.Totals = func(ctx context.Context, id transcript.ID, o *transcript.Opening) (*session.Totals, error) {
			if err := failing("totals " + self); err != nil {
				return nil, err
			}
			return totals(ctx, id, o)
		}
		cfg.CheckInput = func(_ context.Context, o *session.Offered) error {
			return failing("input of " + o.Owner + " by " + self)
		}
		cfg.Deliver = func(ctx context.Context, r *session.Result) error {
			if err := failing("deliver"); err != nil {
				return err
			}
			return deliver(ctx, r)
		}
	}
	n.Start()
	for range 60 {
		if _ = n.Turn(); n.Over() && len(n.Results) > 0 {
			break
		}
	}
	n.WantResult(n.Opening.Roster.Owners...)
	_ = n.Turn()
	if times["deliver"] != 3 {
		t.Errorf("delivered %d times, want until it succeeded, 3", times["deliver"])
	}
}

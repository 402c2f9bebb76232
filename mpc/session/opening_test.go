package session_test

import (
	"crypto/rand"
	"errors"
	"math/big"
	"testing"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

func (s spoils) secret(party string) *collective.Secret {
	s.T.Helper()
	b := must(s.Store(party).Get(s.T.Context(), s.Session, session.SecretSlot))(s.T)
	return must(collective.UnmarshalSecret(b[:32]))(s.T)
}

// ownerShare is what an owner's node would give for any sum and any set of owners, if it kept no rules.
func (s spoils) ownerShare(owner string, sum *collective.Sum, active ...collective.Point) *collective.SwitchShare {
	s.T.Helper()
	_, receiver := s.keys()
	holding := must(s.Params.UnmarshalHolding(must(s.Store(owner).Get(s.T.Context(), s.Session, session.HoldingSlot))(s.T)))(s.T)
	return must(s.Params.SwitchShare(must(s.Params.OwnerKey(holding, active))(s.T), receiver, sum))(s.T)
}

func (s spoils) regulatorShare(secret *collective.Secret, sum *collective.Sum) *collective.SwitchShare {
	s.T.Helper()
	_, receiver := s.keys()
	return must(s.Params.SwitchShare(must(s.Params.RegulatorKey(secret))(s.T), receiver, sum))(s.T)
}

// madeUpShare is an owner's share from a dealing that has nothing to do with the session.
func (s spoils) madeUpShare(own collective.Point, sum *collective.Sum, active ...collective.Point) *collective.SwitchShare {
	s.T.Helper()
	points := []collective.Point{1, 2, 3, 4}
	var received []*collective.SecretPart
	var dealt map[collective.Point]*collective.SecretPart
	for _, from := range points {
		parts := must(s.Params.Split(collective.NewSecret(), from, len(active), points))(s.T)
		if from == own {
			dealt = parts
		} else {
			received = append(received, parts[own])
		}
	}
	_, receiver := s.keys()
	holding := must(s.Params.Gather(own, dealt, received...))(s.T)
	return must(s.Params.SwitchShare(must(s.Params.OwnerKey(holding, active))(s.T), receiver, sum))(s.T)
}

// robbed is a session of four owners, any three of whom open, that has come to its activation, with every store in an attacker's hands: what it uses of them is up to the test.
func robbed(t *testing.T) (spoils, *collective.Sum) {
	n := sessiontest.New(t, 4, 3)
	n.Start()
	n.Play(n.In(transcript.Activate))
	return spoils{n}, spoils{n}.sum(n.Opening.Roster.Owners...)
}

// TestTrapNobodyOpensAlone opens a sum with too few of the key's parts, and made-up ones in place of those that are missing. Nothing comes out; with all of them the sum does.
func TestTrapNobodyOpensAlone(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	s, sum := robbed(t)
	lender, regulator := s.secret(sessiontest.Receiver), s.secret(sessiontest.Regulator)
	owners := []*collective.SwitchShare{s.ownerShare("owner-01", sum, 1, 2, 3), s.ownerShare("owner-02", sum, 1, 2, 3), s.ownerShare("owner-03", sum, 1, 2, 3)}
	theirs, madeUp := s.regulatorShare(regulator, sum), s.regulatorShare(collective.NewSecret(), sum)
	third := s.madeUpShare(3, sum, 1, 2, 3)
	for name, shares := range map[string][]*collective.SwitchShare{
		"all owners and the lender":                              owners,
		"all owners and the lender, a made-up regulator":         {owners[0], owners[1], owners[2], madeUp},
		"the regulator and the lender":                           {theirs},
		"the regulator, two owners of three, and the lender":     {owners[0], owners[1], theirs},
		"the same, a made-up owner":                              {owners[0], owners[1], third, theirs},
		"the same, an owner twice":                               {owners[0], owners[1], owners[1], theirs},
		"a lone owner and the lender, the others made up":        {owners[0], s.madeUpShare(2, sum, 1, 2, 3), third, madeUp},
		"the regulator and owners for two different active sets": {owners[0], owners[1], s.ownerShare("owner-04", sum, 1, 2, 4), theirs},
	} {
		if totals, err := s.Params.Open(lender, sum, shares...); !errors.Is(err, collective.ErrOpening) {
			t.Errorf("%s: opened %v, error %v", name, totals, err)
		}
	}
	all := []*collective.SwitchShare{owners[0], owners[1], owners[2], theirs}
	if totals, err := s.Params.Open(collective.NewSecret(), sum, all...); err == nil {
		t.Errorf("without the lender: opened %v", totals)
	}
	totals := must(s.Params.Open(lender, sum, all...))(t)
	if want := s.Sum(s.Opening.Roster.Owners...); totals[1].Cmp(want[1]) != 0 {
		t.Errorf("with everybody: opened %v, want %v", totals, want)
	}
}

// activate records an activation in the receiver's name.
func activate(n *sessiontest.Network, sum [32]byte, active ...string) error {
	detail := must(transcript.EncodeActive(&n.Opening.Roster, active))(n.T)
	return n.Board.As(sessiontest.Receiver).Post(n.T.Context(), transcript.Entry{
		Session: n.Session, Party: sessiontest.Receiver, Round: transcript.Activate, Digest: sum, Detail: detail,
	})
}

// TestTrapShareOnlyForTheSumOfAllInputs has the receiver name a sum without one owner, so that the difference would be that owner's.
func TestTrapShareOnlyForTheSumOfAllInputs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	for name, owners := range map[string][]string{"without one": {"owner-01", "owner-02", "owner-03"}, "of nothing": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 4, 2)
			n.Start()
			n.Play(n.In(transcript.Close))
			n.Kill(sessiontest.Receiver)
			sum := [32]byte{1}
			if owners != nil {
				sum = spoils{n}.sum(owners...).Digest()
			}
			if err := activate(n, sum, "owner-01", "owner-02"); err != nil {
				t.Fatal(err)
			}
			wantBlamed(t, n, sessiontest.Receiver)
			if shares := n.Recorded(transcript.Share); shares != 0 {
				t.Errorf("%d shares were given", shares)
			}
		})
	}
}

// TestTrapChangedActiveSet: when an active owner is gone, the receiver has no second choice in the session, and owners who are not active give nothing.
func TestTrapChangedActiveSet(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 4, 2)
	n.Start()
	n.Play(n.In(transcript.Activate))
	n.Kill("owner-01")
	sum := entryOf(n, sessiontest.Receiver, transcript.Activate).Digest
	if err := activate(n, sum, "owner-02", "owner-03"); !errors.Is(err, transcript.ErrRecorded) {
		t.Errorf("a second activation: error %v, want %v", err, transcript.ErrRecorded)
	}
	idle(t, n)
	n.WantNoResult()
	for _, owner := range []string{"owner-03", "owner-04"} {
		if entryOf(n, owner, transcript.Share) != nil {
			t.Errorf("%s gave a share, and is not active", owner)
		}
		share := transcript.Entry{Session: n.Session, Party: owner, Round: transcript.Share, Digest: transcript.Digest{1}}
		if err := n.Board.As(owner).Post(t.Context(), share); err == nil {
			t.Errorf("the ledger records a share of %s, which is not active", owner)
		}
	}
}

// TestTrapOneQueryForAKey: an answered session takes nothing more, and its keys are gone.
func TestTrapOneQueryForAKey(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	n.Start()
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
	if err := activate(n, [32]byte{1}, "owner-01", "owner-03"); !errors.Is(err, transcript.ErrRecorded) {
		t.Errorf("another activation: error %v, want %v", err, transcript.ErrRecorded)
	}
	for _, party := range []string{"owner-01", sessiontest.Regulator} {
		if b, err := n.Party(party).Serve(sessiontest.Receiver, session.Item{Kind: session.ShareItem}); err == nil {
			t.Errorf("%s shows %d bytes of a share", party, len(b))
		}
	}
}

// TestTrapReceiverShutsOwnersOut: a close before every owner has answered, or the time is over, is refused by the ledger, and not asked for by an honest receiver.
func TestTrapReceiverShutsOwnersOut(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 4, 2)
	n.Start()
	n.Play(func() bool { return n.Recorded(transcript.Ready) == 6 })
	n.Kill("owner-04")
	idle(t, n)
	if n.Recorded(transcript.Input) != 3 || n.Recorded(transcript.Close) != 0 {
		t.Fatalf("%d inputs, %d close, want 3 and none", n.Recorded(transcript.Input), n.Recorded(transcript.Close))
	}
	early := transcript.Entry{Session: n.Session, Party: sessiontest.Receiver, Round: transcript.Close, At: n.Opening.InputsUntil + 1} // the ledger sets the time
	if err := n.Board.As(sessiontest.Receiver).Post(t.Context(), early); err == nil {
		t.Error("the ledger records an early close")
	}
	n.Start("owner-04")
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
}

// TestBadShares commits to, and shows the receiver, shares that do not open the sum: there is no result.
func TestBadShares(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays many sessions")
	}
	other := sessiontest.New(t, 3, 2)
	other.Start()
	other.Play(other.In(transcript.Activate))
	foreign := spoils{other}.regulatorShare(spoils{other}.secret(sessiontest.Regulator), spoils{other}.sum(other.Opening.Roster.Owners...)).Marshal()
	for _, c := range []struct {
		name, party string
		message     func(s spoils) []byte
	}{
		{"zeros", sessiontest.Regulator, func(s spoils) []byte { return make([]byte, s.Params.SwitchShareSize(s.shape())) }},
		{"noise", sessiontest.Regulator, func(s spoils) []byte {
			b := s.regulatorShare(s.secret(sessiontest.Regulator), s.sum(s.Opening.Roster.Owners...)).Marshal()
			_, _ = rand.Read(b[len(b)-1000:])
			return b
		}},
		{"another session's", sessiontest.Regulator, func(spoils) []byte { return foreign }},
		{"another's", sessiontest.Regulator, func(s spoils) []byte {
			return s.ownerShare("owner-01", s.sum(s.Opening.Roster.Owners...), 1, 2).Marshal()
		}},
		{"of another key", sessiontest.Regulator, func(s spoils) []byte {
			return s.regulatorShare(collective.NewSecret(), s.sum(s.Opening.Roster.Owners...)).Marshal()
		}},
		{"of another active set", "owner-01", func(s spoils) []byte {
			return s.ownerShare("owner-01", s.sum(s.Opening.Roster.Owners...), 1, 3).Marshal()
		}},
		{"the regulator's", "owner-01", func(s spoils) []byte {
			return s.regulatorShare(s.secret(sessiontest.Regulator), s.sum(s.Opening.Roster.Owners...)).Marshal()
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 3, 2)
			n.Start()
			n.Play(n.In(transcript.Close))
			n.Kill(c.party)
			alive(n, c.party)
			n.Play(n.In(transcript.Activate))
			say(n, c.party, transcript.Share, c.message(spoils{n}))
			n.Play(n.Over)
			n.WantPhase(transcript.Aborted)
			n.WantNoResult()
		})
	}
}

// alive answers for a killed owner that it is there, and shows its input.
func alive(n *sessiontest.Network, party string) {
	in, err := n.Store(party).Get(n.T.Context(), n.Session, session.SecretSlot)
	if err != nil || len(in) == 0 {
		n.T.Fatal(err)
	}
	twin, err := session.Join(n.Config(party), n.Session)
	if err != nil {
		n.T.Fatal(err)
	}
	n.Mail.Interpose(func(r sessiontest.Request, answer sessiontest.Answer) ([]byte, error) {
		if r.From != party {
			return answer()
		}
		if r.Item.Kind == session.AliveItem {
			return []byte{1}, nil
		}
		if _, err := twin.Step(n.T.Context()); err != nil {
			return nil, err
		}
		return twin.Serve(r.Caller, r.Item)
	})
}

// TestTrapFirstNumberCountsTheInputs: an owner's ciphertext that does not count itself as one is found by the receiver, and so is any wrong key.
func TestTrapFirstNumberCountsTheInputs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	const party = "owner-04"
	n := sessiontest.New(t, 4, 2)
	n.Start()
	n.Play(func() bool { return n.Recorded(transcript.Ready) == 6 })
	n.Kill(party)
	idle(t, n)
	s := spoils{n}
	common, _ := s.keys()
	lie := []*big.Int{big.NewInt(0), big.NewInt(1), big.NewInt(1)}
	say(n, party, transcript.Input, must(n.Params.Encrypt(common, s.context(party), s.shape(), lie, [32]byte{1}))(t).Marshal())
	n.Play(n.Over)
	n.WantPhase(transcript.Aborted)
	n.WantNoResult()
}

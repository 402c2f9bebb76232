package session_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestTrapCopiedAndForeignInputs records inputs that their owner cannot have made for this session: copies of another's, as they would be with a thief among the others, and encryptions under
// other keys.
func TestTrapCopiedAndForeignInputs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays many sessions")
	}
	const party = "owner-03"
	for name, message := range map[string]func(s spoils) []byte{
		"another's, byte for byte": func(s spoils) []byte { return s.input("owner-01") },
		"made in another's name":   func(s spoils) []byte { return encrypt(s, s.context("owner-01")) },
		"made for another session": func(s spoils) []byte { return encrypt(s, collective.Context{Party: party}) },
		"under another key":        func(s spoils) []byte { return underAnotherKey(s, party) },
		"zeros":                    func(s spoils) []byte { return make([]byte, s.Params.InputSize(s.shape())) },
		"of another shape": func(s spoils) []byte {
			return make([]byte, s.Params.InputSize(collective.Shape{Used: 3, Ciphertexts: 2}))
		},
		"with residues out of bounds": func(s spoils) []byte { return unreduced(encrypt(s, s.context(party))) },
		"with the proof of another's": func(s spoils) []byte {
			own, other := encrypt(s, s.context(party)), s.input("owner-01")
			return append(own[:len(own)-4096], other[len(other)-4096:]...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 3, 2)
			n.Start()
			n.Play(func() bool { return n.Recorded(transcript.Ready) == 5 })
			n.Kill(party)
			idle(t, n)
			say(n, party, transcript.Input, message(spoils{n}))
			if name == "of another shape" { // no answer of the length that is asked for
				idle(t, n)
				n.WantPhase(transcript.Activation)
				n.WantNoResult()
				return
			}
			wantBlamed(t, n, party)
			if shares := n.Recorded(transcript.Share); shares != 0 {
				t.Errorf("%d shares were given", shares)
			}
		})
	}
}

func encrypt(s spoils, ctx collective.Context) []byte {
	common, _ := s.keys()
	return must(s.Params.Encrypt(common, ctx, s.shape(), s.Values["owner-03"], [32]byte{1}))(s.T).Marshal()
}

func underAnotherKey(s spoils, party string) []byte {
	var parts []*collective.PublicPart
	for _, name := range []string{"owner-01", "owner-02"} {
		parts = append(parts, must(s.Params.PublicPart(s.crs(), s.context(name), collective.NewSecret()))(s.T))
	}
	key := must(s.Params.PublicKey(s.crs(), parts...))(s.T)
	return must(s.Params.Encrypt(key, s.context(party), s.shape(), s.Values[party], [32]byte{1}))(s.T).Marshal()
}

func unreduced(b []byte) []byte {
	for i := range 64 {
		b[64+i] = 0xff
	}
	return b
}

// TestTrapLateInput is refused by the ledger, and no part of the sum, whatever was shown meanwhile.
func TestTrapLateInput(t *testing.T) {
	t.Parallel()
	const party = "owner-04"
	n := sessiontest.New(t, 4, 2)
	n.Start()
	n.Play(func() bool { return n.Recorded(transcript.Ready) == 6 })
	n.Kill(party)
	n.Board.Set(time.Unix(n.Opening.InputsUntil+1, 0))
	n.Play(n.In(transcript.Close))
	late, _ := session.Commit(n.Session, party, transcript.Input, spoils{n}.input("owner-01"))
	if err := n.Board.As(party).Post(t.Context(), late); err == nil {
		t.Error("the ledger records an input after the close")
	}
	n.Play(n.Over)
	n.WantResult("owner-01", "owner-02", "owner-03")
}

// TestInputsThatAreNotAccepted end the session, by the one place where they are checked.
func TestInputsThatAreNotAccepted(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	var seen []string
	n.Change = func(cfg *session.Config) {
		if cfg.Self != sessiontest.Regulator {
			return
		}
		cfg.CheckInput = func(_ context.Context, o *session.Offered) error {
			seen = append(seen, fmt.Sprintf("%s: %s", o.Owner, o.Anchor))
			if o.Owner == "owner-02" {
				return fmt.Errorf("%w: the anchor is not that of its epoch", session.ErrDeclined)
			}
			return nil
		}
	}
	n.Start()
	wantBlamed(t, n, "owner-02")
	if !slices.Contains(seen, "owner-02: anchor of owner-02") {
		t.Errorf("checked %q", seen)
	}
}

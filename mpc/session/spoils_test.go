package session_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// spoils are what an attacker can compute who has parties' stores.
type spoils struct {
	*sessiontest.Network
}

func (s spoils) slot(party, slot string, into any) {
	s.T.Helper()
	b, err := s.Store(party).Get(s.T.Context(), s.Session, slot)
	if err == nil {
		err = cbor.Unmarshal(b, into)
	}
	if err != nil {
		s.T.Fatal(err)
	}
}

// keys are the session's two keys.
func (s spoils) keys() (common, receiver *collective.PublicKey) {
	s.T.Helper()
	var stored struct {
		Parts    [][]byte
		Receiver []byte
	}
	s.slot("owner-01", session.KeysSlot, &stored)
	var parts []*collective.PublicPart
	for _, b := range stored.Parts {
		parts = append(parts, must(s.Params.UnmarshalPublicPart(b))(s.T))
	}
	return must(s.Params.PublicKey(s.crs(), parts...))(s.T), must(s.Params.UnmarshalPublicKey(stored.Receiver))(s.T)
}

func (s spoils) crs() [32]byte {
	beacon := must(s.Board.As("owner-01").Beacon(s.T.Context(), s.Session))(s.T)
	return transcript.Hash("assay/mpc/crs/1", s.Session[:], beacon[:])
}

// input is what an owner encrypted.
func (s spoils) input(owner string) []byte {
	s.T.Helper()
	var stored struct{ Input []byte }
	s.slot(owner, session.InputSlot, &stored)
	return stored.Input
}

func (s spoils) context(party string) collective.Context {
	return collective.Context{Session: s.Session, Party: party}
}

func (s spoils) shape() collective.Shape {
	return collective.Shape{Used: s.Opening.Used, Ciphertexts: s.Opening.Ciphertexts}
}

func (s spoils) sum(owners ...string) *collective.Sum {
	s.T.Helper()
	common, _ := s.keys()
	var terms []*collective.Term
	for _, owner := range owners {
		in := must(s.Params.UnmarshalInput(s.shape(), s.input(owner)))(s.T)
		terms = append(terms, must(s.Params.CheckInput(common, s.context(owner), in))(s.T))
	}
	return must(s.Params.Add(terms...))(s.T)
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// say records an entry in the name of a party that does not keep the protocol any more, and shows to everyone who asks what it commits to.
func say(n *sessiontest.Network, party string, round transcript.Round, messages ...[]byte) {
	n.T.Helper()
	n.Kill(party)
	e, show := session.Commit(n.Session, party, round, messages...)
	if err := n.Board.As(party).Post(n.T.Context(), e); err != nil {
		n.T.Fatal(err)
	}
	n.Mail.Interpose(func(r sessiontest.Request, answer sessiontest.Answer) ([]byte, error) {
		if r.From != party {
			return answer()
		}
		switch {
		case r.Item.Kind == session.PartItem:
			return show(n.Opening.Roster.Point(r.Caller)), nil
		case r.Item.Kind == session.PublicItem, r.Item.Kind == session.ShareItem, r.Item == session.Item{Kind: session.InputItem, Of: party}:
			return show(0), nil
		}
		return nil, errors.New("nothing")
	})
}

// wantBlamed fails the test unless the session was ended with a reason that names the party.
func wantBlamed(t *testing.T, n *sessiontest.Network, party string) {
	t.Helper()
	n.Play(n.Over)
	n.WantPhase(transcript.Aborted)
	n.WantNoResult()
	entries := n.Board.Entries(n.Session)
	if end := entries[len(entries)-1]; !strings.Contains(string(end.Detail), party) || end.Party == party {
		t.Errorf("%s ended it: %q, want %s named", end.Party, end.Detail, party)
	}
}

package session_test

import (
	"errors"
	"testing"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// forgedKeys makes what a party commits to in the key round, and shows.
type forgedKeys struct{ spoils }

func (f forgedKeys) parts(own, threshold int) [][]byte {
	dealt := must(f.Params.Split(collective.NewSecret(), collective.Point(own), threshold, []collective.Point{1, 2, 3}))(f.T)
	return [][]byte{dealt[1].Marshal(), dealt[2].Marshal(), dealt[3].Marshal()}
}

func (f forgedKeys) public(ctx collective.Context, crs [32]byte) []byte {
	return must(f.Params.PublicPart(crs, ctx, collective.NewSecret()))(f.T).Marshal()
}

// owner is what the third owner would commit to with these parts.
func (f forgedKeys) owner(parts [][]byte) [][]byte {
	return append([][]byte{f.public(f.context("owner-03"), f.crs())}, parts...)
}

// TestBadKeys commits to, and shows, key material that is none.
func TestBadKeys(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays many sessions")
	}
	const party = "owner-03"
	for _, c := range []struct {
		name, party string
		messages    func(f forgedKeys) [][]byte
	}{
		{"no public part", party, func(f forgedKeys) [][]byte {
			return append([][]byte{make([]byte, f.Params.PublicPartSize())}, f.parts(3, 2)...)
		}},
		{"another's proof", party, func(f forgedKeys) [][]byte {
			return append([][]byte{f.public(f.context("owner-02"), f.crs())}, f.parts(3, 2)...)
		}},
		{"another session's proof", party, func(f forgedKeys) [][]byte {
			return append([][]byte{f.public(collective.Context{Party: party}, f.crs())}, f.parts(3, 2)...)
		}},
		{"another reference string", party, func(f forgedKeys) [][]byte {
			return append([][]byte{f.public(f.context(party), [32]byte{1})}, f.parts(3, 2)...)
		}},
		{"parts for others", party, func(f forgedKeys) [][]byte {
			parts := f.parts(3, 2)
			return f.owner([][]byte{parts[1], parts[0], parts[2]})
		}},
		{"parts of another", party, func(f forgedKeys) [][]byte { return f.owner(f.parts(2, 2)) }},
		{"parts of another threshold", party, func(f forgedKeys) [][]byte { return f.owner(f.parts(3, 3)) }},
		{"parts that are none", party, func(f forgedKeys) [][]byte {
			junk := make([]byte, f.Params.SecretPartSize())
			return f.owner([][]byte{junk, junk, junk})
		}},
		{"no receiver's key", sessiontest.Receiver, func(f forgedKeys) [][]byte { return [][]byte{make([]byte, f.Params.PublicKeySize())} }},
		{"no regulator's part", sessiontest.Regulator, func(f forgedKeys) [][]byte { return [][]byte{make([]byte, f.Params.PublicPartSize())} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, 3, 2)
			n.Start()
			say(n, c.party, transcript.Key, c.messages(forgedKeys{spoils{n}})...)
			blamed := c.party
			if c.name == "parts of another threshold" {
				blamed = "part from 3 to" // by its place in the roster
			}
			wantBlamed(t, n, blamed)
		})
	}
}

// TestTrapLastPartyCannotChooseItsKey: nobody shows a key before all are committed to, and what is shown later must be what was.
func TestTrapLastPartyCannotChooseItsKey(t *testing.T) {
	t.Parallel()
	const party = "owner-03"
	n := sessiontest.New(t, 3, 2)
	n.Start()
	n.Kill(party)
	idle(t, n)
	for _, from := range n.Names() {
		if from == party {
			continue
		}
		for _, item := range []session.Item{{Kind: session.PublicItem}, {Kind: session.PartItem}} {
			if _, err := n.Party(from).Serve(party, item); !errors.Is(err, session.ErrNotYet) {
				t.Errorf("%s of %s: error %v, want %v", item, from, err, session.ErrNotYet)
			}
		}
	}
	first, _ := session.Commit(n.Session, party, transcript.Key, []byte("a key"))
	if err := n.Board.As(party).Post(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	chosen := must(n.Params.PublicPart(spoils{n}.crs(), spoils{n}.context(party), collective.NewSecret()))(t).Marshal()
	second, show := session.Commit(n.Session, party, transcript.Key, chosen, nil, nil, nil)
	if err := n.Board.As(party).Post(t.Context(), second); !errors.Is(err, transcript.ErrRecorded) {
		t.Errorf("a second commitment: error %v, want %v", err, transcript.ErrRecorded)
	}
	n.Mail.Interpose(func(r sessiontest.Request, answer sessiontest.Answer) ([]byte, error) {
		if r.From == party && r.Item.Kind == session.PublicItem {
			return show(0), nil
		}
		return answer()
	})
	idle(t, n)
	n.WantPhase(transcript.Preparation)
	if ready := n.Recorded(transcript.Ready); ready != 0 {
		t.Errorf("%d are ready with a key that was not committed to", ready)
	}
}

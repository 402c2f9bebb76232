package session_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// sameBytes fails the test if anything is shown twice and not the same.
func sameBytes(t *testing.T, n *sessiontest.Network) {
	type key struct {
		from, caller string
		session      transcript.ID
		item         session.Item
	}
	var mu sync.Mutex
	seen := map[key][32]byte{}
	n.Mail.Interpose(func(r sessiontest.Request, answer sessiontest.Answer) ([]byte, error) {
		b, err := answer()
		if err != nil {
			return nil, err
		}
		k := key{r.From, r.Caller, r.Session, r.Item}
		if r.Item.Kind != session.PartItem {
			k.caller = ""
		}
		if r.Item.Kind == session.InputItem {
			k.from = "" // whoever hands it on
		}
		mu.Lock()
		defer mu.Unlock()
		h := sha256.Sum256(b)
		if old, ok := seen[k]; ok && !bytes.Equal(old[:], h[:]) {
			t.Errorf("%s of %s was shown twice, and not the same", r.Item, r.From)
		}
		seen[k] = h
		return b, nil
	})
}

// arm has one party fail once at each of its records and each of its stored values, and counts where it did.
func arm(n *sessiontest.Network, party string, fault sessiontest.Fault) (stores, records map[string]bool) {
	stores, records = map[string]bool{}, map[string]bool{}
	once := func(happened map[string]bool, what string) sessiontest.Fault {
		if happened[what] {
			return sessiontest.NoFault
		}
		happened[what] = true
		return fault
	}
	n.Store(party).SetFault(func(slot string) sessiontest.Fault { return once(stores, slot) })
	n.Board.SetFault(func(e transcript.Entry) sessiontest.Fault {
		if e.Party != party {
			return sessiontest.NoFault
		}
		return once(records, string(e.Round))
	})
	return stores, records
}

// TestKilledAtEveryRound kills a party's process at each of its rounds, before and after what it stores and what it records, and starts it again at once.
func TestKilledAtEveryRound(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays many sessions")
	}
	for party, stops := range map[string]struct{ stores, records int }{
		"owner-01":            {6, 4}, // expires, secret, holding, keys, input, share; key, ready, input, share
		"owner-03":            {5, 3}, // not active: no share
		sessiontest.Regulator: {4, 3}, // expires, secret, keys, share; key, ready, share
		sessiontest.Receiver:  {9, 5}, // expires, secret, keys, three inputs, activation, result, delivered; key, ready, close, activate, result
	} {
		for when, fault := range map[string]sessiontest.Fault{"before": sessiontest.LostRequest, "after": sessiontest.LostAnswer} {
			t.Run(party+" "+when, func(t *testing.T) {
				t.Parallel()
				n := sessiontest.New(t, 3, 2)
				sameBytes(t, n)
				stores, records := arm(n, party, fault)
				n.Start()
				playKilling(t, n, party)
				if len(stores) != stops.stores || len(records) != stops.records {
					t.Errorf("stopped at %v and %v, want %+v", stores, records, stops)
				}
				n.WantDelivered(n.Opening.Roster.Owners...)
			})
		}
	}
}

// playKilling starts a party anew whenever it lost something.
func playKilling(t *testing.T, n *sessiontest.Network, party string) {
	for range 60 {
		for _, name := range n.Names() {
			_, err := n.Step(name)
			if name == party && errors.Is(err, sessiontest.ErrLost) {
				n.Kill(party)
				n.Start(party)
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if n.Over() {
			return
		}
	}
	t.Fatalf("no end:\n%s", n.Describe())
}

// TestNobodyLivesLonger has every party start anew for every step.
func TestNobodyLivesLonger(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("makes every key at every step")
	}
	n := sessiontest.New(t, 3, 2)
	sameBytes(t, n)
	n.Start()
	for range 40 {
		for _, name := range n.Names() {
			n.Kill(name)
			n.Start(name)
			if _, err := n.Step(name); err != nil {
				t.Fatal(err)
			}
		}
		if n.Over() {
			break
		}
	}
	n.WantResult(n.Opening.Roster.Owners...)
}

// TestResume finds the sessions of a store, goes on with those that are open, and destroys what is left of those that are over.
func TestResume(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	n.Start()
	n.Play(n.In(transcript.Input))
	n.Kill(n.Names()...)
	for _, name := range n.Names() {
		parties, err := session.Resume(t.Context(), n.Config(name))
		if err != nil || len(parties) != 1 || parties[0].Session() != n.Session {
			t.Fatalf("%s: resumed %v (error %v), want session %s", name, parties, err, n.Session)
		}
	}
	n.Start()
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
	n.Start() // as after a restart
	expire(t, n)
	for _, name := range n.Names() {
		if parties, err := session.Resume(t.Context(), n.Config(name)); err != nil || len(parties) != 0 {
			t.Errorf("%s: resumed %d (error %v), want none", name, len(parties), err)
		}
	}
}

// TestKeysAreDestroyedWithTheAnswer, and what was encrypted when the session expires.
func TestKeysAreDestroyedWithTheAnswer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	n.Start()
	n.Play(n.Over)
	for _, name := range n.Names() {
		for _, slot := range []string{session.SecretSlot, session.HoldingSlot, session.ShareSlot} {
			if _, err := n.Store(name).Get(t.Context(), n.Session, slot); !errors.Is(err, session.ErrDestroyed) {
				t.Errorf("%s keeps %s: error %v", name, slot, err)
			}
		}
	}
	if _, err := n.Party("owner-01").Disclose(t.Context()); err != nil {
		t.Errorf("disclosing before the session expires: %v", err)
	}
	n.WantResult(n.Opening.Roster.Owners...)
	n.Kill(n.Names()...)
	n.Start()
	expire(t, n)
	if _, err := n.Party("owner-01").Disclose(t.Context()); !errors.Is(err, session.ErrDestroyed) {
		t.Errorf("disclosing after it: error %v, want %v", err, session.ErrDestroyed)
	}
	if len(n.Results) != 1 {
		t.Error(fmt.Sprint(len(n.Results), " results delivered, want 1"))
	}
}

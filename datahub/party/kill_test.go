package party_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// killer ends a node twice at each of its calls of a kind: first before the ledger has it, and then after, when the node has not heard of it.
type killer struct {
	w    *partytest.World
	orgs []string

	mu    sync.Mutex
	times map[string]int
}

func (k *killer) fault(c partytest.Call) partytest.Fault {
	what := c.By + " " + c.Call.Function
	if c.Call.Function == ledger.FnPost {
		p, err := ledger.Decode[ledger.Post]("post", c.Call.Args, ledger.MaxArgsOf(ledger.FnPost))
		if err != nil {
			panic(err)
		}
		what += " " + string(p.Round)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.times[what]++
	return map[int]partytest.Fault{1: partytest.KillBefore, 2: partytest.KillAfter}[k.times[what]]
}

// raise starts again whoever was killed, until a condition holds.
func (k *killer) raise(what string, condition func() bool) {
	k.w.T.Helper()
	k.w.Until(what, func() bool {
		for _, org := range k.orgs {
			if k.w.Killed(org) {
				k.w.Kill(org)
				k.w.Start(org)
			}
		}
		return condition()
	})
}

// TestKilledAtEachRound kills every node before and after each of its words, in one session, which is answered all the same.
func TestKilledAtEachRound(t *testing.T) {
	t.Parallel()
	w := world(t)
	k := &killer{w: w, orgs: partytest.Members(), times: map[string]int{}}
	w.SetFault(k.fault)
	id := w.Ask(nil)
	k.raise("an answer", func() bool {
		n := w.Node(partytest.Lender)
		if n == nil {
			return false
		}
		_, err := n.Result(t.Context(), id)
		return err == nil
	})
	wantTruth(w, answered(w, id), partytest.Owners()...)
	if e := w.Entry(id); len(e.Sessions) != 1 {
		t.Errorf("%d sessions began", len(e.Sessions))
	}
	var want []string
	for _, o := range partytest.Owners() {
		want = append(want, o+" answer", o+" post key", o+" post ready", o+" post input")
	}
	for _, round := range []string{"key", "ready", "close", "activate", "result"} {
		want = append(want, "lender post "+round)
	}
	want = append(want, "lender begin", "regulator post key", "regulator post ready", "regulator post share", "east post share", "north post share")
	for _, what := range want {
		if k.times[what] < 2 && what != "east post share" && what != "north post share" { // which owners open is who answers first
			t.Errorf("%s: killed %d times, want twice", what, k.times[what])
		}
	}
}

// TestGoneAfterTheActivation is an owner that gave an input, was not named among those who open, and never comes back.
func TestGoneAfterTheActivation(t *testing.T) {
	t.Parallel()
	w := world(t)
	w.SetFault(func(c partytest.Call) partytest.Fault {
		if p, err := ledger.Decode[ledger.Post]("post", c.Call.Args, ledger.MaxArgsOf(ledger.FnPost)); c.Call.Function == ledger.FnPost && err == nil && p.Round == ledger.RoundActivate {
			go w.Kill(inactive(p.Detail))
		}
		return partytest.NoFault
	})
	w.Start()
	id := w.Ask(nil)
	wantTruth(w, answered(w, id), partytest.Owners()...)
	if s := w.Session(id, 0); len(s.Entries) == 0 || s.Status != ledger.SessionAnswered {
		t.Errorf("the session is %s", s.Status)
	}
}

// inactive is the owner whose seat an activation does not name.
func inactive(detail []byte) string {
	for i, o := range partytest.Owners() {
		if !slices.Contains(detail, byte(i+1)) {
			return o
		}
	}
	panic(fmt.Sprint(detail))
}

// TestGivenUp has an owner vanish between its input and the sum. The lender's node gives the session up and begins another, where the owner, back again, gives the same noised part.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	w := world(t)
	var once sync.Once
	w.SetFault(func(c partytest.Call) partytest.Fault {
		fault := partytest.NoFault
		if p, err := ledger.Decode[ledger.Post]("post", c.Call.Args, ledger.MaxArgsOf(ledger.FnPost)); c.Call.Function == ledger.FnPost && err == nil && c.By == partytest.South && p.Round == ledger.RoundInput {
			once.Do(func() { fault = partytest.KillAfter })
		}
		return fault
	})
	read := counted(w, partytest.Members()...)
	id := w.Ask(noised)
	w.Until("south to be gone", func() bool { return w.Killed(partytest.South) })
	w.Until("the inputs to be closed", recorded(w, id, 0, partytest.Lender, ledger.RoundClose))
	w.Pass(2 * time.Minute)
	w.Until("the lender to give up", recorded(w, id, 0, partytest.Lender, ledger.RoundAbort))
	w.Kill(partytest.South)
	read.start(partytest.South)
	w.Pass(2 * time.Minute)
	a := answered(w, id)
	if e := w.Entry(id); len(e.Sessions) != 2 || a.Session != e.Sessions[1].ID {
		t.Errorf("%d sessions began, the answer is of %s", len(e.Sessions), a.Session)
	}
	for owner, n := range read.all() {
		if n != 1 {
			t.Errorf("%s read its records %d times, want once: noise is drawn once", owner, n)
		}
	}
	for _, org := range partytest.Owners() { // the two sessions have one part in them: their digests differ, as their keys do
		first, second := entryOf(w, id, 0, org), entryOf(w, id, 1, org)
		if first == nil || second == nil || first.Digest == second.Digest || string(first.Detail) != string(second.Detail) {
			t.Errorf("%s gave %v and %v", org, first, second)
		}
	}
}

func entryOf(w *partytest.World, id commit.Digest, n int, org string) *ledger.SessionEntry {
	s := w.Session(id, n)
	return s.Entry(org, ledger.RoundInput)
}

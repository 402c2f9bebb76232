package party_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

// rules plays the same posts to the contract and to package transcript.
type rules struct {
	*partytest.World
	random     *rand.Rand
	id         commit.Digest
	session    *ledger.Session
	transcript *transcript.Transcript
	anchors    map[string][]byte
	accepted   map[transcript.Round]int
	stricter   int
	over       bool
}

// TestTwinRules holds the contract's rules of what may follow what against those that parties read a session by. What the contract takes, parties must accept, or a session is dead for
// them. What parties would accept, the contract takes, but for what it knows more about: the anchors that an input names.
func TestTwinRules(t *testing.T) {
	t.Parallel()
	w := world(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := &rules{World: w, random: rand.New(rand.NewPCG(seed, 0)), accepted: map[transcript.Round]int{}}
	for n := 0; n < 9 || n < 60 && r.unseen() != ""; n++ { // what is tried is chance: a round that none of these sessions came to gets more
		r.begin(t)
		for range 400 {
			if r.post(t, r.entry(n)); r.over {
				break
			}
		}
	}
	if unseen := r.unseen(); unseen != "" {
		t.Error(unseen)
	}
}

// unseen names what has not been tried yet.
func (r *rules) unseen() string {
	for _, round := range transcript.Rounds() {
		if r.accepted[round] == 0 {
			return fmt.Sprintf("round %s was never accepted", round)
		}
	}
	if r.stricter == 0 {
		return "no input with another anchor was tried"
	}
	return ""
}

// begin asks a query of its own, with all owners' approvals, and begins it.
func (r *rules) begin(t *testing.T) {
	t.Helper()
	ctx, id := context.Background(), r.Ask(nil)
	r.anchors = map[string][]byte{}
	for _, o := range partytest.Owners() {
		r.Done(r.Book(o).Answer(ctx, ledger.Answer{Query: id, Fleet: partytest.FleetOf(o), Approve: true, Reasons: []string{}}))
		ref, err := r.Book(o).AnchorReference(ctx, ledger.EpochRef{Fleet: partytest.FleetOf(o), Epoch: partytest.Epoch})
		r.OK(err)
		r.anchors[o] = ledger.Encode(ref)
	}
	_, receipt, err := r.Book(partytest.Lender).Begin(ctx, id)
	r.Done(receipt, err)
	e := r.Entry(id)
	r.id, r.session, r.over = e.Sessions[0].ID, &e.Sessions[0].Session, false
	o, err := query.Opening(&e, r.session)
	r.OK(err)
	r.transcript, err = transcript.New(o.ID(r.id.String()), o)
	r.OK(err)
}

// entry is any, and often one that the session waits for. In some sessions, nobody aborts.
func (r *rules) entry(n int) transcript.Entry {
	e := transcript.Entry{Session: r.transcript.Session, Party: pick(r.random, append(partytest.Members(), contracttest.Operator)), Round: pick(r.random, transcript.Rounds())}
	if missing := r.transcript.Missing(); len(missing) > 0 && r.random.IntN(3) > 0 {
		e.Party, e.Round = pick(r.random, missing), wanted(r.transcript.Phase())
		if e.Round == transcript.Input && e.Party == partytest.Lender {
			e.Round = transcript.Close
		}
	}
	if e.Round == transcript.Abort && (n%3 != 0 || r.random.IntN(4) > 0) {
		e.Round = transcript.Key
	}
	if r.random.IntN(8) > 0 {
		e.Digest = transcript.Digest{byte(1 + r.random.IntN(2))}
	}
	if rounds := []transcript.Round{transcript.Close, transcript.Abort}; slices.Contains(rounds, e.Round) && r.random.IntN(8) > 0 {
		e.Digest = transcript.Digest{}
	}
	e.Detail = r.detail(&e)
	return e
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

func wanted(p transcript.Phase) transcript.Round {
	return map[transcript.Phase]transcript.Round{
		transcript.Keys: transcript.Key, transcript.Preparation: transcript.Ready, transcript.Collection: transcript.Input, transcript.Activation: transcript.Activate,
		transcript.Switching: transcript.Share, transcript.Answer: transcript.Result,
	}[p]
}

func (r *rules) detail(e *transcript.Entry) []byte {
	if r.random.IntN(8) == 0 {
		return pick(r.random, [][]byte{nil, {1}, {1, 2}, {1, 1}, {2, 1}, {3, 4}, {0, 1}, {1, 2, 3}, []byte("x\n"), []byte("\xff"), make([]byte, 300), make([]byte, 600), r.anchors[partytest.East], r.anchors[partytest.North]})
	}
	switch e.Round {
	case transcript.Input:
		if e.Digest.IsZero() {
			return nil
		}
		if r.random.IntN(2) == 0 {
			return r.anchors[pick(r.random, partytest.Owners())]
		}
		return r.anchors[e.Party]
	case transcript.Activate:
		return pick(r.random, [][]byte{{1, 2}, {1, 3}, {2, 3}})
	case transcript.Abort:
		return []byte("enough")
	}
	return nil
}

// post has both judge an entry, at some time.
func (r *rules) post(t *testing.T, e transcript.Entry) {
	t.Helper()
	r.Pass(time.Duration(pick(r.random, []int{0, 1, 30})) * time.Second)
	if r.random.IntN(2000) == 0 {
		r.Pass(24 * time.Hour)
	}
	e.At = r.Now().Unix()
	ours := r.transcript.Check(&e)
	_, theirs := r.Book(e.Party).Post(context.Background(), ledger.Post{Session: r.id, Round: ledger.Round(e.Round), Digest: commit.Digest(e.Digest), Detail: e.Detail})
	what := fmt.Sprintf("%s of %s in phase %s with digest %.2s and %d bytes of detail: the contract says %v, the transcript %v",
		e.Round, e.Party, r.transcript.Phase(), e.Digest, len(e.Detail), theirs, ours)
	switch {
	case ours == nil && theirs == nil:
		r.OK(r.transcript.Add(e))
		r.accepted[e.Round]++
		r.over = r.transcript.End() != nil
	case errors.Is(ours, transcript.ErrRepeated) && theirs == nil:
	case errors.Is(ours, transcript.ErrRecorded) && ledger.CodeOf(theirs) != ledger.AlreadyRecorded: // or a restored backup would not learn that it is one
		t.Error(what)
	case ours != nil && theirs != nil:
	case ours == nil && e.Round == transcript.Input && !e.Declined() && string(e.Detail) != string(r.anchors[e.Party]):
		r.stricter++ // the contract compares the anchors
	default:
		t.Error(what)
	}
}

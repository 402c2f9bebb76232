package party_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
)

// TestTrapForOthersEyes asks, before every honest request, for what is being fetched there in the names of all others, and of strangers.
func TestTrapForOthersEyes(t *testing.T) {
	t.Parallel()
	w := world(t)
	var mu sync.Mutex
	asked := map[string]int{}
	w.Interpose(func(r partytest.Request, answer func() ([]byte, error)) ([]byte, error) {
		mu.Lock()
		asked[strings.Fields(r.Item)[0]]++
		mu.Unlock()
		n := w.Node(r.From)
		if n == nil {
			return nil, partytest.ErrGone
		}
		wantOthers(t, n, r)
		return answer()
	})
	w.Start()
	id := w.Ask(nil)
	answered(w, id)
	for _, kind := range []session.Kind{session.PublicItem, session.PartItem, session.InputItem, session.ShareItem, session.AliveItem} {
		if asked[string(kind)] == 0 {
			t.Errorf("no %s was asked for", kind)
		}
	}
	score := w.AskScore(nil)
	answered(w, score)
	if asked["score"] < 2 {
		t.Errorf("score items were asked for %d times", asked["score"])
	}
}

// private are the items that are for one party alone.
func private(item string) bool {
	return item == string(session.ShareItem) || item == string(session.AliveItem) || item == scoring.ItemRequest || item == scoring.ItemAnswer
}

func wantOthers(t *testing.T, n *partytest.Node, r partytest.Request) {
	for _, caller := range []string{contracttest.Operator, "", "nobody", r.From} {
		if b, err := n.Item(t.Context(), caller, r.Session, r.Item, r.Size); !errors.Is(err, party.ErrUnknown) || b != nil {
			t.Errorf("%s of %s for %q: %d bytes, error %v", r.Item, r.From, caller, len(b), err)
		}
	}
	for _, caller := range partytest.Members() {
		b, err := n.Item(t.Context(), caller, r.Session, r.Item, r.Size)
		if private(r.Item) && caller != r.Caller && err == nil {
			t.Errorf("%s of %s, for %s: %d bytes for %s", r.Item, r.From, r.Caller, len(b), caller)
		}
	}
	for _, c := range []struct {
		item string
		size int
	}{{r.Item, r.Size + 1}, {r.Item, 1 << 30}, {r.Item, 0}, {r.Item, -1}, {"", 1}, {"secret", 64}, {"share of north", 64}, {strings.Repeat("x", 1<<16), 64}, {"input of ../../secret", 64}} {
		if b, err := n.Item(t.Context(), r.Caller, r.Session, c.item, c.size); err == nil {
			t.Errorf("%.40q of %s with %d bytes: %d bytes", c.item, r.From, c.size, len(b))
		}
	}
	if _, err := n.Item(t.Context(), r.Caller, commit.Digest{1}, r.Item, r.Size); !errors.Is(err, party.ErrUnknown) {
		t.Errorf("a session that is none: error %v", err)
	}
}

// TestTrapPartOfAnother has each owner ask for the parts that were dealt to the others: it gets its own, and no other.
func TestTrapPartOfAnother(t *testing.T) {
	t.Parallel()
	w := world(t)
	var mu sync.Mutex
	seen := map[string]string{} // what was dealt → to whom
	w.Interpose(func(r partytest.Request, answer func() ([]byte, error)) ([]byte, error) {
		b, err := answer()
		if err == nil && r.Item == string(session.PartItem) {
			mu.Lock()
			defer mu.Unlock()
			if to, twice := seen[string(b)]; twice && to != r.Caller {
				t.Errorf("%s is given what was dealt to %s", r.Caller, to)
			}
			seen[string(b)] = r.Caller
		}
		return b, err
	})
	w.Start()
	answered(w, w.Ask(nil))
	if len(seen) != 6 {
		t.Errorf("%d parts were dealt, want 6", len(seen))
	}
}

// TestLyingPeer has what one node shows altered on its way: the session ends with a reason, or goes on without it, and nothing false is learned.
func TestLyingPeer(t *testing.T) {
	t.Parallel()
	w := world(t)
	var once sync.Once
	w.Interpose(func(r partytest.Request, answer func() ([]byte, error)) ([]byte, error) {
		b, err := answer()
		if err == nil && r.From == partytest.North && r.Item == "input of "+partytest.North {
			once.Do(func() { b[len(b)/2] ^= 1 })
		}
		return b, err
	})
	w.Start()
	id := w.Ask(nil)
	wantTruth(w, answered(w, id), partytest.Owners()...)
	s := w.Session(id, 0)
	if s.Status != ledger.SessionAnswered {
		t.Errorf("the session is %s", s.Status)
	}
}

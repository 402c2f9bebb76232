package embedded

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func TestPeersCheckProposals(t *testing.T) {
	n := newNetwork(t)
	call := ledger.Call{Function: ledger.FnRegisterFleet, Args: ledger.Encode(fleetArgs(fleetID))}
	good := ok[*signedProposal](t)(n.propose(operator, call))
	change := func(f func(*proposal)) *signedProposal {
		p := ok[*proposal](t)(decode[proposal]("proposal", good.encoded))
		f(p)
		return n.resigned(p)
	}
	skew := n.genesis.ClockSkewSeconds
	for name, c := range map[string]struct {
		sp   *signedProposal
		text string
	}{
		"bad signature":          {&signedProposal{encoded: good.encoded, signature: make([]byte, 64)}, "signature of operator"},
		"signed by another":      {&signedProposal{encoded: good.encoded, signature: n.signed(rival, sealed.ProposalBytes(n.id, good.encoded))}, "signature of operator"},
		"other transient input":  {&signedProposal{encoded: good.encoded, signature: good.signature, transient: map[string][]byte{"attestations": {1}}}, "not the one that was proposed"},
		"garbage":                {&signedProposal{encoded: []byte("x")}, "proposal"},
		"another ledger":         {change(func(p *proposal) { p.Ledger[3] ^= 1 }), "for ledger"},
		"a clock that is behind": {change(func(p *proposal) { p.Time -= skew + 1 }), "this peer's time is"},
		"a clock that is ahead":  {change(func(p *proposal) { p.Time += skew + 1 }), "this peer's time is"},
		"a far-off time":         {change(func(p *proposal) { p.Time += 18_446_744_074 }), "this peer's time is"},
	} {
		if _, err := n.peer(regulator).endorse(c.sp); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %q", name, err, c.text)
		}
	}
	stranger := ok[*proposal](t)(decode[proposal]("proposal", good.encoded))
	stranger.Caller = "nobody"
	if _, err := n.peer(regulator).endorse(&signedProposal{encoded: encode(stranger)}); ledger.CodeOf(err) != ledger.Forbidden {
		t.Errorf("a stranger's proposal: %v", err)
	}
	if _, err := n.peer(regulator).endorse(good); err != nil {
		t.Error(err)
	}
}

func TestPeersMustAgree(t *testing.T) {
	n := newNetwork(t)
	sp, _ := n.proposed(operator, fleetID, lender, regulator)
	answers := ok[[]*endorsed](t)(n.endorse(sp, []string{lender, regulator}))
	answers[1].outcome = append([]byte(nil), answers[1].outcome...)
	answers[1].outcome[len(answers[1].outcome)-1] ^= 1
	if _, err := agree(sp, answers); ledger.CodeOf(err) != ledger.NotEndorsed {
		t.Errorf("different outcomes: %v", err)
	}
	answers[1].height++
	if _, err := agree(sp, answers); !errors.Is(err, errStale) {
		t.Errorf("different outcomes of different heights: %v", err)
	}
	answers[1].outcome = answers[0].outcome
	if _, err := agree(sp, answers); err != nil {
		t.Errorf("one outcome of different heights: %v", err)
	}
}

// A key that comes under a prefix after a range was read is seen.
func TestPhantomsAreSeen(t *testing.T) {
	n := newNetwork(t)
	n.anchored()
	ranged := ok[*outcome](t)(decode[outcome]("outcome", n.lastOutcome()))
	if len(ranged.Ranges) != 1 || ranged.Ranges[0].Prefix != ledger.SlotPrefix(fleetID, 0) {
		t.Fatalf("an anchor reads the ranges %+v", ranged.Ranges)
	}
	check := func() error {
		return n.db.View(func(tx *bbolt.Tx) error {
			return (&book{state: stateView{tx.Bucket(bucketState)}}).checkReads(&outcome{Ranges: ranged.Ranges})
		})
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	d := n.maker.Devices("late", 1)[0]
	n.done(n.book(operator).Enrol(context.Background(), ledger.Enrol{Fleet: fleetID, Devices: []ledger.EnrolDevice{contracttest.EnrolDevice(n.book(operator).ID(), fleetID, 0, 63, d.Key, d.Certificate)}}))
	if err := check(); !errors.Is(err, errStale) {
		t.Errorf("a slot that came later: %v", err)
	}
}

func (n *network) lastOutcome() (out []byte) {
	n.t.Helper()
	if err := n.db.View(func(tx *bbolt.Tx) error {
		_, value := tx.Bucket(bucketBlocks).Cursor().Last()
		_, blk, err := decodeBlock(value)
		if err != nil {
			return err
		}
		d, err := decodeTransaction(n.id, blk.Transactions[0])
		out = d.Outcome
		return err
	}); err != nil {
		n.t.Fatal(err)
	}
	return out
}

// A retirement that is endorsed in one epoch and committed when the next is opened would take back who was enrolled when that began.
func TestRetirementHeldOverAnEpochsEndIsVoid(t *testing.T) {
	n := newNetwork(t)
	n.at(10, time.Hour)
	n.enrolled()
	n.opened(12, -10*time.Second)
	call := ledger.Call{Function: ledger.FnRetire, Args: ledger.Encode(ledger.Retire{Fleet: fleetID, Slots: []uint32{1, 2}, Reason: "bad"})}
	sp := ok[*signedProposal](t)(n.propose(operator, call))
	tx := ok[*transaction](t)(agree(sp, ok[[]*endorsed](t)(n.endorse(sp, []string{lender, regulator}))))
	n.opened(12, time.Second)
	if err := n.committed(tx); !errors.Is(err, errStale) {
		t.Errorf("held over the end of epoch 11: %v", err)
	}
}

// The regulator proposes a maker and a key that the lender has not looked at: the lender's peer does not endorse them, and alone the regulator is not enough.
func TestPeersConsentToMakersAndKeys(t *testing.T) {
	n := newNetwork(t)
	var mu sync.Mutex
	asked := map[string]int{}
	n.consent = func(org string, digest commit.Digest) error {
		mu.Lock()
		asked[org]++
		mu.Unlock()
		if org == lender {
			return errors.New("not compared")
		}
		return nil
	}
	ctx := context.Background()
	if _, err := n.book(regulator).RegisterMaker(ctx, ledger.RegisterMaker{ID: n.maker.ID, Name: "Maker", Certificate: n.maker.Cert.Raw}); err == nil ||
		!strings.Contains(err.Error(), "does not agree to maker ") {
		t.Errorf("maker: %v", err)
	}
	if _, err := n.book(regulator).PublishKey(ctx, contracttest.SRSKey(n.srs)); err == nil || !strings.Contains(err.Error(), "does not agree to key") {
		t.Errorf("key: %v", err)
	}
	if _, err := n.endorsedBy(regulator, regulator).PublishKey(ctx, contracttest.SRSKey(n.srs)); ledger.CodeOf(err) != ledger.NotEndorsed {
		t.Errorf("key by the regulator alone: %v", err)
	}
	if asked[lender] == 0 || asked[regulator] == 0 {
		t.Errorf("asked %v", asked)
	}
	n.done(n.book(operator).RegisterFleet(ctx, fleetArgs(fleetID))) // asks nobody
}

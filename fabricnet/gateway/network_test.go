package gateway_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/profile"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(submitterProfile); path != "" {
		submitForEver(path)
		os.Exit(1)
	}
	os.Exit(networktest.Main(m))
}

// The organisations of networktest's network.
const (
	owner     = "swapco"
	lender    = "greenbank"
	regulator = "regulator"
)

type network struct {
	*networktest.Network
	t *testing.T
}

// open gives access in an organisation's name, with options changed.
func (n network) open(t *testing.T, org string, change ...func(*gateway.Options)) *gateway.Client {
	t.Helper()
	o := gateway.Options{Profile: must[*profile.Profile](t)(profile.Read(n.Profiles[org]))}
	for _, c := range change {
		c(&o)
	}
	c := must[*gateway.Client](t)(gateway.Open(t.Context(), o))
	t.Cleanup(func() { c.Close() }) //nolint:errcheck // the network goes too
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func fleet(id string) ledger.RegisterFleet {
	return ledger.RegisterFleet{ID: id, Schema: "battery/v1", ChunkSize: 64}
}

// TestOnANetwork is one test, because a network takes a while to start. What breaks it comes last.
func TestOnANetwork(t *testing.T) {
	n := network{networktest.Up(t), t}
	t.Run("a call is recorded", n.recorded)
	t.Run("one of many wins", n.oneWins)
	t.Run("refusals", n.refusals)
	t.Run("owner alone", n.ownerAlone)
	t.Run("certificates", n.certificates)
	t.Run("bounds", n.bounds)
	t.Run("cancelled calls", n.cancelled)
	t.Run("client killed", n.clientKilled)
	t.Run("contract service away", n.serviceAway)
	t.Run("followed peer away", n.followedPeerAway)
	t.Run("peer away while submitting", n.peerAwayWhileSubmitting)
	t.Run("peer away under load", n.peerAwayUnderLoad)
	t.Run("orderer away", n.ordererAway)
}

func (n network) recorded(t *testing.T) {
	var told []string
	c := n.open(t, owner, func(o *gateway.Options) { o.Submitting = func(txID string) { told = append(told, txID) } })
	receipt, err := c.Book().RegisterFleet(t.Context(), fleet("recorded"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{lender, regulator}, receipt.Endorsers); diff != "" || !slices.Equal(told, []string{receipt.TxID}) {
		t.Errorf("told %v: %s", told, diff)
	}
	if f := must[ledger.Fleet](t)(c.Book().Fleet(t.Context(), "recorded")); f.TxID != receipt.TxID || f.Owner != owner {
		t.Errorf("fleet is %+v", f)
	}
	if head := must[ledger.Head](t)(c.Head(t.Context())); head.Height < receipt.Height {
		t.Errorf("head is %+v, the receipt %+v", head, receipt)
	}
	other := n.open(t, lender)
	outcome := must[gateway.Outcome](t)(await(t, other, receipt.TxID))
	if diff := cmp.Diff(gateway.Outcome{State: gateway.Recorded, Height: receipt.Height, Receipt: receipt}, outcome); diff != "" {
		t.Error(diff)
	}
	if height := must[uint64](t)(other.Locate(t.Context(), receipt.TxID)); height != receipt.Height {
		t.Errorf("it is at %d", height)
	}
	n.seen(t, other, receipt)
}

// await asks for an outcome until it is known. Another organisation's peer may be a block behind.
func await(t *testing.T, c *gateway.Client, txID string) (gateway.Outcome, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		if o, err := c.Outcome(ctx, txID); err != nil || o.State != gateway.Unknown {
			return o, err
		}
	}
}

// seen finds the one event of a receipt in its block.
func (n network) seen(t *testing.T, c *gateway.Client, receipt ledger.Receipt) {
	t.Helper()
	var got []ledger.Event
	for e, err := range c.Events(t.Context(), receipt.Height, receipt.Height) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if len(got) != 1 || got[0].TxID != receipt.TxID || got[0].Height != receipt.Height || got[0].Name != ledger.EventFleetRegistered {
		t.Errorf("events are %+v", got)
	}
	blocks := 0
	for b, err := range c.Blocks(t.Context(), 0, receipt.Height) {
		if err != nil || len(b) == 0 {
			t.Fatalf("block %d: %d bytes, %v", blocks, len(b), err)
		}
		blocks++
	}
	if uint64(blocks) != receipt.Height+1 {
		t.Errorf("%d blocks up to %d", blocks, receipt.Height)
	}
}

// All read that the fleet is not there, all want to write it, most in one block.
func (n network) oneWins(t *testing.T) {
	c := n.open(t, owner)
	var wait sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wait.Go(func() { _, errs[i] = c.Book().RegisterFleet(t.Context(), fleet("wanted")) })
	}
	wait.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if ledger.CodeOf(err) != ledger.Conflict {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func (n network) refusals(t *testing.T) {
	b := n.open(t, lender).Book()
	_, err := b.RegisterFleet(t.Context(), fleet("mine"))
	var e *gateway.Error
	if !errors.As(err, &e) || e.Stage != gateway.StageEndorse || len(e.TxID) != 64 || ledger.CodeOf(err) != ledger.Forbidden {
		t.Errorf("a lender registers a fleet: %v", err)
	} else if orgs := []string{e.Messages[0].Organisation, e.Messages[1].Organisation}; !slices.Equal(orgs, []string{lender, regulator}) {
		t.Errorf("messages are of %v", orgs)
	}
	if _, err := b.Fleet(t.Context(), "none"); ledger.CodeOf(err) != ledger.NotFound || !errors.As(err, &e) || e.Stage != gateway.StageEvaluate {
		t.Errorf("a fleet that is not there: %v", err)
	}
	c := n.open(t, lender)
	if _, err := c.Attestations(t.Context(), regulator, [32]byte{1}); ledger.CodeOf(err) != ledger.NotFound {
		t.Errorf("attestations that nobody has: %v", err)
	}
	if _, err := c.EvaluateOn(t.Context(), "stranger", ledger.QueryFleets, ledger.Encode(ledger.Nothing{})); ledger.CodeOf(err) != ledger.NotFound {
		t.Errorf("asking a stranger: %v", err)
	}
	if _, err := c.Locate(t.Context(), strings.Repeat("0", 64)); ledger.CodeOf(err) != ledger.NotFound {
		t.Errorf("a transaction that nobody made: %v", err)
	}
}

// An owner's own peer does as the owner likes, and the others' peers find that its endorsement alone is none.
func (n network) ownerAlone(t *testing.T) {
	c := n.open(t, owner, func(o *gateway.Options) { o.Endorsers = []string{owner} })
	_, err := c.Book().RegisterFleet(t.Context(), fleet("alone"))
	var e *gateway.Error
	if ledger.CodeOf(err) != ledger.NotEndorsed || !errors.As(err, &e) || e.Stage != gateway.StageCommit || !strings.Contains(err.Error(), "ENDORSEMENT_POLICY_FAILURE") {
		t.Fatalf("got %v", err)
	}
	o := must[gateway.Outcome](t)(c.Outcome(t.Context(), e.TxID))
	if o.State != gateway.Invalid || o.Code != "ENDORSEMENT_POLICY_FAILURE" || o.Height == 0 {
		t.Errorf("outcome is %+v", o)
	}
	if _, err := c.Locate(t.Context(), e.TxID); ledger.CodeOf(err) != ledger.NotFound {
		t.Errorf("it is located: %v", err)
	}
	if _, err := c.Book().Fleet(t.Context(), "alone"); ledger.CodeOf(err) != ledger.NotFound {
		t.Errorf("it is there: %v", err)
	}
}

func (n network) bounds(t *testing.T) {
	c := n.open(t, owner)
	for _, call := range []ledger.Call{
		{Function: ledger.FnRegisterFleet, Args: make([]byte, ledger.MaxArgsOf(ledger.FnRegisterFleet)+1)},
		{Function: ledger.FnAnchor, Transient: map[string][]byte{"attestations": make([]byte, ledger.MaxTransient+1)}},
	} {
		var e *gateway.Error
		if _, err := c.Submit(t.Context(), call); ledger.CodeOf(err) != ledger.Invalid || errors.As(err, &e) {
			t.Errorf("%s: %v", call.Function, err)
		}
	}
	if _, err := c.Evaluate(t.Context(), ledger.QueryFleets, make([]byte, 1<<20)); ledger.CodeOf(err) != ledger.Invalid {
		t.Errorf("got %v", err)
	}
	if _, err := c.Outcome(t.Context(), "X"); ledger.CodeOf(err) != ledger.Invalid {
		t.Errorf("got %v", err)
	}
}

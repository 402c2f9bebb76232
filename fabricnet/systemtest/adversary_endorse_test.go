package systemtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// tooFew are sets of organisations whose endorsement an owner could arrange for.
var tooFew = [][]string{
	{faultOwner}, {faultOwner, faultLender}, {faultOwner, faultRegulator}, {faultOwner, faultRival}, {faultLender, faultBank}, {faultRegulator},
}

// tooFewEndorsers anchors with endorsements that do not do: through the client, and by handing the orderers what the peers endorsed. All of it is about the same chunk and epoch, for
// which the anchor with the right endorsements is taken in the end.
func (n *faultNetwork) tooFewEndorsers(t *testing.T, w *faultFleet) {
	clients := make([]*gateway.Client, len(tooFew))
	for i, set := range tooFew {
		clients[i] = open(t, gateway.Options{Profile: n.profiles[faultOwner], Endorsers: set})
	}
	w.inWindow(t, func(over uint64) error {
		anchor, attestations := w.anchor(t, over)
		failures := make([]error, len(tooFew))
		var group sync.WaitGroup
		for i, c := range clients {
			group.Go(func() {
				_, err := c.Book().Anchor(t.Context(), anchor, attestations)
				failures[i] = refusedByPolicy(tooFew[i], err)
			})
		}
		group.Wait()
		if err := errors.Join(failures...); err != nil {
			return err
		}
		if err := n.pushTooFew(t, w, anchor, attestations); err != nil {
			return err
		}
		receipt, err := n.book(faultOwner).Anchor(t.Context(), anchor, attestations)
		if err == nil && n.genesis.EndorsementRule().Check(n.genesis, receipt.Endorsers) != nil {
			err = fmt.Errorf("the anchor was recorded with the endorsements of %v", receipt.Endorsers)
		}
		return err
	})
}

func refusedByPolicy(set []string, err error) error {
	var failure *gateway.Error
	if ledger.CodeOf(err) != ledger.NotEndorsed || !errors.As(err, &failure) || failure.Stage != gateway.StageCommit || failure.TxID == "" ||
		!strings.Contains(err.Error(), peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE.String()) {
		return fmt.Errorf("an anchor endorsed by %v: want it refused at commit for its endorsements, got: %w", set, err)
	}
	return nil
}

// pushTooFew does without the client.
func (n *faultNetwork) pushTooFew(t *testing.T, w *faultFleet, anchor ledger.AnchorChunk, attestations [][]byte) error {
	call := ledger.Call{
		Function: ledger.FnAnchor, Args: ledger.Encode(anchor),
		Transient: map[string][]byte{ledger.TransientAttestations: ledger.JoinAttestations(attestations)},
	}
	for _, set := range tooFew[:3] {
		p := n.propose(t, n.user(t, faultOwner), time.Now(), call)
		e, err := n.endorsedBy(t, p, set...)
		if err != nil {
			return err
		}
		if o := n.pushed(t, e, p.txID); o.State != gateway.Invalid || o.Code != peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE.String() {
			t.Errorf("an anchor endorsed by %v and handed to the orderers: %+v", set, o)
		}
	}
	return nil
}

// heldBack is a retirement that was endorsed in time, kept, and brought up when the next epoch has been opened.
type heldBack struct {
	proposal *proposal
	envelope *common.Envelope
	epoch    uint64
}

// holdBack has a retirement endorsed.
func (n *faultNetwork) holdBack(t *testing.T, w *faultFleet) *heldBack {
	t.Helper()
	h := &heldBack{}
	retire := ledger.Call{Function: ledger.FnRetire, Args: ledger.Encode(ledger.Retire{Fleet: w.fleet, Slots: []uint32{3}, Reason: "bad figures"})}
	eventually(t, "having a retirement endorsed", func(ctx context.Context) (err error) {
		if h.epoch, err = n.book(faultRegulator).OpenEpoch(ctx); err != nil {
			return err
		}
		h.proposal = n.propose(t, n.user(t, faultOwner), time.Now(), retire)
		h.envelope, err = n.endorsedBy(t, h.proposal, faultLender, faultRegulator)
		return err
	})
	return h
}

// isVoid brings it up.
func (h *heldBack) isVoid(t *testing.T, n *faultNetwork, w *faultFleet) {
	n.openNext(t, h.epoch)
	o := n.pushed(t, h.envelope, h.proposal.txID)
	if o.State != gateway.Invalid || o.Code != peer.TxValidationCode_MVCC_READ_CONFLICT.String() {
		t.Errorf("a retirement that was held back: %+v", o)
	}
	slots, err := n.book(faultLender).Slots(t.Context(), w.fleet, 0)
	if err != nil || len(slots) != len(w.devices) || slots[3].Enrolment.Until != 0 {
		t.Errorf("after a retirement that was held back: %+v, %v", slots, err)
	}
}

// replayed hands a transaction to the orderers once more, as it is.
func (n *faultNetwork) replayed(t *testing.T) {
	receipt, err := n.book(faultOwner).RegisterFleet(t.Context(), plainFleet("replayed"))
	if err != nil {
		t.Fatal(err)
	}
	n.agreedHead(t)
	copies := func() (codes []peer.TxValidationCode, e *common.Envelope) {
		for _, r := range n.calls(t, n.clients[faultRegulator]) {
			if r.txID == receipt.TxID {
				codes, e = append(codes, r.code), r.envelope
			}
		}
		return codes, e
	}
	_, envelope := copies()
	if err := n.broadcast(t, envelope); err != nil {
		t.Fatal(err)
	}
	eventually(t, "waiting for the copy", func(context.Context) error {
		codes, _ := copies()
		if len(codes) != 2 {
			return fmt.Errorf("%d copies are in blocks", len(codes))
		}
		if codes[0] != peer.TxValidationCode_VALID || codes[1] != peer.TxValidationCode_DUPLICATE_TXID {
			t.Errorf("the copies are %v", codes)
		}
		return nil
	})
	if o, err := n.clients[faultOwner].Outcome(t.Context(), receipt.TxID); err != nil || o.State != gateway.Recorded || o.Height != receipt.Height {
		t.Errorf("the outcome of a transaction with a copy: %+v, %v", o, err)
	}
}

// misdated proposals are endorsed by nobody.
func (n *faultNetwork) misdated(t *testing.T) {
	skew := n.genesis.ClockSkew()
	for name, by := range map[string]time.Duration{
		"too old": -skew - 10*time.Second, "to come": skew + 10*time.Second, "minutes old": -10 * time.Minute, "minutes to come": 10 * time.Minute,
	} {
		call := ledger.Call{Function: ledger.FnRegisterFleet, Args: ledger.Encode(plainFleet("misdated"))}
		p := n.propose(t, n.user(t, faultOwner), time.Now().Add(by), call)
		for org := range n.profiles {
			if _, err := n.endorse(t, p, org); err == nil || !strings.Contains(err.Error(), `"code":"expired"`) || !strings.Contains(err.Error(), skew.String()) {
				t.Errorf("a proposal that is %s, endorsed by %s: %v", name, org, err)
			}
		}
	}
	p := n.propose(t, n.user(t, faultOwner), time.Now(), ledger.Call{Function: ledger.FnRegisterFleet, Args: ledger.Encode(plainFleet("dated"))})
	e, err := n.endorsedBy(t, p, faultLender, faultRegulator)
	if err != nil {
		t.Fatal(err)
	}
	if o := n.pushed(t, e, p.txID); o.State != gateway.Recorded {
		t.Errorf("a proposal made by hand, of now: %+v", o)
	}
}

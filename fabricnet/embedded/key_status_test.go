package embedded

import (
	"context"
	"errors"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// swapped is a transaction that puts another key in the pinned one's place, signed by the peers of some organisations that all leave their contract aside.
func (n *network) swapped(caller string, key verify.PublishedKey, peers ...string) *transaction {
	n.t.Helper()
	return n.rewritten(caller, []write{{Key: ledger.PublishedKeyKey(key.CircuitID), Value: ledger.Encode(key)}}, peers...)
}

// rewritten is a transaction that writes what no contract would.
func (n *network) rewritten(caller string, writes []write, peers ...string) *transaction {
	n.t.Helper()
	sp, tx := n.proposed(caller, "swap", caller)
	out := ok[*outcome](n.t)(decode[outcome]("outcome", tx.Outcome))
	out.Writes = writes
	tx.Outcome, tx.Endorsements = encode(out), nil
	for _, org := range peers {
		tx.Endorsements = append(tx.Endorsements, endorsement{Org: org, Signature: n.signed(org, sealed.EndorsementBytes(n.id, org, sp.encoded, tx.Outcome))})
	}
	return tx
}

func TestKeysAreSwappedByNobody(t *testing.T) {
	for name, peers := range map[string][]string{
		"the regulator alone": {regulator}, "a lender alone": {lender}, "an owner alone": {operator}, "an owner and a lender": {lender, operator}, "two owners": {operator, rival},
		"the regulator and an owner": {operator, regulator},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			pinned := contracttest.SRSKey(n.srs)
			n.done(n.book(regulator).PublishKey(context.Background(), pinned))
			other := verify.NewPublishedKey(verify.SRSKey, verify.CeremonySetup(commit.Digest{1}), pinned.Key)
			if name == "an owner alone" { // it is not the key alone that counts
				other = pinned
				other.Status = verify.KeyStatus{State: verify.StateRevoked, Reason: "mine", Time: 1}
			}
			refusedBoth(t, n, n.swapped(operator, other, peers...), "not_endorsed")
		})
	}
}

// Nobody ends a key who does not have a regulator and another that owns nothing, of which each looked at it.
func TestKeysEndedByTooFew(t *testing.T) {
	n := newNetwork(t)
	ctx := context.Background()
	key := contracttest.SRSKey(n.srs)
	n.done(n.book(regulator).PublishKey(ctx, key))
	end := ledger.SetKeyStatus{CircuitID: key.CircuitID, Key: key.Digest, State: verify.StateRevoked, Reason: "its secret is known"}
	refused := func(name string, b ledger.Book, code ledger.Code) {
		t.Helper()
		if _, err := b.SetKeyStatus(ctx, end); ledger.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", name, err, code)
		}
	}
	refused("the owner", n.book(operator), ledger.Forbidden)
	refused("the owner, with a lender", n.endorsedBy(operator, operator, lender), ledger.Forbidden)
	refused("the regulator alone", n.endorsedBy(regulator, regulator), ledger.NotEndorsed)
	refused("the regulator with an owner", n.endorsedBy(regulator, operator, regulator), ledger.NotEndorsed)
	agreed := map[string]bool{regulator: true}
	n.consent = func(org string, digest commit.Digest) error {
		if agreed[org] && digest == end.Digest() {
			return nil
		}
		return ledger.Refuse(ledger.NotEndorsed, "not compared")
	}
	refused("without the lender's consent", n.endorsedBy(regulator, lender, regulator), ledger.NotEndorsed)
	if keys := ok[[]verify.PublishedKey](t)(n.book(operator).Keys(ctx)); keys[0].Status.Current() != verify.StateActive {
		t.Fatalf("the key is %s", keys[0].Status)
	}
	agreed[lender] = true
	n.done(n.endorsedBy(regulator, lender, regulator).SetKeyStatus(ctx, end))
	keys := ok[[]verify.PublishedKey](t)(n.book(operator).Keys(ctx))
	if s := keys[0].Status; s.State != verify.StateRevoked || s.Reason != end.Reason || s.Time == 0 {
		t.Errorf("the key is %s", s)
	}
	var none *ledger.Refusal
	if _, err := n.endorsedBy(regulator, lender, regulator).PublishKey(ctx, key); !errors.As(err, &none) {
		t.Errorf("published anew: %v", err)
	}
}

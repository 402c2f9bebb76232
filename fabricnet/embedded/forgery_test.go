package embedded

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// Whoever holds the directory holds all keys. These tests are about one who holds some, and about a peer's or a caller's software that does not keep to the rules.

// proposed runs a call up to an endorsed transaction.
func (n *network) proposed(org, fleet string, endorsers ...string) (*signedProposal, *transaction) {
	n.t.Helper()
	call := ledger.Call{Function: ledger.FnRegisterFleet, Args: ledger.Encode(fleetArgs(fleet))}
	sp := ok[*signedProposal](n.t)(n.propose(org, call))
	answers := ok[[]*endorsed](n.t)(n.endorse(sp, endorsers))
	return sp, ok[*transaction](n.t)(agree(sp, answers))
}

// committed tries to commit a transaction as it is.
func (n *network) committed(t *transaction) error {
	n.t.Helper()
	p := &pending{encoded: encode(t)}
	var err error
	if p.decoded, err = decodeTransaction(n.id, p.encoded); err != nil {
		return err
	}
	n.enqueue(p)
	return p.err
}

// forced puts a transaction into a sealed block without any check, with its effects, and verifies.
func (n *network) forced(t *transaction) error {
	n.t.Helper()
	d := ok[*decoded](n.t)(decodeTransaction(n.id, encode(t)))
	err := n.db.Update(func(tx *bbolt.Tx) error {
		before, err := readHead(tx, n.id)
		if err != nil {
			return err
		}
		at := version{Height: before.Height + 1}
		for _, w := range d.Done.Writes {
			if err := (stateView{tx.Bucket(bucketState)}).put(w.Key, at, w.Value); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketTransactions).Put([]byte(d.ID), at.Bytes()); err != nil {
			return err
		}
		blk := &block{Version: sealed.Version, Height: at.Height, Previous: before.Hash, Time: n.now(), Transactions: [][]byte{encode(t)}}
		_, err = n.seal(tx, blk)
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	_, err = n.Verify()
	return err
}

// refusedBoth says that a transaction is refused at commit, and found at verification when it was committed nevertheless.
func refusedBoth(t *testing.T, n *network, tx *transaction, text string) {
	t.Helper()
	if err := n.committed(tx); err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("at commit: got %v, want %q", err, text)
	}
	var damage *Damage
	if err := n.forced(tx); !errors.As(err, &damage) || !strings.Contains(err.Error(), text) {
		t.Errorf("at verification: got %v, want %q", err, text)
	}
}

func TestTransactionsThatBreakTheRules(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		forge func(n *network) *transaction
	}{
		"endorsed by owner and lender": {"not_endorsed", func(n *network) *transaction {
			_, tx := n.proposed(operator, fleetID, lender, operator)
			return tx
		}},
		"endorsed by the regulator twice": {"ascending", func(n *network) *transaction {
			_, tx := n.proposed(operator, fleetID, regulator)
			tx.Endorsements = append(tx.Endorsements, tx.Endorsements[0])
			return tx
		}},
		"endorsement in another's name": {"signature of lender", func(n *network) *transaction {
			_, tx := n.proposed(operator, fleetID, operator, regulator)
			tx.Endorsements[0].Org = lender
			return tx
		}},
		"endorsement of another proposal": {"signature of lender", func(n *network) *transaction {
			_, other := n.proposed(operator, "fleet-b", lender, regulator)
			_, tx := n.proposed(operator, fleetID, lender, regulator)
			tx.Endorsements = other.Endorsements
			return tx
		}},
		"outcome changed": {"signature of lender", func(n *network) *transaction {
			_, tx := n.proposed(operator, fleetID, lender, regulator)
			out := ok[*outcome](n.t)(decode[outcome]("outcome", tx.Outcome))
			out.Result = []byte("{}")
			tx.Outcome = encode(out)
			return tx
		}},
		"proposal of another caller": {"signature of rival", func(n *network) *transaction {
			sp, _ := n.proposed(operator, fleetID, lender, regulator)
			p := ok[*proposal](n.t)(decode[proposal]("proposal", sp.encoded))
			p.Caller = rival
			return n.endorsedBlindly(&signedProposal{encoded: encode(p), signature: sp.signature}, fleetID)
		}},
		"proposal for another ledger": {"for ledger", func(n *network) *transaction {
			sp, _ := n.proposed(operator, fleetID, lender, regulator)
			p := ok[*proposal](n.t)(decode[proposal]("proposal", sp.encoded))
			p.Ledger[0] ^= 1
			return n.endorsedBlindly(n.resigned(p), fleetID)
		}},
		"short nonce": {"nonce", func(n *network) *transaction {
			sp, _ := n.proposed(operator, fleetID, lender, regulator)
			p := ok[*proposal](n.t)(decode[proposal]("proposal", sp.encoded))
			p.Nonce = p.Nonce[1:]
			return n.endorsedBlindly(n.resigned(p), fleetID)
		}},
		"held back": {"committed at", func(n *network) *transaction {
			_, tx := n.proposed(operator, fleetID, lender, regulator)
			n.clock.Add(n.genesis.ProposalAgeSeconds + 1)
			return tx
		}},
		"from the future": {"committed at", func(n *network) *transaction {
			n.clock.Add(5)
			_, tx := n.proposed(operator, fleetID, lender, regulator)
			n.clock.Add(-5)
			return tx
		}},
		"recorded before": {"is recorded", func(n *network) *transaction {
			_, tx := n.proposed(operator, fleetID, lender, regulator)
			if err := n.committed(tx); err != nil {
				n.t.Fatal(err)
			}
			return tx
		}},
		"read something older": {"meanwhile", func(n *network) *transaction {
			_, tx := n.proposed(operator, fleetID, lender, regulator)
			_, other := n.proposed(rival, fleetID, lender, regulator)
			if err := n.committed(other); err != nil {
				n.t.Fatal(err)
			}
			return tx
		}},
		"writes out of order": {"ascending", func(n *network) *transaction {
			sp, tx := n.proposed(operator, fleetID, lender, regulator)
			out := ok[*outcome](n.t)(decode[outcome]("outcome", tx.Outcome))
			out.Writes = append(out.Writes, out.Writes[0])
			return n.signedOutcome(sp, out)
		}},
		"writes nothing": {"no write", func(n *network) *transaction {
			sp, tx := n.proposed(operator, fleetID, lender, regulator)
			out := ok[*outcome](n.t)(decode[outcome]("outcome", tx.Outcome))
			out.Writes = nil
			return n.signedOutcome(sp, out)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			refusedBoth(t, n, c.forge(n), c.text)
		})
	}
}

// Blocks that the sealer's software cut wrongly.
func TestBlocksThatDoNotFollow(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*block)
		text   string
	}{
		"another height":      {func(b *block) { b.Height++ }, "does not follow"},
		"another predecessor": {func(b *block) { b.Previous[4] ^= 1 }, "does not follow"},
		"an earlier time":     {func(b *block) { b.Time-- }, "is older"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.done(n.book(operator).RegisterFleet(context.Background(), fleetArgs("fleet-b")))
			_, tx := n.proposed(operator, fleetID, lender, regulator)
			if err := n.committed(tx); err != nil {
				t.Fatal(err)
			}
			if err := n.recut(2, c.change); err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %q", err, c.text)
			}
		})
	}
}

// recut changes a block, seals it again under its old key, and verifies.
func (n *network) recut(height uint64, change func(*block)) error {
	n.t.Helper()
	if err := n.db.Update(func(tx *bbolt.Tx) error {
		_, blk, err := decodeBlock(tx.Bucket(bucketBlocks).Get(heightKey(height)))
		if err != nil {
			return err
		}
		change(blk)
		if _, err := n.seal(tx, blk); err != nil {
			return err
		}
		sealed := tx.Bucket(bucketBlocks).Get(heightKey(blk.Height))
		return tx.Bucket(bucketBlocks).Put(heightKey(height), append([]byte(nil), sealed...))
	}); err != nil {
		n.t.Fatal(err)
	}
	_, err := n.Verify()
	return err
}

func (n *network) resigned(p *proposal) *signedProposal {
	encoded := encode(p)
	return &signedProposal{encoded: encoded, signature: n.signed(p.Caller, sealed.ProposalBytes(n.id, encoded))}
}

// endorsedBlindly is endorsed by peers that checked nothing.
func (n *network) endorsedBlindly(sp *signedProposal, fleet string) *transaction {
	n.t.Helper()
	_, tx := n.proposed(operator, fleet, lender, regulator)
	return n.signedOutcome(sp, ok[*outcome](n.t)(decode[outcome]("outcome", tx.Outcome)))
}

func (n *network) signedOutcome(sp *signedProposal, out *outcome) *transaction {
	tx := &transaction{Proposal: sp.encoded, Signature: sp.signature, Outcome: encode(out)}
	for _, org := range []string{lender, regulator} {
		tx.Endorsements = append(tx.Endorsements, endorsement{Org: org, Signature: n.signed(org, sealed.EndorsementBytes(n.id, org, tx.Proposal, tx.Outcome))})
	}
	return tx
}

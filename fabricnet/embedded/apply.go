package embedded

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// errStale says that something the transaction read has changed. Running the call again may succeed.
var errStale = ledger.Refuse(ledger.Conflict, "something that the call read has changed meanwhile; try again")

// book is what blocks are applied to: the ledger's own buckets, or fresh ones when it is verified.
type book struct {
	id           commit.Digest
	genesis      *ledger.Genesis
	state        stateView
	transactions *bbolt.Bucket // id → version
	attributes   map[string]map[string]string
}

// apply checks a transaction against the state before it, as of its block's time, and writes its effects. It is what holds at commit and what Verify
// holds again. When it returns an error it has written nothing.
func (b *book) apply(at version, blockTime int64, t *decoded) error {
	if err := b.check(blockTime, t); err != nil {
		return err
	}
	if b.transactions.Get([]byte(t.id)) != nil {
		return ledger.Refuse(ledger.Conflict, "transaction %s is recorded", t.id)
	}
	if err := b.checkReads(t.outcome); err != nil {
		return err
	}
	for _, w := range t.outcome.Writes {
		if err := b.state.put(w.Key, at, w.Value); err != nil {
			return fmt.Errorf("writing state %s: %w", w.Key, err)
		}
	}
	return b.transactions.Put([]byte(t.id), at.bytes())
}

// check is what a transaction shows by itself, whatever the state before it.
func (b *book) check(blockTime int64, t *decoded) error {
	if err := b.checkProposal(blockTime, t); err != nil {
		return err
	}
	if err := checkOutcome(t.outcome); err != nil {
		return err
	}
	return b.checkEndorsements(t)
}

func (b *book) checkProposal(blockTime int64, t *decoded) error {
	p := t.proposal
	if commit.Digest(p.Ledger) != b.id {
		return ledger.Refuse(ledger.Invalid, "the proposal is for ledger %s", commit.Digest(p.Ledger))
	}
	if len(p.Nonce) != nonceBytes {
		return ledger.Refuse(ledger.Invalid, "the proposal's nonce has %d bytes, must have %d", len(p.Nonce), nonceBytes)
	}
	if n := ledger.MaxArgsOf(p.Function); len(p.Args) > n {
		return ledger.Refuse(ledger.Invalid, "%s: arguments have %d bytes, at most %d", p.Function, len(p.Args), n)
	}
	if p.Time > blockTime || blockTime-p.Time > b.genesis.ProposalAgeSeconds {
		return ledger.Refuse(ledger.Expired, "proposed at %d, committed at %d: at most %d s may pass", p.Time, blockTime, b.genesis.ProposalAgeSeconds)
	}
	return b.checkSignature(p.Caller, proposalBytes(b.id, t.Proposal), t.Signature)
}

// open decodes a sealed block and verifies its seal.
func (b *book) open(encoded []byte) (*block, commit.Digest, error) {
	sealed, blk, err := decodeBlock(encoded)
	if err != nil {
		return nil, commit.Digest{}, err
	}
	hash, sealer := blockHash(b.id, sealed.Block), sealerOf(b.genesis)
	if sealed.Sealer != sealer {
		return nil, hash, fmt.Errorf("is sealed by %.64q, not by %s", sealed.Sealer, sealer)
	}
	if err := b.checkSignature(sealer, sealBytes(b.id, hash), sealed.Signature); err != nil {
		return nil, hash, fmt.Errorf("seal: %w", err)
	}
	return blk, hash, nil
}

func (b *book) checkSignature(org string, message, signature []byte) error {
	o, ok := b.genesis.Organisation(org)
	if !ok {
		return ledger.Refuse(ledger.Forbidden, "%q is not an organisation of this ledger", org)
	}
	key, err := o.PublicKey()
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, message, signature) {
		return ledger.Refuse(ledger.Forbidden, "signature of %s does not verify", org)
	}
	return nil
}

// checkEndorsements verifies every signature over proposal and outcome, each organisation's once, and holds the rule.
func (b *book) checkEndorsements(t *decoded) error {
	endorsers := make([]string, len(t.Endorsements))
	for i, e := range t.Endorsements {
		if i > 0 && e.Org <= endorsers[i-1] {
			return ledger.Refuse(ledger.NotEndorsed, "endorsements are not in ascending order of organisation")
		}
		endorsers[i] = e.Org
		if err := b.checkSignature(e.Org, endorsementBytes(b.id, e.Org, t.Proposal, t.Outcome), e.Signature); err != nil {
			return fmt.Errorf("endorsement: %w", err)
		}
	}
	return b.genesis.EndorsementRule().Check(b.genesis, endorsers)
}

func (b *book) tx(t *decoded) *contract.Tx {
	return &contract.Tx{
		ID: t.id, Time: time.Unix(t.proposal.Time, 0).UTC(),
		Caller: contract.Caller{Org: t.proposal.Caller, Attributes: b.attributes[t.proposal.Caller]},
		Ledger: b.id, Genesis: b.genesis,
	}
}

// checkReads compares every version that was read with the state's now.
func (b *book) checkReads(out *outcome) error {
	for _, r := range out.Reads {
		v, _, err := b.state.get(r.Key)
		if err != nil {
			return err
		}
		if v != r.Version {
			return errStale
		}
	}
	for _, r := range out.Ranges {
		found, err := b.state.scan(r.Prefix, func(string, []byte) error { return nil })
		if err != nil {
			return err
		}
		if found != r.Found {
			return errStale
		}
	}
	return nil
}

// checkOutcome holds the form that simulation.outcome writes.
func checkOutcome(out *outcome) error {
	for i, r := range out.Reads {
		if i > 0 && r.Key <= out.Reads[i-1].Key {
			return errors.New("outcome: reads are not in ascending order")
		}
	}
	for i, r := range out.Ranges {
		if i > 0 && r.Prefix <= out.Ranges[i-1].Prefix {
			return errors.New("outcome: ranges are not in ascending order")
		}
	}
	if len(out.Writes) == 0 || out.Event.Name == "" || len(out.Event.Payload) > ledger.MaxEventPayload {
		return errors.New("outcome: no write, no event, or an event that is too long")
	}
	for i, w := range out.Writes {
		if err := checkKey(w.Key); err != nil {
			return fmt.Errorf("outcome: %w", err)
		}
		if i > 0 && w.Key <= out.Writes[i-1].Key || len(w.Value) == 0 {
			return errors.New("outcome: writes are not in ascending order, or one is empty")
		}
	}
	return nil
}

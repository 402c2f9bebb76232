package sealed

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Rules are what a block and its transactions have to keep by themselves, whatever the state before them.
type Rules struct {
	// ID is the digest of Genesis.
	ID      commit.Digest
	Genesis *ledger.Genesis
}

// SealerOf is the organisation that cuts blocks: the first regulator.
func SealerOf(g *ledger.Genesis) string { return g.WithRole(ledger.RoleRegulator)[0] }

// Open decodes a sealed block and verifies its seal.
func (r *Rules) Open(encoded []byte) (*Block, commit.Digest, error) {
	outer, blk, err := DecodeBlock(encoded)
	if err != nil {
		return nil, commit.Digest{}, err
	}
	hash, sealer := BlockHash(r.ID, outer.Block), SealerOf(r.Genesis)
	if outer.Sealer != sealer {
		return nil, hash, fmt.Errorf("is sealed by %.64q, not by %s", outer.Sealer, sealer)
	}
	if err := r.CheckSignature(sealer, SealBytes(r.ID, hash), outer.Signature); err != nil {
		return nil, hash, fmt.Errorf("seal: %w", err)
	}
	return blk, hash, nil
}

// Check is what a transaction in a block of a time shows by itself.
func (r *Rules) Check(blockTime int64, t *Opened) error {
	if err := r.checkProposal(blockTime, t); err != nil {
		return err
	}
	if err := checkOutcome(t.Done); err != nil {
		return err
	}
	return r.checkEndorsements(t)
}

func (r *Rules) checkProposal(blockTime int64, t *Opened) error {
	p := t.Proposed
	if commit.Digest(p.Ledger) != r.ID {
		return ledger.Refuse(ledger.Invalid, "the proposal is for ledger %s", commit.Digest(p.Ledger))
	}
	if len(p.Nonce) != NonceBytes {
		return ledger.Refuse(ledger.Invalid, "the proposal's nonce has %d bytes, must have %d", len(p.Nonce), NonceBytes)
	}
	if n := ledger.MaxArgsOf(p.Function); len(p.Args) > n {
		return ledger.Refuse(ledger.Invalid, "%s: arguments have %d bytes, at most %d", p.Function, len(p.Args), n)
	}
	if p.Time > blockTime || blockTime-p.Time > r.Genesis.ProposalAgeSeconds {
		return ledger.Refuse(ledger.Expired, "proposed at %d, committed at %d: at most %d s may pass", p.Time, blockTime, r.Genesis.ProposalAgeSeconds)
	}
	return r.CheckSignature(p.Caller, ProposalBytes(r.ID, t.Proposal), t.Signature)
}

// CheckSignature verifies an organisation's signature.
func (r *Rules) CheckSignature(org string, message, signature []byte) error {
	o, ok := r.Genesis.Organisation(org)
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
func (r *Rules) checkEndorsements(t *Opened) error {
	endorsers := make([]string, len(t.Endorsements))
	for i, e := range t.Endorsements {
		if i > 0 && e.Org <= endorsers[i-1] {
			return ledger.Refuse(ledger.NotEndorsed, "endorsements are not in ascending order of organisation")
		}
		endorsers[i] = e.Org
		if err := r.CheckSignature(e.Org, EndorsementBytes(r.ID, e.Org, t.Proposal, t.Outcome), e.Signature); err != nil {
			return fmt.Errorf("endorsement: %w", err)
		}
	}
	return r.Genesis.EndorsementRule().Check(r.Genesis, endorsers)
}

// checkOutcome holds the form of an outcome.
func checkOutcome(out *Outcome) error {
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
		if err := CheckKey(w.Key); err != nil {
			return fmt.Errorf("outcome: %w", err)
		}
		if i > 0 && w.Key <= out.Writes[i-1].Key || len(w.Value) == 0 {
			return errors.New("outcome: writes are not in ascending order, or one is empty")
		}
	}
	return nil
}

// MaxKey bounds a key of the state.
const MaxKey = 512

// CheckKey wants what Fabric takes: a key of printable ASCII.
func CheckKey(key string) error {
	if key == "" || len(key) > MaxKey {
		return fmt.Errorf("state key has %d bytes, must have 1 to %d", len(key), MaxKey)
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return fmt.Errorf("state key %q is not printable ASCII", key)
		}
	}
	return nil
}

package embedded

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// signedProposal is what a peer is sent: the proposal, its signature, and the transient input that the proposal has the digest of.
type signedProposal struct {
	encoded, signature []byte
	transient          map[string][]byte
}

// endorsed is a peer's answer.
type endorsed struct {
	endorsement
	outcome []byte
	height  uint64 // of the snapshot
}

// peer is one organisation's node: it trusts no other's word, only the ledger's state.
type peer struct {
	org    string
	ledger *Ledger
	store  attestations.Store
}

func (l *Ledger) peer(org string) *peer {
	return &peer{org: org, ledger: l, store: attestationsOf(l.dir, org)}
}

// book is what the peer knows of callers; it has no buckets.
func (p *peer) book() *book {
	return &book{Rules: sealed.Rules{ID: p.ledger.id, Genesis: p.ledger.genesis}, attributes: p.ledger.attributes}
}

// endorse checks a proposal, runs it on a snapshot and signs what came out.
func (p *peer) endorse(sp *signedProposal) (*endorsed, error) {
	proposed, err := p.check(sp)
	if err != nil {
		return nil, err
	}
	out := &endorsed{endorsement: endorsement{Org: p.org}}
	err = p.ledger.db.View(func(tx *bbolt.Tx) error {
		h, err := readHead(tx, p.ledger.id)
		if err != nil {
			return err
		}
		out.height = h.Height
		out.outcome, err = p.run(tx, sp, proposed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("peer of %s: %w", p.org, err)
	}
	out.Signature = p.ledger.signed(p.org, sealed.EndorsementBytes(p.ledger.id, p.org, sp.encoded, out.outcome))
	return out, nil
}

// check authenticates the caller and holds the proposal's time against the peer's clock, as the contract requires of its driver.
func (p *peer) check(sp *signedProposal) (*proposal, error) {
	proposed, err := decode[proposal]("proposal", sp.encoded)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if commit.Digest(proposed.Ledger) != p.ledger.id {
		return nil, ledger.Refuse(ledger.Invalid, "the proposal is for ledger %s", commit.Digest(proposed.Ledger))
	}
	if err := p.book().CheckSignature(proposed.Caller, sealed.ProposalBytes(p.ledger.id, sp.encoded), sp.signature); err != nil {
		return nil, err
	}
	if proposed.Transient != transientDigest(sp.transient) {
		return nil, ledger.Refuse(ledger.Invalid, "transient input is not the one that was proposed")
	}
	// In seconds: a duration of a far-off time overflows.
	skew := p.ledger.genesis.ClockSkewSeconds
	if now := p.ledger.now(); proposed.Time < now-skew || proposed.Time > now+skew {
		return nil, ledger.Refuse(ledger.Expired, "proposed at %d, this peer's time is %d: at most %d s between them is accepted", proposed.Time, now, skew)
	}
	return proposed, nil
}

func (p *peer) run(tx *bbolt.Tx, sp *signedProposal, proposed *proposal) ([]byte, error) {
	s := simulate(stateView{tx.Bucket(bucketState)})
	t := &decoded{ID: sealed.TransactionID(p.ledger.id, sp.encoded), Proposed: proposed}
	environment := &contract.Environment{SRS: p.ledger.srs, Keep: p.store.Keep, Keyrings: &p.ledger.keyrings, Policies: &p.ledger.policies}
	if agree := p.ledger.consent; agree != nil {
		environment.Agree = func(digest commit.Digest) error { return agree(p.org, digest) }
	}
	call := ledger.Call{Function: proposed.Function, Args: proposed.Args, Transient: sp.transient}
	result, err := contract.Execute(environment, p.book().tx(t), s, call)
	if err != nil {
		return nil, err
	}
	out, err := s.outcome(result)
	if err != nil {
		return nil, err
	}
	return encode(out), nil
}

// transientDigest covers names and values. What it covers is attestations, which hide what they commit to.
func transientDigest(transient map[string][]byte) [32]byte {
	var parts [][]byte
	for _, name := range slices.Sorted(maps.Keys(transient)) {
		parts = append(parts, []byte(name), transient[name])
	}
	return sha256.Sum256(ledger.Tagged("assay/v1/transient", parts...))
}

// agree gathers answers into one transaction. Peers that saw different heights may differ, and are asked again; others must not.
func agree(sp *signedProposal, answers []*endorsed) (*transaction, error) {
	t := &transaction{Proposal: sp.encoded, Signature: sp.signature, Outcome: answers[0].outcome}
	for _, a := range answers {
		if same := bytes.Equal(a.outcome, t.Outcome); !same && a.height != answers[0].height {
			return nil, errStale
		} else if !same {
			return nil, ledger.Refuse(ledger.NotEndorsed, "the peers of %s and %s came to different outcomes", answers[0].Org, a.Org)
		}
		t.Endorsements = append(t.Endorsements, a.endorsement)
	}
	return t, nil
}

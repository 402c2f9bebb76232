package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// Verdict is what a verified bundle shows. Only [VerifyBundle] makes one; there is
// no verdict for an invalid bundle, only an error with the reason.
type Verdict struct {
	Ledger    commit.Digest        `json:"ledger"`
	Fleet     string               `json:"fleet"`
	Owner     string               `json:"owner"`
	Epoch     uint64               `json:"epoch"`
	Digest    string               `json:"statement_digest"`
	Statement *statement.Statement `json:"statement"`
	Coverage  Coverage             `json:"coverage"`
	Claims    []ClaimVerdict       `json:"claims"`
	// Disclosed totals in their physical units.
	Disclosed []statement.DisclosedTotal `json:"disclosed"`
	// Keys that the proofs were verified with, and the setups that made them.
	Keys []KeyVerdict `json:"keys"`
	// Unsafe is true when any key came from a setup that one party could abuse.
	Unsafe bool           `json:"unsafe"`
	Chunks []ChunkVerdict `json:"chunks"`
}

// Coverage compares what reported with what is enrolled.
type Coverage struct {
	Attested uint64 `json:"attested"`
	Enrolled uint64 `json:"enrolled"`
	// Percent is attested / enrolled, rounded down to 0.01 %.
	Percent string `json:"percent"`
	// Missing lists chunks that were not anchored for the epoch and count as
	// attested 0; Retired is how many devices left since the epoch before.
	Missing []uint32 `json:"missing_chunks"`
	Retired uint64   `json:"retired"`
}

// ClaimVerdict says whether a claim holds.
type ClaimVerdict struct {
	Claim string `json:"claim"`
	Holds bool   `json:"holds"`
}

// KeyVerdict names a pinned key.
type KeyVerdict struct {
	CircuitID string        `json:"circuit_id"`
	Digest    commit.Digest `json:"digest"`
	Setup     string        `json:"setup"`
	// Status is zero for an active key. A verdict that rests on a retired key says so.
	Status KeyStatus `json:"status,omitzero"`
}

// ChunkVerdict is an anchored chunk's place on the ledger.
type ChunkVerdict struct {
	Index    uint32 `json:"index"`
	Attested uint32 `json:"attested"`
	Enrolled uint32 `json:"enrolled"`
	Height   uint64 `json:"height"`
	TxID     string `json:"tx_id"`
}

// Holds reports whether every claim holds.
func (v *Verdict) Holds() bool {
	for _, c := range v.Claims {
		if !c.Holds {
			return false
		}
	}
	return true
}

// VerifyBundle verifies a bundle against the ledger's facts with pinned keys.
//
// The question comes from the bundle: what a valid bundle answers is the
// statement in the verdict, and only a caller who compares its digest with a
// request knows that this is what was asked. Expiry is for the ledger to enforce
// when it takes a proof; an old proof stays a proof. It checks,
// in this order: the facts for themselves; that the statement is about them;
// coverage and key classes; that every anchored chunk is proven exactly once
// and nothing else is; every chunk proof; the chain of fleet proofs, which
// consumes every hidden output once; and that the disclosed population is the
// ledger's count of attestations.
func VerifyBundle(bundle []byte, facts *Facts, keys *Keyring) (*Verdict, error) {
	c, err := newChecker(bundle, facts, keys)
	if err != nil {
		return nil, err
	}
	if err := c.proofs(); err != nil {
		return nil, err
	}
	return c.verdict()
}

// newChecker reads the bundle and makes every check but those of the proofs.
func newChecker(bundle []byte, facts *Facts, keys *Keyring) (*checker, error) {
	w, b, err := openBundle(bundle)
	if err != nil {
		return nil, err
	}
	if err := facts.Check(); err != nil {
		return nil, err
	}
	if err := checkSubject(b.Statement, facts); err != nil {
		return nil, err
	}
	if err := checkCoverage(b.Statement, facts); err != nil {
		return nil, err
	}
	c := &checker{
		bundle: b, facts: facts, keys: keys, digest: b.Statement.Digest(facts.Ledger),
		raw: sha256.Sum256(bundle), atOnce: togetherChunks, proven: facts.Proven(),
	}
	if err := c.extent(w); err != nil {
		return nil, err
	}
	if err := w.proofs(b); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	c.used = map[string]bool{SRSKey: true, FleetCircuit: true}
	for i, f := range c.proven {
		c.used[ChunkCircuit(f.Size)] = true
		c.outputs = append(c.outputs, b.Chunks[i].Proof.T)
	}
	return c, nil
}

func (c *checker) verdict() (*Verdict, error) {
	s, f := c.bundle.Statement, c.facts
	v := &Verdict{
		Ledger: f.Ledger, Fleet: f.Fleet, Owner: f.Owner, Epoch: f.Epoch,
		Digest: hex.EncodeToString(c.digest[:]), Statement: s,
		Coverage: Coverage{Attested: f.Attested(), Enrolled: f.Enrolled, Percent: percent(f.Attested(), f.Enrolled), Missing: []uint32{}, Retired: f.Retired},
		Claims:   []ClaimVerdict{}, Disclosed: []statement.DisclosedTotal{}, Chunks: []ChunkVerdict{},
	}
	for i := range s.Claims {
		v.Claims = append(v.Claims, ClaimVerdict{s.Claims[i].String(), c.bundle.Holds[i]})
	}
	for i := range f.Chunks {
		if ch := &f.Chunks[i]; ch.Anchored {
			v.Chunks = append(v.Chunks, ChunkVerdict{ch.Index, ch.Attested, ch.Enrolled, ch.Height, ch.TxID})
		} else {
			v.Coverage.Missing = append(v.Coverage.Missing, ch.Index)
		}
	}
	for _, id := range CircuitIDs() {
		if k, ok := c.keys.Published(id); ok && c.used[id] {
			v.Keys = append(v.Keys, KeyVerdict{id, k.Digest, k.Setup, k.Status})
			v.Unsafe = v.Unsafe || k.Setup == SetupUnsafe
		}
	}
	disclose, err := s.Disclosed()
	if err != nil {
		return nil, err
	}
	totals := c.disclosed(disclose)
	for i, t := range totals {
		if t == nil {
			continue
		}
		d, err := s.FormatTotal(i, t, totals[statement.Count])
		if err != nil {
			return nil, err
		}
		v.Disclosed = append(v.Disclosed, d)
	}
	return v, nil
}

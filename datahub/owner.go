package datahub

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// Owner answers statements about one organisation's fleets.
type Owner struct {
	Book ledger.Book
	Keys zk.Keys
	// Chunks, if set, says who makes the chunks' proofs; what comes from elsewhere is checked with the keyring, which holds the
	// ledger's keys. Nil proves in this process. AtOnce is how many chunks are under way together; 0 suits this process.
	Chunks func(*verify.Keyring) zk.ChunkProver
	AtOnce int
}

// Anchor puts a closed chunk on the ledger.
func (o *Owner) Anchor(ctx context.Context, c *Closed) (ledger.Receipt, error) {
	r, err := o.Book.Anchor(ctx, c.Anchor(), c.Attestations)
	if err != nil {
		return r, fmt.Errorf("anchoring chunk %d of fleet %s: %w", c.Place.Chunk, c.Place.Fleet, err)
	}
	return r, nil
}

// Answer is a proof that is ready to be submitted, and what it shows.
type Answer struct {
	Bundle  []byte
	Verdict *verify.Verdict
}

// Prove is Answer, for a caller who does not look at what the proof shows.
func (o *Owner) Prove(ctx context.Context, request commit.Digest, source zk.Source, progress zk.Progress) ([]byte, error) {
	a, err := o.Answer(ctx, request, source, progress)
	if err != nil {
		return nil, err
	}
	return a.Bundle, nil
}

// Answer answers an approved request: it takes the statement and the facts from
// the ledger, proves, and checks the bundle as anyone else would before it
// leaves the house, so that a defect shows here and not in front of the lender.
// Whether what it shows may be released is for the caller to ask the ledger.
func (o *Owner) Answer(ctx context.Context, request commit.Digest, source zk.Source, progress zk.Progress) (*Answer, error) {
	entry, err := o.Book.RequestEntry(ctx, request)
	if err != nil {
		return nil, err
	}
	if !entry.Status.Approved() {
		return nil, fmt.Errorf("request %s is %s, only an approved one is proven", request, entry.Status)
	}
	s, err := statement.Parse(entry.Request.Statement)
	if err != nil {
		return nil, err
	}
	facts, err := o.Book.Facts(ctx, s.Fleet, s.Epoch)
	if err != nil {
		return nil, err
	}
	if !facts.Final {
		return nil, fmt.Errorf("fleet %s may still be anchored for epoch %d: its facts are not final", s.Fleet, s.Epoch)
	}
	keys, err := o.keyring(ctx)
	if err != nil {
		return nil, err
	}
	prover := zk.Prover{Keys: o.Keys, AtOnce: o.AtOnce}
	if o.Chunks != nil {
		prover.Chunks = o.Chunks(keys)
	}
	bundle, err := prover.Prove(ctx, s, &facts.Facts, source, progress)
	if err != nil {
		return nil, fmt.Errorf("proving request %s: %w", request, err)
	}
	b, err := bundle.Marshal()
	if err != nil {
		return nil, err
	}
	verdict, err := verify.VerifyBundle(b, &facts.Facts, keys)
	if err != nil {
		return nil, fmt.Errorf("the bundle just proven does not verify: %w", err)
	}
	return &Answer{Bundle: b, Verdict: verdict}, nil
}

// keyring holds the keys that the ledger pins.
func (o *Owner) keyring(ctx context.Context) (*verify.Keyring, error) {
	published, err := o.Book.Keys(ctx)
	if err != nil {
		return nil, err
	}
	return verify.NewKeyring(published)
}

package ledger

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-net/assay/zk/verify"
)

// exportAttempts is how often an export is tried again when blocks come in between.
const exportAttempts = 16

// ExportTrust collects what an offline verifier needs about some fleets and epochs, all of one height, and signs it as a regulator. It refuses
// epochs that are not closed: a later export of the same epoch might contradict them.
func (b Book) ExportTrust(ctx context.Context, by string, key crypto.Signer, at time.Time, of ...EpochRef) (*Trust, error) {
	for range exportAttempts {
		t, err := b.collectTrust(ctx, of)
		if err != nil {
			return nil, fmt.Errorf("exporting trust: %w", err)
		}
		head, err := b.Head(ctx)
		if err != nil {
			return nil, fmt.Errorf("exporting trust: %w", err)
		}
		if head.Height == t.Height {
			t.ExportedAt, t.ExportedBy = at.Unix(), by
			return t, t.sign(key)
		}
	}
	return nil, errors.New("exporting trust: the ledger kept growing")
}

func (b Book) collectTrust(ctx context.Context, of []EpochRef) (*Trust, error) {
	head, err := b.Head(ctx)
	if err != nil {
		return nil, err
	}
	genesis, err := b.Genesis(ctx)
	if err != nil {
		return nil, err
	}
	t := &Trust{Version: TrustVersion, Ledger: b.ID(), Genesis: genesis, Height: head.Height, BlockHash: head.Hash, Facts: []verify.Facts{}, Requests: []TrustRequest{}}
	if t.Keys, err = b.Keys(ctx); err != nil {
		return nil, err
	}
	for _, ref := range of {
		entry, err := b.Facts(ctx, ref.Fleet, ref.Epoch)
		if err != nil {
			return nil, err
		}
		if !entry.Closed {
			return nil, Refuse(Expired, "fleet %s at epoch %d is not closed: no proof about it is recorded, and nobody settled it", ref.Fleet, ref.Epoch)
		}
		t.Facts = append(t.Facts, entry.Facts)
	}
	slices.SortFunc(t.Facts, func(a, b verify.Facts) int { return compareFacts(&a, &b) })
	for _, ref := range of {
		asked, err := b.Asked(ctx, ref)
		if err != nil {
			return nil, err
		}
		t.Requests = append(t.Requests, asked...)
	}
	slices.SortFunc(t.Requests, func(a, b TrustRequest) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return t, nil
}

func (t *Trust) sign(key crypto.Signer) error {
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		return errors.New("signing trust export: key is not Ed25519")
	}
	signature, err := key.Sign(nil, t.SigningBytes(), crypto.Hash(0))
	if err != nil {
		return fmt.Errorf("signing trust export: %w", err)
	}
	t.Signature = signature
	if err := t.Check(); err != nil {
		return fmt.Errorf("signing trust export: %w", err)
	}
	return nil
}

package audit

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// anchor runs the anchoring of a chunk again, with the attestations if they are to be had.
func (r *replayer) anchor(b *block, t *transaction, c *call, want *outcome, v *view) error {
	a, err := ledger.Decode[ledger.AnchorChunk]("arguments", c.args, ledger.MaxArgs)
	if err != nil {
		r.fail(b, t, Replay, "anchor: %v", err)
		return nil
	}
	blob, err := r.attestations(a.Root)
	if r.env.SRS == nil {
		err = errors.New("the SRS is not at hand")
	}
	if ctxErr := r.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if err != nil {
		r.unchecked(b, t, a, err)
		return r.anchorForm(b, t, c, a, want, v)
	}
	transient := map[string][]byte{ledger.TransientAttestations: blob}
	v.out.result, err = execute(r.env, c.tx, v, ledger.Call{Function: c.function, Args: c.args, Transient: transient})
	if r.compare(b, t, c, want, v.out, err) {
		r.report.Counts.Anchors++
		r.report.Counts.Devices += uint64(a.Attested)
	}
	return nil
}

// attestations gets those with a root, whatever the source gives.
func (r *replayer) attestations(root commit.Digest) ([]byte, error) {
	if r.Attestations == nil {
		return nil, errors.New("the auditor has no attestations")
	}
	blob, err := r.Attestations(r.ctx, root)
	if err != nil {
		return nil, err
	}
	list, err := ledger.SplitAttestations(blob)
	if err != nil {
		return nil, err
	}
	if got, err := commit.MerkleRoot(list); err != nil || got != root {
		return nil, fmt.Errorf("the attestations that came have root %s", got)
	}
	return blob, nil
}

func (r *replayer) unchecked(b *block, t *transaction, a *ledger.AnchorChunk, cause error) {
	r.report.Counts.AnchorsUnchecked++
	if len(r.report.Unchecked) < maxListed {
		r.report.Unchecked = append(r.report.Unchecked, UncheckedAnchor{
			Block: b.number, TxID: t.id, Fleet: a.Fleet, Chunk: a.Chunk, Epoch: a.Epoch, Root: a.Root, Reason: clean(cause.Error(), maxMessage),
		})
	}
	if !r.WithoutAttestations {
		r.fail(b, t, Attestations, "the anchor of chunk %d of fleet %s for epoch %d is not re-checked: %v", a.Chunk, a.Fleet, a.Epoch, cause)
	}
}

// anchorForm checks all of an anchor but the attestations. The contract is run without an SRS: it comes to miss it when it has checked everything before the
// attestations, so a refusal is about the caller, the fleet, the window or the order of anchors.
func (r *replayer) anchorForm(b *block, t *transaction, c *call, a *ledger.AnchorChunk, want *outcome, v *view) error {
	without := &contract.Environment{}
	_, err := execute(without, c.tx, v, ledger.Call{Function: c.function, Args: c.args, Transient: map[string][]byte{ledger.TransientAttestations: nil}})
	if ledger.CodeOf(err) != "" {
		r.fail(b, t, Replay, "anchor is recorded, the contract refuses it: %v", err)
		return nil
	}
	if err := r.writeAnchor(c, a, v); err != nil {
		r.fail(b, t, Replay, "anchor: %v", err)
		return nil
	}
	r.compare(b, t, c, want, v.out, nil)
	return nil
}

// writeAnchor writes what the contract would once the attestations have given what the arguments say.
func (r *replayer) writeAnchor(c *call, a *ledger.AnchorChunk, v *view) error {
	record := &ledger.Anchor{Commitment: a.Commitment, Attested: a.Attested, Bitmap: a.Bitmap, Root: a.Root, Time: c.tx.Time.Unix(), TxID: c.tx.ID}
	attested, err := countSlots(v, a, record)
	if err != nil {
		return err
	}
	set := 0
	for _, b := range a.Bitmap {
		set += bits.OnesCount8(b)
	}
	if a.Attested == 0 || set != attested || set != int(a.Attested) {
		return fmt.Errorf("%d devices attested, the bitmap has %d, of which %d are enrolled", a.Attested, set, attested)
	}
	if _, err := commit.ParsePoint(a.Commitment); err != nil {
		return fmt.Errorf("commitment: %w", err)
	}
	v.out.result = ledger.Encode(record)
	if err := v.Put(ledger.AnchorKey(a.Fleet, a.Epoch, a.Chunk), v.out.result); err != nil {
		return err
	}
	if err := v.Put(ledger.AnchorHeadKey(a.Fleet, a.Chunk), ledger.Encode(ledger.AnchorHead{Epoch: a.Epoch})); err != nil {
		return err
	}
	v.Event(ledger.EventAnchored, ledger.Encode(ledger.EventPayload{
		Organisation: c.tx.Caller.Org, Fleet: a.Fleet, Owner: c.tx.Caller.Org, Chunk: &a.Chunk, Epoch: &a.Epoch, Devices: int(a.Attested), Digest: &a.Root,
	}))
	return nil
}

// countSlots counts who was enrolled at the epoch's start, by where their keys live, and who left since the epoch before. It returns how many of the enrolled
// attested.
func countSlots(v *view, a *ledger.AnchorChunk, record *ledger.Anchor) (attested int, err error) {
	prefix := ledger.SlotPrefix(a.Fleet, a.Chunk)
	checked := &commit.Checked{Bitmap: a.Bitmap}
	err = v.Range(prefix, func(key string, value []byte) error {
		slot, err := ledger.Decode[ledger.Slot]("state "+key, value, ledger.MaxRecord)
		if err != nil {
			return err
		}
		if slot.RetiredSince(a.Epoch) {
			record.Retired++
		}
		if !slot.Active(a.Epoch) {
			return nil
		}
		n, err := strconv.ParseUint(key[len(prefix):], 16, 32)
		if err != nil {
			return fmt.Errorf("state key %s: %w", key, err)
		}
		if checked.Has(uint32(n)) {
			attested++
		}
		record.Enrolled++
		for i, class := range ledger.Classes {
			if class == slot.Class {
				record.Classes[i]++
			}
		}
		return nil
	})
	return attested, err
}

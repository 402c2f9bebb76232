package contract

import (
	"bytes"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// anchorChunk records a chunk's commitment. What is cheap is checked first; the endorser then checks every attestation itself and files them. The
// attestations are taken from the transient input and are in nothing that is written.
func anchorChunk(r *run, args []byte, transient map[string][]byte) (any, error) {
	a, err := decodeArgs[ledger.AnchorChunk](args)
	if err != nil {
		return nil, err
	}
	blob, ok := transient[ledger.TransientAttestations]
	if !ok || len(transient) != 1 {
		return nil, ledger.Refuse(ledger.Invalid, "transient input must be %q alone", ledger.TransientAttestations)
	}
	f, err := r.ownFleet(a.Fleet)
	if err != nil {
		return nil, err
	}
	if err := r.checkTurn(a); err != nil {
		return nil, err
	}
	who, err := readRoster(r.state, f.ID, a.Chunk, a.Epoch, true)
	if err != nil {
		return nil, err
	}
	if err := r.checkAttestations(f, a, who, blob); err != nil {
		return nil, err
	}
	return r.writeAnchor(a, who)
}

// checkTurn holds the window and the order of anchors: for an epoch that is over, not long ago, and after the chunk's last.
func (r *run) checkTurn(a *ledger.AnchorChunk) error {
	if err := checkChunk(a.Chunk); err != nil {
		return err
	}
	if a.Epoch >= ledger.MaxEpoch {
		return ledger.Refuse(ledger.Invalid, "epoch: %d must be below %d", a.Epoch, uint64(ledger.MaxEpoch))
	}
	from, to := r.tx.Genesis.EpochEnd(a.Epoch), r.tx.Genesis.AnchorDeadline(a.Epoch)
	if r.now < from.Unix() || r.now > to.Unix() {
		return ledger.Refuse(ledger.Expired, "anchors for epoch %d are taken from %s to %s",
			a.Epoch, from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	over, err := r.over(a.Epoch)
	if err != nil {
		return err
	}
	if !over {
		return ledger.Refuse(ledger.Expired, "no epoch after %d is opened on the ledger yet", a.Epoch)
	}
	if err := r.requireOpenedInTime(a.Epoch); err != nil {
		return err
	}
	// A verdict is about all anchors of its epoch. An anchor that was endorsed before it and committed after reads this key too, so it is void.
	closed, err := exists(r.state, ledger.ClosingKey(a.Fleet, a.Epoch))
	if err != nil {
		return err
	}
	if closed {
		return ledger.Refuse(ledger.Conflict, "fleet %s at epoch %d is closed: its anchors are settled", a.Fleet, a.Epoch)
	}
	head, err := get[ledger.AnchorHead](r.state, ledger.AnchorHeadKey(a.Fleet, a.Chunk))
	if err != nil {
		return err
	}
	if head != nil && a.Epoch <= head.Epoch {
		return ledger.Refuse(ledger.Conflict, "chunk %d of fleet %s is anchored for epoch %d", a.Chunk, a.Fleet, head.Epoch)
	}
	return nil
}

// checkAttestations is what the endorser owes: it computes every field of the anchor from the attestations and keeps them.
func (r *run) checkAttestations(f *ledger.Fleet, a *ledger.AnchorChunk, who *roster, blob []byte) error {
	srs, err := r.pinnedSRS()
	if err != nil {
		return err
	}
	claimed, err := commit.ParsePoint(a.Commitment)
	if err != nil {
		return ledger.Refuse(ledger.Invalid, "commitment: %v", err)
	}
	attestations, err := ledger.SplitAttestations(blob)
	if err != nil {
		return ledger.Refuse(ledger.Invalid, "%v", err)
	}
	place := commit.ChunkPlace{Ledger: r.tx.Ledger, SRS: srs.Digest(), Fleet: f.ID, Chunk: a.Chunk, Size: f.ChunkSize, Epoch: a.Epoch}
	checked, err := commit.CheckChunk(srs, place, who.keys, attestations, claimed)
	if err != nil {
		return ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if uint64(a.Attested) != uint64(checked.Attested) || !bytes.Equal(a.Bitmap, checked.Bitmap) || a.Root != checked.Root {
		return ledger.Refuse(ledger.Invalid, "attested, bitmap or root is not that of the attestations: %d devices, root %s", checked.Attested, checked.Root)
	}
	if r.env.Keep == nil {
		return fmt.Errorf("this peer has no store for attestations")
	}
	if err := r.env.Keep(place, checked.Root, blob); err != nil {
		return fmt.Errorf("keeping attestations under %s: %w", checked.Root, err)
	}
	return nil
}

// pinnedSRS is the peer's SRS, if it is the one pinned on the ledger. An SRS that the consortium did not agree on may be one whose τ somebody knows.
func (r *run) pinnedSRS() (*commit.SRS, error) {
	pinned, err := get[verify.PublishedKey](r.state, ledger.PublishedKeyKey(verify.SRSKey))
	if err != nil {
		return nil, err
	}
	if pinned == nil {
		return nil, ledger.Refuse(ledger.NotFound, "no key is pinned for %q", verify.SRSKey)
	}
	if err := checkActive(verify.SRSKey, pinned.Status); err != nil {
		return nil, err
	}
	if err := checkSRSKey(r.env.SRS, pinned); err != nil {
		return nil, fmt.Errorf("comparing the pinned SRS with this peer's: %w", err)
	}
	return r.env.SRS, nil
}

func (r *run) writeAnchor(a *ledger.AnchorChunk, who *roster) (*ledger.Anchor, error) {
	anchor := &ledger.Anchor{
		Commitment: a.Commitment, Attested: a.Attested, Enrolled: who.enrolled, Retired: who.retired, Classes: who.classes,
		Bitmap: a.Bitmap, Root: a.Root, Time: r.now, TxID: r.tx.ID,
	}
	if n := len(ledger.Encode(anchor)); n > ledger.MaxAnchor {
		return nil, fmt.Errorf("the anchor's record has %d bytes, at most %d", n, ledger.MaxAnchor)
	}
	if err := put(r.state, ledger.AnchorKey(a.Fleet, a.Epoch, a.Chunk), anchor); err != nil {
		return nil, err
	}
	if err := put(r.state, ledger.AnchorHeadKey(a.Fleet, a.Chunk), ledger.AnchorHead{Epoch: a.Epoch}); err != nil {
		return nil, err
	}
	r.event(ledger.EventAnchored, ledger.EventPayload{
		Fleet: a.Fleet, Owner: r.caller(), Chunk: &a.Chunk, Epoch: &a.Epoch, Devices: int(a.Attested), Digest: &a.Root,
	})
	return anchor, nil
}

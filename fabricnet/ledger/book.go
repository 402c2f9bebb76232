package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// Book is a Client with the contract's functions as methods. Every submitting method returns when the change is durable.
type Book struct{ Client }

func (b Book) submit(ctx context.Context, function string, args any, transient map[string][]byte) (Receipt, error) {
	receipt, err := b.Submit(ctx, Call{Function: function, Args: Encode(args), Transient: transient})
	if err != nil {
		return Receipt{}, fmt.Errorf("submitting %s: %w", function, err)
	}
	return receipt, nil
}

// RegisterMaker registers a device maker's CA. Regulators only.
func (b Book) RegisterMaker(ctx context.Context, args RegisterMaker) (Receipt, error) {
	return b.submit(ctx, FnRegisterMaker, args, nil)
}

// RegisterFleet registers a fleet, whose owner is the caller.
func (b Book) RegisterFleet(ctx context.Context, args RegisterFleet) (Receipt, error) {
	return b.submit(ctx, FnRegisterFleet, args, nil)
}

// Enrol puts devices into slots, with effect from the next epoch.
func (b Book) Enrol(ctx context.Context, args Enrol) (Receipt, error) {
	return b.submit(ctx, FnEnrol, args, nil)
}

// Retire ends enrolments with the current epoch.
func (b Book) Retire(ctx context.Context, args Retire) (Receipt, error) {
	return b.submit(ctx, FnRetire, args, nil)
}

// Anchor anchors a chunk. The attestations are in ascending order of slot.
func (b Book) Anchor(ctx context.Context, args AnchorChunk, attestations [][]byte) (Receipt, error) {
	for i, a := range attestations {
		if len(a) == 0 || len(a) > commit.MaxAttestation {
			return Receipt{}, Refuse(Invalid, "attestation %d: has %d bytes, must have 1 to %d", i, len(a), commit.MaxAttestation)
		}
	}
	return b.submit(ctx, FnAnchor, args, map[string][]byte{TransientAttestations: JoinAttestations(attestations)})
}

// PublishKey pins a verifying key for ever. Regulators only.
func (b Book) PublishKey(ctx context.Context, key verify.PublishedKey) (Receipt, error) {
	return b.submit(ctx, FnPublishKey, key, nil)
}

// SetKeyStatus retires or revokes a pinned key. Regulators only.
func (b Book) SetKeyStatus(ctx context.Context, args SetKeyStatus) (Receipt, error) {
	return b.submit(ctx, FnSetKeyStatus, args, nil)
}

// Request asks for a proof of a statement in the caller's own name, and returns the request's id.
func (b Book) Request(ctx context.Context, s *statement.Statement) (commit.Digest, Receipt, error) {
	receipt, err := b.submit(ctx, FnRequest, Ask{Statement: s.Canonical()}, nil)
	return s.Digest(b.ID()), receipt, err
}

// Decide approves or refuses a request about a fleet of the caller's.
func (b Book) Decide(ctx context.Context, args Decide) (Receipt, error) {
	return b.submit(ctx, FnDecide, args, nil)
}

// SubmitProof answers an approved request and returns the verdict that the ledger recorded.
func (b Book) SubmitProof(ctx context.Context, request commit.Digest, bundle []byte) (*ProofVerdict, Receipt, error) {
	receipt, err := b.submit(ctx, FnSubmitProof, SubmitProof{Request: request, Bundle: bundle}, nil)
	if err != nil {
		return nil, Receipt{}, err
	}
	verdict, err := Decode[ProofVerdict]("verdict", receipt.Result, MaxRecord)
	return verdict, receipt, err
}

// Withdraw takes the caller's own request back.
func (b Book) Withdraw(ctx context.Context, request commit.Digest) (Receipt, error) {
	return b.submit(ctx, FnWithdraw, RequestRef{Request: request}, nil)
}

// OpenEpoch opens the current epoch on the ledger, unless a regulator did, and returns its number. Regulators do so as soon as an epoch has begun.
func (b Book) OpenEpoch(ctx context.Context) (uint64, error) {
	e, err := b.Epoch(ctx)
	if err != nil || e.Opened != nil && *e.Opened >= e.Epoch {
		return e.Epoch, err
	}
	_, refused := b.submit(ctx, FnOpenEpoch, OpenEpoch{Epoch: e.Epoch}, nil)
	if CodeOf(refused) != Conflict {
		return e.Epoch, refused
	}
	// Somebody else may have been faster, which the ledger has to show: a conflict can have other reasons.
	now, err := b.Epoch(ctx)
	if err != nil {
		return e.Epoch, fmt.Errorf("%w (then %w)", refused, err)
	}
	if now.Opened == nil || *now.Opened < e.Epoch {
		return e.Epoch, refused
	}
	return e.Epoch, nil
}

// awaitPause is how often Await looks.
const awaitPause = 50 * time.Millisecond

// Await returns when the client's ledger has reached a height, which another organisation may have seen before: each looks at its own peer.
func (b Book) Await(ctx context.Context, height uint64) error {
	pause := time.NewTicker(awaitPause)
	defer pause.Stop()
	for {
		head, err := b.Head(ctx)
		if err != nil || head.Height >= height {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for block %d, the last is %d: %w", height, head.Height, ctx.Err())
		case <-pause.C:
		}
	}
}

// Settle closes a fleet's epoch, whose facts must be final: no anchor for it can be recorded any more.
func (b Book) Settle(ctx context.Context, of EpochRef) (Receipt, error) {
	return b.submit(ctx, FnSettle, of, nil)
}

// maxResult bounds a query's result: 4,096 slots, 2^16 anchors or the requests of years.
const maxResult = 256 << 20

func query[T any](ctx context.Context, b Book, function string, args any) (T, error) {
	var zero T
	result, err := b.Evaluate(ctx, function, Encode(args))
	if err != nil {
		return zero, fmt.Errorf("querying %s: %w", function, err)
	}
	v, err := Decode[T](function, result, maxResult)
	if err != nil {
		return zero, err
	}
	return *v, nil
}

// Genesis is what the consortium agreed on.
func (b Book) Genesis(ctx context.Context) (Genesis, error) {
	return query[Genesis](ctx, b, QueryGenesis, Nothing{})
}

// Organisations lists the consortium.
func (b Book) Organisations(ctx context.Context) ([]Organisation, error) {
	return query[[]Organisation](ctx, b, QueryOrganisations, Nothing{})
}

// Epoch tells the ledger's time.
func (b Book) Epoch(ctx context.Context) (EpochInfo, error) {
	return query[EpochInfo](ctx, b, QueryEpoch, Nothing{})
}

// Makers lists the registered makers by id.
func (b Book) Makers(ctx context.Context) ([]Maker, error) {
	return query[[]Maker](ctx, b, QueryMakers, Nothing{})
}

// Fleets lists the fleets by id.
func (b Book) Fleets(ctx context.Context) ([]Fleet, error) {
	return query[[]Fleet](ctx, b, QueryFleets, Nothing{})
}

// Fleet finds a fleet.
func (b Book) Fleet(ctx context.Context, fleet string) (Fleet, error) {
	return query[Fleet](ctx, b, QueryFleet, FleetRef{Fleet: fleet})
}

// Chunks lists a fleet's chunks by index.
func (b Book) Chunks(ctx context.Context, fleet string) ([]ChunkEntry, error) {
	return query[[]ChunkEntry](ctx, b, QueryChunks, FleetRef{Fleet: fleet})
}

// Slots lists a chunk's enrolments by slot.
func (b Book) Slots(ctx context.Context, fleet string, chunk uint32) ([]SlotEntry, error) {
	return query[[]SlotEntry](ctx, b, QuerySlots, ChunkRef{Fleet: fleet, Chunk: chunk})
}

// Anchors lists a fleet's anchors for an epoch by chunk.
func (b Book) Anchors(ctx context.Context, fleet string, epoch uint64) ([]AnchorEntry, error) {
	return query[[]AnchorEntry](ctx, b, QueryAnchors, EpochRef{Fleet: fleet, Epoch: epoch})
}

// Facts is what the ledger says about a fleet at an epoch that has begun, with the height of every anchor.
func (b Book) Facts(ctx context.Context, fleet string, epoch uint64) (FactsEntry, error) {
	entry, err := query[FactsEntry](ctx, b, QueryFacts, EpochRef{Fleet: fleet, Epoch: epoch})
	if err != nil {
		return FactsEntry{}, err
	}
	for i := range entry.Facts.Chunks {
		c := &entry.Facts.Chunks[i]
		if !c.Anchored {
			continue
		}
		if c.Height, err = b.Locate(ctx, c.TxID); err != nil {
			return FactsEntry{}, fmt.Errorf("locating the anchor of chunk %d: %w", c.Index, err)
		}
	}
	return entry, nil
}

// Keys lists the published keys.
func (b Book) Keys(ctx context.Context) ([]verify.PublishedKey, error) {
	return query[[]verify.PublishedKey](ctx, b, QueryKeys, Nothing{})
}

// Asked lists the requests about a fleet at an epoch, in short, by id.
func (b Book) Asked(ctx context.Context, of EpochRef) ([]TrustRequest, error) {
	return query[[]TrustRequest](ctx, b, QueryAsked, of)
}

// NewAnchor makes the arguments of an anchor from what commit.CheckChunk computed.
func NewAnchor(place commit.ChunkPlace, commitment []byte, checked *commit.Checked) AnchorChunk {
	return AnchorChunk{
		Fleet: place.Fleet, Chunk: place.Chunk, Epoch: place.Epoch, Commitment: commitment,
		Attested: uint32(checked.Attested), Bitmap: checked.Bitmap, Root: checked.Root,
	}
}

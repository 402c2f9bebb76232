package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// summary is what became of a fleet's epoch.
type summary struct {
	mu                                   sync.Mutex
	attested, enrolled, anchored, missed int
}

func (s *summary) add(row *store.Chunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attested += int(row.Attested)
	s.enrolled += int(row.Enrolled)
	switch row.State {
	case store.Anchored:
		s.anchored++
	case store.Missed:
		s.missed++
	}
}

// anchorAll fixes and anchors every chunk, some of them at once. Fixing a chunk uses every core, so it is done one at a time, while others are on their way to the ledger.
func (c *closer) anchorAll(ctx context.Context, log *slog.Logger, f *Fleet, epoch uint64, spans []span) (*summary, error) {
	total := &summary{}
	var fixing sync.Mutex
	var group errgroup.Group // chunks have nothing to do with one another
	group.SetLimit(c.config.AnchorsAtOnce)
	errs := make([]error, len(spans))
	for i, s := range spans {
		group.Go(func() error {
			fixing.Lock()
			row, err := c.fix(ctx, f, epoch, s)
			fixing.Unlock()
			if err == nil && row.State == store.Closed {
				err = c.anchor(ctx, log, f, row)
			}
			if err != nil {
				errs[i] = fmt.Errorf("chunk %d: %w", s.index, err)
				return nil
			}
			total.add(row)
			return nil
		})
	}
	return total, errors.Join(group.Wait(), errors.Join(errs...))
}

// fix decides what a chunk commits to, unless that was decided before, and stores it.
func (c *closer) fix(ctx context.Context, f *Fleet, epoch uint64, s span) (*store.Chunk, error) {
	row, err := c.store.Chunk(ctx, f.ID, epoch, s.index)
	if err == nil {
		return &row, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	g := c.of(epochOf{f.ID, epoch})
	if !g.any(s.index) && c.clock().Before(c.lastCall(epoch)) {
		return nil, errNobody
	}
	reports, err := c.reported(ctx, g, f, epoch, s)
	if err != nil {
		return nil, err
	}
	made, err := c.commit(f, epoch, s, reports)
	if err != nil {
		return nil, err
	}
	return made, c.store.PutChunk(ctx, *made)
}

// errNobody says that it is too early to give a chunk up.
var errNobody = errors.New("nobody has reported yet")

// reported closes a chunk to reports, waits for those that were taken and are on their way into the store, and reads them all.
func (c *closer) reported(ctx context.Context, g *gathering, f *Fleet, epoch uint64, s span) ([]store.Report, error) {
	g.close(s.index)
	wait, cancel := context.WithTimeout(ctx, settleWithin)
	defer cancel()
	for waiting := g.underWay(s.index); len(waiting) > 0; waiting = g.underWay(s.index) {
		for _, id := range waiting {
			g.stored(id, c.through(id), c.clock(), askPause)
		}
		if sleep(wait, 10*time.Millisecond) != nil {
			break
		}
	}
	return c.store.ChunkReports(ctx, f.ID, epoch, s.index)
}

// commit closes a chunk on the reports that are there.
func (c *closer) commit(f *Fleet, epoch uint64, s span, reports []store.Report) (*store.Chunk, error) {
	row := &store.Chunk{Fleet: f.ID, Epoch: epoch, Index: s.index, State: store.Closed, Closed: c.clock(), Enrolled: uint32(len(s.members))}
	members := make([]datahub.Member, len(s.members))
	for i, m := range s.members {
		members[i] = datahub.Member{Slot: m.Slot, Key: m.key, Secret: m.secret}
	}
	in, err := toReports(s, reports)
	if err != nil {
		return nil, err
	}
	if len(in) == 0 {
		row.State, row.Error = store.Missed, fmt.Sprintf("none of %d devices reported", len(members))
		return row, nil
	}
	schema, err := record.Lookup(f.Schema)
	if err != nil {
		return nil, err
	}
	place := commit.ChunkPlace{Ledger: c.genesis.ID(), SRS: c.srs.Digest(), Fleet: f.ID, Chunk: s.index, Size: f.ChunkSize, Epoch: epoch}
	closed, err := datahub.CloseChunk(c.srs, schema, place, members, in)
	if err != nil {
		// Whatever is wrong with every single report does not get better.
		row.State, row.Error = store.Missed, err.Error()
		return row, nil
	}
	row.Anchor = ledger.Encode(closed.Anchor())
	row.Attestations = ledger.JoinAttestations(closed.Attestations)
	row.Attested = uint32(closed.Checked.Attested)
	row.Opening = marshalOpening(&closed.Chunk)
	row.Absent, err = json.Marshal(closed.Absent)
	return row, err
}

// toReports reads what is stored of those who are enrolled.
func toReports(s span, reports []store.Report) ([]datahub.Report, error) {
	enrolled := map[commit.DeviceID]uint32{}
	for _, m := range s.members {
		enrolled[m.ID] = m.Slot
	}
	var out []datahub.Report
	for _, r := range reports {
		slot, ok := enrolled[r.Device]
		if !ok || slot != r.Slot || r.Shredded {
			continue
		}
		rec, err := parseRecord(r.Record)
		if err != nil {
			return nil, fmt.Errorf("report of device %s: %w", r.Device, err)
		}
		out = append(out, datahub.Report{Slot: r.Slot, Record: rec, Attestation: r.Attestation})
	}
	return out, nil
}

const (
	anchorPause    = 500 * time.Millisecond
	anchorPauseMax = 15 * time.Second
)

// anchorTries is how often a chunk is tried until it makes room for others. The epoch's closing comes back to it.
const anchorTries = 4

// anchor puts a chunk on the ledger. It is given up when the ledger takes no more anchors for the epoch, or has another one for the chunk: whatever else
// the ledger says may be otherwise a little later.
func (c *closer) anchor(ctx context.Context, log *slog.Logger, f *Fleet, row *store.Chunk) error {
	ctx, tracing := c.tracer.Start(ctx, "anchor chunk", trace.WithAttributes(attribute.Int("chunk", int(row.Index)), attribute.Int("attested", int(row.Attested))))
	defer tracing.End()
	args, err := ledger.DecodeRecord[ledger.AnchorChunk]("anchor", row.Anchor)
	if err != nil {
		return err
	}
	attestations, err := ledger.SplitAttestations(row.Attestations)
	if err != nil {
		return err
	}
	deadline := c.genesis.SettledAfter(row.Epoch)
	for pause, tried := anchorPause, 1; ; pause, tried = min(2*pause, anchorPauseMax), tried+1 {
		receipt, err := c.devices.book.Anchor(ctx, *args, attestations)
		if err == nil {
			row.State, row.TxID, row.Height, row.Error = store.Anchored, receipt.TxID, receipt.Height, ""
			return c.store.PutChunk(ctx, *row)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		there, known := c.anchored(ctx, f, row, args)
		switch {
		case known && there != nil:
			row.State, row.TxID, row.Error = there.state, there.txID, there.reason
			return c.store.PutChunk(ctx, *row)
		case known && c.clock().After(deadline):
			row.State, row.Error = store.Missed, err.Error()
			log.Error("a chunk was not anchored", "chunk", row.Index, "error", err)
			return c.store.PutChunk(ctx, *row)
		}
		c.metrics.anchorRetries.Inc()
		if tried == anchorTries {
			return err
		}
		if ledger.CodeOf(err) != ledger.Expired { // the regulator opens the next epoch in its first moments
			log.Warn("anchoring a chunk: will try again", "chunk", row.Index, "pause", pause, "error", err)
		}
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

type onLedger struct {
	state        store.ChunkState
	txID, reason string
}

// anchored looks whether the ledger has an anchor for the chunk's epoch, ours or another. The last result is false if it cannot be asked.
func (c *closer) anchored(ctx context.Context, f *Fleet, row *store.Chunk, args *ledger.AnchorChunk) (*onLedger, bool) {
	anchors, err := c.devices.book.Anchors(ctx, f.ID, row.Epoch)
	if err != nil {
		return nil, false
	}
	i := slices.IndexFunc(anchors, func(a ledger.AnchorEntry) bool { return a.Chunk == row.Index })
	if i < 0 {
		return nil, true
	}
	a := &anchors[i].Anchor
	if bytes.Equal(a.Commitment, args.Commitment) && a.Root == args.Root {
		return &onLedger{state: store.Anchored, txID: a.TxID}, true
	}
	return &onLedger{state: store.Missed, txID: a.TxID, reason: "another node anchored other content for this chunk and epoch"}, true
}

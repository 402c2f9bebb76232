package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// answerer proves what was approved about the node's fleets. What it has to do stands on the ledger, so it keeps nothing.
type answerer struct {
	owner  *datahub.Owner
	fleets []Fleet
	store  openings
	log    *slog.Logger
	gaveUp map[commit.Digest]bool // requests that cannot be proven by this node
}

type openings interface {
	Chunk(ctx context.Context, fleet string, epoch uint64, index uint32) (store.Chunk, error)
}

const answerRetry = 15 * time.Second

// run looks for approved requests whenever the ledger has something new.
func (a *answerer) run(ctx context.Context) error {
	news := make(chan struct{}, 1)
	go a.watch(ctx, news)
	for {
		a.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-news:
		case <-time.After(answerRetry):
		}
	}
}

// watch tells of decisions and anchors.
func (a *answerer) watch(ctx context.Context, news chan<- struct{}) {
	for ctx.Err() == nil {
		head, err := a.owner.Book.Head(ctx)
		if err == nil {
			for event, err := range a.owner.Book.Events(ctx, head.Height+1, 0) {
				if err != nil {
					break
				}
				if event.Name != ledger.EventDecided && event.Name != ledger.EventSettled {
					continue
				}
				select {
				case news <- struct{}{}:
				default:
				}
			}
		}
		if sleep(ctx, answerRetry) != nil {
			return
		}
	}
}

// round answers every approved request that can be answered now.
func (a *answerer) round(ctx context.Context) {
	requests, err := a.owner.Book.Requests(ctx)
	if err != nil {
		if ctx.Err() == nil {
			a.log.Warn("reading requests: will try again", "error", err)
		}
		return
	}
	for _, r := range requests {
		s, err := statement.Parse(r.Request.Statement)
		if err != nil || r.Status != ledger.StatusApproved || !a.ours(s.Fleet) || a.gaveUp[r.ID] {
			continue
		}
		if err := a.answer(ctx, r.ID, s); err != nil && ctx.Err() == nil {
			a.log.Warn("answering a request: will try again", "request", r.ID, "fleet", s.Fleet, "epoch", s.Epoch, "error", err)
		}
	}
}

func (a *answerer) ours(fleet string) bool {
	for i := range a.fleets {
		if a.fleets[i].ID == fleet {
			return true
		}
	}
	return false
}

// answer proves one request and submits the proof.
func (a *answerer) answer(ctx context.Context, id commit.Digest, s *statement.Statement) error {
	facts, err := a.owner.Book.Facts(ctx, s.Fleet, s.Epoch)
	if err != nil || !facts.Final {
		return err // it is looked at again
	}
	began := time.Now()
	bundle, err := a.owner.Prove(ctx, id, a.source(s), nil)
	if errors.Is(err, errShredded) {
		a.gaveUp[id] = true
		a.log.Error("a request cannot be answered", "request", id, "fleet", s.Fleet, "epoch", s.Epoch, "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	verdict, receipt, err := a.owner.Book.SubmitProof(ctx, id, bundle)
	if err != nil {
		return err
	}
	a.log.Info("request answered", "request", id, "fleet", s.Fleet, "epoch", s.Epoch, "holds", verdict.Holds, "tx", receipt.TxID, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

var errShredded = errors.New("the records of the epoch were shredded")

// source gives the prover what the anchors commit to.
func (a *answerer) source(s *statement.Statement) zk.Source {
	return func(ctx context.Context, f *verify.ChunkFacts) (*zk.Chunk, error) {
		row, err := a.store.Chunk(ctx, s.Fleet, s.Epoch, f.Index)
		if err != nil {
			return nil, fmt.Errorf("opening of chunk %d: %w", f.Index, err)
		}
		if row.Shredded {
			return nil, errShredded
		}
		return parseOpening(row.Opening, f.Index, f.Size)
	}
}

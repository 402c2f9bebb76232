package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// Approval says who approves what the contract allows.
type Approval string

const (
	// ByPolicy leaves to a person what a policy leaves to one, and approves the rest.
	ByPolicy Approval = "policy"
	// ByPerson leaves everything to a person.
	ByPerson Approval = "person"
)

// ErrGone says that what an anchor commits to was destroyed and will not come back. A request about it fails.
var ErrGone = errors.New("the records of the epoch were destroyed")

// Openings gives what a chunk's anchor commits to.
type Openings func(ctx context.Context, fleet string, epoch uint64, f *verify.ChunkFacts) (*zk.Chunk, error)

// Options of a Desk.
type Options struct {
	// Owner proves, and has access to the ledger in the owner's name.
	Owner *datahub.Owner
	// Fleets are those that this desk answers for.
	Fleets   []string
	Openings Openings
	// Approve is ByPolicy if it is empty.
	Approve Approval
	// AtOnce is how many requests are proven at a time. Default 1: a proof takes all the processors there are.
	AtOnce int
	// Retry is how soon something is tried again that failed, or is not due yet. Default 15 s.
	Retry time.Duration
	// Logger is told of every decision and answer; nil discards. No log line has a value of a record, a total or a count.
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

const (
	defaultRetry = 15 * time.Second
	maxPause     = time.Hour
	// lookAgain is how often a request that waits for a person is held against the contract again: its grant may have ended.
	lookAgain = time.Minute
	maxAtOnce = 64
	// maxSeconds is what a time.Duration can hold, and longer than anybody waits.
	maxSeconds = math.MaxInt64 / int64(time.Second)
)

// Desk answers requests. It is safe for concurrent use.
type Desk struct {
	Options
	book    ledger.Book
	metrics *metrics
	// wake has something when a task may be due.
	wake chan struct{}

	mu    sync.Mutex
	tasks map[commit.Digest]*task
	// answering is how many are being answered. turns count them, and turn says when each requester had its last.
	answering int
	turns     uint64
	turn      map[string]uint64
	// came counts the requests.
	came uint64

	progress progress
}

// New makes a desk, which does nothing before Run.
func New(o Options) (*Desk, error) {
	if o.Owner == nil || o.Openings == nil || len(o.Fleets) == 0 {
		return nil, errors.New("desk: owner, openings and fleets must be given")
	}
	if o.Approve == "" {
		o.Approve = ByPolicy
	}
	if o.Approve != ByPolicy && o.Approve != ByPerson {
		return nil, fmt.Errorf("desk: approve is %q, must be %q or %q", string(o.Approve), ByPolicy, ByPerson)
	}
	if o.AtOnce == 0 {
		o.AtOnce = 1
	}
	if o.AtOnce < 1 || o.AtOnce > maxAtOnce {
		return nil, fmt.Errorf("desk: %d requests at once, must be 1 to %d", o.AtOnce, maxAtOnce)
	}
	if o.Retry <= 0 {
		o.Retry = defaultRetry
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{
		Options: o, book: o.Owner.Book, metrics: newMetrics(o.Metrics), wake: make(chan struct{}, 1), tasks: map[commit.Digest]*task{}, turn: map[string]uint64{},
	}, nil
}

// Run answers until the context ends. It returns when nothing is under way any more.
func (d *Desk) Run(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { d.follow(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-d.wake:
		case <-timer.C:
		}
		for _, t := range d.due(time.Now()) { // one of each requester, so that none waits for all of another's
			d.step(ctx, &work, t)
		}
		timer.Reset(d.pause(time.Now()))
	}
	work.Wait()
	return nil
}

// step takes a request one step further.
func (d *Desk) step(ctx context.Context, work *sync.WaitGroup, t *task) {
	entry, err := d.book.RequestEntry(ctx, t.id)
	if err != nil {
		d.setBack(ctx, t, err)
		return
	}
	switch {
	case !slices.Contains(d.Fleets, entry.Request.Fleet):
		d.forget(t)
	case entry.Status == ledger.StatusOpen:
		d.decide(ctx, t, &entry)
	case entry.Status.Approved():
		d.take(ctx, work, t, &entry)
	default:
		d.forget(t)
	}
}

// take begins to answer if there is room.
func (d *Desk) take(ctx context.Context, work *sync.WaitGroup, t *task, entry *ledger.RequestEntry) {
	t.epoch = place{entry.Request.Fleet, entry.Request.Epoch}
	allowed, err := d.stillAllowed(ctx, t, entry)
	if err != nil {
		d.setBack(ctx, t, err)
		return
	}
	if !allowed || !d.occupy(t) {
		return
	}
	work.Go(func() {
		defer d.release(t)
		if err := d.attempt(ctx, t, entry); err != nil {
			d.setBack(ctx, t, err)
		}
	})
}

// attempt is an answer in the time that the request has: behind that nothing is taken for it, and others wait for the room.
func (d *Desk) attempt(ctx context.Context, t *task, entry *ledger.RequestEntry) error {
	now, err := d.book.Epoch(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(min(entry.Request.Expiry-now.Now, maxSeconds))*time.Second)
	defer cancel()
	return d.answer(ctx, t, entry)
}

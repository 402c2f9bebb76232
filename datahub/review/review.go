package review

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Cursor keeps the position among the ledger's events. ledger.FileCursor is one.
type Cursor interface {
	Load() (ledger.Cursor, error)
	// Save is durable when it returns.
	Save(ledger.Cursor) error
}

// Options of a Reviewer.
type Options struct {
	// Exporter collects, and signs what is kept. Its Blocks must be made with the genesis that this organisation agreed to.
	Exporter *evidence.Exporter
	Cursor   Cursor
	// Dir is where evidence of disagreements is kept; "" keeps none.
	Dir string
	// Silent raises no alerts. Who is not a regulator cannot anyway.
	Silent bool
	// Retry is how soon something is tried again that failed. Default 5 s.
	Retry time.Duration
	// Attempts is how often a request is read, of a ledger that answers, until that it cannot be read is a disagreement. Default 8.
	Attempts int
	Logger   *slog.Logger
	Metrics  prometheus.Registerer
}

const (
	defaultRetry    = 5 * time.Second
	defaultAttempts = 8
	maxPause        = time.Minute
	// saveEvery is after how many events that are no business of a reviewer the position is kept.
	saveEvery = 256
)

// Reviewer follows the ledger.
type Reviewer struct {
	Options
	book    ledger.Book
	metrics *metrics
}

// New makes a reviewer, which does nothing before Run.
func New(o Options) (*Reviewer, error) {
	if o.Exporter == nil || o.Exporter.Blocks == nil || o.Exporter.Key == nil || o.Cursor == nil {
		return nil, errors.New("review: exporter with blocks and key, and cursor must be given")
	}
	if o.Retry <= 0 {
		o.Retry = defaultRetry
	}
	if o.Attempts <= 0 {
		o.Attempts = defaultAttempts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Reviewer{Options: o, book: o.Exporter.Book, metrics: newMetrics(o.Metrics)}, nil
}

// Run reviews until the context ends.
func (r *Reviewer) Run(ctx context.Context) error {
	ledger.KeepFollowing(ctx, r.Retry, r.follow, func(err error) { r.Logger.Warn("following the ledger: will try again", "error", err) })
	return nil
}

// follow goes on behind the kept position.
func (r *Reviewer) follow(ctx context.Context) error {
	after, err := r.Cursor.Load()
	if err != nil {
		return err
	}
	passed := 0
	return ledger.Follow(ctx, r.book, after, func(e ledger.Event, behind ledger.Cursor) error {
		if about, ok := reviewed(e); ok {
			if err := r.event(ctx, about, e); err != nil {
				return err
			}
		} else if passed++; passed%saveEvery != 0 {
			return nil
		}
		r.metrics.height.Set(float64(e.Height))
		return r.Cursor.Save(behind)
	})
}

// subject is a request or a query.
type subject struct {
	Request, Query commit.Digest // one of them
}

// LogValue implements slog.LogValuer.
func (s subject) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s subject) String() string {
	if s.Query.IsZero() {
		return "request " + s.Request.String()
	}
	return "query " + s.Query.String()
}

// reviewed is what an event is a reason to look at: an approval, and a verdict; of a query the approval of a part, and of its sessions the beginning, the naming of the sum or the answer,
// and the end.
func reviewed(e ledger.Event) (subject, bool) {
	p := &e.Payload
	approved := p.Approved != nil && *p.Approved
	switch {
	case p.Request != nil && (e.Name == ledger.EventVerified || e.Name == ledger.EventDecided && approved):
		return subject{Request: *p.Request}, true
	case p.Query != nil && (e.Name == ledger.EventSessionBegun || e.Name == ledger.EventQueryAnswered && approved || e.Name == ledger.EventPosted && slices.Contains(decisive, p.Round)):
		return subject{Query: *p.Query}, true
	}
	return subject{}, false
}

// decisive are the rounds behind which something is told, or a session over.
var decisive = []ledger.Round{ledger.RoundActivate, ledger.RoundAnswer, ledger.RoundResult, ledger.RoundAbort}

// event reviews something until that is done, one way or the other. What an event tells and the request does not show yet is looked at again, like what cannot be read: an
// address may have several peers behind it, of which one has not caught up.
func (r *Reviewer) event(ctx context.Context, about subject, e ledger.Event) error {
	attempts := 0
	for pause := r.Retry; ; pause = min(2*pause, maxPause) {
		found, err := r.look(ctx, about)
		missing := ""
		if err == nil {
			if missing = untold(e, found); missing == "" {
				return r.settle(ctx, found)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !r.away(ctx) {
			attempts++
		}
		if attempts >= r.Attempts {
			if err != nil {
				found = &Found{subject: about}
				missing = fmt.Sprintf("what the ledger has of it cannot be read: %v", err)
			}
			if found.read() || len(found.Faults) == 0 {
				found.add("%s", missing)
			}
			return r.settle(ctx, found)
		}
		r.metrics.retries.Inc()
		r.Logger.Warn("a review failed: will try again", "of", about, "in", pause, "error", err, "missing", missing)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// away reports whether the ledger does not answer: the peer, or the contract beside it.
func (r *Reviewer) away(ctx context.Context) bool {
	if _, err := r.book.Head(ctx); err != nil {
		return true
	}
	_, err := r.book.Epoch(ctx)
	return err != nil
}

// look is Review, of which no panic ends the process: it would end with the same one when it is started again, and review nothing any more.
func (r *Reviewer) look(ctx context.Context, about subject) (f *Found, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.Logger.Error("a review panicked", "of", about, "panic", p, "stack", string(debug.Stack()))
			f, err = nil, fmt.Errorf("reviewing it panicked: %v", p)
		}
	}()
	if about.Query.IsZero() {
		return r.Review(ctx, about.Request)
	}
	return r.ReviewQuery(ctx, about.Query)
}

// untold is what an event tells of a request or a query and this does not show, or nothing.
func untold(e ledger.Event, f *Found) string {
	switch {
	case !f.read():
		return f.Faults[0]
	case f.Dossier != nil:
		return f.Dossier.untold(e)
	}
	entry := &f.Evidence.Request
	switch {
	case e.Name == ledger.EventVerified && (entry.Verdict == nil || entry.Verdict.TxID != e.TxID):
		return fmt.Sprintf("an event tells of a verdict in transaction %s, and the request is %s without it", e.TxID, f.Status)
	case e.Name == ledger.EventDecided && (entry.Decision == nil || entry.Decision.TxID != e.TxID || !entry.Decision.Approved):
		return fmt.Sprintf("an event tells of an approval in transaction %s, and the request is %s without it", e.TxID, f.Status)
	}
	return ""
}

// settle makes a disagreement known.
func (r *Reviewer) settle(ctx context.Context, f *Found) error {
	if len(f.Faults) == 0 {
		r.metrics.of(f.subject).WithLabelValues("agrees").Inc()
		r.Logger.Info("reviewed", "what", f.subject, "status", f.Status)
		return nil
	}
	r.metrics.of(f.subject).WithLabelValues("disagrees").Inc()
	r.Logger.Error("what was reviewed does not hold what the ledger says of it", "what", f.subject, "faults", f.Faults)
	return r.disagree(ctx, f)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Found is what came of a review.
type Found struct {
	subject
	// Status is the request's or the query's.
	Status string
	// Faults say what does not hold.
	Faults []string
	// Evidence of a request, or Dossier of a query, is what was looked at, if it could be read.
	Evidence *evidence.Evidence
	Dossier  *Dossier
}

func (f *Found) read() bool { return f.Evidence != nil || f.Dossier != nil }

func (f *Found) add(format string, args ...any) {
	f.Faults = append(f.Faults, fmt.Sprintf(format, args...))
}

// Review verifies what the ledger has of a request. An error means that it could not be read. Where the ledger does not have it, there is no evidence.
func (r *Reviewer) Review(ctx context.Context, id commit.Digest) (*Found, error) {
	f := &Found{subject: subject{Request: id}}
	e, err := r.Exporter.Collect(ctx, id)
	if ledger.CodeOf(err) == ledger.NotFound {
		f.add("the ledger told of it and does not have it: %v", err)
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	f.Evidence, f.Status = e, string(e.Request.Status)
	if e.Request.ID != id {
		f.add("the ledger gives request %s in its place", e.Request.ID)
	}
	report := evidence.Verify(e, evidence.Options{Blocks: r.Exporter.Blocks, Ledger: r.book.ID()})
	for _, l := range report.Faults() {
		f.add("%s: %s", l.Subject, l.Text)
	}
	if report.Verdict == nil || e.Grant == nil {
		return f, nil
	}
	reasons, err := r.sets(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, reason := range reasons {
		f.add("difference: %s", reason)
	}
	return f, nil
}

package workqueue

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Watch waits for what becomes of one job. It is for one goroutine.
type Watch struct {
	q    *Queue
	id   ID
	sub  *nats.Subscription
	live chan *nats.Msg
	next uint64 // the stream's sequence from which it has not been read
	made int64  // which stream that is: the queue's remade when it was begun
	// heard is what was looked at already, by the name that it came under.
	heard map[string]map[[32]byte]bool
	// stored are results that were read and not given out yet.
	stored []*Result
}

// What is looked at for one job is bounded by worker, so that one that says much silences itself alone.
const (
	maxHeard   = 32  // different messages of one worker
	maxSpeak   = 256 // workers
	liveBuffer = 256 // messages that wait to be looked at; what finds no room is found in the stream
)

// Watch begins to wait for a job, which may be submitted already, or done.
func (q *Queue) Watch(id ID) (*Watch, error) {
	w := &Watch{q: q, id: id, live: make(chan *nats.Msg, liveBuffer), next: 1, made: q.remade.Load(), heard: map[string]map[[32]byte]bool{}}
	var err error
	if w.sub, err = q.nc.ChanSubscribe(q.names.subject("result", id.String(), "*"), w.live); err != nil {
		return nil, fmt.Errorf("watching job %s: %w", id, err)
	}
	return w, nil
}

// Close ends the watch. It does not withdraw the job.
func (w *Watch) Close() { w.sub.Unsubscribe() } //nolint:errcheck // the connection is closed then

// Earlier returns the results that are stored already, such as those of a process that did not live to use them.
func (w *Watch) Earlier(ctx context.Context) ([]*Result, error) {
	err := w.read(ctx)
	out := w.stored
	w.stored = nil
	return out, err
}

// Next waits for the next result. It returns nil without an error if the attempt, which has been submitted, is not in the queue any
// more and nothing came of it: its worker took it and did not answer, or the broker lost it.
//
// Results come as they are published, and every Poll from the stream, so that none is missed while the connection is down. The
// same result is given out once. Whatever was not sealed for this job is logged, counted and left out.
func (w *Watch) Next(ctx context.Context, attempt uint8) (*Result, error) {
	tick := time.NewTicker(w.q.options.Poll)
	defer tick.Stop()
	for {
		if len(w.stored) > 0 {
			r := w.stored[0]
			w.stored = w.stored[1:]
			return r, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for job %s: %w", w.id, ctx.Err())
		case m := <-w.live:
			w.take(m.Subject, m.Data)
		case <-tick.C:
			lost, err := w.poll(ctx, attempt)
			if w.q.nc.IsClosed() {
				return nil, fmt.Errorf("waiting for job %s: %w", w.id, nats.ErrConnectionClosed)
			}
			if err != nil {
				w.q.options.Logger.Debug("work queue cannot be read now", "queue", w.q.options.Queue, "error", err)
			}
			if lost {
				return nil, nil
			}
		}
	}
}

// take keeps a message's result, if it is one that was not seen before.
func (w *Watch) take(subject string, data []byte) {
	tokens := w.q.names.tokens(subject)
	if len(tokens) != 3 || !w.listen(tokens[2], sha256.Sum256(data)) {
		return
	}
	r, err := w.q.codec.openResult(tokens, data)
	if err != nil {
		w.q.refused.Inc()
		w.q.options.Logger.Warn("result refused", "queue", w.q.options.Queue, "subject", printable(subject), "error", err)
		return
	}
	w.stored = append(w.stored, r)
}

// listen says whether a worker's message is new, and one of the first of that worker.
func (w *Watch) listen(worker string, digest [32]byte) bool {
	of := w.heard[worker]
	if of[digest] || len(of) >= maxHeard || of == nil && len(w.heard) >= maxSpeak {
		return false
	}
	if of == nil {
		of = map[[32]byte]bool{}
		w.heard[worker] = of
	}
	if of[digest] = true; len(of) == maxHeard {
		w.q.options.Logger.Error("worker answers one job without end; it is not listened to for this job any more", "queue", w.q.options.Queue, "job", w.id.String(), "worker", printable(worker))
	}
	return true
}

// poll looks whether the job is still queued, and then for results: a worker answers before it acknowledges, so a job that was
// gone before the results were read, and has none, is lost.
func (w *Watch) poll(ctx context.Context, attempt uint8) (lost bool, err error) {
	w.q.tend(ctx)
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	subject := w.q.names.subject("job", w.id.String(), fmt.Sprint(attempt))
	info, err := w.q.jobs.Info(call, jetstream.WithSubjectFilter(subject))
	missing := errors.Is(err, jetstream.ErrStreamNotFound)
	if err != nil && !missing {
		return false, err
	}
	if err := w.read(ctx); err != nil && !missing {
		return false, err
	}
	return (missing || info.State.Subjects[subject] == 0) && len(w.stored) == 0, nil
}

// read takes what the stream holds from where it was read last. The stream keeps one message of each worker, so that many reads pass
// all that it held at the start, however much is published meanwhile.
func (w *Watch) read(ctx context.Context) error {
	if made := w.q.remade.Load(); made != w.made {
		w.next, w.made = 1, made
	}
	for range maxSpeak {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		m, err := w.q.results.GetMsg(call, w.next, jetstream.WithGetMsgSubject(w.q.names.subject("result", w.id.String(), "*")))
		cancel()
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading results of job %s: %w", w.id, err)
		}
		w.next = m.Sequence + 1
		w.take(m.Subject, m.Data)
	}
	return nil
}

package workqueue

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Queue is the owner's side. It is safe for concurrent use.
type Queue struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	names   names
	codec   *codec
	options Options
	// run makes this process's message ids its own: what the broker remembers of an earlier one must not swallow a job.
	run string

	jobs, results, dead jetstream.Stream

	tending sync.Mutex
	tended  time.Time    // under tending
	remade  atomic.Int64 // how often streams were made again: what they number began anew then

	submitted, waited, refused prometheus.Counter
}

// Job is one piece of work.
type Job struct {
	ID ID
	// Attempt counts from 1. A job that failed is submitted again with the next.
	Attempt uint8
	Payload []byte
}

// Open makes the queue on the broker, or brings it up to date, and returns the owner's side of it. The connection stays its
// caller's.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Queue, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	c, err := newCodec(o.Queue, o.Key)
	if err != nil {
		return nil, fmt.Errorf("work queue %s: %w", o.Queue, err)
	}
	if err := checkBroker(nc); err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("work queue %s: %w", o.Queue, err)
	}
	var run [8]byte
	rand.Read(run[:]) //nolint:errcheck // crypto/rand.Read never fails: it ends the process instead
	q := &Queue{
		nc: nc, js: js, names: names{o.Queue}, codec: c, options: o, run: hex.EncodeToString(run[:]),
		submitted: counter(o.Metrics, "submitted_total", "Jobs put into the work queue."),
		waited:    counter(o.Metrics, "full_waits_total", "Times that a job waited because the work queue was full."),
		refused:   counter(o.Metrics, "results_refused_total", "Results that were not sealed for this queue and job."),
	}
	if err := q.ensure(ctx); err != nil {
		return nil, fmt.Errorf("work queue %s: %w", o.Queue, err)
	}
	return q, nil
}

// counter is registered once for each registerer: several queues of one process count together.
func counter(r prometheus.Registerer, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_workqueue_" + name, Help: help})
	if r == nil {
		return c
	}
	var already prometheus.AlreadyRegisteredError
	if err := r.Register(c); errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(prometheus.Counter); ok {
			return existing
		}
	}
	return c
}

// ensure makes streams and consumer, or brings them up to date, and keeps hold of them.
func (q *Queue) ensure(ctx context.Context) error {
	made, err := ensure(ctx, q.js, q.names, q.options)
	if err == nil {
		q.jobs, q.results, q.dead = made[0], made[1], made[2]
	}
	return err
}

// ID names a job by what it is about. The broker learns nothing from it; the same words give the same id for ever.
func (q *Queue) ID(about ...[]byte) ID { return q.codec.name(about) }

// Submit puts a job into the queue and returns when the broker has it. While the queue is full, or the broker away, it
// waits, for as long as the context lasts.
func (q *Queue) Submit(ctx context.Context, j Job) error {
	if len(j.Payload) == 0 || len(j.Payload) > MaxPayload {
		return fmt.Errorf("job %s: payload has %d bytes, must have 1 to %d", j.ID, len(j.Payload), MaxPayload)
	}
	if j.Attempt == 0 {
		return fmt.Errorf("job %s: attempts count from 1", j.ID)
	}
	attempt := strconv.Itoa(int(j.Attempt))
	m := &nats.Msg{
		Subject: q.names.subject("job", j.ID.String(), attempt),
		Data:    q.codec.seal(toWorker, j.ID, attempt, j.Payload),
	}
	for pause := newPause(); ; {
		err := publish(ctx, q.js, m, j.ID.String()+"/"+attempt+"/"+q.run)
		if err == nil {
			q.submitted.Inc()
			return nil
		}
		if isStoreError(err, "maximum messages per subject exceeded") {
			return nil // it is queued already
		}
		if ctx.Err() == nil {
			err = q.overcome(ctx, err, pause)
		}
		if err == nil {
			err = pause.wait(ctx)
		}
		if err != nil {
			return fmt.Errorf("submitting job %s: %w", j.ID, err)
		}
	}
}

// overcome says whether trying again can help, and does what it takes.
func (q *Queue) overcome(ctx context.Context, err error, p *pause) error {
	log := q.options.Logger.With("queue", q.options.Queue, "error", err)
	switch {
	case q.nc.IsClosed(), errors.Is(err, nats.ErrMaxPayload), isStoreError(err, "message size exceeds maximum allowed"), isStoreError(err, "message too large"):
		return err
	case isStoreError(err, "maximum messages exceeded"), isStoreError(err, "maximum bytes exceeded"):
		q.waited.Inc()
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		// The broker answers and has no such stream: it came back without its store, or is still opening it.
		_, err := ensure(ctx, q.js, q.names, q.options)
		if err == nil {
			q.remade.Add(1)
		} else if p.first() {
			log.Warn("work queue cannot be made again", "because", err)
		}
	case p.first():
		log.Warn("broker does not take a job; trying on")
	}
	return nil
}

// Withdraw takes a job's attempts out of the queue. A worker that has begun one is not stopped, and results stay for as long as
// Keep says, so that whoever wants the same again has them.
func (q *Queue) Withdraw(ctx context.Context, id ID) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := q.jobs.Purge(ctx, jetstream.WithPurgeSubject(q.names.subject("job", id.String(), "*"))); err != nil && !isGone(err) {
		return fmt.Errorf("withdrawing job %s: %w", id, err)
	}
	return nil
}

// Depth is what a queue holds.
type Depth struct {
	// Jobs are those in the queue, Working how many of them are at a worker or were, and wait to be delivered again; Dead are
	// the dead letters.
	Jobs, Working, Dead uint64
}

// Depth asks the broker what the queue holds.
func (q *Queue) Depth(ctx context.Context) (Depth, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	jobs, err := q.jobs.Info(ctx)
	if err != nil {
		return Depth{}, fmt.Errorf("work queue %s: %w", q.options.Queue, err)
	}
	consumer, err := q.jobs.Consumer(ctx, consumerName)
	if err != nil {
		return Depth{}, fmt.Errorf("work queue %s: %w", q.options.Queue, err)
	}
	dead, err := q.dead.Info(ctx)
	if err != nil {
		return Depth{}, fmt.Errorf("work queue %s: %w", q.options.Queue, err)
	}
	return Depth{jobs.State.Msgs, uint64(consumer.CachedInfo().NumAckPending), dead.State.Msgs}, nil
}

const callTimeout = 5 * time.Second

// publish sends one message and waits until it is stored.
func publish(ctx context.Context, js jetstream.JetStream, m *nats.Msg, id string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := js.PublishMsg(ctx, m, jetstream.WithMsgID(id), jetstream.WithRetryAttempts(1))
	return err
}

// isStoreError recognises why a stream did not take a message, for which the broker has words but no codes.
func isStoreError(err error, reason string) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && strings.Contains(api.Description, reason)
}

// pause waits longer each time, from 50 ms to 2 s.
type pause struct {
	next   time.Duration
	warned bool
}

func newPause() *pause { return &pause{next: 50 * time.Millisecond} }

// first says once that something goes wrong.
func (p *pause) first() bool {
	was := p.warned
	p.warned = true
	return !was
}

func (p *pause) wait(ctx context.Context) error {
	timer := time.NewTimer(p.next)
	defer timer.Stop()
	p.next = min(2*p.next, 2*time.Second)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

package workqueue

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// tend makes streams and consumer again when one of them is gone, such as deleted by an operator. Of all who wait for jobs one looks,
// about every Poll.
func (q *Queue) tend(ctx context.Context) {
	if !q.tending.TryLock() {
		return
	}
	defer q.tending.Unlock()
	if time.Since(q.tended) < q.options.Poll/2 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := q.whole(ctx)
	q.tended = time.Now()
	log := q.options.Logger.With("queue", q.options.Queue)
	if !isGone(err) {
		if err != nil {
			log.Debug("work queue cannot be looked at now", "error", err)
		}
		return
	}
	if _, again := ensure(ctx, q.js, q.names, q.options); again != nil {
		log.Warn("a part of the work queue is gone and cannot be made again; trying on", "error", err, "because", again)
		return
	}
	q.remade.Add(1)
	log.Warn("a part of the work queue was gone and is made again; jobs that were in it are tried again", "error", err)
}

// whole says whether everything is there that ensure makes.
func (q *Queue) whole(ctx context.Context) error {
	for _, s := range []jetstream.Stream{q.jobs, q.results, q.dead} {
		if _, err := s.Info(ctx); err != nil {
			return err
		}
	}
	_, err := q.jobs.Consumer(ctx, consumerName)
	return err
}

func isGone(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound)
}

package workqueue

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Consumer is a worker's side. It is safe for concurrent use: each goroutine that works calls Next.
type Consumer struct {
	js         jetstream.JetStream
	nc         *nats.Conn
	consumer   jetstream.Consumer
	names      names
	codec      *codec
	worker     string
	options    Options
	maxDeliver uint64
	ackWait    time.Duration

	taken, dead prometheus.Counter
}

// Join looks up a queue that its owner opened, as the worker of that name.
func Join(ctx context.Context, nc *nats.Conn, worker string, o Options) (*Consumer, error) {
	o, err := o.withDefaults()
	if err == nil {
		err = CheckWorker(worker)
	}
	if err != nil {
		return nil, err
	}
	c := &Consumer{nc: nc, names: names{o.Queue}, worker: worker, options: o}
	if c.codec, err = newCodec(o.Queue, o.Key); err != nil {
		return nil, fmt.Errorf("work queue %s: %w", o.Queue, err)
	}
	if err := checkBroker(nc); err != nil {
		return nil, err
	}
	if c.js, err = jetstream.New(nc); err != nil {
		return nil, fmt.Errorf("work queue %s: %w", o.Queue, err)
	}
	if c.consumer, err = c.js.Consumer(ctx, c.names.jobs(), consumerName); err != nil {
		return nil, fmt.Errorf("work queue %s: %w", o.Queue, err)
	}
	config := c.consumer.CachedInfo().Config
	if c.maxDeliver, err = strconv.ParseUint(config.Metadata[maxDeliverKey], 10, 8); err != nil || c.maxDeliver == 0 {
		return nil, fmt.Errorf("work queue %s: consumer %s was not made by an owner's node", o.Queue, consumerName)
	}
	if c.ackWait = config.AckWait; !usable(c.ackWait) {
		return nil, fmt.Errorf("work queue %s: consumer %s has an ack wait of %s, must be 500 ms to 1 h", o.Queue, consumerName, c.ackWait)
	}
	c.taken = counter(o.Metrics, "taken_total", "Jobs taken from the work queue.")
	c.dead = counter(o.Metrics, "dead_total", "Jobs moved to the dead letters.")
	return c, nil
}

// fetchWait is how long one request for a job lasts: a request that a broker lost when it went away is made again after it. From 10 s on
// the broker would send heartbeats, and there is one answer for a request ([Exports]).
const fetchWait = 5 * time.Second

// Next waits for a job, through restarts of the broker. When the context ends it returns the context's error at once, and
// the broker gives this worker no more; a job that was under way at that very moment goes to another after the ack wait.
func (c *Consumer) Next(ctx context.Context) (*Delivery, error) {
	for pause := newPause(); ; {
		m, err := c.fetch(ctx)
		switch {
		case ctx.Err() != nil:
			if m != nil {
				m.Nak() //nolint:errcheck // the broker gives it to another after the ack wait anyway
			}
			return nil, ctx.Err()
		case c.nc.IsClosed():
			return nil, fmt.Errorf("work queue %s: %w", c.options.Queue, nats.ErrConnectionClosed)
		case err != nil:
			if pause.first() {
				c.options.Logger.Warn("broker gives no job; trying on", "queue", c.options.Queue, "error", err)
			}
			if err := pause.wait(ctx); err != nil {
				return nil, err
			}
		case m != nil:
			if d := c.deliver(ctx, m); d != nil {
				return d, nil
			}
		default:
			pause = newPause()
		}
	}
}

// fetch asks for one message. Both results are nil if there is none for a while.
func (c *Consumer) fetch(ctx context.Context) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchWait)
	defer cancel()
	batch, err := c.consumer.Fetch(1, jetstream.FetchContext(ctx))
	if err != nil {
		return nil, err
	}
	if m := <-batch.Messages(); m != nil {
		return m, nil
	}
	if ctx.Err() != nil {
		return nil, nil
	}
	return nil, batch.Error()
}

// deliver opens a message and keeps it from being given to another. It returns nil if the message went to the dead letters.
func (c *Consumer) deliver(ctx context.Context, m jetstream.Msg) *Delivery {
	d := &Delivery{c: c, m: m}
	d.hold()
	info, err := m.Metadata()
	if err != nil {
		d.release()
		return nil
	}
	d.Delivered = info.NumDelivered
	job, err := c.codec.openJob(c.names.tokens(m.Subject()), m.Data())
	switch {
	case err != nil:
		d.bury(ctx, err.Error())
		return nil
	case info.NumDelivered > c.maxDeliver:
		d.Job = job
		d.bury(ctx, fmt.Sprintf("delivered %d times, and no worker finished it", c.maxDeliver))
		return nil
	}
	d.Job = job
	c.taken.Inc()
	return d
}

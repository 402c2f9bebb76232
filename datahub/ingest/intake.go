package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/zk/commit"
)

// batch is what is committed together.
type batch struct {
	items []*item
	bytes int
	began time.Time
	span  trace.Span
	ctx   context.Context // carries the span
	// done is closed when the batch has been dealt with; nil if nobody waits for it.
	done chan struct{}
	// surely has each frame's acknowledgement confirmed by the broker.
	surely bool

	rows     store.Batch
	epoch    uint64
	readings int
	devices  map[commit.DeviceID]*touched
	hellos   []*item
	deletes  []string // quarantined rows that were tried again, until they are deleted
	// committed is set before done is closed.
	committed bool
}

// item is one message of a device on its way through the pipeline.
type item struct {
	message jetstream.Msg // nil for a replay
	replay  *store.Quarantined
	id      commit.DeviceID
	word    string
	data    []byte
	suspect int // of caution
	gapFrom uint64

	contents
}

// intake takes messages from the broker and makes batches, until the context ends.
func (p *Pipeline) intake(ctx context.Context, out chan<- *batch) {
	for ctx.Err() == nil {
		var consumer jetstream.Consumer
		var c caution
		ok := untilDone(ctx, &p.brokerHealth, func() (err error) {
			try, cancel := context.WithTimeout(ctx, 20*time.Second)
			defer cancel()
			consumer, c, err = p.takeOver(try)
			return err
		})
		if !ok {
			return
		}
		if c.stalls >= stallsAlone {
			p.o.Logger.Warn("ingest did not get past its first frame: frames are taken one at a time", "starts", c.stalls, "stream_sequence", c.first)
		}
		if err := p.pull(ctx, consumer, c, out); err != nil && ctx.Err() == nil {
			p.brokerHealth.failed(err)
			sleep(ctx, firstPause)
		}
	}
}

// pull feeds from one consumer, until that or the connection to the broker breaks.
func (p *Pipeline) pull(ctx context.Context, consumer jetstream.Consumer, c caution, out chan<- *batch) error {
	changed := p.o.Broker.Conn().StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer p.o.Broker.Conn().RemoveStatusListener(changed)
	messages, err := consumer.Messages(jetstream.PullMaxMessagesWithBytesLimit(maxPrefetch, maxPrefetchBytes), jetstream.PullExpiry(30*time.Second))
	if err != nil {
		return err
	}
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	in := make(chan jetstream.Msg, 256)
	broken := make(chan error, 1)
	go func() { broken <- forward(inner, messages, in) }()
	defer func() { cancel(); messages.Stop(); <-broken }()
	g := gatherer{p: p, caution: c, in: in, out: out}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			return errors.New("the connection to the broker was lost")
		case err := <-broken:
			broken <- nil
			return err
		case b := <-p.replays:
			if !g.emit(ctx, b) {
				return nil
			}
		case m := <-in:
			if err := g.gather(ctx, m); err != nil {
				return err
			}
		}
	}
}

func forward(ctx context.Context, messages jetstream.MessagesContext, in chan<- jetstream.Msg) error {
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		select {
		case in <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gatherer makes batches of messages.
type gatherer struct {
	p       *Pipeline
	caution caution
	in      <-chan jetstream.Msg
	out     chan<- *batch
}

// gather makes a batch that begins with a message. A batch that is neither full nor waited long enough takes more, and one that
// nobody is free to work on goes on taking more until it is full.
func (g *gatherer) gather(ctx context.Context, m jetstream.Msg) error {
	b := &batch{began: time.Now()}
	if g.add(b, m) {
		return g.alone(ctx, b)
	}
	timer := time.NewTimer(g.p.o.BatchWait)
	defer timer.Stop()
	var out chan<- *batch // nil until the time is up
	for len(b.items) < g.p.o.BatchFrames && b.bytes < g.p.o.BatchBytes {
		select {
		case <-ctx.Done():
			return nil
		case m := <-g.in:
			if g.add(b, m) {
				return g.alone(ctx, b)
			}
		case <-timer.C:
			if len(b.items) == 0 {
				return nil
			}
			out = g.out
		case out <- b:
			return nil
		}
	}
	g.emit(ctx, b)
	return nil
}

// alone hands over a batch and waits until it has been dealt with.
func (g *gatherer) alone(ctx context.Context, b *batch) error {
	b.done, b.surely = make(chan struct{}), true
	if !g.emit(ctx, b) {
		return nil
	}
	select {
	case <-b.done:
	case <-ctx.Done():
	}
	return nil
}

func (g *gatherer) emit(ctx context.Context, b *batch) bool {
	if len(b.items) == 0 {
		return true
	}
	select {
	case g.out <- b:
		return true
	case <-ctx.Done():
		return false
	}
}

// add puts a message into a batch, unless it is to be dropped. It says whether the batch must be closed and dealt with by
// itself.
func (g *gatherer) add(b *batch, m jetstream.Msg) (alone bool) {
	p := g.p
	id, word, ok := parseSubject(m.Subject())
	if !ok || word != wordUp && word != wordHello {
		p.metrics.dropped.WithLabelValues("subject").Inc()
		m.TermWithReason("not a subject of a device") //nolint:errcheck // it would come again
		return false
	}
	p.metrics.received.WithLabelValues(word).Inc()
	p.metrics.receivedBytes.Add(float64(len(m.Data())))
	if !p.admit(id, word, len(m.Data())) {
		m.Ack() //nolint:errcheck // it would come again
		return false
	}
	it := &item{message: m, id: id, word: word, data: m.Data()}
	b.items = append(b.items, it)
	b.bytes += len(it.data) + 512
	if g.caution.stalls < stallsAlone {
		return false
	}
	meta, err := m.Metadata()
	if err != nil {
		return false
	}
	if g.caution.suspect(meta.Sequence.Stream) {
		it.suspect = g.caution.stalls
	}
	return g.caution.alone(meta.Sequence.Stream)
}

// admit drops what a device sends beyond its rate, and has one disconnected that does not keep to it.
func (p *Pipeline) admit(id commit.DeviceID, word string, size int) bool {
	v := p.limits.judge(id, word, size, p.o.Now())
	if v.first {
		p.metrics.banned.Inc()
		p.notice("device disconnected: it floods", "device", id, "for", v.ban)
	}
	if v.ban > 0 {
		select {
		case p.bans <- banned{id, v.ban}:
		default: // a while later, if it is still there
		}
	}
	if v.dropped != "" {
		p.metrics.dropped.WithLabelValues(v.dropped).Inc()
	}
	return v.dropped == ""
}

// banned is a device that is to be disconnected.
type banned struct {
	id commit.DeviceID
	d  time.Duration
}

// banAll disconnects devices, beside the frames of others: a cluster takes a while to answer.
func (p *Pipeline) banAll(ctx context.Context) {
	for {
		select {
		case b := <-p.bans:
			if err := p.o.Broker.Ban(b.id, b.d); err != nil {
				p.notice("device not disconnected", "device", b.id, "error", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

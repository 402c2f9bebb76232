package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/time/rate"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// Options of a Pipeline. Ledger, Broker, Registry, Sink, Store and EpochAt must be set.
type Options struct {
	// Ledger is the consortium's id, which every signature covers.
	Ledger   commit.Digest
	Broker   *Broker
	Registry Registry
	Sink     Sink
	Store    Store
	// EpochAt numbers the epoch of a time. Frames carry the epoch in which they are taken, by this node's clock; it never goes
	// back while the pipeline runs, whatever the clock does.
	EpochAt func(time.Time) (uint64, error)
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Decoders read payloads by kind. They are added to those that the package has, or take their place.
	Decoders map[frame.Kind]Decoder

	// BatchFrames and BatchBytes bound a batch, which is one transaction of the store. BatchWait is how long a batch that is not full waits
	// for more. Default 1,024 frames, 2 MiB, 20 ms.
	BatchFrames, BatchBytes int
	BatchWait               time.Duration
	// MaxFuture and MaxPast bound what a device's clock may say, of a frame and of each reading. Default 5 minutes and 30 days.
	MaxFuture, MaxPast time.Duration
	// DeviceRate is how many frames a device may send in a second, over time; DeviceBurst how many at once. In bytes it may send 4 KiB a
	// second for each of those frames, and 20 MiB a day; at once as many frames of the largest size as the backlog takes of it.
	// What it sends beyond that is dropped without an acknowledgement. A device without a seat may send one frame a second. Default
	// 50 and 512.
	DeviceRate  float64
	DeviceBurst int
	// BanAfter is how much of a device may be dropped in this way within a minute, in messages and parts of 4 KiB beyond the first, before it
	// is disconnected and refused for BanFor, unless it had half as much accepted. BanFor doubles with each ban that follows within an
	// hour, up to 16 times. Default 1,000 and 1 minute.
	BanAfter int
	BanFor   time.Duration
	// ReplayEvery is how often the quarantine is searched for frames that an operator marked. Default 10 s.
	ReplayEvery time.Duration
	// DrainWithin bounds how long Run goes on, once its context ended, to store what it has taken. Default 10 s.
	DrainWithin time.Duration

	Logger  *slog.Logger          // nil discards
	Metrics prometheus.Registerer // nil has none
	Tracer  trace.TracerProvider  // nil has none
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Ledger.IsZero():
		return o, errors.New("ingest: no ledger id")
	case o.Broker == nil || o.Registry == nil || o.Sink == nil || o.Store == nil || o.EpochAt == nil:
		return o, errors.New("ingest: broker, registry, sink, store and epochs must be set")
	}
	setDefault(&o.BatchFrames, 1024)
	setDefault(&o.BatchBytes, 2<<20)
	setDefault(&o.BatchWait, 20*time.Millisecond)
	setDefault(&o.MaxFuture, 5*time.Minute)
	setDefault(&o.MaxPast, 30*24*time.Hour)
	setDefault(&o.DeviceRate, 50)
	setDefault(&o.DeviceBurst, 512)
	setDefault(&o.BanAfter, 1000)
	setDefault(&o.BanFor, time.Minute)
	setDefault(&o.ReplayEvery, 10*time.Second)
	setDefault(&o.DrainWithin, 10*time.Second)
	o.Logger = orDiscard(o.Logger)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tracer == nil {
		o.Tracer = noop.NewTracerProvider()
	}
	decoders := defaultDecoders()
	maps.Copy(decoders, o.Decoders)
	o.Decoders = decoders
	return o, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Pipeline takes frames from a broker into a store. One pipeline uses a broker at a time.
type Pipeline struct {
	o       Options
	js      jetstream.JetStream
	metrics *pipelineMetrics
	tracer  trace.Tracer
	devices *devices
	limits  *limiter
	fence   *fence
	hellos  chan *item
	replays chan *batch
	bans    chan banned

	storeHealth, brokerHealth, sinkHealth, clockHealth condition
	notices                                            *rate.Limiter
}

// New prepares a pipeline. Run runs it.
func New(o Options) (*Pipeline, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(o.Broker.Conn())
	if err != nil {
		return nil, fmt.Errorf("ingest: JetStream: %w", err)
	}
	p := &Pipeline{
		o: o, js: js, tracer: o.Tracer.Tracer("github.com/assay-net/assay/datahub/ingest"),
		devices: newDevices(), limits: newLimiter(&o), fence: newFence(),
		hellos: make(chan *item, maxHellosWaiting), replays: make(chan *batch),
		bans: make(chan banned, maxBansWaiting),
	}
	p.notices = rate.NewLimiter(2, 20)
	p.metrics = newPipelineMetrics(o.Metrics)
	p.storeHealth.watch("the store", o.Logger, p.metrics.storeUp)
	p.brokerHealth.watch("the broker", o.Logger, p.metrics.brokerUp)
	p.sinkHealth.watch("what completes batches", o.Logger, p.metrics.sinkUp)
	p.clockHealth.watch("the node's clock", o.Logger, p.metrics.clockUp)
	return p, nil
}

// Run takes frames until the context ends, then stores what it has taken and returns. It does not return before that for
// anything that may pass: a store, a key store or a broker that is not there is waited for. It is called once.
func (p *Pipeline) Run(ctx context.Context) error {
	defer p.metrics.unregister()
	// What is under way is still committed after the context ended, within a bound.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(p.o.DrainWithin, cancel) })
	defer stop()

	taken, examined, settled := make(chan *batch), make(chan *batch), make(chan *batch)
	var wg sync.WaitGroup
	wg.Go(func() { defer close(taken); p.intake(ctx, taken) })
	wg.Go(func() { defer close(examined); p.examineAll(work, taken, examined) })
	wg.Go(func() { defer close(settled); p.settleAll(work, examined, settled) })
	wg.Go(func() { defer close(p.hellos); p.commitAll(work, settled) })
	wg.Go(func() { p.greetAll(work) })
	wg.Go(func() { p.replayMarked(ctx) })
	wg.Go(func() { p.watchLag(ctx) })
	wg.Go(func() { p.banAll(ctx) })
	wg.Go(func() { p.watchFloods(ctx) })
	wg.Wait()
	return nil
}

// Send publishes a message to a device as it is. Nobody knows whether it arrives: a device that is not connected misses it.
func (p *Pipeline) Send(id commit.DeviceID, down []byte) error {
	if err := p.o.Broker.Conn().Publish(subject(id, wordDown), down); err != nil {
		return fmt.Errorf("sending to device %s: %w", id, err)
	}
	return nil
}

// Tell seals a message for a device that has a seat, and sends it.
func (p *Pipeline) Tell(id commit.DeviceID, message frame.Message) error {
	known, ok := p.o.Registry.Lookup(id)
	if !ok {
		return fmt.Errorf("sending to device %s: it has no seat", id)
	}
	return p.tell(&known, message)
}

func (p *Pipeline) tell(known *Known, message frame.Message) error {
	plain, err := frame.MarshalDown(message)
	if err != nil {
		return fmt.Errorf("sending to device %s: %w", known.ID, err)
	}
	return p.Send(known.ID, frame.Seal(known.Transport, frame.Down, known.ID, plain))
}

// Through is how far a device's frames are stored, if the pipeline has met the device.
func (p *Pipeline) Through(id commit.DeviceID) (uint64, bool) { return p.devices.committed(id) }

// Settled waits until every frame that carries this epoch or an earlier one is in the store. It must not be called before
// the epoch has ended by the pipeline's clock: frames go on being taken into it until then.
func (p *Pipeline) Settled(ctx context.Context, epoch uint64) error { return p.fence.wait(ctx, epoch) }

// condition logs once when something stops working and once when it works again.
type condition struct {
	what  string
	log   *slog.Logger
	gauge prometheus.Gauge
	mu    sync.Mutex
	since time.Time // zero while it works
}

func (h *condition) watch(what string, log *slog.Logger, gauge prometheus.Gauge) {
	h.what, h.log, h.gauge = what, log, gauge
	gauge.Set(1)
}

func (h *condition) failed(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() {
		h.since = time.Now()
		h.gauge.Set(0)
		h.log.Warn("ingest waits: nothing is acknowledged", "for", h.what, "error", err)
	}
}

func (h *condition) worked() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.since.IsZero() {
		h.log.Info("ingest goes on", "after", h.what, "waited", time.Since(h.since).Round(time.Millisecond))
		h.since = time.Time{}
		h.gauge.Set(1)
	}
}

const (
	firstPause = 50 * time.Millisecond
	longPause  = 5 * time.Second
)

// untilDone tries until it works or the context ends, with pauses that grow to a bound.
func untilDone(ctx context.Context, h *condition, try func() error) bool {
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		err := try()
		if err == nil {
			h.worked()
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		h.failed(err)
		if !sleep(ctx, pause) {
			return false
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// notice logs what devices cause, within bounds: a device could fill the log otherwise. The counters are exact.
func (p *Pipeline) notice(message string, args ...any) {
	if p.notices.Allow() {
		p.o.Logger.Warn(message, args...)
	}
}

package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// Reasons for which a frame is put into the quarantine. Those for which a frame uses up its sequence, and is acknowledged, are clock, content,
// refused and poison; for the others it is not sure that the device sent it, or that it is what the device sent.
const (
	ReasonUnknown   = "unknown"   // the device has no seat
	ReasonOversize  = "oversize"  // more bytes than a frame may have
	ReasonEnvelope  = "envelope"  // does not open under the device's transport key
	ReasonMalformed = "malformed" // is not a frame, or not a hello
	ReasonDevice    = "device"    // names another device than the one that sent it
	ReasonSignature = "signature" // not signed by the device's key for this ledger
	ReasonConflict  = "conflict"  // another frame of this sequence is stored: two devices have one key
	ReasonClock     = "clock"     // made, or holding readings, at an impossible time
	ReasonContent   = "content"   // does not decode
	ReasonRefused   = "refused"   // the sink refused it
	ReasonPoison    = "poison"    // the process ended whenever it looked at it
	ReasonEarly     = "early"     // tried again from the quarantine, and frames before it are missing
	ReasonSequence  = "sequence"  // so far ahead that its device cannot have lost what is before it
)

// contents is what examination finds.
type contents struct {
	known       Known
	frame       *frame.Frame
	plain       []byte // the frame's encoding
	mark        uint64 // of plain
	decoded     *telemetry.Decoded
	report      *frame.Report
	accept      *frame.Accept
	hello       *frame.Hello
	certificate *commit.DeviceCertificate
	// reason is why it goes into the quarantine, empty if it does not.
	reason, detail string
}

func (c *contents) refuse(reason string, err error) {
	c.reason, c.detail = reason, err.Error()
}

// examineAll opens, verifies and decodes batch after batch, on all cores.
func (p *Pipeline) examineAll(ctx context.Context, in <-chan *batch, out chan<- *batch) {
	for b := range in {
		b.ctx, b.span = p.tracer.Start(ctx, "ingest batch", trace.WithTimestamp(b.began), trace.WithAttributes(
			attribute.Int("messages", len(b.items)), attribute.Int("bytes", b.bytes)))
		began := time.Now()
		p.examineBatch(b)
		p.metrics.stage.WithLabelValues("examine").Observe(time.Since(began).Seconds())
		out <- b
	}
}

func (p *Pipeline) examineBatch(b *batch) {
	_, span := p.tracer.Start(b.ctx, "examine")
	defer span.End()
	workers := min(runtime.GOMAXPROCS(0), (len(b.items)+7)/8)
	if workers <= 1 {
		for _, it := range b.items {
			p.examine(it)
		}
		return
	}
	const stride = 8
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				from := int(next.Add(stride)) - stride
				if from >= len(b.items) {
					return
				}
				for _, it := range b.items[from:min(from+stride, len(b.items))] {
					p.examine(it)
				}
			}
		})
	}
	wg.Wait()
}

// examine never fails: what is wrong with a message is its reason. A panic of a decoder is one more.
func (p *Pipeline) examine(it *item) {
	defer func() {
		if r := recover(); r != nil {
			p.metrics.panics.Inc()
			p.o.Logger.Error("decoding a frame panicked", "device", it.id, "panic", fmt.Sprintf("%T", r))
			reason := ReasonMalformed
			if it.frame != nil {
				reason = ReasonContent
			}
			it.reason, it.detail = reason, "decoding it panicked"
		}
	}()
	if it.suspect >= stallsRaw {
		it.reason, it.detail = ReasonPoison, "the process ended whenever it looked at this message"
		return
	}
	if it.word == wordHello {
		p.examineHello(it)
		return
	}
	if !p.open(it) {
		return
	}
	if it.suspect >= stallsUnread {
		it.reason, it.detail = ReasonPoison, "the process ended whenever it decoded this frame"
		return
	}
	p.read(it)
}

// open takes the frame out of its envelope and verifies who made it.
func (p *Pipeline) open(it *item) bool {
	known, ok := p.o.Registry.Lookup(it.id)
	if !ok {
		it.reason, it.detail = ReasonUnknown, "the device has no seat"
		return false
	}
	it.known = known
	plain := it.data
	if it.replay == nil || !it.replay.Plain {
		if len(it.data) > frame.MaxFrame {
			it.reason, it.detail = ReasonOversize, fmt.Sprintf("%d bytes, at most %d", len(it.data), frame.MaxFrame)
			return false
		}
		var err error
		if plain, err = frame.Open(known.Transport, frame.Up, it.id, it.data); err != nil {
			it.refuse(ReasonEnvelope, err)
			return false
		}
	}
	f, err := frame.Parse(plain)
	if err != nil {
		it.refuse(ReasonMalformed, err)
		return false
	}
	if f.Device != it.id {
		it.refuse(ReasonDevice, fmt.Errorf("the frame names device %s", f.Device))
		return false
	}
	if err := f.Verify(p.o.Ledger, known.Key); err != nil {
		it.refuse(ReasonSignature, err)
		return false
	}
	it.frame, it.plain, it.mark = f, plain, mark(plain)
	return true
}

// mark is a short digest to tell frames apart that were sent in the last minutes.
func mark(plain []byte) uint64 {
	d := sha256.Sum256(plain)
	return binary.BigEndian.Uint64(d[:])
}

// read decodes what the frame holds and looks at its times.
func (p *Pipeline) read(it *item) {
	f := it.frame
	now := p.o.Now()
	if it.replay != nil {
		now = it.replay.Received
	}
	if err := p.checkTime("sent", f.SentMicros, now); err != nil {
		it.refuse(ReasonClock, err)
		return
	}
	var err error
	switch f.Kind {
	case frame.KindReport:
		it.report, err = frame.ParseReport(f.Payload)
	case frame.KindAccept:
		it.accept, err = frame.ParseAccept(f.Payload)
	default:
		decode, ok := p.o.Decoders[f.Kind]
		if !ok {
			it.refuse(ReasonContent, fmt.Errorf("%s is not a kind that is taken here", f.Kind))
			return
		}
		it.decoded, err = decode(&it.known, f)
	}
	if err != nil {
		it.refuse(ReasonContent, err)
		return
	}
	if err := p.checkTimes(it.decoded, now); err != nil {
		it.refuse(ReasonClock, err)
	}
}

func (p *Pipeline) checkTimes(d *telemetry.Decoded, now time.Time) error {
	if d == nil {
		return nil
	}
	for i := range d.Readings {
		if err := p.checkTime("reading", d.Readings[i].TimeMicros, now); err != nil {
			return err
		}
	}
	for i := range d.Meterings {
		if err := p.checkTime("metering", d.Meterings[i].TimeMicros, now); err != nil {
			return err
		}
	}
	return nil
}

// checkTime does not quote the time: when a reading was taken is part of it.
func (p *Pipeline) checkTime(what string, micros int64, now time.Time) error {
	switch {
	case micros > now.Add(p.o.MaxFuture).UnixMicro():
		return fmt.Errorf("%s: its time is more than %s ahead of the node's", what, p.o.MaxFuture)
	case micros < now.Add(-p.o.MaxPast).UnixMicro():
		return fmt.Errorf("%s: its time is more than %s behind the node's", what, p.o.MaxPast)
	}
	return nil
}

func (p *Pipeline) examineHello(it *item) {
	hello, err := frame.ParseHello(it.data)
	if err != nil {
		it.refuse(ReasonMalformed, err)
		return
	}
	certificate, err := hello.Verify(p.o.Ledger)
	if err != nil {
		it.refuse(ReasonSignature, err)
		return
	}
	if certificate.Key.DeviceID() != it.id {
		it.refuse(ReasonDevice, fmt.Errorf("the hello is that of device %s", certificate.Key.DeviceID()))
		return
	}
	if err := p.checkTime("hello", hello.SentMicros, p.o.Now()); err != nil {
		it.refuse(ReasonClock, err)
		return
	}
	it.hello, it.certificate = hello, certificate
}

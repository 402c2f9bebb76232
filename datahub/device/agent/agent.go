package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
)

// Agent speaks for one device. Its methods may be called from several goroutines; Run once.
type Agent struct {
	device  *device.Device
	options Options
	// wake tells Run that there is something to send, offers and asked bring it what the node says.
	wake   chan struct{}
	offers chan []byte
	asked  chan *frame.Attest

	mu       sync.Mutex
	kept     Kept // Frames is not used
	unkept   bool // kept holds an attestation that the state does not
	pending  []pending
	unsent   int           // the first of pending that this connection has not carried
	changed  chan struct{} // closed and replaced when the window moves
	measured measurements
	reported struct {
		sequence, epoch uint64
		at              time.Time
	}
	pace pace
	// numbered says that the node confirmed the numbering since the start: a state may be an old copy.
	numbered bool
	// heard is the highest acknowledgement since the hello that is waiting for its answer.
	heard uint64
	// agreed is the last epoch in which the ledger enrols the device by what it agreed to last; member says that the node asked it to attest
	// since, and so that it is enrolled.
	agreed uint64
	member bool

	counters struct {
		connected                                                        atomic.Bool
		connects, sent, resent, acknowledged, readings, refused, reports atomic.Uint64
	}
}

// pending is a frame that is not acknowledged. Its bytes do not change.
type pending struct {
	sequence uint64
	kind     frame.Kind
	readings int
	plain    []byte
	made     time.Time // zero if it is from before a restart
	sent     time.Time
	again    bool   // it was sent more than once
	session  uint64 // the connection that carried it last
}

// Status is how an agent is doing.
type Status struct {
	// Connected says whether there is a connection now, Seated whether the device was given a seat.
	Connected, Seated bool
	// Pending frames are on their way.
	Pending int
	// Connects, Sent and Resent count connections and sendings; Acknowledged frames and Readings in them; Refused frames that
	// the node put aside; Reports attestations.
	Connects, Sent, Resent, Acknowledged, Readings, Refused, Reports uint64
}

// New makes an agent, which picks up what its state holds.
func New(d *device.Device, o Options) (*Agent, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("agent of %v: %w", d, err)
	}
	a := &Agent{
		device: d, options: o,
		wake: make(chan struct{}, 1), offers: make(chan []byte, 2), asked: make(chan *frame.Attest, 1), changed: make(chan struct{}),
	}
	a.options.Logger = o.Logger.With("device", d.ID().String())
	if err := a.resume(); err != nil {
		return nil, fmt.Errorf("agent of %v: %w", d, err)
	}
	return a, nil
}

func (a *Agent) resume() error {
	kept, err := a.options.State.Load()
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	if kept.Offer != nil {
		if kept.Offer.Ledger != a.options.Ledger {
			return fmt.Errorf("the state is of ledger %s, not of %s", kept.Offer.Ledger, a.options.Ledger)
		}
		if err := a.device.Accept(seatOf(kept.Offer), kept.Offer.Secret); err != nil {
			return err
		}
	}
	if kept.Attestation != nil {
		if err := a.device.Resume(kept.Attestation); err != nil {
			return err
		}
	}
	for _, plain := range kept.Frames {
		f, err := frame.Parse(plain)
		if err != nil || f.Device != a.device.ID() {
			return errors.New("the state holds a frame that is not this device's")
		}
		a.pending = append(a.pending, pending{sequence: f.Sequence, kind: f.Kind, readings: count(f), plain: plain})
	}
	kept.Frames = nil
	a.kept = kept
	return nil
}

// count is how many readings a frame from before a restart holds.
func count(f *frame.Frame) int {
	switch f.Kind {
	case frame.KindReadings:
		readings, _ := frame.ParseReadings(f.Payload) //nolint:errcheck // the agent made it
		return len(readings)
	case frame.KindMeterings:
		meterings, _ := frame.ParseMeterings(f.Payload) //nolint:errcheck // the agent made it
		return len(meterings)
	}
	return 0
}

func seatOf(o *frame.Offer) device.Seat {
	return device.Seat{Ledger: o.Ledger, SRS: o.SRS, Fleet: o.Fleet, Chunk: o.Chunk, Size: o.Size, Slot: o.Slot}
}

// Publish sends 1 to frame.MaxReadings readings of a battery as one frame. It waits while the window is full, and after the start
// until the node has told the device its seat and where numbering goes on. When it returns without an error the readings will arrive.
func (a *Agent) Publish(ctx context.Context, readings []telemetry.Reading) error {
	payload, err := frame.MarshalReadings(readings)
	if err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return a.publish(ctx, frame.KindReadings, payload, len(readings), func(m *measurements) { m.readings(a.options.Genesis, readings) })
}

// PublishMeterings sends a charging pile's meterings, as Publish does readings.
func (a *Agent) PublishMeterings(ctx context.Context, meterings []telemetry.Metering) error {
	payload, err := frame.MarshalMeterings(meterings)
	if err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return a.publish(ctx, frame.KindMeterings, payload, len(meterings), func(m *measurements) { m.meterings(a.options.Genesis, meterings) })
}

// PublishPayload sends what the device has in another format as it is: a frame of GB/T 32960, a message of OCPP, a value in
// OCMF.
func (a *Agent) PublishPayload(ctx context.Context, kind frame.Kind, payload []byte) error {
	if kind == frame.KindAccept || kind == frame.KindReport {
		return fmt.Errorf("publishing: a frame of kind %s is the agent's own to make", kind)
	}
	return a.publish(ctx, kind, payload, 1, func(*measurements) {})
}

func (a *Agent) publish(ctx context.Context, kind frame.Kind, payload []byte, readings int, note func(*measurements)) error {
	for {
		a.mu.Lock()
		if a.numbered && len(a.pending) < a.options.Window {
			_, err := a.append(kind, payload, readings)
			if err == nil {
				note(&a.measured)
			}
			a.mu.Unlock()
			a.poke()
			return err
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-ctx.Done():
			return fmt.Errorf("publishing: %w", ctx.Err())
		case <-changed:
		}
	}
}

// append numbers, signs and keeps a frame. The caller holds the lock.
func (a *Agent) append(kind frame.Kind, payload []byte, readings int) (uint64, error) {
	now := a.options.Now()
	f := &frame.Frame{Device: a.device.ID(), Sequence: a.kept.Next, Oldest: a.kept.Next, SentMicros: now.UnixMicro(), Kind: kind, Payload: payload}
	if len(a.pending) > 0 {
		f.Oldest = a.pending[0].sequence
	}
	if err := f.Sign(a.options.Ledger, a.device.Signer()); err != nil {
		return 0, err
	}
	plain := f.Marshal()
	if err := a.options.State.Append(f.Sequence, plain); err != nil {
		return 0, fmt.Errorf("keeping frame %d: %w", f.Sequence, err)
	}
	a.pending = append(a.pending, pending{sequence: f.Sequence, kind: kind, readings: readings, plain: plain, made: time.Now()})
	a.kept.Next++
	return f.Sequence, nil
}

// poke wakes Run.
func (a *Agent) poke() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// moved tells who waits that the window moved. The caller holds the lock.
func (a *Agent) moved() {
	close(a.changed)
	a.changed = make(chan struct{})
}

// Seated waits until the node has told the device its seat and where numbering goes on.
func (a *Agent) Seated(ctx context.Context) error {
	for {
		a.mu.Lock()
		numbered, changed := a.numbered, a.changed
		a.mu.Unlock()
		if numbered {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for a seat: %w", ctx.Err())
		case <-changed:
		}
	}
}

// Drain waits until nothing is on its way.
func (a *Agent) Drain(ctx context.Context) error {
	for {
		a.mu.Lock()
		left, changed := len(a.pending), a.changed
		a.mu.Unlock()
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d frames are not acknowledged: %w", left, ctx.Err())
		case <-changed:
		}
	}
}

// Fresh says that the device has never sent a frame, as far as its state knows.
func (a *Agent) Fresh() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.kept.Next == 0
}

// Status says how the agent is doing.
func (a *Agent) Status() Status {
	a.mu.Lock()
	seated, left := a.kept.Offer != nil, len(a.pending)
	a.mu.Unlock()
	c := &a.counters
	return Status{
		Connected: c.connected.Load(), Seated: seated, Pending: left, Connects: c.connects.Load(), Sent: c.sent.Load(), Resent: c.resent.Load(),
		Acknowledged: c.acknowledged.Load(), Readings: c.readings.Load(), Refused: c.refused.Load(), Reports: c.reports.Load(),
	}
}

package agent

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/telemetry/frame"
)

// greeting is where saying hello stands. Only Run uses it.
type greeting struct {
	due      bool
	next     time.Time
	tries    int
	private  *ecdh.PrivateKey // of the hello that was sent
	answered bool
}

// greet says hello if that is due. The ephemeral key stays the same until there is an answer, so that a late answer to an earlier
// try still counts.
func (a *Agent) greet(c *connection, g *greeting) error {
	if !g.due && a.lapsed() {
		g.due, g.next = true, time.Now().Add(backoff(a.options.ResendMost, a.options.ResendMost, 0))
	}
	if !g.due || time.Now().Before(g.next) {
		return nil
	}
	if g.private == nil {
		private, err := ecdh.X25519().GenerateKey(rand.Reader)
		if err != nil {
			return fmt.Errorf("drawing an ephemeral key: %w", err)
		}
		g.private = private
		a.mu.Lock()
		a.heard = 0
		a.mu.Unlock()
	}
	h := &frame.Hello{
		Certificate: a.device.Certificate().DER(), Ephemeral: g.private.PublicKey().Bytes(), SentMicros: a.options.Now().UnixMicro(),
	}
	if err := h.Sign(a.options.Ledger, a.device.Signer()); err != nil {
		return err
	}
	g.next = time.Now().Add(backoff(a.options.ResendAfter, a.options.ResendMost, g.tries))
	g.tries++
	return c.publish(helloTopic(a.device.ID()), h.Marshal())
}

// takeOffer takes the seat that an offer gives, and says so.
func (a *Agent) takeOffer(g *greeting, b []byte) {
	if g.private == nil {
		return // the answer to a hello that was answered
	}
	o, err := frame.OpenOffer(g.private, b, a.device.ID())
	if err == nil {
		err = a.checkOffer(o, g.private.PublicKey().Bytes())
	}
	if err == nil {
		err = a.sit(o)
	}
	if err != nil {
		a.options.Logger.Warn("an offer is not taken", "error", err)
		return
	}
	*g = greeting{answered: true}
	a.poke()
}

func (a *Agent) checkOffer(o *frame.Offer, ephemeral []byte) error {
	if a.options.NodeKey != nil {
		if err := o.Verify(*a.options.NodeKey, ephemeral, a.device.ID()); err != nil {
			return err
		}
	}
	if o.Ledger != a.options.Ledger {
		return fmt.Errorf("offer is for ledger %s, not for %s", o.Ledger, a.options.Ledger)
	}
	if a.options.Fleet != "" && o.Fleet != a.options.Fleet {
		return fmt.Errorf("offer is for fleet %q, not for %q", o.Fleet, a.options.Fleet)
	}
	if g := a.options.Genesis; o.EpochZero != g.EpochZero || o.EpochSeconds != g.EpochSeconds {
		return fmt.Errorf("offer counts epochs of %d s from %d, the genesis epochs of %d s from %d", o.EpochSeconds, o.EpochZero, g.EpochSeconds, g.EpochZero)
	}
	a.mu.Lock()
	before := a.kept.Offer
	a.mu.Unlock()
	switch {
	case before == nil || o.Generation > before.Generation:
		return nil
	case o.Generation < before.Generation:
		return fmt.Errorf("offer is of generation %d, the device is in %d", o.Generation, before.Generation)
	case seatOf(o) != seatOf(before) || o.Secret != before.Secret:
		return errors.New("offer gives another seat or secret in the same generation")
	}
	return nil
}

// sit takes the seat, adjusts numbering to what the node has, and queues the acceptance.
func (a *Agent) sit(o *frame.Offer) error {
	seat := seatOf(o)
	until := a.agreeUntil()
	possession, err := a.device.Possess(seat, until)
	if err != nil {
		return err
	}
	if err := a.device.Accept(seat, o.Secret); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	kept := a.kept
	kept.Offer = o
	if err := a.options.State.Keep(kept); err != nil {
		return fmt.Errorf("keeping the offer: %w", err)
	}
	a.kept, a.unkept = kept, false
	// Frames that were sent meanwhile may be acknowledged already, and the offer not know of them.
	if err := a.renumber(max(o.Through, a.heard)); err != nil {
		return err
	}
	a.numbered = true
	accept := frame.Accept{Fleet: o.Fleet, Chunk: o.Chunk, Slot: o.Slot, Generation: o.Generation, Until: until, Possession: possession}
	if _, err := a.appendOwn(frame.KindAccept, accept.Marshal()); err != nil {
		return err
	}
	a.agreed, a.member = until, false
	a.goBack(fewFrames)
	a.pace.quiet = 0
	a.moved()
	return nil
}

// A device agrees to be enrolled within a day, or the next epochs if they are longer: what it signs serves for no longer.
const (
	agreeFor    = 24 * time.Hour
	agreeEpochs = 4
)

func (a *Agent) agreeUntil() uint64 {
	g, now := a.options.Genesis, a.options.Now()
	current, err := g.EpochAt(now)
	if err != nil {
		current = 0 // the clock is wrong, as the node will find
	}
	later, err := g.EpochAt(now.Add(agreeFor))
	if err != nil {
		later = 0
	}
	return max(later, current+agreeEpochs)
}

// lapsed says that the device was not enrolled in the time for which it agreed. It says hello again, and agrees anew.
func (a *Agent) lapsed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.numbered && !a.member && !a.options.Now().Before(a.options.Genesis.EpochEnd(a.agreed))
}

// renumber goes on from what the node has. The caller holds the lock.
func (a *Agent) renumber(through uint64) error {
	if a.kept.Next != 0 && through >= a.kept.Next {
		a.options.Logger.Warn("the node has frames that this device does not remember: the state is an old copy, or another device has its key",
			"next", a.kept.Next, "through", through)
	}
	a.forget(through)
	if through >= a.kept.Next {
		if err := a.options.State.Acknowledge(through); err != nil {
			return fmt.Errorf("keeping the numbering: %w", err)
		}
		a.kept.Next = through + 1
	}
	if len(a.pending) == 0 || a.pending[0].sequence == through+1 {
		return nil
	}
	a.options.Logger.Warn("the node has lost frames that it had acknowledged", "through", through, "oldest", a.pending[0].sequence)
	return a.resign(&a.pending[0])
}

// resign says in the oldest frame that there is none before it. The node does not have a frame of this number, so it does not
// see two of them.
func (a *Agent) resign(p *pending) error {
	f, err := frame.Parse(p.plain)
	if err != nil {
		return err
	}
	f.Oldest = f.Sequence
	if err := f.Sign(a.options.Ledger, a.device.Signer()); err != nil {
		return err
	}
	plain := f.Marshal()
	if err := a.options.State.Append(f.Sequence, plain); err != nil {
		return fmt.Errorf("keeping frame %d: %w", f.Sequence, err)
	}
	p.plain = plain
	return nil
}

// appendOwn queues a frame that the agent makes by itself, without waiting. The caller holds the lock.
func (a *Agent) appendOwn(kind frame.Kind, payload []byte) (uint64, error) {
	if len(a.pending) >= MaxWindow {
		return 0, fmt.Errorf("no room for a frame of kind %s: %d are on their way", kind, len(a.pending))
	}
	return a.append(kind, payload, 0)
}

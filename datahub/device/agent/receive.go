package agent

import (
	"bytes"
	"time"

	"github.com/assay-net/assay/datahub/telemetry/frame"
)

// receive takes a message from the node. It runs on the client's goroutine and does not wait for anything.
func (a *Agent) receive(b []byte) {
	if len(b) > frame.MaxFrame {
		return
	}
	if frame.IsOffer(b) {
		select {
		case a.offers <- bytes.Clone(b):
		default: // the node repeats itself
		}
		return
	}
	a.mu.Lock()
	o := a.kept.Offer
	a.mu.Unlock()
	if o == nil {
		return
	}
	plain, err := frame.Open(o.Transport, frame.Down, a.device.ID(), b)
	if err != nil {
		a.options.Logger.Debug("a message from the node is dropped", "error", err)
		return
	}
	m, err := frame.ParseDown(plain)
	if err != nil {
		a.options.Logger.Warn("a message from the node is dropped", "error", err)
		return
	}
	switch m := m.(type) {
	case *frame.Ack:
		a.acknowledged(m)
	case *frame.Attest:
		a.mu.Lock()
		a.member = true
		a.mu.Unlock()
		select {
		case a.asked <- m:
		default: // one is being answered; the node asks again
		}
	}
}

// acknowledged forgets what the node has.
func (a *Agent) acknowledged(m *frame.Ack) {
	for _, r := range m.Refused {
		a.counters.refused.Add(1)
		a.options.Logger.Warn("the node put a frame aside", "sequence", r.Sequence, "reason", r.Reason)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if m.Through >= a.kept.Next {
		return // it speaks of frames that were never made
	}
	a.heard = max(a.heard, m.Through)
	a.forget(m.Through)
}

// forget drops the frames up to a sequence. The caller holds the lock.
func (a *Agent) forget(through uint64) {
	n := 0
	for n < len(a.pending) && a.pending[n].sequence <= through {
		a.delivered(&a.pending[n])
		n++
	}
	if n == 0 {
		return
	}
	a.pending = append(a.pending[:0], a.pending[n:]...)
	a.advance(n)
	if err := a.options.State.Acknowledge(through); err != nil {
		// The frames will be sent again after a restart, and dropped by the node.
		a.options.Logger.Error("the state cannot be written", "error", err)
	}
	a.moved()
}

func (a *Agent) delivered(p *pending) {
	a.counters.acknowledged.Add(1)
	a.counters.readings.Add(uint64(p.readings))
	if !p.again && !p.sent.IsZero() {
		a.pace.took(time.Since(p.sent))
	}
	if a.options.Acknowledged == nil {
		return
	}
	d := Delivery{Sequence: p.sequence, Kind: p.kind, Readings: p.readings}
	if !p.made.IsZero() {
		d.After = time.Since(p.made)
	}
	a.options.Acknowledged(d)
}

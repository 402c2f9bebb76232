package agent

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/assay-net/assay/datahub/telemetry/frame"
)

// helloAfter is how many sendings in a row without an answer make an agent say hello again.
const helloAfter = 3

// Run connects, and connects again whenever the connection is lost, until the context ends. It returns once everything that
// it started has ended; what is not acknowledged is in the state.
func (a *Agent) Run(ctx context.Context) {
	attesting := make(chan struct{})
	go func() {
		defer close(attesting)
		a.answer(ctx)
	}()
	greeting := &greeting{due: true}
	for failures := 0; ctx.Err() == nil; {
		began := time.Now()
		err := a.session(ctx, greeting)
		if time.Since(began) > a.options.ReconnectMost {
			failures = 0
		}
		pause := backoff(a.options.ReconnectAfter, a.options.ReconnectMost, failures)
		failures++
		if ctx.Err() == nil {
			a.options.Logger.Info("the connection ended", "error", err, "again_after", pause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	<-attesting
}

// backoff doubles from least to most, and takes between half and all of it. What it draws protects nothing, so it need not come
// from the operating system.
func backoff(least, most time.Duration, failures int) time.Duration {
	d := most
	if failures < 20 {
		d = min(most, least<<failures)
	}
	return d/2 + time.Duration(rand.Int64N(int64(d/2)+1))
}

// session is one connection, from its beginning to its end.
func (a *Agent) session(ctx context.Context, g *greeting) error {
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	session := a.counters.connects.Add(1)
	a.counters.connected.Store(true)
	defer a.counters.connected.Store(false)
	a.rewind()
	g.next = time.Time{} // a hello on the connection before may be lost with it
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if err := a.greet(c, g); err != nil {
			return err
		}
		if err := a.flush(c, session); err != nil {
			return err
		}
		timer.Reset(a.pause(g))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.lost:
			return err
		case b := <-a.offers:
			a.takeOffer(g, b)
		case <-a.wake:
		case <-timer.C:
			a.expire(g)
		}
	}
}

// rewind makes the next flush begin with the oldest frame: nobody knows what the last connection delivered.
func (a *Agent) rewind() {
	a.mu.Lock()
	a.goBack(fewFrames)
	a.mu.Unlock()
}

// flush sends what this connection has not carried.
func (a *Agent) flush(c *connection, session uint64) error {
	for {
		a.mu.Lock()
		if a.kept.Offer == nil || a.unsent >= len(a.pending) || !a.pace.may() {
			a.mu.Unlock()
			return nil
		}
		p := &a.pending[a.unsent]
		p.again = !p.sent.IsZero()
		first, transport, plain := !p.again, a.kept.Offer.Transport, p.plain
		p.sent, p.session = time.Now(), session
		a.unsent++
		a.mu.Unlock()
		a.counters.sent.Add(1)
		if !first {
			a.counters.resent.Add(1)
		}
		sealed := frame.Seal(transport, frame.Up, a.device.ID(), plain)
		if err := c.publish(upTopic(a.device.ID()), sealed); err != nil {
			return err
		}
		if first && a.options.UnsafeMeddle != nil {
			a.options.UnsafeMeddle(Sent{sealed: sealed, plain: plain, transport: transport, agent: a, connection: c})
		}
	}
}

// pause is how long nothing is to be done.
func (a *Agent) pause(g *greeting) time.Duration {
	until := time.Hour
	if g.due {
		until = time.Until(g.next)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !g.due && a.numbered && !a.member {
		until = min(until, a.options.Genesis.EpochEnd(a.agreed).Sub(a.options.Now()))
	}
	if len(a.pending) > 0 && a.unsent > 0 {
		until = min(until, time.Until(a.deadline()))
	}
	return max(until, time.Millisecond)
}

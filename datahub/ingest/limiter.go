package ingest

import (
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// limiter holds each device to a rate. It is used by one goroutine.
type limiter struct {
	rate, burst float64
	devices     map[commit.DeviceID]*allowance
	swept       time.Time
}

const (
	helloRate, helloBurst = 0.2, 8
	// quarantineRate and quarantineBurst are how many messages of a device may go into the quarantine.
	quarantineRate, quarantineBurst = 1, 64
	strikeWindow                    = time.Minute
)

// bucket holds tokens that come back with time.
type bucket struct {
	tokens float64
	at     time.Time
}

func (b *bucket) take(now time.Time, rate, burst float64) bool {
	if b.at.IsZero() {
		b.tokens = burst
	} else if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens = min(burst, b.tokens+passed*rate)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

type allowance struct {
	frames, hellos bucket
	strikes        int
	window         time.Time
}

func newLimiter(rate float64, burst int) *limiter {
	return &limiter{rate: rate, burst: float64(burst), devices: map[commit.DeviceID]*allowance{}}
}

func (l *limiter) allow(id commit.DeviceID, word string, now time.Time) bool {
	l.sweep(now)
	a := l.devices[id]
	if a == nil {
		a = &allowance{}
		l.devices[id] = a
	}
	if word == wordHello {
		return a.hellos.take(now, helloRate, helloBurst)
	}
	return a.frames.take(now, l.rate, l.burst)
}

// strike counts what a device sent beyond its rate, within a minute.
func (l *limiter) strike(id commit.DeviceID, now time.Time) int {
	a := l.devices[id]
	if now.Sub(a.window) > strikeWindow {
		a.window, a.strikes = now, 0
	}
	a.strikes++
	return a.strikes
}

// sweep forgets devices that were quiet for long enough to have their allowance back.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < strikeWindow {
		return
	}
	l.swept = now
	full := max(strikeWindow, time.Duration(l.burst/l.rate*float64(time.Second)))
	for id, a := range l.devices {
		if now.Sub(a.frames.at) > full && now.Sub(a.hellos.at) > full {
			delete(l.devices, id)
		}
	}
}

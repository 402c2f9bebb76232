package ingest

import (
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// limiter holds each device to a rate of frames, of bytes and of bytes in a day. It is used by one goroutine.
type limiter struct {
	rate, burst         float64 // frames
	byteRate, byteBurst float64
	dayRate, dayBurst   float64
	seated              func(commit.DeviceID) bool
	banAfter            int
	banFor              time.Duration
	devices             map[commit.DeviceID]*allowance
	swept               time.Time
}

const (
	helloRate, helloBurst = 0.2, 8
	// strangerRate and strangerBurst are for frames of a device without a seat, which nobody can open.
	strangerRate, strangerBurst = 1, 16
	// quarantineRate and quarantineBurst are how many messages of a device may go into the quarantine.
	quarantineRate, quarantineBurst = 1, 64
	strikeWindow                    = time.Minute

	// unit is how many bytes weigh as much as a message does. A frame of the usual kind has less.
	unit = 4 << 10
	// dayUnits are the bytes that a device may send in a day, for each frame that it may send in a second: 1 GiB at 50.
	dayUnits = 20 << 20
	day      = 24 * time.Hour
	// maxHello is more than an enrolment request has; what is larger counts like hugeHello messages.
	maxHello  = commit.MaxCertificate + 1024
	hugeHello = 100
	// A ban lasts twice as long as the one before, up to 1<<maxBans times the first, until the device kept to its rate for banMemory.
	maxBans   = 4
	banMemory = time.Hour
	// kickEvery is how often a device is disconnected that is banned and goes on sending.
	kickEvery = 5 * time.Second
	// maxBansWaiting bounds the devices that wait to be disconnected.
	maxBansWaiting = 1024
	// seatedFor and strangerFor are how long it is believed that a device has a seat, or has none.
	seatedFor, strangerFor = time.Minute, time.Second
)

// bucket holds tokens that come back with time.
type bucket struct {
	tokens float64
	at     time.Time
}

func (b *bucket) fill(now time.Time, rate, burst float64) {
	if b.at.IsZero() {
		b.tokens = burst
	} else if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.tokens += passed * rate
	}
	b.tokens, b.at = min(burst, b.tokens), now
}

func (b *bucket) take(now time.Time, rate, burst, n float64) bool {
	b.fill(now, rate, burst)
	if b.tokens < n {
		return false
	}
	b.tokens -= n
	return true
}

// allowance is what the limiter knows of a device.
type allowance struct {
	frames, hellos, bytes, day bucket
	// strikes are what was dropped in the window, accepted what was not.
	strikes, accepted int
	window            time.Time
	// banned is until when everything is dropped, bans how often that was in a row, kicked when it was disconnected last.
	banned, kicked time.Time
	bans           int
	seat           bool
	asked          time.Time
}

// verdict is what becomes of a message.
type verdict struct {
	dropped string // why; empty if it is not
	// ban is how long the device is to be disconnected for from now on, first that it was not banned yet.
	ban   time.Duration
	first bool
}

func newLimiter(o *Options) *limiter {
	return &limiter{
		rate: o.DeviceRate, burst: float64(o.DeviceBurst),
		byteRate: o.DeviceRate * unit, byteBurst: max(float64(o.DeviceBurst)*unit, o.Broker.backlog.largestBacklog()),
		dayRate: o.DeviceRate * dayUnits / day.Seconds(), dayBurst: o.DeviceRate * dayUnits,
		banAfter: o.BanAfter, banFor: o.BanFor, devices: map[commit.DeviceID]*allowance{},
		seated: func(id commit.DeviceID) bool { _, ok := o.Registry.Lookup(id); return ok },
	}
}

// judge holds a device to its rates, and shows out one that does not keep to them.
func (l *limiter) judge(id commit.DeviceID, word string, size int, now time.Time) verdict {
	l.sweep(now)
	a := l.devices[id]
	if a == nil {
		a = &allowance{}
		l.devices[id] = a
	}
	if now.Before(a.banned) {
		v := verdict{dropped: "banned"}
		if now.Sub(a.kicked) >= kickEvery { // it is still connected
			a.kicked, v.ban = now, a.banned.Sub(now)
		}
		return v
	}
	if now.Sub(a.window) > strikeWindow {
		a.window, a.strikes, a.accepted = now, 0, 0
	}
	weight := 1 + size/unit
	v := verdict{}
	switch {
	case word == wordHello && size > maxHello:
		v.dropped, weight = "oversize", hugeHello
	case !l.allow(id, a, word, size, now):
		v.dropped = "rate"
	default:
		a.accepted += weight
		return v
	}
	return l.strike(a, weight, now, v)
}

// allow takes a message out of every allowance that the device has, or out of none.
func (l *limiter) allow(id commit.DeviceID, a *allowance, word string, size int, now time.Time) bool {
	a.bytes.fill(now, l.byteRate, l.byteBurst)
	a.day.fill(now, l.dayRate, l.dayBurst)
	n := float64(size)
	if a.bytes.tokens < n || a.day.tokens < n {
		return false
	}
	var ok bool
	switch {
	case word == wordHello:
		ok = a.hellos.take(now, helloRate, helloBurst, 1)
	case l.hasSeat(id, a, now):
		ok = a.frames.take(now, l.rate, l.burst, 1)
	default:
		ok = a.frames.take(now, min(l.rate, strangerRate), min(l.burst, strangerBurst), 1)
	}
	if ok {
		a.bytes.tokens -= n
		a.day.tokens -= n
	}
	return ok
}

// hasSeat asks for most frames nobody: the answer is kept for a while.
func (l *limiter) hasSeat(id commit.DeviceID, a *allowance, now time.Time) bool {
	valid := strangerFor
	if a.seat {
		valid = seatedFor
	}
	if since := now.Sub(a.asked); since > valid || since < 0 {
		a.seat, a.asked = l.seated(id), now
	}
	return a.seat
}

// strike counts what is dropped. A device that catches up honestly loses some of what it sends, but not much more than it gets through.
func (l *limiter) strike(a *allowance, weight int, now time.Time, v verdict) verdict {
	a.strikes += weight
	if a.strikes < l.banAfter || a.strikes <= 2*a.accepted {
		return v
	}
	if now.Sub(a.banned) > banMemory {
		a.bans = 0
	}
	v.ban, v.first = l.banFor<<min(a.bans, maxBans), true
	a.banned, a.kicked, a.window = now.Add(v.ban), now, time.Time{}
	a.bans++
	return v
}

// sweep forgets devices that have their allowance back.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < strikeWindow {
		return
	}
	l.swept = now
	for id, a := range l.devices {
		quiet := now.Sub(a.window) > strikeWindow && (a.bans == 0 || now.Sub(a.banned) > banMemory)
		if quiet && l.full(a, now) {
			delete(l.devices, id)
		}
	}
}

func (l *limiter) full(a *allowance, now time.Time) bool {
	is := func(b *bucket, rate, burst float64) bool {
		return b.at.IsZero() || now.After(b.at) && b.tokens+now.Sub(b.at).Seconds()*rate >= burst
	}
	return is(&a.frames, l.rate, l.burst) && is(&a.hellos, helloRate, helloBurst) && is(&a.bytes, l.byteRate, l.byteBurst) && is(&a.day, l.dayRate, l.dayBurst)
}

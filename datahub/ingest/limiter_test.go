package ingest

import (
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

func TestBucket(t *testing.T) {
	var b bucket
	now := time.Unix(1000, 0)
	count := func() (n int) {
		for b.take(now, 2, 5, 1) {
			n++
		}
		return n
	}
	if n := count(); n != 5 {
		t.Errorf("%d at once", n)
	}
	now = now.Add(time.Second)
	if n := count(); n != 2 {
		t.Errorf("%d after a second", n)
	}
	now = now.Add(-time.Hour)
	if n := count(); n != 0 {
		t.Errorf("%d when the clock goes back", n)
	}
	now = now.Add(24 * time.Hour)
	if n := count(); n != 5 {
		t.Errorf("%d after a day", n)
	}
}

// limited is a limiter with the defaults of a pipeline, and one device that has a seat.
type limited struct {
	*limiter
	now time.Time
}

var seatedDevice, stranger = commit.DeviceID{1}, commit.DeviceID{2}

func newLimited() *limited {
	o := Options{Broker: &Broker{backlog: Backlog{}.withDefaults()}, DeviceRate: 50, DeviceBurst: 512, BanAfter: 1000, BanFor: time.Minute}
	l := &limited{newLimiter(&o), time.Unix(1000, 0)}
	l.seated = func(id commit.DeviceID) bool { return id == seatedDevice }
	return l
}

// send sends messages at an even rate for a while, and says how many were accepted before a ban, if there was one.
func (l *limited) send(id commit.DeviceID, word string, size int, perSecond float64, d time.Duration) (accepted int, banned time.Duration) {
	step := time.Duration(float64(time.Second) / perSecond)
	for until := l.now.Add(d); l.now.Before(until); l.now = l.now.Add(step) {
		v := l.judge(id, word, size, l.now)
		if v.first {
			return accepted, v.ban
		}
		if v.dropped == "" {
			accepted++
		}
	}
	return accepted, 0
}

func TestLimiterForgetsQuietDevices(t *testing.T) {
	l := newLimited()
	for i := range 100 {
		l.judge(commit.DeviceID{byte(i)}, wordUp, 1000, l.now)
	}
	l.send(commit.DeviceID{101}, wordUp, frame.MaxFrame, 1, time.Minute) // that is not made good in two minutes
	l.now = l.now.Add(2 * strikeWindow)
	l.judge(commit.DeviceID{200}, wordHello, 100, l.now)
	if n := len(l.devices); n != 2 {
		t.Errorf("%d devices are remembered", n)
	}
}

func TestDeviceIsHeldToBytes(t *testing.T) {
	l := newLimited()
	window, banned := l.send(seatedDevice, wordUp, frame.MaxFrame, 256, time.Second)
	if window != 256 || banned != 0 {
		t.Fatalf("%d frames of a full backlog were accepted, banned %s", window, banned)
	}
	accepted, banned := l.send(seatedDevice, wordUp, frame.MaxFrame, 3, time.Minute)
	if accepted > 100 || banned != 0 { // 200 KiB/s
		t.Errorf("%d more in a minute, banned %s", accepted, banned)
	}
	// In a day it is far less than at that rate.
	total := 0
	for range 24 {
		accepted, _ := l.send(seatedDevice, wordUp, frame.MaxFrame, 1, time.Hour)
		total += accepted
	}
	if bytes := total * frame.MaxFrame; bytes > 2<<30 {
		t.Errorf("%d bytes in a day", bytes)
	}
}

func TestFloodsEndInABan(t *testing.T) {
	for name, c := range map[string]struct {
		id     commit.DeviceID
		word   string
		size   int
		rate   float64
		banned bool
	}{
		"large messages":           {seatedDevice, wordUp, maxDevicePayload, 50, true},
		"small messages":           {seatedDevice, wordUp, 100, 1000, true},
		"large hellos":             {seatedDevice, wordHello, maxHello + 1, 1, true},
		"many hellos":              {stranger, wordHello, 1000, 50, true},
		"frames without a seat":    {stranger, wordUp, 1000, 50, true},
		"an honest device":         {seatedDevice, wordUp, 1000, 40, false},
		"one that catches up":      {seatedDevice, wordUp, 1000, 100, false},
		"one that lost its seat":   {stranger, wordUp, 1000, 2, false},
		"one that asks for a seat": {stranger, wordHello, 1000, 0.2, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLimited()
			if _, banned := l.send(c.id, c.word, c.size, c.rate, 3*time.Minute); (banned > 0) != c.banned {
				t.Errorf("banned for %s", banned)
			}
		})
	}
}

// Those without a seat have little to send.
func TestStrangersHaveARateOfTheirOwn(t *testing.T) {
	l := newLimited()
	if accepted, _ := l.send(stranger, wordUp, 1000, 3, time.Minute); accepted > strangerBurst+61 {
		t.Errorf("%d frames without a seat in a minute", accepted)
	}
	l.seated = func(commit.DeviceID) bool { return true }
	l.now = l.now.Add(2 * strangerFor)
	if accepted, _ := l.send(stranger, wordUp, 1000, 40, time.Minute); accepted < 2000 {
		t.Errorf("%d frames in a minute after it has a seat", accepted)
	}
}

func TestBansGrowAndAreRepeatedWhileFramesCome(t *testing.T) {
	l := newLimited()
	var last time.Duration
	for n := range 7 {
		_, banned := l.send(seatedDevice, wordUp, maxDevicePayload, 50, 10*time.Minute)
		if want := time.Minute << min(n, maxBans); banned != want {
			t.Fatalf("ban %d is for %s, want %s", n, banned, want)
		}
		last = banned
		v := l.judge(seatedDevice, wordUp, 100, l.now.Add(time.Second))
		if v.dropped != "banned" || v.ban != 0 {
			t.Fatalf("a second later: %+v", v)
		}
		if v = l.judge(seatedDevice, wordUp, 100, l.now.Add(kickEvery)); v.dropped != "banned" || v.ban != banned-kickEvery || v.first {
			t.Fatalf("some seconds later: %+v", v)
		}
		l.now = l.now.Add(banned)
	}
	l.now = l.now.Add(last + 2*banMemory)
	if _, banned := l.send(seatedDevice, wordUp, maxDevicePayload, 50, 10*time.Minute); banned != time.Minute {
		t.Errorf("after a quiet while: banned for %s", banned)
	}
}

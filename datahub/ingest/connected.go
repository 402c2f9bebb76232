package ingest

import (
	"errors"
	"slices"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// A device may have a few connections authorised at once, and then one every while. The server takes over a device's session for its
// next connection, and in the second after that closes those that follow: so the last maxPlaces of them hold the one that lives, and to
// disconnect a device is to close them all.
const (
	maxPlaces   = 16
	connectRate = 0.5
	placesSweep = time.Hour
)

var errTooOften = errors.New("it connects too often")

// place is where a device was authorised.
type place struct {
	server string
	client uint64
}

// presence is where a device may be connected.
type presence struct {
	places []place
	last   time.Time
	often  bucket
}

// remember notes where a device connects, unless it does so too often.
func (c *callout) remember(id commit.DeviceID, at place, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgetOld(now)
	p := c.connected[id]
	if p == nil {
		p = &presence{}
		c.connected[id] = p
	}
	if !p.often.take(now, connectRate, maxPlaces, 1) {
		return false
	}
	if len(p.places) == maxPlaces {
		p.places = append(p.places[:0], p.places[1:]...)
	}
	p.places, p.last = append(p.places, at), now
	return true
}

// forgetOld forgets devices whose sessions have ended.
func (c *callout) forgetOld(now time.Time) {
	if c.session == 0 || now.Sub(c.swept) < placesSweep {
		return
	}
	c.swept = now
	for id, p := range c.connected {
		if now.Sub(p.last) > c.session+time.Minute {
			delete(c.connected, id)
		}
	}
}

// ban refuses a device until the time has passed, and says where it may be connected.
func (c *callout) ban(id commit.DeviceID, d time.Duration) []place {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for other, until := range c.banned {
		if now.After(until) {
			delete(c.banned, other)
		}
	}
	c.banned[id] = now.Add(d)
	if p := c.connected[id]; p != nil {
		return slices.Clone(p.places)
	}
	return nil
}

func (c *callout) isBanned(id commit.DeviceID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Before(c.banned[id])
}

package gateway

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"
)

const (
	firstPause = 25 * time.Millisecond
	lastPause  = time.Second
)

// pause is what lies between attempts: twice as long each time, up to a second, and drawn at random from its upper half, so that clients that
// got in each other's way do not meet again.
type pause struct{ length time.Duration }

// wait returns the context's error if that ends first.
func (p *pause) wait(ctx context.Context) error {
	p.length = min(max(2*p.length, firstPause), lastPause)
	timer := time.NewTimer(p.length/2 + jitter(p.length/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func jitter(below time.Duration) time.Duration {
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	return time.Duration(binary.BigEndian.Uint64(b[:]) % uint64(below))
}

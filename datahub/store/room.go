package store

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// Room is what the quarantine has left for frames that are acknowledged. Such a frame is nowhere else, so that it is not dropped for
// others: whoever would acknowledge one takes a place first, and leaves the frame with its sender if there is none.
type Room struct {
	perDevice, left int
	held            map[commit.DeviceID]int
}

// QuarantineRoom reads how much room there is. Places that were taken of an earlier Room count once they are committed.
func (s *Store) QuarantineRoom(ctx context.Context) (*Room, error) {
	held, err := s.driver.Acknowledged(ctx)
	if err != nil {
		return nil, fmt.Errorf("counting quarantined frames: %w", err)
	}
	r := &Room{perDevice: s.options.QuarantinePerDevice, left: 10 * s.options.QuarantineTotal, held: held}
	for _, n := range held {
		r.left -= n
	}
	return r, nil
}

// Take takes a place for a frame of a device, if there is one.
func (r *Room) Take(id commit.DeviceID) bool {
	if r.left <= 0 || r.held[id] >= r.perDevice {
		return false
	}
	r.left--
	r.held[id]++
	return true
}

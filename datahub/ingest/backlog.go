package ingest

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Backlog is what the broker has of devices and the store has not. Its messages are numbered as they come: oldest is the first that is not dealt with, or, when
// there is none, the one that comes next; newest is the last that came. What had come by the time of one call is stored when a later one's oldest is beyond
// its newest.
func (p *Pipeline) Backlog(ctx context.Context) (oldest, newest uint64, err error) {
	stream, err := p.js.Stream(ctx, streamUp)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 1, 0, nil // Run makes it
	}
	if err != nil {
		return 0, 0, fmt.Errorf("stream %s: %w", streamUp, err)
	}
	s := stream.CachedInfo().State
	if s.Msgs == 0 {
		return s.LastSeq + 1, s.LastSeq, nil
	}
	return s.FirstSeq, s.LastSeq, nil
}

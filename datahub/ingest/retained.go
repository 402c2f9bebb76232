package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The server keeps what a device publishes with MQTT's retain flag, the last of each topic, in a stream of its own, for whoever
// subscribes to the topic later. Nobody may: a device can publish only where it cannot subscribe. So the stream is kept small and short, or
// it would fill what devices have of the disk, and hold sealed frames for longer than the store does.
const (
	streamRetained   = "$MQTT_rmsgs"
	subjectRetained  = "$MQTT.rmsgs.>"
	retainedMaxBytes = 1 << 20
	retainedMaxAge   = time.Minute
)

// boundRetained makes the stream before the server does, or brings its limits down. Frames do not wait for that.
func (p *Pipeline) boundRetained(ctx context.Context) {
	if err := p.tryBoundRetained(ctx); err != nil {
		p.notice("what devices publish as retained is not bounded", "error", err)
	}
}

func (p *Pipeline) tryBoundRetained(ctx context.Context) error {
	stream, err := p.js.Stream(ctx, streamRetained)
	var config jetstream.StreamConfig
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		config = jetstream.StreamConfig{
			Name: streamRetained, Subjects: []string{subjectRetained}, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy,
			MaxMsgsPerSubject: 1, Replicas: p.o.Broker.backlog.Replicas,
		}
	case err != nil:
		return fmt.Errorf("stream %s: %w", streamRetained, err)
	default:
		config = stream.CachedInfo().Config
	}
	if config.MaxBytes == retainedMaxBytes && config.MaxAge == retainedMaxAge && config.Discard == jetstream.DiscardOld {
		return nil
	}
	config.MaxBytes, config.MaxAge, config.Discard = retainedMaxBytes, retainedMaxAge, jetstream.DiscardOld
	config.Duplicates = min(config.Duplicates, retainedMaxAge)
	if _, err := p.js.CreateOrUpdateStream(ctx, config); err != nil {
		return fmt.Errorf("stream %s: %w", streamRetained, err)
	}
	return nil
}

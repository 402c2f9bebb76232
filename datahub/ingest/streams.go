package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamUp     = "ASSAY_UP"
	consumerName = "assay-node"
	// maxPrefetch and maxPrefetchBytes bound what the broker has sent and no batch has taken.
	maxPrefetch      = 4096
	maxPrefetchBytes = 8 << 20
	// ackWait is after how long the broker gives a frame again that was lost between it and the node while the connection
	// stood. Frames that were under way when a connection or a process ended come at once, see takeOver.
	ackWait = 2 * time.Minute

	metaFirst  = "assay-first"
	metaStalls = "assay-stalls"
)

// streamConfig is a work queue: what was acknowledged is gone. What does not fit is refused rather than pushing out what is there, for
// each device by itself and for all.
func (p *Pipeline) streamConfig() jetstream.StreamConfig {
	b := p.o.Broker.backlog
	return jetstream.StreamConfig{
		Name:                 streamUp,
		Description:          "Frames and enrolment requests of devices, until the node has stored them",
		Subjects:             []string{subjectPrefix + "*." + wordUp, subjectPrefix + "*." + wordHello},
		Storage:              jetstream.FileStorage,
		Retention:            jetstream.WorkQueuePolicy,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    b.PerDevice,
		MaxBytes:             b.MaxBytes,
		MaxMsgSize:           maxDevicePayload + 1024,
		Replicas:             b.Replicas,
		Duplicates:           time.Second, // devices set no message ids; sequences tell duplicates
	}
}

// ensureStream makes the stream of what devices send, or brings its limits up to date. One that is as it should be is left
// alone: a server that is killed while it writes a stream's configuration does not find the stream again.
func (p *Pipeline) ensureStream(ctx context.Context) (jetstream.Stream, error) {
	want := p.streamConfig()
	stream, err := p.js.Stream(ctx, streamUp)
	switch {
	case err == nil && sameStream(stream.CachedInfo().Config, want):
		return stream, nil
	case err == nil:
		stream, err = p.js.UpdateStream(ctx, want)
	case errors.Is(err, jetstream.ErrStreamNotFound):
		stream, err = p.js.CreateStream(ctx, want)
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", streamUp, err)
	}
	return stream, nil
}

// sameStream compares what the package sets.
func sameStream(have, want jetstream.StreamConfig) bool {
	return slices.Equal(have.Subjects, want.Subjects) && have.Retention == want.Retention && have.Discard == want.Discard &&
		have.DiscardNewPerSubject == want.DiscardNewPerSubject && have.MaxMsgsPerSubject == want.MaxMsgsPerSubject &&
		have.MaxBytes == want.MaxBytes && have.MaxMsgSize == want.MaxMsgSize && have.Replicas == want.Replicas && have.Duplicates == want.Duplicates
}

// caution is how carefully frames are taken, by how often this process or one before it came to its end without getting past the
// first frame of the stream. Whatever a frame does to the process, it is put aside in the end.
type caution struct {
	first  uint64 // the stream's first frame at the start
	stalls int
}

const (
	stallsAlone  = 3 // one frame at a time, so that only the one that is to blame is the first
	stallsUnread = 6 // the first is not decoded any more
	stallsRaw    = 8 // nor opened
)

// alone says whether a frame of this stream sequence is to be a batch of its own. Those beyond what can have been under way are not
// to blame.
func (c caution) alone(sequence uint64) bool {
	return c.stalls >= stallsAlone && sequence < c.first+2*maxPrefetch
}

func (c caution) suspect(sequence uint64) bool {
	return c.stalls >= stallsUnread && sequence == c.first
}

// takeOver makes the consumer anew, so that whatever was under way when the last one was used comes again at once and in
// order. Frames that are stored already are then duplicates.
func (p *Pipeline) takeOver(ctx context.Context) (jetstream.Consumer, caution, error) {
	stream, err := p.ensureStream(ctx)
	if err != nil {
		return nil, caution{}, err
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return nil, caution{}, fmt.Errorf("stream %s: %w", streamUp, err)
	}
	p.boundRetained(ctx)
	c := caution{first: info.State.FirstSeq}
	old, err := stream.Consumer(ctx, consumerName)
	switch {
	case errors.Is(err, jetstream.ErrConsumerNotFound):
	case err != nil:
		return nil, c, fmt.Errorf("consumer %s: %w", consumerName, err)
	default:
		c.stalls = stalls(old.CachedInfo().Config.Metadata, &info.State)
		if err := stream.DeleteConsumer(ctx, consumerName); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return nil, c, fmt.Errorf("consumer %s: %w", consumerName, err)
		}
	}
	consumer, err := stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable:       consumerName,
		Description:   "The node that stores frames",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxDeliver:    -1, // what must not come again is acknowledged or terminated
		MaxAckPending: 8 * maxPrefetch,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		Metadata: map[string]string{
			metaFirst: strconv.FormatUint(c.first, 10), metaStalls: strconv.Itoa(c.stalls),
		},
	})
	if err != nil {
		return nil, c, fmt.Errorf("consumer %s: %w", consumerName, err)
	}
	return consumer, c, nil
}

// stalls counts starts that found the same first frame as the one before.
func stalls(metadata map[string]string, state *jetstream.StreamState) int {
	if state.Msgs == 0 || metadata[metaFirst] != strconv.FormatUint(state.FirstSeq, 10) {
		return 0
	}
	n, err := strconv.Atoi(metadata[metaStalls])
	if err != nil || n < 0 {
		return 0
	}
	return n + 1
}

// watchLag measures how much waits in the stream.
func (p *Pipeline) watchLag(ctx context.Context) {
	for sleep(ctx, 5*time.Second) {
		consumer, err := p.js.Consumer(ctx, streamUp, consumerName)
		if err != nil {
			continue // intake says so, once
		}
		info := consumer.CachedInfo()
		p.metrics.waiting.Set(float64(info.NumPending))
		p.metrics.underWay.Set(float64(info.NumAckPending))
	}
}

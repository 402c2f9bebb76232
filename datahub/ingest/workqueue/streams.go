package workqueue

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
)

// Sizes of payloads and messages in bytes.
const (
	// MaxPayload bounds a job's payload, MaxResult that of a result.
	MaxPayload = 384 << 10
	MaxResult  = 16 << 10
	// MaxMessage is what the broker must let through: a payload, its sealing, and headers.
	MaxMessage = 512 << 10
)

// Options of a queue. An owner sets them all, a worker needs Queue and Key.
type Options struct {
	// Queue is the queue's name. Default "prove".
	Queue string
	Key   Key
	// MaxJobs is how many jobs the broker holds, queued and worked on; Submit waits while it is full. Default 256.
	MaxJobs int
	// AckWait is after how long without a sign of life a worker's job goes to another. Default 30 s.
	AckWait time.Duration
	// MaxDeliver is how often a job is delivered until it is dead. Default 5. A worker that gives jobs back when it is stopped uses
	// deliveries up as well as one that dies.
	MaxDeliver int
	// Keep is how long jobs and results stay if nobody takes them. Default 24 h.
	Keep time.Duration
	// Replicas is the number of servers of a cluster that keep each message. Default 1.
	Replicas int
	// Poll is how often an owner looks for what it may have missed. Default 2 s.
	Poll    time.Duration
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

func (o Options) withDefaults() (Options, error) {
	o.Queue = cmp.Or(o.Queue, "prove")
	o.MaxJobs, o.MaxDeliver, o.Replicas = cmp.Or(o.MaxJobs, 256), cmp.Or(o.MaxDeliver, 5), cmp.Or(o.Replicas, 1)
	o.AckWait, o.Keep, o.Poll = cmp.Or(o.AckWait, 30*time.Second), cmp.Or(o.Keep, 24*time.Hour), cmp.Or(o.Poll, 2*time.Second)
	o.Logger = orDiscard(o.Logger)
	switch {
	case o.MaxJobs < 1 || o.MaxJobs > 1<<14:
		return o, fmt.Errorf("work queue: max jobs is %d, must be 1 to %d", o.MaxJobs, 1<<14)
	case o.MaxDeliver < 1 || o.MaxDeliver > 100:
		return o, fmt.Errorf("work queue: max deliver is %d, must be 1 to 100", o.MaxDeliver)
	case !usable(o.AckWait):
		return o, fmt.Errorf("work queue: ack wait is %s, must be 500 ms to 1 h", o.AckWait)
	case o.Keep < o.AckWait:
		return o, fmt.Errorf("work queue: jobs are kept for %s, less than the ack wait of %s", o.Keep, o.AckWait)
	case o.Replicas < 1 || o.Replicas > 5:
		return o, fmt.Errorf("work queue: %d replicas, must be 1 to 5", o.Replicas)
	}
	return o, checkName("queue", o.Queue)
}

func usable(ackWait time.Duration) bool {
	return ackWait >= 500*time.Millisecond && ackWait <= time.Hour
}

// maxDeliverKey is the consumer's metadata in which workers find MaxDeliver. The broker's own limit would stop deliveries
// in silence; a worker that counts can say so.
const maxDeliverKey = "assay-max-deliver"

func checkBroker(nc *nats.Conn) error {
	if have := nc.MaxPayload(); have < MaxMessage {
		return fmt.Errorf("work queue: the broker's max_payload is %d bytes, jobs need %d", have, MaxMessage)
	}
	return nil
}

// deadOfWorker is how many dead letters of each worker stay, so that one that makes up many drives out nobody else's.
const deadOfWorker = 16

func streams(n names, o Options) []jetstream.StreamConfig {
	const deadLetters, results = 1 << 10, 1 << 14
	remembered := min(o.Keep, 10*time.Minute) // how long the broker knows a message id again
	stream := func(name, subject string, c jetstream.StreamConfig) jetstream.StreamConfig {
		c.Name, c.Subjects = name, []string{subject}
		c.Storage, c.Replicas, c.MaxAge, c.Duplicates = jetstream.FileStorage, o.Replicas, o.Keep, remembered
		return c
	}
	return []jetstream.StreamConfig{
		stream(n.jobs(), n.subject("job", "*", "*"), jetstream.StreamConfig{
			Description: "Assay: jobs that workers share",
			Retention:   jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
			MaxMsgs: int64(o.MaxJobs), MaxMsgsPerSubject: 1, MaxMsgSize: MaxMessage, MaxBytes: int64(o.MaxJobs) * MaxMessage,
		}),
		stream(n.results(), n.subject("result", "*", "*"), jetstream.StreamConfig{
			Description: "Assay: what workers answered",
			Discard:     jetstream.DiscardOld, MaxMsgs: results, MaxMsgsPerSubject: 1, MaxMsgSize: 2 * MaxResult, MaxBytes: results * MaxResult / 4,
		}),
		stream(n.dead(), n.subject("dead", "*"), jetstream.StreamConfig{
			Description: "Assay: jobs that no worker finished",
			Discard:     jetstream.DiscardOld, MaxMsgs: deadLetters, MaxMsgsPerSubject: deadOfWorker, MaxMsgSize: MaxMessage, MaxBytes: deadLetters * MaxMessage,
		}),
	}
}

// ensure makes streams and consumer, or brings them up to date.
func ensure(ctx context.Context, js jetstream.JetStream, n names, o Options) ([]jetstream.Stream, error) {
	var made []jetstream.Stream
	for _, c := range streams(n, o) {
		s, err := js.CreateOrUpdateStream(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("stream %s: %w", c.Name, err)
		}
		made = append(made, s)
	}
	_, err := js.CreateOrUpdateConsumer(ctx, n.jobs(), jetstream.ConsumerConfig{
		Durable: consumerName, Description: "Assay: workers", AckPolicy: jetstream.AckExplicitPolicy, AckWait: o.AckWait,
		MaxDeliver: -1, MaxAckPending: -1, MaxRequestBatch: 1, Metadata: map[string]string{maxDeliverKey: strconv.Itoa(o.MaxDeliver)},
	})
	if err != nil {
		return nil, fmt.Errorf("consumer %s of stream %s: %w", consumerName, n.jobs(), err)
	}
	return made, nil
}

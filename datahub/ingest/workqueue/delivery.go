package workqueue

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Delivery is a job at its worker. Until it is settled, by Finish, Fail or Return, the broker is told that work goes on; it is
// settled once.
type Delivery struct {
	Job
	// Delivered counts how often the job was delivered, this time included.
	Delivered uint64

	c       *Consumer
	m       jetstream.Msg
	release func()
}

// hold renews the ack wait until release is called.
func (d *Delivery) hold() {
	done := make(chan struct{})
	d.release = sync.OnceFunc(func() { close(done) })
	go func() {
		tick := time.NewTicker(d.c.ackWait / 3)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				// If the broker is away this fails, and the job may go to another: duplicates do no harm.
				d.m.InProgress() //nolint:errcheck // see above
			}
		}
	}()
}

// Finish sends what the work came to and takes the job out of the queue. It returns when the broker has stored the result; while
// the broker is away it tries on, for as long as the context lasts.
func (d *Delivery) Finish(ctx context.Context, payload []byte) error {
	return d.settle(ctx, Done, payload)
}

// Fail says why the work could not be done, and takes the job out of the queue: whether it is tried again is the
// owner's to decide.
func (d *Delivery) Fail(ctx context.Context, reason string) error {
	return d.settle(ctx, Failed, []byte(printable(reason)))
}

// Return gives the job back to the queue, for another to do now.
func (d *Delivery) Return() error {
	d.release()
	if err := d.m.Nak(); err != nil {
		return fmt.Errorf("returning job %s: %w", d.ID, err)
	}
	return d.c.nc.FlushTimeout(callTimeout)
}

func (d *Delivery) settle(ctx context.Context, kind Kind, payload []byte) error {
	defer d.release()
	if len(payload) > MaxResult {
		return fmt.Errorf("job %s: result has %d bytes, at most %d", d.ID, len(payload), MaxResult)
	}
	r := &Result{ID: d.ID, Attempt: d.Attempt, Worker: d.c.worker, Kind: kind, Payload: payload}
	if err := d.publish(ctx, d.c.names.subject("result", d.ID.String(), d.c.worker), d.c.codec.sealResult(r), nil); err != nil {
		return err
	}
	return d.acknowledge(ctx)
}

// publish sends a message until the broker has it.
func (d *Delivery) publish(ctx context.Context, subject string, data []byte, header nats.Header) error {
	m := &nats.Msg{Subject: subject, Data: data, Header: header}
	// The id covers job, attempt and delivery, so that a job worked on twice by one worker has both its results.
	id := subject + "/" + d.m.Subject() + "/" + strconv.FormatUint(d.Delivered, 10)
	for pause := newPause(); ; {
		err := publish(ctx, d.c.js, m, id)
		if err == nil {
			return nil
		}
		if pause.first() {
			d.c.options.Logger.Warn("broker does not take a result; trying on", "queue", d.c.options.Queue, "job", d.ID.String(), "error", err)
		}
		if waited := pause.wait(ctx); waited != nil {
			return fmt.Errorf("answering job %s: %w", d.ID, err)
		}
	}
}

// acknowledge takes the job out of the queue. If that fails the job comes again, to this worker or another, and is done twice.
func (d *Delivery) acknowledge(ctx context.Context) error {
	d.release()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := d.m.DoubleAck(ctx); err != nil {
		d.c.options.Logger.Warn("job stays queued after its result", "queue", d.c.options.Queue, "job", d.ID.String(), "error", err)
	}
	return nil
}

// bury moves a job to the dead letters as it is. Whoever waits for it is told; of what is no job of this queue nobody is.
func (d *Delivery) bury(ctx context.Context, reason string) {
	defer d.release()
	log := d.c.options.Logger
	tokens := d.c.names.tokens(d.m.Subject())
	if len(tokens) != 3 {
		return
	}
	header := nats.Header{"Assay-Job": []string{printable(tokens[1] + "/" + tokens[2])}, "Assay-Reason": []string{printable(reason)}, "Assay-Deliveries": []string{strconv.FormatUint(d.Delivered, 10)}}
	if err := d.publish(ctx, d.c.names.subject("dead", d.c.worker), d.m.Data(), header); err != nil {
		log.Warn("dead letter not kept", "queue", d.c.options.Queue, "error", err)
		return // it comes again
	}
	d.c.dead.Inc()
	log.Error("job is dead", "queue", d.c.options.Queue, "job", printable(tokens[1]), "deliveries", d.Delivered, "reason", printable(reason))
	if d.ID == (ID{}) {
		if err := d.m.TermWithReason(printable(reason)); err != nil {
			log.Warn("dead job stays queued", "queue", d.c.options.Queue, "error", err)
		}
		return
	}
	if err := d.settle(ctx, Dead, []byte(printable(reason))); err != nil {
		log.Warn("death of a job not told", "queue", d.c.options.Queue, "job", d.ID.String(), "error", err)
	}
}

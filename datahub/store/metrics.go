package store

import (
	"context"
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/keys"
)

// metrics of a store. They count rows and time, never contents.
type metrics struct {
	commit   prometheus.Histogram
	frames   prometheus.Counter
	bytes    prometheus.Counter
	failures *prometheus.CounterVec
	dropped  prometheus.Counter
	shredded prometheus.Counter
}

// newMetrics registers the metrics, or finds those that another store of the process registered.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "assay", Subsystem: "store", Name: name, Help: help})
	}
	m := &metrics{
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "assay", Subsystem: "store", Name: "commit_seconds",
			Help: "Time to seal a batch and to make it durable.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}),
		frames: counter("frames_total", "Frames made durable."),
		bytes:  counter("frame_bytes_total", "Bytes of frames made durable, before sealing."),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "assay", Subsystem: "store", Name: "failures_total",
			Help: "Batches that were not made durable, by kind of failure."}, []string{"kind"}),
		dropped:  counter("quarantine_dropped_total", "Quarantined frames dropped to stay within bounds."),
		shredded: counter("keys_shredded_total", "Data keys destroyed."),
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(register(r, &m.commit), register(r, &m.frames), register(r, &m.bytes), register(r, &m.failures),
		register(r, &m.dropped), register(r, &m.shredded))
}

func register[C prometheus.Collector](r prometheus.Registerer, c *C) error {
	err := r.Register(*c)
	var there prometheus.AlreadyRegisteredError
	if !errors.As(err, &there) {
		return err
	}
	existing, ok := there.ExistingCollector.(C)
	if !ok {
		return err
	}
	*c = existing
	return nil
}

// kindOfFailure is a failure's label.
func kindOfFailure(err error) string {
	for _, k := range []struct {
		err  error
		name string
	}{
		{ErrConflict, "conflict"}, {ErrFull, "full"}, {ErrUnavailable, "unavailable"}, {ErrShredded, "shredded"},
		{keys.ErrUnavailable, "keys"}, {context.Canceled, "cancelled"}, {context.DeadlineExceeded, "deadline"},
	} {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return "other"
}

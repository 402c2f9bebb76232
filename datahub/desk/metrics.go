package desk

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	decisions *prometheus.CounterVec
	answers   *prometheus.CounterVec
	setbacks  prometheus.Counter
	waiting   prometheus.Gauge
	proving   prometheus.Gauge
	seconds   prometheus.Histogram
}

func newMetrics(r prometheus.Registerer) *metrics {
	return &metrics{
		decisions: registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_desk_decisions_total", Help: "Requests that the desk decided, by outcome."}, []string{"outcome"})),
		answers:   registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_desk_answers_total", Help: "Approved requests that the desk ended, by outcome."}, []string{"outcome"})),
		setbacks:  registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_desk_setbacks_total", Help: "Steps of requests that failed and are tried again."})),
		waiting:   registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_desk_waiting_requests", Help: "Requests that wait for a person."})),
		proving:   registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_desk_proving_requests", Help: "Requests that are being proven."})),
		seconds:   registered(r, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "assay_desk_answer_seconds", Help: "Time from the beginning of a proof to its verdict on the ledger.", Buckets: prometheus.ExponentialBuckets(0.25, 2, 14)})),
	}
}

// leave is called once for a task, under the desk's lock.
func (m *metrics) leave(t *task) {
	if t.person {
		m.waiting.Dec()
		t.person = false
	}
}

// registered returns the collector that is registered under this name, which may be an earlier one.
func registered[C prometheus.Collector](r prometheus.Registerer, c C) C {
	if r == nil {
		return c
	}
	var already prometheus.AlreadyRegisteredError
	if err := r.Register(c); errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(C); ok {
			return existing
		}
	}
	return c
}

package desk

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/instrument"
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
		decisions: instrument.Registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_desk_decisions_total", Help: "Requests that the desk decided, by outcome."}, []string{"outcome"})),
		answers:   instrument.Registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_desk_answers_total", Help: "Approved requests that the desk ended, by outcome."}, []string{"outcome"})),
		setbacks:  instrument.Registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_desk_setbacks_total", Help: "Steps of requests that failed and are tried again."})),
		waiting:   instrument.Registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_desk_waiting_requests", Help: "Requests that wait for a person."})),
		proving:   instrument.Registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_desk_proving_requests", Help: "Requests that are being proven."})),
		seconds:   instrument.Registered(r, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "assay_desk_answer_seconds", Help: "Time from the beginning of a proof to its verdict on the ledger.", Buckets: prometheus.ExponentialBuckets(0.25, 2, 14)})),
	}
}

// leave is called once for a task, under the desk's lock.
func (m *metrics) leave(t *task) {
	if t.person {
		m.waiting.Dec()
		t.person = false
	}
}

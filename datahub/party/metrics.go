package party

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/instrument"
)

type metrics struct {
	decisions *prometheus.CounterVec
	sessions  *prometheus.CounterVec
	setbacks  prometheus.Counter
	waiting   prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return instrument.Registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels))
	}
	return &metrics{
		decisions: counter("assay_party_decisions_total", "Parts of queries that the node decided, by outcome.", "outcome"),
		sessions:  counter("assay_party_sessions_total", "Sessions of queries that ended for this node, by its role and how.", "role", "end"),
		setbacks:  counter("assay_party_setbacks_total", "Steps of queries that failed, or waited for another node, and are tried again.").WithLabelValues(),
		waiting:   instrument.Registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_party_waiting_queries", Help: "Queries that wait for a person."})),
	}
}

package prove

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/instrument"
)

type proverMetrics struct {
	jobs  *prometheus.CounterVec
	wrong prometheus.Counter
	check prometheus.Histogram
}

func newProverMetrics(r prometheus.Registerer) *proverMetrics {
	return &proverMetrics{
		jobs:  instrument.Registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_prove_chunks_total", Help: "Chunks that the work queue was asked to prove, by outcome."}, []string{"outcome"})),
		wrong: instrument.Registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_prove_wrong_results_total", Help: "Results of workers that did not check."})),
		check: instrument.Registered(r, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "assay_prove_check_seconds", Help: "Time to check a worker's result.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 10)})),
	}
}

type workerMetrics struct {
	jobs    *prometheus.CounterVec
	working prometheus.Gauge
	seconds prometheus.Histogram
}

func newWorkerMetrics(r prometheus.Registerer) *workerMetrics {
	return &workerMetrics{
		jobs:    instrument.Registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_prove_worker_jobs_total", Help: "Jobs of this worker, by outcome."}, []string{"outcome"})),
		working: instrument.Registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_prove_worker_working", Help: "Jobs that this worker is at."})),
		seconds: instrument.Registered(r, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "assay_prove_worker_seconds", Help: "Time to prove a chunk.", Buckets: prometheus.ExponentialBuckets(0.05, 2, 12)})),
	}
}

package prove

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type proverMetrics struct {
	jobs  *prometheus.CounterVec
	wrong prometheus.Counter
	check prometheus.Histogram
}

func newProverMetrics(r prometheus.Registerer) *proverMetrics {
	return &proverMetrics{
		jobs:  registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_prove_chunks_total", Help: "Chunks that the work queue was asked to prove, by outcome."}, []string{"outcome"})),
		wrong: registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_prove_wrong_results_total", Help: "Results of workers that did not check."})),
		check: registered(r, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "assay_prove_check_seconds", Help: "Time to check a worker's result.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 10)})),
	}
}

type workerMetrics struct {
	jobs    *prometheus.CounterVec
	working prometheus.Gauge
	seconds prometheus.Histogram
}

func newWorkerMetrics(r prometheus.Registerer) *workerMetrics {
	return &workerMetrics{
		jobs:    registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_prove_worker_jobs_total", Help: "Jobs of this worker, by outcome."}, []string{"outcome"})),
		working: registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_prove_worker_working", Help: "Jobs that this worker is at."})),
		seconds: registered(r, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "assay_prove_worker_seconds", Help: "Time to prove a chunk.", Buckets: prometheus.ExponentialBuckets(0.05, 2, 12)})),
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

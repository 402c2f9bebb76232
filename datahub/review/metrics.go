package review

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	reviews *prometheus.CounterVec
	queries *prometheus.CounterVec
	alerts  prometheus.Counter
	retries prometheus.Counter
	untold  prometheus.Counter
	height  prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	return &metrics{
		reviews: registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_review_requests_total", Help: "Approvals and verdicts that were reviewed, by outcome."}, []string{"outcome"})),
		queries: registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_review_queries_total", Help: "Queries that were reviewed after an approval, or a step of a session, by outcome."}, []string{"outcome"})),
		alerts:  registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_review_alerts_total", Help: "Alerts that were raised on the ledger."})),
		retries: registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_review_retries_total", Help: "Reviews and alerts that failed and are tried again."})),
		untold:  registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_review_untold_total", Help: "Disagreements about which the ledger takes no alert."})),
		height:  registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_review_height", Help: "The block up to which everything was reviewed."})),
	}
}

// of counts the reviews of what is like a subject.
func (m *metrics) of(s subject) *prometheus.CounterVec {
	if s.Query.IsZero() {
		return m.reviews
	}
	return m.queries
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

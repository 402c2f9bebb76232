package review

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/instrument"
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
		reviews: instrument.Registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_review_requests_total", Help: "Approvals and verdicts that were reviewed, by outcome."}, []string{"outcome"})),
		queries: instrument.Registered(r, prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_review_queries_total", Help: "Queries that were reviewed after an approval, or a step of a session, by outcome."}, []string{"outcome"})),
		alerts:  instrument.Registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_review_alerts_total", Help: "Alerts that were raised on the ledger."})),
		retries: instrument.Registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_review_retries_total", Help: "Reviews and alerts that failed and are tried again."})),
		untold:  instrument.Registered(r, prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_review_untold_total", Help: "Disagreements about which the ledger takes no alert."})),
		height:  instrument.Registered(r, prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_review_height", Help: "The block up to which everything was reviewed."})),
	}
}

// of counts the reviews of what is like a subject.
func (m *metrics) of(s subject) *prometheus.CounterVec {
	if s.Query.IsZero() {
		return m.reviews
	}
	return m.queries
}

package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the node's own; the broker, the pipeline, the store and the key store register theirs.
type metrics struct {
	devices       *prometheus.GaugeVec
	closings      *prometheus.CounterVec
	coverage      *prometheus.GaugeVec
	lastEpoch     *prometheus.GaugeVec
	closeSeconds  prometheus.Histogram
	anchorRetries prometheus.Counter
	flagged       *prometheus.CounterVec
	recovered     prometheus.Gauge
	issues        *prometheus.CounterVec
	missing       prometheus.Counter
	epochOpened   prometheus.Gauge
	epochFailures prometheus.Counter
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		devices:       prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "assay_node_devices", Help: "Devices that have a seat, by fleet and state of enrolment."}, []string{"fleet", "state"}),
		closings:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_node_epochs_closed_total", Help: "Epochs of fleets that were closed, or failed to be in time."}, []string{"outcome"}),
		coverage:      prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "assay_node_coverage_ratio", Help: "Attested over enrolled devices in the last epoch that was closed."}, []string{"fleet"}),
		lastEpoch:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "assay_node_last_epoch", Help: "The last epoch that was closed."}, []string{"fleet"}),
		closeSeconds:  prometheus.NewHistogram(prometheus.HistogramOpts{Name: "assay_node_close_seconds", Help: "Time from the beginning of an epoch's closing to its last anchor.", Buckets: prometheus.ExponentialBuckets(0.25, 2, 14)}),
		anchorRetries: prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_node_anchor_retries_total", Help: "Anchors that were tried again."}),
		flagged:       prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_node_reports_flagged_total", Help: "Devices' own records that disagree with their readings, by lane."}, []string{"flag"}),
		recovered:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_node_recovery_seconds", Help: "How long this start took until the node was ready."}),
		issues:        prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_node_decode_issues_total", Help: "Values that were left out of uploads that were taken, by kind of frame."}, []string{"kind"}),
		missing:       prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_node_meter_records_missing_total", Help: "Records that meters signed, by their page numbers, and that never came."}),
		epochOpened:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_node_epoch_opened", Help: "The last epoch that this regulator's node opened on the ledger."}),
		epochFailures: prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_node_epoch_failures_total", Help: "Failed attempts to open an epoch."}),
	}
	for _, c := range []prometheus.Collector{m.devices, m.closings, m.coverage, m.lastEpoch, m.closeSeconds, m.anchorRetries, m.flagged, m.recovered, m.issues, m.missing, m.epochOpened, m.epochFailures} {
		if err := r.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) closed(fleet string, epoch uint64, s *summary, took time.Duration) {
	m.closings.WithLabelValues("closed").Inc()
	m.closeSeconds.Observe(took.Seconds())
	m.lastEpoch.WithLabelValues(fleet).Set(float64(epoch))
	if s.enrolled > 0 {
		m.coverage.WithLabelValues(fleet).Set(float64(s.attested) / float64(s.enrolled))
	}
}

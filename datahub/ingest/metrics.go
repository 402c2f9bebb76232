package ingest

import (
	"github.com/prometheus/client_golang/prometheus"
)

// registered keeps what was registered, so that it can be taken back.
type registered struct {
	registerer prometheus.Registerer
	collectors []prometheus.Collector
}

func (r *registered) add(c prometheus.Collector) {
	if r.registerer == nil {
		return
	}
	if err := r.registerer.Register(c); err == nil {
		r.collectors = append(r.collectors, c)
	}
}

func (r *registered) unregister() {
	for _, c := range r.collectors {
		r.registerer.Unregister(c)
	}
	r.collectors = nil
}

type brokerMetrics struct {
	registered
	authorised       *prometheus.CounterVec
	authoriseSeconds prometheus.Histogram
}

func newBrokerMetrics(r prometheus.Registerer) *brokerMetrics {
	m := &brokerMetrics{registered: registered{registerer: r}}
	m.authorised = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "assay_ingest_authorisations_total",
		Help: "Connections that were asked for, by outcome: allowed, or the reason for refusing.",
	}, []string{"outcome"})
	m.authoriseSeconds = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "assay_ingest_authorisation_seconds", Help: "Time to answer whether a device may connect.",
		Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
	})
	m.add(m.authorised)
	m.add(m.authoriseSeconds)
	return m
}

func (m *brokerMetrics) connected(count func() float64) {
	m.add(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "assay_ingest_connected_devices", Help: "Clients that are connected to the embedded broker, other than the node itself.",
	}, count))
}

type pipelineMetrics struct {
	registered
	received, dropped, quarantined, greeted, replayed           *prometheus.CounterVec
	receivedBytes, accepted, readings, duplicates, lost, panics prometheus.Counter
	unsent, unchecked, banned                                   prometheus.Counter
	storeUp, brokerUp, sinkUp, clockUp, waiting, underWay       prometheus.Gauge
	batchFrames, batchSeconds                                   prometheus.Histogram
	stage                                                       *prometheus.HistogramVec
}

func newPipelineMetrics(r prometheus.Registerer) *pipelineMetrics {
	m := &pipelineMetrics{registered: registered{registerer: r}}
	m.received = m.counters("received_total", "Messages of devices taken from the broker, by what they are: up or hello.", "word")
	m.dropped = m.counters("dropped_total", "Messages dropped without an acknowledgement, which devices send again: rate, banned, oversize, early, deferred, quarantine_full, hello, subject.", "why")
	m.quarantined = m.counters("quarantined_total", "Messages that were not accepted, by reason.", "reason")
	m.greeted = m.counters("greetings_total", "Enrolment requests by outcome.", "outcome")
	m.replayed = m.counters("replayed_total", "Quarantined messages that were tried again, by outcome.", "outcome")
	m.receivedBytes = m.counter("received_bytes_total", "Bytes of messages taken from the broker.")
	m.accepted = m.counter("accepted_total", "Frames stored.")
	m.readings = m.counter("readings_total", "Readings and meterings stored.")
	m.duplicates = m.counter("duplicates_total", "Frames whose sequence was stored already.")
	m.lost = m.counter("lost_frames_total", "Frames that devices lost before the node had them.")
	m.panics = m.counter("panics_total", "Frames whose decoding panicked.")
	m.unsent = m.counter("unsent_total", "Messages to devices that could not be handed to the broker.")
	m.unchecked = m.counter("unchecked_duplicates_total", "Duplicates that could not be compared with what is stored.")
	m.banned = m.counter("banned_total", "Devices disconnected for flooding.")
	m.storeUp = m.gauge("store_up", "1 while batches can be committed.")
	m.brokerUp = m.gauge("broker_up", "1 while messages can be taken from the broker.")
	m.sinkUp = m.gauge("sink_up", "1 while batches can be completed with what is derived from them.")
	m.clockUp = m.gauge("clock_up", "1 while the node's clock is within the ledger's epochs.")
	m.waiting = m.gauge("waiting_messages", "Messages in the broker that no batch has.")
	m.underWay = m.gauge("underway_messages", "Messages given out by the broker and not acknowledged.")
	m.batchFrames = m.histogram("batch_messages", "Messages in a batch.", prometheus.ExponentialBuckets(1, 4, 7))
	m.batchSeconds = m.histogram("batch_seconds", "Time from a batch's first message to its acknowledgement.", prometheus.ExponentialBuckets(0.005, 2, 14))
	m.stage = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "assay_ingest_stage_seconds", Help: "Time of a batch in a stage: examine, settle, commit.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
	}, []string{"stage"})
	m.add(m.stage)
	return m
}

func (m *pipelineMetrics) counters(name, help, label string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_ingest_" + name, Help: help}, []string{label})
	m.add(c)
	return c
}

func (m *pipelineMetrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_ingest_" + name, Help: help})
	m.add(c)
	return c
}

func (m *pipelineMetrics) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "assay_ingest_" + name, Help: help})
	m.add(g)
	return g
}

func (m *pipelineMetrics) histogram(name, help string, buckets []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "assay_ingest_" + name, Help: help, Buckets: buckets})
	m.add(h)
	return h
}

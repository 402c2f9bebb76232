package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/device/misbehave"
)

// meter counts what the devices achieve. Between begin and end it measures.
type meter struct {
	measuring                  atomic.Bool
	readings, frames, produced atomic.Uint64
	recent, all                latencies

	began, ended time.Time
	cpuBegan     time.Duration
	cpu          time.Duration
	shown        struct {
		at       time.Time
		readings uint64
	}

	mu    sync.Mutex
	wrong map[misbehave.Kind]uint64
}

func newMeter() *meter { return &meter{wrong: map[misbehave.Kind]uint64{}} }

func (m *meter) begin() {
	m.began, m.cpuBegan = time.Now(), processorTime()
	m.shown.at = m.began
	m.measuring.Store(true)
}

func (m *meter) end() {
	m.measuring.Store(false)
	m.ended, m.cpu = time.Now(), processorTime()-m.cpuBegan
}

func (m *meter) offered(readings int) {
	if m.measuring.Load() {
		m.produced.Add(uint64(readings))
	}
}

func (m *meter) acknowledged(d agent.Delivery) {
	if !m.measuring.Load() || d.After == 0 || d.After > time.Since(m.began) {
		return // it was sent before the measured time
	}
	m.readings.Add(uint64(d.Readings))
	m.frames.Add(1)
	m.recent.add(d.After)
	m.all.add(d.After)
}

func (m *meter) misbehaved(k misbehave.Kind) {
	m.mu.Lock()
	m.wrong[k]++
	m.mu.Unlock()
}

// progress is a line about the time since the last one.
func (m *meter) progress(connected, devices, pending int) string {
	now, readings := time.Now(), m.readings.Load()
	rate := float64(readings-m.shown.readings) / now.Sub(m.shown.at).Seconds()
	m.shown.at, m.shown.readings = now, readings
	p50, p99 := m.recent.quantile(0.5), m.recent.quantile(0.99)
	m.recent.reset()
	return fmt.Sprintf("%8.0f readings/s  %d acknowledged  %d frames in flight  p50 %s  p99 %s  %d/%d connected",
		rate, readings, pending, p50.Round(time.Millisecond), p99.Round(time.Millisecond), connected, devices)
}

// processorTime is what the process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// loadSummary is the result of a simulation.
type loadSummary struct {
	Kind              string                    `json:"kind"`
	Devices           int                       `json:"devices"`
	Seated            int                       `json:"seated"`
	Seconds           float64                   `json:"seconds"`
	Offered           uint64                    `json:"readings_offered"`
	Readings          uint64                    `json:"readings_acknowledged"`
	ReadingsPerSecond float64                   `json:"readings_per_second"`
	Frames            uint64                    `json:"frames_acknowledged"`
	FramesSent        uint64                    `json:"frames_sent"`
	FramesResent      uint64                    `json:"frames_resent"`
	FramesRefused     uint64                    `json:"frames_refused"`
	Unacknowledged    int                       `json:"frames_unacknowledged"`
	Connections       uint64                    `json:"connections"`
	Reports           uint64                    `json:"reports"`
	P50Millis         float64                   `json:"acknowledgement_p50_ms"`
	P99Millis         float64                   `json:"acknowledgement_p99_ms"`
	CPUSeconds        float64                   `json:"cpu_seconds"`
	CPUCores          float64                   `json:"cpu_cores"`
	Misbehaved        map[misbehave.Kind]uint64 `json:"misbehaved,omitempty"`
}

func (m *meter) summary() loadSummary {
	seconds := m.ended.Sub(m.began).Seconds()
	return loadSummary{
		Kind: "device_simulation", Seconds: seconds, Offered: m.produced.Load(), Readings: m.readings.Load(), ReadingsPerSecond: float64(m.readings.Load()) / seconds,
		Frames: m.frames.Load(), P50Millis: millis(m.all.quantile(0.5)), P99Millis: millis(m.all.quantile(0.99)),
		CPUSeconds: m.cpu.Seconds(), CPUCores: m.cpu.Seconds() / seconds, Misbehaved: m.wrong,
	}
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// String is the summary for people.
func (s loadSummary) String() string {
	text := fmt.Sprintf(`%d devices, %d with a seat
%d readings acknowledged in %.1f s: %.0f a second, of %d offered; p50 %.0f ms, p99 %.0f ms
%d frames sent, %d of them again, %d refused, %d not acknowledged; %d connections, %d attestations
the generator itself used %.1f s of processor time, %.2f cores`,
		s.Devices, s.Seated, s.Readings, s.Seconds, s.ReadingsPerSecond, s.Offered, s.P50Millis, s.P99Millis,
		s.FramesSent, s.FramesResent, s.FramesRefused, s.Unacknowledged, s.Connections, s.Reports, s.CPUSeconds, s.CPUCores)
	if len(s.Misbehaved) == 0 {
		return text
	}
	var wrong []string
	for k, n := range s.Misbehaved {
		wrong = append(wrong, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(wrong)
	return text + "\nmisbehaved: " + strings.Join(wrong, ", ")
}

// latencies counts durations in buckets that grow by 4 % from 50 µs on.
type latencies struct{ buckets [480]atomic.Uint64 }

const (
	shortest = 50 * time.Microsecond
	growth   = 1.04
)

func (l *latencies) add(d time.Duration) {
	i := 0
	if d > shortest {
		i = min(len(l.buckets)-1, int(math.Log(float64(d)/float64(shortest))/math.Log(growth))+1)
	}
	l.buckets[i].Add(1)
}

// quantile is the upper end of the bucket that holds it, 0 if nothing was counted.
func (l *latencies) quantile(q float64) time.Duration {
	total := uint64(0)
	for i := range l.buckets {
		total += l.buckets[i].Load()
	}
	rank, seen := uint64(math.Ceil(q*float64(total))), uint64(0)
	for i := range l.buckets {
		if seen += l.buckets[i].Load(); seen >= rank && rank > 0 {
			return time.Duration(float64(shortest) * math.Pow(growth, float64(i)))
		}
	}
	return 0
}

func (l *latencies) reset() {
	for i := range l.buckets {
		l.buckets[i].Store(0)
	}
}

package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/device/misbehave"
	"github.com/assay-net/assay/datahub/device/simulate"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/zk/record"
)

// simulatedDevice is one device with its readings.
type simulatedDevice struct {
	*agent.Agent
	files *agent.Files
	wrong *misbehave.Device

	mu      sync.Mutex // of the streams
	battery *simulate.BatteryStream
	pile    *simulate.PileStream
}

// historyStep is below the longest gap that package health integrates over, history in how many readings a frame carries them.
const (
	historyStep     = 50 * time.Second
	historyPerFrame = 50
)

// newSimulated makes device i of the fleet speak for d.
func (l *load) newSimulated(i int, d *device.Device, files *agent.Files, physics *simulate.Fleet) (*simulatedDevice, error) {
	s := &simulatedDevice{files: files}
	var err error
	options := simulate.StreamOptions{SpeedUp: l.call.speedUp}
	if physics.Schema().Name == "battery/v1" {
		s.battery, err = physics.Battery(i, options)
	} else {
		s.pile, err = physics.Pile(i, "M-"+d.ID().String()[:12], options)
	}
	if err != nil {
		return nil, cli.Usage("--speed-up: %w", err)
	}
	o := l.options
	if files != nil {
		o.State = files
	}
	o.Acknowledged = func(delivered agent.Delivery) { l.meter.acknowledged(delivered) }
	if l.call.records == "own" {
		o.Own = s.own
	}
	if kinds := l.call.kinds; len(kinds) > 0 && misbehaves(i, l.call.devices, l.call.share) {
		s.wrong = misbehave.New(kinds[l.wrong%len(kinds)], l.meter.misbehaved)
		l.wrong++
		o.UnsafeMeddle = func(sent agent.Sent) { s.wrong.Meddle(sent) }
	}
	s.Agent, err = agent.New(d, o)
	return s, err
}

// misbehaves spreads a share of the devices evenly over all.
func misbehaves(i, devices int, share float64) bool {
	wanted := math.Ceil(share * float64(devices))
	return math.Floor(float64(i+1)*wanted/float64(devices)) > math.Floor(float64(i)*wanted/float64(devices))
}

// own is the battery's own record: its peak temperature is what it published in the epoch.
func (s *simulatedDevice) own(_ uint64, m agent.Measured) (record.Record, bool) {
	if !m.PeakMilliC.Known {
		return record.Record{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.battery.Record(m.PeakMilliC.Value), true
}

// begin uploads the log of a battery that never sent anything.
func (s *simulatedDevice) begin(ctx context.Context) error {
	if s.battery == nil || !s.Fresh() {
		return nil
	}
	s.mu.Lock()
	readings := s.battery.History(time.Now(), historyStep)
	s.mu.Unlock()
	for len(readings) > 0 {
		n := min(historyPerFrame, len(readings))
		if err := s.Publish(ctx, readings[:n]); err != nil {
			return err
		}
		readings = readings[n:]
	}
	return nil
}

// send publishes a frame of readings, evenly spaced from one moment to another.
func (s *simulatedDevice) send(ctx context.Context, from, to time.Time, count int) error {
	var shift time.Duration
	if s.wrong != nil {
		shift = s.wrong.Shift()
	}
	step := to.Sub(from) / time.Duration(count)
	if s.pile != nil {
		meterings := make([]telemetry.Metering, count)
		for i := range meterings {
			meterings[i] = s.pile.Next(from.Add(time.Duration(i+1) * step))
			meterings[i].TimeMicros += shift.Microseconds()
		}
		return s.PublishMeterings(ctx, meterings)
	}
	readings := make([]telemetry.Reading, count)
	s.mu.Lock()
	for i := range readings {
		readings[i] = s.battery.Next(from.Add(time.Duration(i+1) * step))
		readings[i].TimeMicros += shift.Microseconds()
	}
	s.mu.Unlock()
	return s.Publish(ctx, readings)
}

// agentOptions are those of all devices.
func (c *deviceSimulateCall) agentOptions(p *provisioned) agent.Options {
	return agent.Options{
		Broker: p.Broker, Roots: p.roots, ServerName: p.ServerName, Ledger: p.Ledger, Genesis: p.Genesis, NodeKey: p.key, SRS: srsOnce(c.srs),
		Connecting: semaphore.NewWeighted(int64(c.connecting)), Attesting: semaphore.NewWeighted(2),
		Logger: slog.New(slog.NewTextHandler(c.Notes, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// compareSerials orders by the number at the end.
func compareSerials(a, b string) int {
	x, okX := serialNumber(a)
	y, okY := serialNumber(b)
	if okX && okY && x != y {
		return x - y
	}
	return strings.Compare(a, b)
}

func serialNumber(serial string) (int, bool) {
	n, err := strconv.Atoi(serial[strings.LastIndexByte(serial, '-')+1:])
	return n, err == nil
}

func simulatedSerial(prefix string, i int) string { return fmt.Sprintf("%s-%06d", prefix, i) }

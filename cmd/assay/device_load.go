package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/device/simulate"
	"github.com/assay-net/assay/zk/commit"
)

// load is a fleet of simulated devices under way.
type load struct {
	call      *deviceSimulateCall
	options   agent.Options
	directory *agent.Directory
	devices   []*simulatedDevice
	wrong     int
	meter     *meter
}

func (c *deviceSimulateCall) newLoad(ctx context.Context, p *provisioned, physics *simulate.Fleet) (*load, error) {
	l := &load{call: c, options: c.agentOptions(p), meter: newMeter()}
	config := device.Config{Class: commit.Software, Algorithm: commit.Algorithm(c.algorithm), Schema: p.schema}
	maker, err := p.maker(c.maker)
	if err != nil {
		return nil, err
	}
	c.Note("… %d devices for fleet %s at %s", c.devices, p.Fleet, p.Broker)
	if c.state == "" {
		err = l.make(maker, config, physics)
	} else {
		err = l.open(ctx, maker, config, physics)
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// make makes devices that live as long as the process.
func (l *load) make(maker *device.Maker, config device.Config, physics *simulate.Fleet) error {
	config.Serial = newSerialPrefix()
	devices, err := device.NewFleet(maker, config, l.call.devices)
	if err != nil {
		return err
	}
	for i, d := range devices {
		s, err := l.newSimulated(i, d, nil, physics)
		if err != nil {
			return err
		}
		l.devices = append(l.devices, s)
	}
	return nil
}

func newSerialPrefix() string {
	b := make([]byte, 4)
	rand.Read(b) //nolint:errcheck // crypto/rand.Read never fails: it ends the process instead
	return "sim-" + hex.EncodeToString(b)
}

// open opens the devices of a directory, and makes what is missing of them.
func (l *load) open(ctx context.Context, maker *device.Maker, config device.Config, physics *simulate.Fleet) (err error) {
	if l.directory, err = agent.OpenDirectory(l.call.state); err != nil {
		return cli.Usage("--state: %w", err)
	}
	serials, err := l.directory.Serials()
	if err != nil {
		return err
	}
	slices.SortFunc(serials, compareSerials)
	prefix := newSerialPrefix()
	if len(serials) > 0 {
		prefix = serials[0][:max(0, strings.LastIndexByte(serials[0], '-'))]
	}
	for i := range l.call.devices {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		config.Serial = simulatedSerial(prefix, i)
		d, files, err := l.directory.Device(maker, config)
		if err != nil {
			return err
		}
		s, err := l.newSimulated(i, d, files, physics)
		if err != nil {
			return errors.Join(err, files.Close())
		}
		l.devices = append(l.devices, s)
	}
	return nil
}

// close closes what the devices keep. Nothing runs any more.
func (l *load) close() {
	for _, s := range l.devices {
		if s.files != nil {
			s.files.Close() //nolint:errcheck // every entry was written
		}
	}
	if l.directory != nil {
		l.directory.Close() //nolint:errcheck // the lock goes with the process
	}
}

// run connects the devices, sends until the time is over or the context ends, waits for acknowledgements and sums up.
func (l *load) run(ctx context.Context) error {
	// The agents outlive the context: what was sent is to be acknowledged before they stop.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	var agents sync.WaitGroup
	for _, s := range l.devices {
		agents.Go(func() { s.Run(running) })
	}
	defer agents.Wait()
	defer stop()

	sending, enough := context.WithCancel(ctx)
	defer enough()
	ready := make(chan struct{}, len(l.devices))
	start := make(chan struct{})
	var senders sync.WaitGroup
	var failed atomic.Pointer[error]
	for i, s := range l.devices {
		senders.Go(func() {
			if err := l.send(sending, i, s, ready, start); err != nil && sending.Err() == nil {
				failed.CompareAndSwap(nil, &err)
				enough()
			}
		})
	}
	seated := l.await(sending, ready)
	close(start)
	l.meter.begin()
	l.watch(sending)
	enough()
	senders.Wait()
	l.meter.end()
	left := l.finish(running)
	if err := failed.Load(); err != nil {
		return *err
	}
	return l.sum(seated, left)
}

// await waits until every device has its seat and has sent its log.
func (l *load) await(ctx context.Context, ready <-chan struct{}) int {
	patience := time.NewTimer(l.call.patience)
	defer patience.Stop()
	note := time.NewTicker(progressEvery)
	defer note.Stop()
	done := l.call.Progress("seats", len(l.devices))
	for n := 0; ; {
		if done(n); n == len(l.devices) {
			return n
		}
		select {
		case <-ctx.Done():
			return n
		case <-ready:
			n++
		case <-note.C:
			if !l.call.Live() {
				l.call.Note("… %d of %d devices have their seats", n, len(l.devices))
			}
		case <-patience.C:
			l.call.Note("… %d of %d devices have their seats, going on", n, len(l.devices))
			return n
		}
	}
}

// send is one device's readings. All devices send in turn, each at the same interval.
func (l *load) send(ctx context.Context, i int, s *simulatedDevice, ready chan<- struct{}, start <-chan struct{}) error {
	if l.call.history && l.call.speedUp == 1 {
		if err := s.begin(ctx); err != nil {
			return err
		}
	}
	if err := s.Seated(ctx); err != nil {
		return err
	}
	ready <- struct{}{}
	select {
	case <-ctx.Done():
		return nil
	case <-start:
	}
	interval := time.Duration(float64(l.call.perFrame*len(l.devices)) / l.call.rate * float64(time.Second))
	last := time.Now()
	next := last.Add(interval * time.Duration(i+1) / time.Duration(len(l.devices)))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		now := time.Now()
		if err := s.send(ctx, last, now, l.call.perFrame); err != nil {
			return err
		}
		l.meter.offered(l.call.perFrame)
		last = now
		// A device that had to wait does not make up for it.
		if next = next.Add(interval); time.Since(next) > 3*interval {
			next = time.Now()
		}
	}
}

// watch prints progress until the time is over.
func (l *load) watch(ctx context.Context) {
	if l.call.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.call.duration)
		defer cancel()
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			connected, pending := l.state()
			l.call.Note("%s", l.meter.progress(connected, len(l.devices), pending))
		}
	}
}

const progressEvery = 5 * time.Second

func (l *load) state() (connected, pending int) {
	for _, s := range l.devices {
		status := s.Status()
		pending += status.Pending
		if status.Connected {
			connected++
		}
	}
	return connected, pending
}

// finish waits for acknowledgements, and returns how many frames have none.
func (l *load) finish(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, l.call.drain)
	defer cancel()
	var group errgroup.Group
	for _, s := range l.devices {
		group.Go(func() error { return s.Drain(ctx) })
	}
	if err := group.Wait(); err == nil {
		return 0
	}
	_, pending := l.state()
	return pending
}

// sum prints the summary.
func (l *load) sum(seated, left int) error {
	o := l.meter.summary()
	o.Devices, o.Seated, o.Unacknowledged = len(l.devices), seated, left
	for _, s := range l.devices {
		status := s.Status()
		o.Connections += status.Connects
		o.FramesSent += status.Sent
		o.FramesResent += status.Resent
		o.FramesRefused += status.Refused
		o.Reports += status.Reports
	}
	if err := l.call.Result(o, "%s", o); err != nil {
		return err
	}
	switch {
	case seated < len(l.devices):
		return cli.No("%d of %d devices were given no seat", len(l.devices)-seated, len(l.devices))
	case left > 0:
		return cli.No("%d frames were not acknowledged within %s", left, l.call.drain)
	}
	return nil
}

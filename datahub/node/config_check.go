package node

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/zk/record"
)

func (c *Config) checkBroker() error {
	b := &c.Broker
	if err := address("broker.listen", b.Listen); err != nil {
		return err
	}
	if err := address("broker.workers", b.Workers); err != nil {
		return err
	}
	if b.URL == "" && b.Listen == "" {
		return errors.New("broker.listen: is empty, and broker.url names no cluster")
	}
	if b.URL != "" && (b.Devices == "" || b.Keys == "") {
		return errors.New("broker.devices and broker.keys: must be given with broker.url")
	}
	if b.URL != "" {
		if err := reference.Reference(b.Keys).Check(); err != nil {
			return fmt.Errorf("broker.keys: %w", err)
		}
	}
	if (b.Certificate == "") != (b.Key == "") {
		return errors.New("broker.certificate and broker.key: give both or neither")
	}
	if n, err := b.Bytes(); err != nil || n < 64<<20 {
		return fmt.Errorf("broker.max_bytes is %q, must be a size of at least 64MiB", b.MaxBytes)
	}
	return nil
}

// MemoryBytes is Memory in bytes.
func (c *Config) MemoryBytes() (uint64, error) { return humanize.ParseBytes(c.Memory) }

// Bytes is how much the broker may keep on disk.
func (b *Broker) Bytes() (uint64, error) { return humanize.ParseBytes(b.MaxBytes) }

func (c *Config) checkIngest() error {
	i := &c.Ingest
	switch {
	case i.Future < 0 || i.Future > 24*time.Hour:
		return fmt.Errorf("ingest.future is %s, must be within 0 and 24h", i.Future)
	case i.Past < time.Minute:
		return fmt.Errorf("ingest.past is %s, must be at least 1m", i.Past)
	case i.FramesPerSecond <= 0 || i.FramesPerSecond > 1e6:
		return fmt.Errorf("ingest.frames_per_second is %v, must be above 0 and at most a million", i.FramesPerSecond)
	case i.Burst < 64 || i.Burst > 1<<20:
		return fmt.Errorf("ingest.burst is %d, must be 64 to %d", i.Burst, 1<<20)
	}
	return nil
}

func (c *Config) checkEpochs() error {
	e := &c.Epochs
	switch {
	case e.Grace < 0 || e.Grace > 24*time.Hour:
		return fmt.Errorf("epochs.grace is %s, must be 0s to 24h", e.Grace)
	case e.Gather < time.Second || e.Gather > 7*24*time.Hour:
		return fmt.Errorf("epochs.gather is %s, must be 1s to 168h", e.Gather)
	case !oneOf(e.Late, "count", "quarantine"):
		return fmt.Errorf("epochs.late is %q, must be count or quarantine", e.Late)
	case e.AnchorsAtOnce < 1 || e.AnchorsAtOnce > 64:
		return fmt.Errorf("epochs.anchors_at_once is %d, must be 1 to 64", e.AnchorsAtOnce)
	}
	if _, err := parseSchedule(e.Close); err != nil {
		return fmt.Errorf("epochs.close: %w", err)
	}
	if c.Proving.Local < -1 || c.Proving.Local > 64 {
		return fmt.Errorf("proving.local is %d, must be -1 to 64", c.Proving.Local)
	}
	if c.Proving.Local < 0 && len(c.Proving.Workers) == 0 {
		return errors.New("proving.local is -1, and there are no proving.workers")
	}
	if len(c.Proving.Workers) > 0 && c.Broker.Workers == "" && c.Broker.URL == "" {
		return errors.New("proving.workers: broker.workers names no address for them")
	}
	for i, w := range c.Proving.Workers {
		if err := workqueue.CheckWorker(w.Name); err != nil {
			return fmt.Errorf("proving.workers[%d].name: %w", i, err)
		}
		if w.Name == localWorker {
			return fmt.Errorf("proving.workers[%d].name: %q is this process", i, w.Name)
		}
	}
	return nil
}

func (c *Config) checkStore() error {
	s := &c.Store
	switch {
	case !strings.HasPrefix(s.URL, "sqlite:") && !strings.HasPrefix(s.URL, "postgres://") && !strings.HasPrefix(s.URL, "postgresql://") &&
		!strings.HasPrefix(s.URL, "file:") && !strings.HasPrefix(s.URL, "env:"):
		return errors.New("store.url: must be sqlite:PATH, or a reference file:PATH or env:NAME to a postgres:// URL")
	case s.MaxConnections < 2 || s.MaxConnections > 1000:
		return fmt.Errorf("store.max_connections is %d, must be 2 to 1000", s.MaxConnections)
	case s.KeyPeriod < time.Minute:
		return fmt.Errorf("store.key_period is %s, must be at least 1m", s.KeyPeriod)
	case s.KeepFrames < time.Minute:
		return fmt.Errorf("store.keep_frames is %s, must be at least 1m", s.KeepFrames)
	}
	return nil
}

// bounds are how far a device's own record may be from what its readings give.
func (f *Fleet) bounds(schema *record.Schema) (health.Bounds, error) {
	out := health.DefaultBounds(schema)
	for name, text := range f.Bounds {
		i, ok := schema.LaneIndex(name)
		if !ok || i == record.Presence {
			return nil, fmt.Errorf("disagreement_bounds: schema %s has no lane %q", schema.Name, name)
		}
		lane := schema.Lanes[i]
		lane.Offset, lane.Min = 0, 0 // a difference, not a value
		v, err := lane.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("disagreement_bounds.%s: %w", name, err)
		}
		b := out[name]
		b.Units = v
		out[name] = b
	}
	return out, nil
}

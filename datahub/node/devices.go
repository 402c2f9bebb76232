package node

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// member is a device that has a seat.
type member struct {
	store.Device
	key       commit.PublicKey
	secret    commit.Secret
	transport frame.TransportKey
	refused   time.Time // when the ledger refused to enrol it
}

// devices are all devices that have a seat, and the makers whose devices may have one. It is what the broker and the pipeline ask.
type devices struct {
	fleets []Fleet
	book   ledger.Book
	log    *slog.Logger

	mu     sync.RWMutex
	byID   map[commit.DeviceID]*member
	seats  map[string]*seats
	makers map[string]*x509.Certificate
	asked  time.Time // when the makers were asked for last
	asking sync.Mutex
	broken map[string]bool // makers whose certificate is none, and of whom that was said
}

func newDevices(fleets []Fleet, book ledger.Book) *devices {
	return &devices{fleets: fleets, book: book, log: slog.New(slog.DiscardHandler), byID: map[commit.DeviceID]*member{}, seats: map[string]*seats{},
		makers: map[string]*x509.Certificate{}, broken: map[string]bool{}}
}

// load takes over what the store has, and looks up which seats the ledger knows beyond that.
func (d *devices) load(ctx context.Context, s *secrets, stored []store.Device) error {
	derived, err := s.of(ctx, stored)
	if err != nil {
		return err
	}
	for i, row := range stored {
		certificate, err := commit.ParseDeviceCertificate(row.Certificate)
		if err != nil {
			return fmt.Errorf("device %s: %w", row.ID, err)
		}
		d.byID[row.ID] = &member{Device: row, key: certificate.Key, secret: derived[i].secret, transport: derived[i].transport}
	}
	for i := range d.fleets {
		if err := d.loadSeats(ctx, &d.fleets[i], stored); err != nil {
			return err
		}
	}
	return nil
}

func (d *devices) fleet(id string) *Fleet {
	i := slices.IndexFunc(d.fleets, func(f Fleet) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return &d.fleets[i]
}

// Allow says whether a device may connect: its maker is on the ledger, and it belongs to one of the fleets.
func (d *devices) Allow(ctx context.Context, c *commit.DeviceCertificate) error {
	_, err := d.admit(ctx, c)
	return err
}

// admit finds the fleet of a device.
func (d *devices) admit(ctx context.Context, c *commit.DeviceCertificate) (*Fleet, error) {
	ca, err := d.maker(ctx, c.Maker)
	if err != nil {
		return nil, err
	}
	if err := c.VerifyIssuer(ca); err != nil {
		return nil, err
	}
	for i := range d.fleets {
		if d.fleets[i].accepts(c) {
			return &d.fleets[i], nil
		}
	}
	return nil, fmt.Errorf("no fleet accepts devices of maker %s with serial %q", c.Maker, c.Serial)
}

func (f *Fleet) accepts(c *commit.DeviceCertificate) bool {
	if len(f.Accept) == 0 {
		return true
	}
	return slices.ContainsFunc(f.Accept, func(a Acceptance) bool { return matches(a.Maker, c.Maker) && matches(a.Serial, c.Serial) })
}

// matches has an empty pattern match everything. Patterns were checked with the configuration.
func matches(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return pattern == "" || ok && err == nil
}

// Lookup finds a device that has a seat.
func (d *devices) Lookup(id commit.DeviceID) (ingest.Known, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	m, ok := d.byID[id]
	if !ok {
		return ingest.Known{}, false
	}
	return ingest.Known{ID: id, Fleet: m.Fleet, Key: m.key, Transport: m.transport, Through: m.Through}, true
}

// get returns a copy.
func (d *devices) get(id commit.DeviceID) (member, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	m, ok := d.byID[id]
	if !ok {
		return member{}, false
	}
	return *m, true
}

// change changes a device's entry, and returns what is to be stored.
func (d *devices) change(id commit.DeviceID, f func(*member)) store.Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.byID[id]
	f(m)
	return m.Device
}

// where lists the devices that satisfy a condition, ordered by seat.
func (d *devices) where(condition func(*member) bool) []member {
	d.mu.RLock()
	var out []member
	for _, m := range d.byID {
		if condition(m) {
			out = append(out, *m)
		}
	}
	d.mu.RUnlock()
	slices.SortFunc(out, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Chunk, b.Chunk), cmp.Compare(a.Slot, b.Slot))
	})
	return out
}

// active says whether the device may attest in an epoch.
func (m *member) active(epoch uint64) bool {
	return m.From != 0 && m.From <= epoch && (m.Until == 0 || epoch < m.Until)
}

// count shows how many devices are in which state.
func (d *devices) count(g *prometheus.GaugeVec) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	counts := map[[2]string]int{}
	for _, m := range d.byID {
		counts[[2]string{m.Fleet, string(m.State)}]++
	}
	g.Reset()
	for key, n := range counts {
		g.WithLabelValues(key[0], key[1]).Set(float64(n))
	}
}

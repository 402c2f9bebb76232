package node

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
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

	mu     sync.RWMutex
	byID   map[commit.DeviceID]*member
	next   map[string]uint32 // the first seat of a fleet that was never given away
	makers map[string]*x509.Certificate
	asked  time.Time // when the makers were read last
}

func newDevices(fleets []Fleet, book ledger.Book) *devices {
	return &devices{fleets: fleets, book: book, byID: map[commit.DeviceID]*member{}, next: map[string]uint32{}, makers: map[string]*x509.Certificate{}}
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
		d.reserve(row.Fleet, d.seat(row.Fleet, row.Chunk, row.Slot)+1)
	}
	for i := range d.fleets {
		if err := d.reserveEnrolled(ctx, &d.fleets[i]); err != nil {
			return err
		}
	}
	return nil
}

// reserveEnrolled keeps clear of slots that are on the ledger: a slot is used once.
func (d *devices) reserveEnrolled(ctx context.Context, f *Fleet) error {
	chunks, err := d.book.Chunks(ctx, f.ID)
	if err != nil {
		return fmt.Errorf("fleet %s: %w", f.ID, err)
	}
	for _, c := range chunks {
		slots, err := d.book.Slots(ctx, f.ID, c.Index)
		if err != nil {
			return fmt.Errorf("fleet %s chunk %d: %w", f.ID, c.Index, err)
		}
		for _, s := range slots {
			d.reserve(f.ID, d.seat(f.ID, c.Index, s.Slot)+1)
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

func (d *devices) seat(fleet string, chunk, slot uint32) uint32 {
	f := d.fleet(fleet)
	if f == nil {
		return 0
	}
	return chunk*f.ChunkSize + slot
}

func (d *devices) reserve(fleet string, next uint32) { d.next[fleet] = max(d.next[fleet], next) }

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

// askMakers is how long the list of makers is believed when it lacks one: unknown makers cannot make the node ask the ledger for every connection.
const askMakers = 2 * time.Second

func (d *devices) maker(ctx context.Context, id string) (*x509.Certificate, error) {
	d.mu.RLock()
	ca, asked := d.makers[id], d.asked
	d.mu.RUnlock()
	if ca != nil {
		return ca, nil
	}
	if time.Since(asked) > askMakers {
		if err := d.readMakers(ctx); err != nil {
			return nil, err
		}
		d.mu.RLock()
		ca = d.makers[id]
		d.mu.RUnlock()
	}
	if ca == nil {
		return nil, fmt.Errorf("maker %q is not registered on the ledger", id)
	}
	return ca, nil
}

func (d *devices) readMakers(ctx context.Context) error {
	makers, err := d.book.Makers(ctx)
	if err != nil {
		return fmt.Errorf("reading the makers: %w", err)
	}
	found := map[string]*x509.Certificate{}
	for _, m := range makers {
		if found[m.ID], err = commit.ParseMakerCA(m.Certificate); err != nil {
			return fmt.Errorf("maker %s: %w", m.ID, err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.makers, d.asked = found, time.Now()
	return nil
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

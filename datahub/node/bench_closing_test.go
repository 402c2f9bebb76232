package node

import (
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/loopback"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/measure"
	"github.com/assay-net/assay/zk/record"
)

const (
	closingDevices = 20_000
	closingChunk   = 1024
)

func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := loopback.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// benchClosing measures the closing of an epoch whose reports are in the store: commitments of 20,000 devices opened and summed up, anchored on the embedded ledger, where two
// organisations check every signature and proof.
func benchClosing(t *testing.T, table *measure.Table) {
	const epochSeconds = 90
	w := newWorld(t, epochSeconds, func(c *Config) {
		c.Fleets[0].ChunkSize = closingChunk
		c.Epochs.Gather = time.Second
		c.Epochs.Close = "every 1000000000" // the test closes
	})
	ctx := t.Context()
	devices := w.enrolMany(closingDevices)
	var epoch uint64 // the first in which all are enrolled
	for _, m := range w.node.devices.where(func(*member) bool { return true }) {
		epoch = max(epoch, m.From)
	}
	w.wait(w.ledger.Genesis().EpochEnd(epoch))
	w.attestMany(devices, epoch)
	c := w.node.closer
	began := time.Now()
	if err := c.attempt(ctx, slog.New(slog.DiscardHandler), &c.devices.fleets[0], epoch); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began).Seconds()
	attested := 0
	for _, a := range w.anchors(epoch) {
		attested += int(a.Anchor.Attested)
	}
	if attested != closingDevices {
		t.Fatalf("%d devices are anchored", attested)
	}
	table.Add("close_20000_devices_seconds", took, "s", "30 s", took/30)
}

func (w *world) wait(until time.Time) {
	if err := sleep(w.t.Context(), time.Until(until)); err != nil {
		w.t.Fatal(err)
	}
}

// enrolMany enrols devices that have no connection: as the greeter and the enroller do, without a hello.
func (w *world) enrolMany(n int) []*device.Device {
	w.t.Helper()
	ctx := w.t.Context()
	schema := must(record.Lookup("battery/v1"))(w.t)
	devices := must(device.NewFleet(w.maker, device.Config{Serial: "many", Class: commit.Module, Algorithm: commit.Ed25519, Schema: schema}, n))(w.t)
	rows := make([]store.Device, n)
	g := w.node.greeter
	for i, d := range devices {
		rows[i] = store.Device{ID: d.ID(), Fleet: fleetID, Chunk: uint32(i / closingChunk), Slot: uint32(i % closingChunk), Certificate: d.Certificate().DER(), Generation: 1,
			State: store.Accepted, Offered: time.Now(), LastSeen: time.Now()}
	}
	derived := must(g.secrets.of(ctx, rows))(w.t)
	for i, d := range devices {
		seat := device.Seat{Ledger: w.ledger.ID(), SRS: w.srs.Digest(), Fleet: fleetID, Chunk: rows[i].Chunk, Size: closingChunk, Slot: rows[i].Slot}
		rows[i].Possession = storedPossession(commit.Possession{Until: ledger.MaxEpoch - 1, Signature: must(d.Possess(seat, ledger.MaxEpoch-1))(w.t)})
		if err := d.Accept(seat, derived[i].secret); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.node.storage.Store.PutDevices(ctx, rows); err != nil {
		w.t.Fatal(err)
	}
	g.devices.mu.Lock()
	for i, d := range devices {
		g.devices.byID[d.ID()] = &member{Device: rows[i], key: d.Public(), secret: derived[i].secret, transport: derived[i].transport}
	}
	g.devices.mu.Unlock()
	g.nudge()
	w.untilWithin(5*time.Minute, "devices are enrolled", func() bool { return w.status().Devices.Enrolled == n })
	return devices
}

// attestMany has devices attest, and puts the reports into the store as the pipeline would.
func (w *world) attestMany(devices []*device.Device, epoch uint64) {
	w.t.Helper()
	reports := make([]store.Report, len(devices))
	var group errgroup.Group
	group.SetLimit(4)
	for i, d := range devices {
		group.Go(func() error {
			seat := device.Seat{Ledger: w.ledger.ID(), SRS: w.srs.Digest(), Fleet: fleetID, Chunk: uint32(i / closingChunk), Size: closingChunk, Slot: uint32(i % closingChunk)}
			rec := committest.Record(i % closingChunk)
			a, err := d.Attest(w.srs, seat.Place(epoch), rec)
			reports[i] = store.Report{Fleet: fleetID, Device: d.ID(), Chunk: seat.Chunk, Slot: seat.Slot, Epoch: epoch, Sequence: 1, Received: time.Now(), Record: marshalRecord(rec), Attestation: a}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		w.t.Fatal(err)
	}
	for from := 0; from < len(reports); from += 500 {
		if err := w.node.storage.Store.Commit(w.t.Context(), &store.Batch{Reports: reports[from:min(from+500, len(reports))]}); err != nil {
			w.t.Fatal(err)
		}
	}
}

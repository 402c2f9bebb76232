package node

import (
	"log/slog"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// A device that was not enrolled for as long as it agreed to is offered its seat again, and enrolled once it agrees anew.
func TestDeviceThatAgreedTooLongAgoAgreesAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 8, nil)
	genesis := w.ledger.Genesis()
	g := &greeter{devices: newDevices(w.config.Fleets, ledger.Book{Client: &w.book}), store: w.node.storage.Store, genesis: genesis, clock: time.Now, wake: make(chan struct{}, 1)}
	e := &enroller{greeter: g, log: slog.New(slog.DiscardHandler)}
	d := must(device.New(w.maker, device.Config{Serial: "pack-x", Class: commit.Module, Algorithm: commit.P256, Schema: must(record.Lookup("battery/v1"))(t)}))(t)
	g.devices.byID[d.ID()] = &member{key: d.Public(), Device: store.Device{
		ID: d.ID(), Fleet: fleetID, Chunk: 9, Slot: 3, Certificate: d.Certificate().DER(), Generation: 1, State: store.Offered, Offered: time.Now(), LastSeen: time.Now()}}
	seat := device.Seat{Ledger: genesis.ID(), SRS: w.srs.Digest(), Fleet: fleetID, Chunk: 9, Size: 64, Slot: 3}
	accept := func(until, signed uint64) error {
		a := &frame.Accept{Fleet: fleetID, Chunk: 9, Slot: 3, Generation: 1, Until: until, Possession: must(d.Possess(seat, signed))(t)}
		_, err := g.accept(&ingest.Upload{Known: ingest.Known{ID: d.ID()}}, a)
		return err
	}
	state := func() store.DeviceState { m, _ := g.devices.get(d.ID()); return m.State }

	now := must(genesis.EpochAt(time.Now()))(t)
	if err := accept(now-1, now-1); err == nil {
		t.Error("an agreement that is over is taken")
	}
	if err := accept(now+9, now); err == nil {
		t.Error("an agreement that was put off is taken")
	}
	if err := accept(now, now); err != nil || state() != store.Accepted {
		t.Fatalf("state %s, %v", state(), err)
	}
	w.wait(genesis.EpochEnd(now).Add(time.Second))
	w.until("the device is to agree anew", func() bool { e.round(t.Context()); return state() == store.Offered })
	if err := accept(now+100, now+100); err != nil {
		t.Fatal(err)
	}
	w.until("the device is enrolled", func() bool { e.round(t.Context()); return state() == store.Enrolled })
}

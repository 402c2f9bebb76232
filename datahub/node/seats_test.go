package node

import (
	"slices"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

func TestSeats(t *testing.T) {
	s := &seats{}
	var got []uint32
	for range 3 {
		seat, ok := s.take(3)
		if !ok {
			t.Fatal("full")
		}
		got = append(got, seat)
	}
	if _, ok := s.take(3); ok || !slices.Equal(got, []uint32{0, 1, 2}) {
		t.Errorf("seats %v, and one more", got)
	}
	for _, seat := range []uint32{2, 0, 2, 7} { // twice, and one that was never given away
		s.give(seat)
	}
	for _, want := range []uint32{0, 2} {
		if seat, ok := s.take(3); !ok || seat != want {
			t.Errorf("seat %d, want %d", seat, want)
		}
	}
	if _, ok := s.take(3); ok {
		t.Error("a seat is given twice")
	}
}

// greeting is a greeter without a store, and a device that greets.
func greeting(t *testing.T) (*greeter, *device.Device, *Fleet) {
	fleets := []Fleet{{ID: fleetID, ChunkSize: 64, MaxDevices: 1000}}
	genesis := contracttest.Genesis()
	g := &greeter{devices: newDevices(fleets, ledger.Book{}), genesis: &genesis, clock: time.Now}
	d := must(device.New(must(device.NewMaker("maker-a"))(t), device.Config{Serial: "1", Class: commit.Software, Algorithm: commit.Ed25519,
		Schema: must(record.Lookup("battery/v1"))(t)}))(t)
	return g, d, &fleets[0]
}

// A device that has left its seat is given another one in the next generation, and goes on with its numbers; one that was retired only if its
// fleet says so.
func TestSeatOfADeviceThatComesBack(t *testing.T) {
	g, d, f := greeting(t)
	s := g.devices.seatsOf(fleetID)
	s.next = 65
	g.devices.byID[d.ID()] = &member{Device: store.Device{ID: d.ID(), Fleet: fleetID, Slot: 3, State: store.Retired, Generation: 2, From: 5, Until: 9, Through: 77}}
	if _, err := g.before(f, d.ID()); err == nil {
		t.Error("a retired device is taken again, and the fleet does not say so")
	}
	f.Readmit = true
	before := must(g.before(f, d.ID()))(t)
	row := must(g.assign(f, d.ID(), d.Certificate(), before))(t)
	if row.Chunk != 1 || row.Slot != 1 || row.Generation != 3 || row.Through != 77 || row.State != store.Offered || row.From != 0 || row.Until != 0 {
		t.Errorf("seated as %+v", row)
	}
}

// A device that the ledger has and the store, which is an old copy, has not is given the seat that it has.
func TestSeatOfADeviceThatTheStoreForgot(t *testing.T) {
	g, d, f := greeting(t)
	s := g.devices.seatsOf(fleetID)
	s.next = 65
	entry := ledger.SlotEntry{Slot: 7, Enrolment: ledger.Slot{Device: d.ID(), From: 12}}
	s.enrolled[d.ID()] = enrolment{chunk: 0, slot: entry, generation: 1}
	row := must(g.assign(f, d.ID(), d.Certificate(), nil))(t)
	if row.Chunk != 0 || row.Slot != 7 || row.Generation != 1 || row.State != store.Enrolled || row.From != 12 {
		t.Errorf("seated as %+v", row)
	}
	g.giveBack([]store.Device{row})
	if len(s.free) != 0 {
		t.Error("a seat that is on the ledger was made free")
	}
	entry.Enrolment.Until = 14
	s.enrolled[d.ID()] = enrolment{chunk: 0, slot: entry, generation: 1}
	if _, err := g.assign(f, d.ID(), d.Certificate(), nil); err == nil {
		t.Error("one that was retired is taken again")
	}
}

// Seats that were offered and never taken are taken back; those of devices that are heard of are not.
func TestSeatsThatNobodyCameFor(t *testing.T) {
	g, _, f := greeting(t)
	now := time.Now()
	long := now.Add(-2 * offeredFor)
	s := g.devices.seatsOf(fleetID)
	s.next = 5
	rows := []store.Device{
		{ID: commit.DeviceID{0}, State: store.Offered, Offered: long, LastSeen: long},
		{ID: commit.DeviceID{1}, Slot: 1, State: store.Offered, Offered: long, LastSeen: now},
		{ID: commit.DeviceID{2}, Slot: 2, State: store.Offered, Offered: now, LastSeen: long},
		{ID: commit.DeviceID{3}, Slot: 3, State: store.Accepted, Offered: long, LastSeen: long},
		{ID: commit.DeviceID{4}, Slot: 4, State: store.Offered, Offered: long, LastSeen: long}, // on the ledger
	}
	for i := range rows {
		rows[i].Fleet, rows[i].Generation = fleetID, 1
		g.devices.byID[rows[i].ID] = &member{Device: rows[i]}
	}
	left := g.unclaimed(fleetID, rows, map[commit.DeviceID]bool{{4}: true})
	g.vacate(f, left)
	if len(left) != 1 || left[0].Slot != 0 || left[0].State != store.Retired || !slices.Equal(s.free, []uint32{0}) {
		t.Errorf("left %+v, free %v", left, s.free)
	}
	if m := must(g.before(f, commit.DeviceID{0}))(t); m.State != store.Retired {
		t.Error("a device that never came for its seat is given none")
	}
}

// What the ledger says of an enrolment is taken over, and a device's seat is left when its last epoch is past.
func TestRetiredDeviceLeavesItsSeat(t *testing.T) {
	g, d, _ := greeting(t)
	now := g.genesis.EpochEnd(8)
	g.clock = func() time.Time { return now }
	g.devices.byID[d.ID()] = &member{Device: store.Device{ID: d.ID(), Fleet: fleetID, Slot: 3, State: store.Enrolled, From: 5}}
	e := ledger.SlotEntry{Slot: 3, Enrolment: ledger.Slot{Device: d.ID(), From: 5, Until: 9}}
	if row, changed := g.retired(fleetID, 0, e, 9); !changed || row.State != store.Enrolled || row.Until != 9 {
		t.Errorf("while anchors of its last epoch are taken: %+v", row)
	}
	now = g.genesis.SettledAfter(8).Add(time.Second)
	if _, changed := g.retired(fleetID, 0, e, 8); changed {
		t.Error("the ledger has not opened the epoch after its last")
	}
	if row, changed := g.retired(fleetID, 0, e, 9); !changed || row.State != store.Retired {
		t.Errorf("afterwards: %+v", row)
	}
	if _, changed := g.retired(fleetID, 0, e, 9); changed {
		t.Error("changed again")
	}
}

// A call that enrols devices stays below what orderers take.
func TestEnrolmentsAtOnce(t *testing.T) {
	members := make([]member, 4096)
	for i := range members {
		members[i].Certificate = make([]byte, 2048)
	}
	if n := atOnce(members); n != enrolBytes/2048 {
		t.Errorf("%d devices at once", n)
	}
	members[0].Certificate = make([]byte, 2*enrolBytes)
	if n := atOnce(members); n != 1 {
		t.Errorf("%d devices at once, the first is large", n)
	}
	if n := atOnce(members[1:9]); n != 8 {
		t.Errorf("%d of 8 devices at once", n)
	}
}

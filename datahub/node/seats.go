package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// seats are a fleet's slots in the order of chunks, as far as they are given away. A slot that is on the ledger is never given to another device.
type seats struct {
	next     uint32   // the first that was never given away
	free     []uint32 // those before it that nobody has, ascending
	enrolled map[commit.DeviceID]enrolment
}

// enrolment is where the ledger has a device.
type enrolment struct {
	chunk      uint32
	slot       ledger.SlotEntry
	generation uint32 // how many slots of the fleet the device has had, with this one
}

// take gives away a seat.
func (s *seats) take(most uint32) (uint32, bool) {
	if len(s.free) > 0 {
		seat := s.free[0]
		s.free = s.free[1:]
		return seat, true
	}
	if s.next >= most {
		return 0, false
	}
	s.next++
	return s.next - 1, true
}

// give makes a seat free that nobody knows of, or nobody has any more.
func (s *seats) give(seat uint32) {
	if i, there := slices.BinarySearch(s.free, seat); !there && seat < s.next {
		s.free = slices.Insert(s.free, i, seat)
	}
}

// loadSeats finds out which seats of a fleet nobody has, from those that are stored and those that are on the ledger.
func (d *devices) loadSeats(ctx context.Context, f *Fleet, stored []store.Device) error {
	s, used := &seats{enrolled: map[commit.DeviceID]enrolment{}}, map[uint32]bool{}
	use := func(seat uint32) {
		used[seat] = true
		s.next = max(s.next, seat+1)
	}
	for i := range stored {
		if row := &stored[i]; row.Fleet == f.ID {
			s.next = max(s.next, row.Chunk*f.ChunkSize+row.Slot+1)
			if row.State != store.Retired {
				use(row.Chunk*f.ChunkSize + row.Slot)
			}
		}
	}
	if err := d.eachSlot(ctx, f, func(chunk uint32, e ledger.SlotEntry) { use(chunk*f.ChunkSize + e.Slot) }, s); err != nil {
		return err
	}
	for seat := range s.next {
		if !used[seat] {
			s.free = append(s.free, seat)
		}
	}
	d.seats[f.ID] = s
	return nil
}

// eachSlot goes through the slots of a fleet that are on the ledger, and notes in s where devices are.
func (d *devices) eachSlot(ctx context.Context, f *Fleet, do func(chunk uint32, e ledger.SlotEntry), s *seats) error {
	chunks, err := d.book.Chunks(ctx, f.ID)
	if err != nil {
		return fmt.Errorf("fleet %s: %w", f.ID, err)
	}
	for _, c := range chunks {
		slots, err := d.book.Slots(ctx, f.ID, c.Index)
		if err != nil {
			return fmt.Errorf("fleet %s chunk %d: %w", f.ID, c.Index, err)
		}
		for _, e := range slots {
			do(c.Index, e)
			if s != nil {
				before := s.enrolled[e.Enrolment.Device]
				now := enrolment{c.Index, e, before.generation + 1}
				if before.generation > 0 && before.slot.Enrolment.From > e.Enrolment.From {
					now.chunk, now.slot = before.chunk, before.slot
				}
				s.enrolled[e.Enrolment.Device] = now
			}
		}
	}
	return nil
}

// assign gives a device a seat: the one that the ledger has it in, which a store that was restored from a backup does not know, or a free one. before is
// the device's entry if it has left its seat: its next enrolment is of another generation, and its frames go on being numbered as they were.
func (g *greeter) assign(f *Fleet, id commit.DeviceID, certificate *commit.DeviceCertificate, before *member) (store.Device, error) {
	g.devices.mu.Lock()
	defer g.devices.mu.Unlock()
	s, now := g.devices.seatsOf(f.ID), g.clock()
	row := store.Device{ID: id, Fleet: f.ID, Certificate: certificate.DER(), Generation: 1, State: store.Offered, Offered: now, LastSeen: now}
	if before != nil {
		row.Generation, row.Through, row.LastSeen = before.Generation+1, before.Through, before.LastSeen
	} else if e, there := s.enrolled[id]; there {
		row.Generation = e.generation
		switch {
		case e.slot.Enrolment.Until == 0:
			row.State, row.Chunk, row.Slot, row.From = store.Enrolled, e.chunk, e.slot.Slot, e.slot.Enrolment.From
			return row, nil
		case !f.Readmit:
			return store.Device{}, errRetired
		}
		row.Generation++
	}
	seat, ok := s.take(f.MaxDevices)
	if !ok {
		return store.Device{}, fmt.Errorf("fleet %s is full: it has %d seats (fleets.max_devices)", f.ID, f.MaxDevices)
	}
	row.Chunk, row.Slot = seat/f.ChunkSize, seat%f.ChunkSize
	return row, nil
}

// giveBack frees seats that nobody heard of.
func (g *greeter) giveBack(fresh []store.Device) {
	g.devices.mu.Lock()
	defer g.devices.mu.Unlock()
	for i := range fresh {
		if row := &fresh[i]; row.State == store.Offered {
			g.devices.seatsOf(row.Fleet).give(row.Chunk*g.devices.fleet(row.Fleet).ChunkSize + row.Slot)
		}
	}
}

// seatsOf are a fleet's. The caller holds the lock.
func (d *devices) seatsOf(fleet string) *seats {
	s := d.seats[fleet]
	if s == nil {
		s = &seats{enrolled: map[commit.DeviceID]enrolment{}}
		d.seats[fleet] = s
	}
	return s
}

package node

import (
	"context"
	"errors"
	"time"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// offeredFor is how long a seat is kept for a device that does not accept it and is not heard of.
const offeredFor = 7 * 24 * time.Hour

var errRetired = errors.New("the ledger has the device as retired, and its fleet does not take devices again (fleets.readmit)")

// leave takes seats from those who have left them: devices that were retired on the ledger and whose last epoch is past, and devices that were offered one and never
// came for it. opened is the ledger's epoch.
func (g *greeter) leave(ctx context.Context, stored []store.Device, opened uint64) error {
	for i := range g.devices.fleets {
		f := &g.devices.fleets[i]
		taken := map[commit.DeviceID]bool{}
		var left []store.Device
		err := g.devices.eachSlot(ctx, f, func(chunk uint32, e ledger.SlotEntry) {
			taken[e.Enrolment.Device] = true
			if row, changed := g.retired(f.ID, chunk, e, opened); changed {
				left = append(left, row)
			}
		}, nil)
		if err != nil {
			return err
		}
		unclaimed := g.unclaimed(f.ID, stored, taken)
		if err := g.store.PutDevices(ctx, append(left, unclaimed...)); err != nil {
			return err
		}
		g.vacate(f, unclaimed)
	}
	return nil
}

// retired takes over what the ledger says about a device's enrolment, if it is news.
func (g *greeter) retired(fleet string, chunk uint32, e ledger.SlotEntry, opened uint64) (store.Device, bool) {
	m, known := g.devices.get(e.Enrolment.Device)
	if !known || m.Fleet != fleet || m.Chunk != chunk || m.Slot != e.Slot || m.State == store.Retired {
		return store.Device{}, false
	}
	until := e.Enrolment.Until
	past := until > 0 && until <= opened && g.clock().After(g.genesis.SettledAfter(until-1))
	if !past && m.State == store.Enrolled && m.From == e.Enrolment.From && m.Until == until {
		return store.Device{}, false
	}
	return g.devices.change(m.ID, func(m *member) {
		m.State, m.From, m.Until = store.Enrolled, e.Enrolment.From, until
		if past {
			m.State = store.Retired
		}
	}), true
}

// unclaimed are devices that were offered a seat long ago, are not on the ledger, and were not heard of since.
func (g *greeter) unclaimed(fleet string, stored []store.Device, taken map[commit.DeviceID]bool) (rows []store.Device) {
	now := g.clock()
	for i := range stored {
		seen := &stored[i]
		m, known := g.devices.get(seen.ID)
		if !known || m.Fleet != fleet || m.State != store.Offered || taken[m.ID] || now.Sub(m.Offered) < offeredFor || now.Sub(seen.LastSeen) < offeredFor {
			continue
		}
		rows = append(rows, g.devices.change(m.ID, func(m *member) { m.State, m.Possession = store.Retired, nil }))
	}
	return rows
}

// vacate makes the seats of devices free, after these were stored as having left them.
func (g *greeter) vacate(f *Fleet, rows []store.Device) {
	g.devices.mu.Lock()
	defer g.devices.mu.Unlock()
	for i := range rows {
		g.devices.seatsOf(f.ID).give(rows[i].Chunk*f.ChunkSize + rows[i].Slot)
	}
}

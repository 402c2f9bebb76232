package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// enroller puts devices that accepted their seats on the ledger, a chunk at a time. It is idempotent: what it asks the ledger for twice, it finds there.
type enroller struct {
	*greeter
	log *slog.Logger
}

const (
	enrolPause = 2 * time.Second // gathers what comes together, and paces what failed
	enrolRetry = 30 * time.Second
	// refusedPause is how long a device that the ledger refused is left alone: its former owner may retire it meanwhile.
	refusedPause = 5 * time.Minute
)

// run enrols until it is told to stop.
func (e *enroller) run(ctx context.Context) error {
	for {
		more := e.round(ctx)
		pause := enrolRetry
		if more {
			pause = enrolPause
		}
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
			if sleep(ctx, enrolPause) != nil {
				return nil
			}
		case <-time.After(pause):
		}
	}
}

type chunkOf struct {
	fleet string
	chunk uint32
}

// round tries everything that waits, and says whether some of it should be tried again soon.
func (e *enroller) round(ctx context.Context) (again bool) {
	waiting := map[chunkOf][]member{}
	for _, m := range e.devices.where(func(m *member) bool { return m.State == store.Accepted && e.clock().Sub(m.refused) > refusedPause }) {
		c := chunkOf{m.Fleet, m.Chunk}
		waiting[c] = append(waiting[c], m)
	}
	for c, members := range waiting {
		if ctx.Err() != nil {
			return false
		}
		if err := e.enrol(ctx, c, members); err != nil {
			e.log.Warn("enrolling devices: will try again", "fleet", c.fleet, "chunk", c.chunk, "devices", len(members), "error", err)
			again = true
		}
	}
	return again
}

// enrol enrols some devices of a chunk. If the ledger refuses them together they are tried in halves, so that one bad device keeps out no other.
func (e *enroller) enrol(ctx context.Context, c chunkOf, members []member) error {
	members, err := e.adopt(ctx, c, members)
	if err != nil || len(members) == 0 {
		return err
	}
	if most := atOnce(members); most < len(members) {
		return errors.Join(e.enrol(ctx, c, members[:most]), e.enrol(ctx, c, members[most:]))
	}
	a := ledger.Enrol{Fleet: c.fleet, Chunk: c.chunk}
	for _, m := range members {
		p := possessionOf(m.Possession)
		a.Devices = append(a.Devices, ledger.EnrolDevice{Slot: m.Slot, Certificate: m.Certificate, Possession: p.Signature, Until: p.Until})
	}
	r, err := e.devices.book.Enrol(ctx, a)
	switch code := ledger.CodeOf(err); {
	case err == nil:
		return e.enrolled(ctx, c, members, r.Result)
	case code == ledger.Expired:
		return errors.Join(err, e.lapse(ctx, members))
	case code != ledger.Conflict && code != ledger.Invalid:
		return err // not opened yet, unreachable, not endorsed: later
	case len(members) == 1:
		e.refuse(members[0], err)
		return nil
	}
	half := len(members) / 2
	if err := e.enrol(ctx, c, members[:half]); err != nil {
		return err
	}
	return e.enrol(ctx, c, members[half:])
}

// enrolBytes bounds the certificates of one call: orderers take no transactions beyond some megabytes, and what a call writes is in it too.
const enrolBytes = 256 << 10

// atOnce is how many of the devices, one at least, are enrolled in one call.
func atOnce(members []member) int {
	bytes := 0
	for i := range members {
		if bytes += len(members[i].Certificate); bytes > enrolBytes && i > 0 {
			return i
		}
	}
	return len(members)
}

// lapse takes back the acceptance of devices that by the ledger's epoch agreed to their seats too long ago. They are offered them again when they say
// hello, which they do when what they agreed to is over.
func (e *enroller) lapse(ctx context.Context, members []member) error {
	now, err := e.devices.book.Epoch(ctx)
	if err != nil {
		return err
	}
	var lapsed []store.Device
	for _, m := range members {
		if possessionOf(m.Possession).Until < now.Epoch {
			lapsed = append(lapsed, e.devices.change(m.ID, func(m *member) { m.State, m.Possession = store.Offered, nil }))
		}
	}
	if len(lapsed) == 0 {
		return nil
	}
	e.log.Warn("devices were not enrolled for as long as they agreed to: they are to agree anew", "fleet", members[0].Fleet, "devices", len(lapsed), "epoch", now.Epoch)
	return e.store.PutDevices(ctx, lapsed)
}

// adopt takes note of devices that the ledger has already, and returns the others.
func (e *enroller) adopt(ctx context.Context, c chunkOf, members []member) ([]member, error) {
	slots, err := e.devices.book.Slots(ctx, c.fleet, c.chunk)
	if ledger.CodeOf(err) == ledger.NotFound {
		return members, nil
	}
	if err != nil {
		return nil, err
	}
	bySlot := map[uint32]ledger.Slot{}
	for _, s := range slots {
		bySlot[s.Slot] = s.Enrolment
	}
	var rest []member
	var found []store.Device
	for _, m := range members {
		s, ok := bySlot[m.Slot]
		if !ok || s.Device != m.ID {
			rest = append(rest, m)
			continue
		}
		found = append(found, e.devices.change(m.ID, func(m *member) { m.State, m.From, m.Until = store.Enrolled, s.From, s.Until }))
	}
	if len(found) == 0 {
		return rest, nil
	}
	return rest, e.store.PutDevices(ctx, found)
}

func (e *enroller) enrolled(ctx context.Context, c chunkOf, members []member, result []byte) error {
	p, err := ledger.Decode[ledger.EventPayload]("enrolment", result, ledger.MaxEventPayload)
	if err != nil {
		return err
	}
	if p.Epoch == nil {
		return fmt.Errorf("the ledger did not say from which epoch")
	}
	rows := make([]store.Device, len(members))
	for i := range members {
		rows[i] = e.devices.change(members[i].ID, func(m *member) { m.State, m.From = store.Enrolled, *p.Epoch })
	}
	e.log.Info("devices enrolled", "fleet", c.fleet, "chunk", c.chunk, "devices", len(members), "from_epoch", *p.Epoch)
	return e.store.PutDevices(ctx, rows)
}

func (e *enroller) refuse(m member, err error) {
	e.devices.change(m.ID, func(m *member) { m.refused = e.clock() })
	e.log.Error("the ledger does not enrol a device: will try again later", "device", m.ID, "fleet", m.Fleet, "chunk", m.Chunk, "slot", m.Slot, "error", err)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(max(d, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

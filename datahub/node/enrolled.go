package node

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// span is an epoch's chunk with those who are enrolled in it.
type span struct {
	index   uint32
	members []member
}

func count(spans []span) (n int) {
	for _, s := range spans {
		n += len(s.members)
	}
	return n
}

// enrolled asks the ledger who is enrolled in the epoch, and takes over what it says about the node's devices.
func (c *closer) enrolled(ctx context.Context, f *Fleet, epoch uint64) ([]span, error) {
	chunks, err := c.devices.book.Chunks(ctx, f.ID)
	if ledger.CodeOf(err) == ledger.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var spans []span
	for _, chunk := range chunks {
		if chunk.From > epoch {
			continue
		}
		slots, err := c.devices.book.Slots(ctx, f.ID, chunk.Index)
		if err != nil {
			return nil, err
		}
		s, err := c.span(ctx, f.ID, chunk.Index, slots, epoch)
		if err != nil {
			return nil, err
		}
		if len(s.members) > 0 {
			spans = append(spans, s)
		}
	}
	return spans, nil
}

// span lists a chunk's members. A device that the ledger has and this node does not know stays among them without a secret: it counts as absent.
func (c *closer) span(ctx context.Context, fleet string, index uint32, slots []ledger.SlotEntry, epoch uint64) (span, error) {
	s := span{index: index}
	var changed []store.Device
	for _, e := range slots {
		if !e.Enrolment.Active(epoch) {
			continue
		}
		m, known := c.devices.get(e.Enrolment.Device)
		if !known || m.Fleet != fleet || m.Chunk != index || m.Slot != e.Slot {
			key, err := commit.ParsePublicKey(e.Enrolment.Key)
			if err != nil {
				return s, fmt.Errorf("chunk %d slot %d: %w", index, e.Slot, err)
			}
			m = member{Device: store.Device{ID: e.Enrolment.Device, Chunk: index, Slot: e.Slot}, key: key}
		} else if m.From != e.Enrolment.From || m.Until != e.Enrolment.Until {
			changed = append(changed, c.devices.change(m.ID, func(m *member) { m.State, m.From, m.Until = store.Enrolled, e.Enrolment.From, e.Enrolment.Until }))
		}
		s.members = append(s.members, m)
	}
	if len(changed) == 0 {
		return s, nil
	}
	return s, c.store.PutDevices(ctx, changed)
}

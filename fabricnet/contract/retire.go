package contract

import (
	"github.com/assay-net/assay/fabricnet/ledger"
)

// retire ends enrolments with the current epoch: the devices are still counted, and may still attest, for it. So retiring bad packs when an epoch's figures are
// known does not improve that epoch, and the next one's verdict shows how many were retired.
func retire(r *run, a *ledger.Retire) (*ledger.EventPayload, error) {
	f, err := r.ownFleet(a.Fleet)
	if err != nil {
		return nil, err
	}
	if err := checkRetire(f, a); err != nil {
		return nil, err
	}
	until := r.epoch + 1
	if err := r.requireOpen(); err != nil {
		return nil, err
	}
	for _, n := range a.Slots {
		key := ledger.SlotKeyOf(f.ID, a.Chunk, n)
		s, err := get[ledger.Slot](r.state, key)
		if err != nil {
			return nil, err
		}
		if err := retirable(n, s); err != nil {
			return nil, err
		}
		s.Until, s.Reason = until, a.Reason
		if err := put(r.state, key, s); err != nil {
			return nil, err
		}
	}
	return r.event(ledger.EventRetired, ledger.EventPayload{Fleet: f.ID, Owner: f.Owner, Chunk: &a.Chunk, Epoch: &until, Devices: len(a.Slots)}), nil
}

func retirable(slot uint32, s *ledger.Slot) error {
	switch {
	case s == nil:
		return ledger.Refuse(ledger.NotFound, "slot %d: no device is enrolled", slot)
	case s.Until != 0:
		return ledger.Refuse(ledger.Conflict, "slot %d: retired with effect from epoch %d", slot, s.Until)
	}
	return nil
}

func checkRetire(f *ledger.Fleet, a *ledger.Retire) error {
	if err := checkChunk(a.Chunk); err != nil {
		return err
	}
	if err := ledger.CheckText("reason", a.Reason, ledger.MaxReason, true); err != nil {
		return ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if len(a.Slots) == 0 || len(a.Slots) > int(f.ChunkSize) {
		return ledger.Refuse(ledger.Invalid, "%d slots, must be 1 to the chunk's size %d", len(a.Slots), f.ChunkSize)
	}
	for i := 1; i < len(a.Slots); i++ {
		if a.Slots[i] <= a.Slots[i-1] {
			return ledger.Refuse(ledger.Invalid, "slot %d: comes after slot %d, must be ascending", a.Slots[i], a.Slots[i-1])
		}
	}
	return nil
}

package contract

import (
	"crypto/x509"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// enrolment is one call to enrol. It keeps what the call itself takes, since the state does not show it.
type enrolment struct {
	*run
	fleet  *ledger.Fleet
	chunk  uint32
	from   uint64
	makers map[string]*x509.Certificate
	taken  map[string]uint32 // keys of devices and serials in this call, by slot
}

// enrol puts devices into slots from the next epoch on, all of them or none. Every check is made before the first write.
func enrol(r *run, a *ledger.Enrol) (*ledger.EventPayload, error) {
	f, err := r.ownFleet(a.Fleet)
	if err != nil {
		return nil, err
	}
	if err := checkEnrol(f, a); err != nil {
		return nil, err
	}
	e := &enrolment{run: r, fleet: f, chunk: a.Chunk, from: r.epoch + 1,
		makers: map[string]*x509.Certificate{}, taken: map[string]uint32{}}
	if err := r.requireOpen(); err != nil {
		return nil, err
	}
	certificates := make([]*commit.DeviceCertificate, len(a.Devices))
	for i, d := range a.Devices {
		if certificates[i], err = e.certificate(d); err != nil {
			return nil, err
		}
	}
	if err := e.prefetch(a, certificates); err != nil {
		return nil, err
	}
	slots := make([]*ledger.Slot, len(a.Devices))
	for i, d := range a.Devices {
		if slots[i], err = e.check(d.Slot, certificates[i]); err != nil {
			return nil, err
		}
	}
	if err := e.possessed(a, certificates); err != nil {
		return nil, err
	}
	if err := e.openChunk(); err != nil {
		return nil, err
	}
	for i, d := range a.Devices {
		if err := e.write(d.Slot, slots[i]); err != nil {
			return nil, err
		}
	}
	return r.event(ledger.EventEnrolled, ledger.EventPayload{Fleet: f.ID, Owner: f.Owner, Chunk: &a.Chunk, Epoch: &e.from, Devices: len(slots)}), nil
}

func checkEnrol(f *ledger.Fleet, a *ledger.Enrol) error {
	if err := checkChunk(a.Chunk); err != nil {
		return err
	}
	if len(a.Devices) == 0 || len(a.Devices) > int(f.ChunkSize) {
		return ledger.Refuse(ledger.Invalid, "%d devices, must be 1 to the chunk's size %d", len(a.Devices), f.ChunkSize)
	}
	for i, d := range a.Devices {
		if d.Slot >= f.ChunkSize {
			return ledger.Refuse(ledger.Invalid, "slot %d: must be below the chunk's size %d", d.Slot, f.ChunkSize)
		}
		if i > 0 && d.Slot <= a.Devices[i-1].Slot {
			return ledger.Refuse(ledger.Invalid, "slot %d: comes after slot %d, must be ascending", d.Slot, a.Devices[i-1].Slot)
		}
	}
	return nil
}

// prefetch reads what check will read of every device.
func (e *enrolment) prefetch(a *ledger.Enrol, certificates []*commit.DeviceCertificate) error {
	p, ok := e.state.(Prefetcher)
	if !ok {
		return nil
	}
	keys := make([]string, 0, 3*len(a.Devices))
	for i, c := range certificates {
		keys = append(keys, ledger.SlotKeyOf(e.fleet.ID, e.chunk, a.Devices[i].Slot), ledger.DeviceKey(c.Key.DeviceID()), ledger.SerialKey(c.Maker, c.Serial))
	}
	return p.Prefetch(keys...)
}

// check accepts one device whose certificate is good: its slot was never used, and neither its key nor its serial has a slot that is active
// when this one begins.
func (e *enrolment) check(slot uint32, c *commit.DeviceCertificate) (*ledger.Slot, error) {
	used, err := exists(e.state, ledger.SlotKeyOf(e.fleet.ID, e.chunk, slot))
	if err != nil {
		return nil, err
	}
	if used {
		return nil, ledger.Refuse(ledger.Conflict, "slot %d: is or was another device's", slot)
	}
	s := &ledger.Slot{Device: c.Key.DeviceID(), Key: c.Key.DER(), Maker: c.Maker, Serial: c.Serial, Class: string(c.Class), From: e.from}
	if err := e.free(slot, ledger.DeviceKey(s.Device)); err != nil {
		return nil, err
	}
	return s, e.free(slot, ledger.SerialKey(s.Maker, s.Serial))
}

// certificate reads a device's certificate, which is by a registered maker.
func (e *enrolment) certificate(d ledger.EnrolDevice) (*commit.DeviceCertificate, error) {
	c, err := commit.ParseDeviceCertificate(d.Certificate)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "slot %d: %v", d.Slot, err)
	}
	ca, err := e.maker(c.Maker)
	if err != nil {
		return nil, err
	}
	if ca == nil {
		return nil, ledger.Refuse(ledger.NotFound, "slot %d: maker %q is not registered", d.Slot, c.Maker)
	}
	if err := c.VerifyIssuer(ca); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "slot %d: %v", d.Slot, err)
	}
	return c, nil
}

// possessed refuses devices that did not agree to their seat, or whose agreement is over: a certificate is public, the key is not.
func (e *enrolment) possessed(a *ledger.Enrol, certificates []*commit.DeviceCertificate) error {
	devices, possessions := make([]commit.SlotKey, len(a.Devices)), make([]commit.Possession, len(a.Devices))
	for i, d := range a.Devices {
		devices[i], possessions[i] = commit.SlotKey{Slot: d.Slot, Key: certificates[i].Key}, commit.Possession{Until: d.Until, Signature: d.Possession}
	}
	if err := commit.CheckPossessions(e.tx.Ledger, a.Fleet, a.Chunk, devices, possessions); err != nil {
		return ledger.Refuse(ledger.Invalid, "%v", err)
	}
	for _, d := range a.Devices {
		if d.Until < e.epoch {
			return ledger.Refuse(ledger.Expired, "slot %d: the device agreed to be enrolled until epoch %d, and this is epoch %d", d.Slot, d.Until, e.epoch)
		}
	}
	return nil
}

// maker is the CA of a maker, or nil if it is not registered.
func (e *enrolment) maker(id string) (*x509.Certificate, error) {
	if ca, ok := e.makers[id]; ok {
		return ca, nil
	}
	if ledger.CheckID("maker", id) != nil {
		return nil, nil // nobody can have registered it
	}
	m, err := get[ledger.Maker](e.state, ledger.MakerKey(id))
	if err != nil || m == nil {
		return nil, err
	}
	ca, err := commit.ParseMakerCA(m.Certificate)
	if err != nil {
		return nil, err
	}
	e.makers[id] = ca
	return ca, nil
}

// free refuses a device or serial, given by its key in the state, that has a slot in this call already or one that is active beyond the current epoch.
func (e *enrolment) free(slot uint32, key string) error {
	if other, ok := e.taken[key]; ok {
		return ledger.Refuse(ledger.Conflict, "slot %d: %s is in slot %d of the same call", slot, key, other)
	}
	e.taken[key] = slot
	p, err := get[ledger.Position](e.state, key)
	if err != nil || p == nil {
		return err
	}
	old, err := get[ledger.Slot](e.state, ledger.SlotKeyOf(p.Fleet, p.Chunk, p.Slot))
	if err != nil {
		return err
	}
	// A position without its slot cannot be; refusing is the safe side.
	if old == nil || old.Until == 0 || old.Until > e.from {
		return ledger.Refuse(ledger.Conflict, "slot %d: %s is enrolled in slot %d of chunk %d of fleet %s", slot, key, p.Slot, p.Chunk, p.Fleet)
	}
	return nil
}

// openChunk lists the chunk from the first epoch in which a device is enrolled in it.
func (e *enrolment) openChunk() error {
	key := ledger.ChunkKey(e.fleet.ID, e.chunk)
	listed, err := exists(e.state, key)
	if err != nil || listed {
		return err
	}
	return put(e.state, key, ledger.Chunk{From: e.from})
}

func (e *enrolment) write(slot uint32, s *ledger.Slot) error {
	if err := put(e.state, ledger.SlotKeyOf(e.fleet.ID, e.chunk, slot), s); err != nil {
		return err
	}
	p := ledger.Position{Fleet: e.fleet.ID, Chunk: e.chunk, Slot: slot}
	if err := put(e.state, ledger.DeviceKey(s.Device), p); err != nil {
		return err
	}
	return put(e.state, ledger.SerialKey(s.Maker, s.Serial), p)
}

package ledgertest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// drawn are the devices of a run.
type drawn struct {
	mu sync.Mutex
	by map[commit.DeviceID]contracttest.Device
}

func newDrawn() *drawn { return &drawn{by: map[commit.DeviceID]contracttest.Device{}} }

// devices draws some.
func (s *suite) draw(m *contracttest.Maker, count int) []contracttest.Device {
	devices := m.Devices("pack-"+random(), count)
	s.devices.mu.Lock()
	defer s.devices.mu.Unlock()
	for _, d := range devices {
		s.devices.by[d.Public.DeviceID()] = d
	}
	return devices
}

func (s *suite) device(id commit.DeviceID) contracttest.Device {
	s.devices.mu.Lock()
	defer s.devices.mu.Unlock()
	return s.devices.by[id]
}

// inOpenEpoch opens the epoch and runs something that is to happen in an open one, again if the next epoch began meanwhile.
func (s *suite) inOpenEpoch(run func() error) error {
	var err error
	for range 4 {
		if _, err = s.as(s.regulator).OpenEpoch(s.ctx); err == nil {
			err = run()
		}
		if ledger.CodeOf(err) != ledger.Expired {
			break
		}
	}
	return err
}

// enrolment are the numbers of devices that the run's chunks start with. The first loses a device later; the last of the fleet is not anchored.
var enrolment = []struct {
	closed         bool
	chunk          uint32
	first, devices int
}{{chunk: 0, devices: 8}, {chunk: 1, first: 3, devices: 5}, {chunk: 2, devices: 4}, {closed: true, devices: 4}}

func (s *suite) enrols(t *testing.T) {
	var c checks
	for _, e := range enrolment {
		fleet := s.fleet
		if e.closed {
			fleet = s.closed
		}
		a := contracttest.Enrolment(s.Genesis.ID(), fleet, e.chunk, uint32(e.first), s.draw(s.maker, e.devices))
		c.add(fmt.Sprintf("chunk %d of %s", e.chunk, fleet), func() error {
			return s.inOpenEpoch(func() error { return s.enrolled(a) })
		})
	}
	c.must(t)
	if t.Failed() {
		return
	}
	s.showsSlots(t)
	s.enrolRefusals(t).must(t)
	s.certificateRefusals(t).must(t)
	s.deviceTwice(t).must(t)
}

// enrolled submits an enrolment and checks its result.
func (s *suite) enrolled(a ledger.Enrol) error {
	r, err := s.as(s.owner).Enrol(s.ctx, a)
	if err != nil {
		return err
	}
	p, err := ledger.Decode[ledger.EventPayload]("result", r.Result, ledger.MaxEventPayload)
	if err != nil {
		return err
	}
	if p.Epoch == nil {
		return fmt.Errorf("result %s has no epoch", r.Result)
	}
	want := ledger.EventPayload{Organisation: s.owner, Fleet: a.Fleet, Owner: s.owner, Chunk: &a.Chunk, Epoch: p.Epoch, Devices: len(a.Devices)}
	if diff := cmp.Diff(want, *p); diff != "" {
		return fmt.Errorf("result: %s", diff)
	}
	slots, err := s.as(s.financier).Slots(s.ctx, a.Fleet, a.Chunk)
	if err != nil {
		return err
	}
	for i, e := range slots {
		if e.Slot != a.Devices[i].Slot || e.Enrolment.From != *p.Epoch || e.Enrolment.Until != 0 {
			return fmt.Errorf("slot %d is %+v, enrolled from epoch %d", e.Slot, e.Enrolment, *p.Epoch)
		}
	}
	return nil
}

// showsSlots compares a chunk with what its makers' certificates say.
func (s *suite) showsSlots(t *testing.T) {
	slots := must[[]ledger.SlotEntry](t)(s.as(s.regulator).Slots(s.ctx, s.fleet, 0))
	if len(slots) != enrolment[0].devices {
		t.Fatalf("%d slots are enrolled", len(slots))
	}
	for _, e := range slots {
		class := string(commit.SecureElement)
		if e.Slot%5 == 4 {
			class = string(commit.Gateway)
		}
		d := s.device(e.Enrolment.Device)
		want := ledger.Slot{
			Device: d.Public.DeviceID(), Key: d.Public.DER(), Maker: s.maker.ID, Serial: d.Serial, Class: class, From: e.Enrolment.From,
		}
		if diff := cmp.Diff(want, e.Enrolment); diff != "" {
			t.Error(diff)
		}
	}
	for i, c := range must[[]ledger.ChunkEntry](t)(s.as(s.financier).Chunks(s.ctx, s.fleet)) {
		if c.Index != uint32(i) || c.Anchored != nil {
			t.Errorf("chunk is %+v", c)
		}
	}
}

// enrolBy is an enrolment's refusal, in an open epoch.
func (s *suite) enrolBy(c *checks, name string, code ledger.Code, org string, a ledger.Enrol) {
	c.add(name, func() error {
		return s.inOpenEpoch(func() error { return s.refused(code, call{by: org, function: ledger.FnEnrol, args: a}) })
	})
}

func (s *suite) enrolRefusals(*testing.T) (c checks) {
	d := s.draw(s.maker, 2)
	at := func(fleet string, chunk uint32, slots ...uint32) ledger.Enrol {
		a := ledger.Enrol{Fleet: fleet, Chunk: chunk}
		for i, n := range slots {
			a.Devices = append(a.Devices, ledger.EnrolDevice{Slot: n, Certificate: d[i].Certificate})
		}
		return a
	}
	for _, org := range s.but(s.owner) {
		s.enrolBy(&c, "not the fleet's owner", ledger.Forbidden, org, at(s.fleet, 0, 20))
	}
	for name, a := range map[string]ledger.Enrol{
		"slot out of range":      at(s.fleet, 0, contracttest.ChunkSize-1, contracttest.ChunkSize),
		"chunk out of range":     at(s.fleet, ledger.MaxChunks, 0),
		"no devices":             at(s.fleet, 0),
		"one slot twice":         at(s.fleet, 0, 20, 20),
		"slots that descend":     at(s.fleet, 0, 21, 20),
		"fleet with a separator": at(s.fleet+"/0", 0, 20),
	} {
		s.enrolBy(&c, name, ledger.Invalid, s.owner, a)
	}
	s.enrolBy(&c, "no such fleet", ledger.NotFound, s.owner, at("none-"+s.run, 0, 20))
	s.enrolBy(&c, "a slot that is taken", ledger.Conflict, s.owner, at(s.fleet, 0, 1))
	signed := ledger.Enrol{Fleet: s.fleet, Devices: []ledger.EnrolDevice{contracttest.EnrolDevice(s.Genesis.ID(), s.fleet, 0, 20, d[0].Key, d[0].Certificate)}}
	for name, possession := range map[string][]byte{
		"without the device's signature": nil,
		"signed by another device":       contracttest.EnrolDevice(s.Genesis.ID(), s.fleet, 0, 20, d[1].Key, nil).Possession,
		"signed for another slot":        contracttest.EnrolDevice(s.Genesis.ID(), s.fleet, 0, 21, d[0].Key, nil).Possession,
	} {
		a := ledger.Enrol{Fleet: s.fleet, Devices: []ledger.EnrolDevice{signed.Devices[0]}}
		a.Devices[0].Possession = possession
		s.enrolBy(&c, name, ledger.Invalid, s.owner, a)
	}
	late := contracttest.EnrolDeviceUntil(s.Genesis.ID(), s.fleet, 0, 20, 0, d[0].Key, d[0].Certificate)
	if epoch, err := s.Genesis.EpochAt(s.Now()); err == nil && epoch > 0 {
		s.enrolBy(&c, "after the device's agreement is over", ledger.Expired, s.owner, ledger.Enrol{Fleet: s.fleet, Devices: []ledger.EnrolDevice{late}})
	}
	late.Until = ledger.MaxEpoch - 1
	s.enrolBy(&c, "with an agreement that was put off", ledger.Invalid, s.owner, ledger.Enrol{Fleet: s.fleet, Devices: []ledger.EnrolDevice{late}})
	return c
}

func (s *suite) certificateRefusals(*testing.T) (c checks) {
	key := committest.NewDevice(commit.P256).Key.Public()
	certificate := func(by *contracttest.Maker, name string) []byte {
		return by.Certify(name, "x-"+random(), commit.Module, key)
	}
	for name, cert := range map[string]struct {
		certificate []byte
		code        ledger.Code
	}{
		"no certificate":                      {nil, ledger.Invalid},
		"garbage for a certificate":           {[]byte("certificate"), ledger.Invalid},
		"the maker's own certificate":         {s.maker.Cert.Raw, ledger.Invalid},
		"of a maker that is not registered":   {certificate(s.stranger, s.stranger.ID), ledger.NotFound},
		"of a stranger in the maker's name":   {certificate(s.stranger, s.maker.ID), ledger.Invalid},
		"of another maker in the one's name":  {certificate(s.other, s.maker.ID), ledger.Invalid},
		"of the maker in a stranger's name":   {certificate(s.maker, s.stranger.ID), ledger.NotFound},
		"of a maker that no state key can be": {certificate(s.stranger, "Maker/A"), ledger.NotFound},
	} {
		s.enrolBy(&c, name, cert.code, s.owner, ledger.Enrol{Fleet: s.fleet, Devices: []ledger.EnrolDevice{{Slot: 30, Certificate: cert.certificate}}})
	}
	return c
}

// deviceTwice enrols a device, or its serial, that has a slot already.
func (s *suite) deviceTwice(t *testing.T) (c checks) {
	slots := must[[]ledger.SlotEntry](t)(s.as(s.owner).Slots(s.ctx, s.fleet, 0))
	d := s.device(slots[0].Enrolment.Device)
	sameKey := s.maker.Certify(s.maker.ID, "other-"+random(), commit.Module, d.Key.Public())
	sameSerial := s.maker.Certify(s.maker.ID, d.Serial, commit.Module, committest.NewDevice(commit.P256).Key.Public())
	enrol := func(fleet string, chunk uint32, certificates ...[]byte) ledger.Enrol {
		a := ledger.Enrol{Fleet: fleet, Chunk: chunk}
		for i, cert := range certificates {
			a.Devices = append(a.Devices, ledger.EnrolDevice{Slot: uint32(40 + i), Certificate: cert})
		}
		return a
	}
	fresh := s.draw(s.maker, 1)[0]
	freshSerial := s.maker.Certify(s.maker.ID, fresh.Serial, commit.Module, committest.NewDevice(commit.P256).Key.Public())
	for name, a := range map[string]ledger.Enrol{
		"device twice in a chunk":           enrol(s.fleet, 0, d.Certificate),
		"device twice in a fleet":           enrol(s.fleet, 1, d.Certificate),
		"device in two fleets":              enrol(s.closed, 0, d.Certificate),
		"device under another serial":       enrol(s.fleet, 0, sameKey),
		"serial of another device":          enrol(s.closed, 0, sameSerial),
		"device twice in a call":            enrol(s.fleet, 0, fresh.Certificate, fresh.Certificate),
		"serial twice in a call":            enrol(s.fleet, 0, fresh.Certificate, freshSerial),
		"a good device beside one enrolled": enrol(s.fleet, 0, fresh.Certificate, d.Certificate),
	} {
		s.enrolBy(&c, name, ledger.Conflict, s.owner, a)
	}
	return c
}

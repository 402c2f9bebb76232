package contract_test

import (
	"bytes"
	"crypto"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

const (
	operator  = contracttest.Operator
	rival     = contracttest.Rival
	lender    = contracttest.Lender
	regulator = contracttest.Regulator
)

func TestEnrolmentTakesEffectWithTheNextEpoch(t *testing.T) {
	w := newWorld(t)
	w.enrolled(0, 12)
	slots := query[[]ledger.SlotEntry](w, ledger.QuerySlots, ledger.ChunkRef{Fleet: fleetID})
	if len(slots) != 12 || slots[3].Slot != 3 || slots[3].Enrolment.From != 11 || slots[3].Enrolment.Until != 0 {
		t.Fatalf("slots are %+v", slots)
	}
	if s := slots[4].Enrolment; s.Class != "gateway" || s.Maker != "maker-a" || s.Serial != "pack-0-0004" {
		t.Errorf("slot 4 is %+v", s)
	}
	chunks := query[[]ledger.ChunkEntry](w, ledger.QueryChunks, ledger.FleetRef{Fleet: fleetID})
	if len(chunks) != 1 || chunks[0].From != 11 || chunks[0].Anchored != nil {
		t.Errorf("chunks are %+v", chunks)
	}
	now := query[ledger.FactsEntry](w, ledger.QueryFacts, ledger.EpochRef{Fleet: fleetID, Epoch: 10})
	if now.Facts.Enrolled != 0 || len(now.Facts.Chunks) != 0 {
		t.Errorf("facts of the epoch of enrolment are %+v", now)
	}
}

func TestDeviceWithoutMakerCertificateIsRefused(t *testing.T) {
	w := newWorld(t)
	d := w.maker.Devices("pack", 1)[0]
	other := contracttest.NewMaker("maker-b")
	key := d.Key.Public()
	for name, c := range map[string]struct {
		certificate []byte
		code        ledger.Code
		text        string
	}{
		"none":                            {nil, ledger.Invalid, "slot 0"},
		"garbage":                         {[]byte("certificate"), ledger.Invalid, "slot 0"},
		"of an unregistered maker":        {other.Certify("maker-b", "x", commit.Module, key), ledger.NotFound, `maker "maker-b" is not registered`},
		"of another in the maker's name":  {other.Certify("maker-a", "x", commit.Module, key), ledger.Invalid, "maker"},
		"of a maker that no key can name": {other.Certify("Maker/A", "x", commit.Module, key), ledger.NotFound, "not registered"},
		"in another maker's name":         {w.maker.Certify("maker-b", "x", commit.Module, key), ledger.NotFound, "not registered"},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.refused(c.code, c.text, operator, ledger.FnEnrol, ledger.Enrol{Fleet: fleetID, Devices: []ledger.EnrolDevice{{Certificate: c.certificate}}})
		})
	}
}

// A second maker may be registered, but neither it nor an owner makes devices of the first.
func TestCertificateOfAnotherRegisteredMakerIsRefused(t *testing.T) {
	w := newWorld(t)
	other := contracttest.NewMaker("maker-b")
	w.must(regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: "maker-b", Name: "Maker B", Certificate: other.Cert.Raw})
	d := committest.NewDevice(commit.P256)
	forged := other.Certify("maker-a", "pack-0", commit.SecureElement, d.Key.Public())
	w.refused(ledger.Invalid, "maker", operator, ledger.FnEnrol,
		ledger.Enrol{Fleet: fleetID, Devices: []ledger.EnrolDevice{{Certificate: forged}}})
	own := other.Certify("maker-b", "pack-0", commit.SecureElement, d.Key.Public())
	w.must(operator, ledger.FnEnrol, ledger.Enrol{Fleet: fleetID, Devices: []ledger.EnrolDevice{contracttest.EnrolDevice(w.id, fleetID, 0, 0, d.Key, own)}})
}

// A certificate is public. Whoever only saw it cannot enrol its device, nor can an owner that had the device agree to another seat.
func TestEnrolmentWithoutTheDevicesConsentIsRefused(t *testing.T) {
	w := newWorld(t)
	d := w.maker.Devices("pack", 2)
	const until = 99
	sign := func(of commit.Digest, fleet string, chunk, slot uint32, key crypto.Signer) []byte {
		s, err := commit.SignPossession(of, fleet, chunk, slot, until, key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good := sign(w.id, fleetID, 2, 3, d[0].Key)
	flipped := bytes.Clone(good)
	flipped[40] ^= 1
	for name, possession := range map[string][]byte{
		"none":             nil,
		"cut":              good[:63],
		"a bit flipped":    flipped,
		"another key":      sign(w.id, fleetID, 2, 3, d[1].Key),
		"another ledger":   sign(commit.Digest{9}, fleetID, 2, 3, d[0].Key),
		"another fleet":    sign(w.id, "fleet-b", 2, 3, d[0].Key),
		"another chunk":    sign(w.id, fleetID, 3, 3, d[0].Key),
		"another slot":     sign(w.id, fleetID, 2, 4, d[0].Key),
		"chunk and slot":   sign(w.id, fleetID, 3, 2, d[0].Key),
		"an attestation's": contracttest.Attest(w.srs, commit.ChunkPlace{Ledger: w.id, SRS: w.srs.Digest(), Fleet: fleetID, Chunk: 2, Size: 64, Epoch: 11}, 3, d[0])[:64],
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.refused(ledger.Invalid, "slot 3", operator, ledger.FnEnrol, ledger.Enrol{Fleet: fleetID, Chunk: 2,
				Devices: []ledger.EnrolDevice{{Slot: 3, Certificate: d[0].Certificate, Possession: possession, Until: until}}})
		})
	}
	// One bad one spoils a call, wherever it stands.
	two := contracttest.Enrolment(w.id, fleetID, 2, 3, d)
	two.Devices[1].Possession = good
	w.t = t
	w.refused(ledger.Invalid, "slot 4", operator, ledger.FnEnrol, two)
	w.must(operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, 2, 3, d))
}

// A device agrees for a time: an owner that puts agreements by cannot enrol it years later, nor put off the epoch that it signed.
func TestEnrolmentAfterTheDevicesConsentIsRefused(t *testing.T) {
	w := newWorld(t)
	d := w.maker.Devices("pack", 1)[0]
	now, err := w.genesis.EpochAt(w.now)
	if err != nil {
		t.Fatal(err)
	}
	until := func(epoch uint64) ledger.Enrol {
		return ledger.Enrol{Fleet: fleetID, Devices: []ledger.EnrolDevice{contracttest.EnrolDeviceUntil(w.id, fleetID, 0, 3, epoch, d.Key, d.Certificate)}}
	}
	w.refused(ledger.Expired, "slot 3", operator, ledger.FnEnrol, until(now-1))
	w.refused(ledger.Expired, "slot 3", operator, ledger.FnEnrol, until(0))
	putOff := until(now - 1)
	putOff.Devices[0].Until = now
	w.refused(ledger.Invalid, "slot 3", operator, ledger.FnEnrol, putOff)
	w.must(operator, ledger.FnEnrol, until(now))
}

func TestTwoDevicesInOneSlotAreRefused(t *testing.T) {
	w := newWorld(t)
	d := w.maker.Devices("pack", 2)
	a := contracttest.Enrolment(w.id, fleetID, 0, 7, d)
	a.Devices[1].Slot = 7
	w.refused(ledger.Invalid, "ascending", operator, ledger.FnEnrol, a)
	w.must(operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, 0, 7, d[:1]))
	w.refused(ledger.Conflict, "slot 7", operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, 0, 7, d[1:]))
}

func TestRetiredSlotIsNotUsedAgain(t *testing.T) {
	w := newWorld(t)
	w.enrolled(0, 3)
	w.must(operator, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{1}, Reason: "swapped"})
	w.at(30, 0)
	w.refused(ledger.Conflict, "slot 1", operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, 0, 1, w.maker.Devices("new", 1)))
}

func TestDeviceEnrolledTwiceIsRefused(t *testing.T) {
	w := newWorld(t)
	d := w.enrolled(0, 2)
	again := func(fleet string, chunk, slot uint32, certificate []byte) ledger.Enrol {
		return ledger.Enrol{Fleet: fleet, Chunk: chunk, Devices: []ledger.EnrolDevice{{Slot: slot, Certificate: certificate}}}
	}
	// The maker may issue a second certificate for a key under another serial, or for a serial under another key.
	sameKey := w.maker.Certify("maker-a", "other-serial", commit.Module, d[0].Key.Public())
	sameSerial := w.maker.Certify("maker-a", d[0].Serial, commit.Module, committest.NewDevice(commit.P256).Key.Public())
	for name, c := range map[string]struct {
		org  string
		args ledger.Enrol
	}{
		"in another slot":             {operator, again(fleetID, 0, 9, d[0].Certificate)},
		"in another chunk":            {operator, again(fleetID, 1, 0, d[0].Certificate)},
		"in two fleets":               {rival, again("fleet-b", 0, 0, d[0].Certificate)},
		"under another serial":        {operator, again(fleetID, 0, 9, sameKey)},
		"with another key":            {operator, again(fleetID, 0, 9, sameSerial)},
		"with another key, elsewhere": {rival, again("fleet-b", 0, 0, sameSerial)},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.refused(ledger.Conflict, "is enrolled in slot 0 of chunk 0 of fleet fleet-a", c.org, ledger.FnEnrol, c.args)
		})
	}
}

// The state does not show what a call wrote, so two in one call are caught by the call itself.
func TestDeviceTwiceInOneCallIsRefused(t *testing.T) {
	w := newWorld(t)
	d := w.maker.Devices("pack", 1)[0]
	sameSerial := w.maker.Certify("maker-a", d.Serial, commit.Module, committest.NewDevice(commit.P256).Key.Public())
	sameKey := w.maker.Certify("maker-a", "other", commit.Module, d.Key.Public())
	for name, second := range map[string][]byte{"device": d.Certificate, "serial": sameSerial, "key": sameKey} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.refused(ledger.Conflict, "of the same call", operator, ledger.FnEnrol, ledger.Enrol{Fleet: fleetID,
				Devices: []ledger.EnrolDevice{{Slot: 0, Certificate: d.Certificate}, {Slot: 1, Certificate: second}}})
		})
	}
}

func TestRetiredDeviceComesBackWithTheNextEpochOnly(t *testing.T) {
	w := newWorld(t)
	d := w.enrolled(0, 2)
	w.at(12, 0)
	w.must(operator, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{0}, Reason: "sold"})
	back := ledger.Enrol{Fleet: "fleet-b", Devices: []ledger.EnrolDevice{contracttest.EnrolDevice(w.id, "fleet-b", 0, 5, d[0].Key, d[0].Certificate)}}
	w.must(rival, ledger.FnEnrol, back)
	old := query[[]ledger.SlotEntry](w, ledger.QuerySlots, ledger.ChunkRef{Fleet: fleetID})[0].Enrolment
	fresh := query[[]ledger.SlotEntry](w, ledger.QuerySlots, ledger.ChunkRef{Fleet: "fleet-b"})[0].Enrolment
	for epoch := uint64(9); epoch < 16; epoch++ {
		if old.Active(epoch) && fresh.Active(epoch) {
			t.Errorf("active twice in epoch %d", epoch)
		}
	}
	if !old.Active(12) || !fresh.Active(13) {
		t.Errorf("old slot %+v, new slot %+v", old, fresh)
	}
}

// Two proposals' times may be out of order by the clocks' skew, also across an epoch's start. One of an epoch that is over changes nothing.
func TestClocksOutOfStepChangeNobodysEnrolment(t *testing.T) {
	w := newWorld(t)
	d := w.enrolled(0, 1)
	w.at(12, 0)
	w.must(operator, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{0}, Reason: "sold"}) // until 13
	w.now = w.now.Add(-w.genesis.ClockSkew())                                                            // epoch 11
	w.refused(ledger.Expired, "epoch 12 is opened", rival, ledger.FnEnrol, ledger.Enrol{Fleet: "fleet-b", Devices: []ledger.EnrolDevice{{Certificate: d[0].Certificate}}})
	w.refused(ledger.Expired, "epoch 12 is opened", operator, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{0}, Reason: "sold"})
}

func TestEnrolAndRetireAreTheFleetOwners(t *testing.T) {
	w := newWorld(t)
	w.enrolled(0, 1)
	e := contracttest.Enrolment(w.id, fleetID, 0, 5, w.maker.Devices("new", 1))
	for _, org := range []string{rival, lender, regulator, "nobody"} {
		w.refused(ledger.Forbidden, org, org, ledger.FnEnrol, e)
		w.refused(ledger.Forbidden, org, org, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{0}, Reason: "x"})
	}
}

func TestEnrolBounds(t *testing.T) {
	w := newWorld(t)
	d := w.maker.Devices("pack", 2)
	w.refused(ledger.Invalid, "slot 64", operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, 0, 63, d))
	w.refused(ledger.Invalid, "chunk", operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, ledger.MaxChunks, 0, d))
	w.refused(ledger.Invalid, "0 devices", operator, ledger.FnEnrol, ledger.Enrol{Fleet: fleetID})
	w.refused(ledger.NotFound, "fleet-x", operator, ledger.FnEnrol, contracttest.Enrolment(w.id, "fleet-x", 0, 0, d))
	w.refused(ledger.Invalid, "fleet", operator, ledger.FnEnrol, contracttest.Enrolment(w.id, "fleet-a/00000000", 0, 0, d))
}

func TestRetireRefusals(t *testing.T) {
	w := newWorld(t)
	w.enrolled(0, 3)
	retire := func(reason string, slots ...uint32) ledger.Retire {
		return ledger.Retire{Fleet: fleetID, Slots: slots, Reason: reason}
	}
	w.refused(ledger.NotFound, "slot 3", operator, ledger.FnRetire, retire("x", 0, 3))
	w.refused(ledger.Invalid, "ascending", operator, ledger.FnRetire, retire("x", 1, 1))
	w.refused(ledger.Invalid, "0 slots", operator, ledger.FnRetire, retire("x"))
	w.refused(ledger.Invalid, "reason", operator, ledger.FnRetire, retire("", 0))
	w.must(operator, ledger.FnRetire, retire("x", 0))
	w.refused(ledger.Conflict, "slot 0", operator, ledger.FnRetire, retire("x", 0, 1))
}

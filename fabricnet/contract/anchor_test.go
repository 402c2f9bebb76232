package contract_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/verify"
)

// anchorable is a world at which chunk 0 of fleet-a, with twelve devices, may be anchored for epoch 11.
func anchorable(t *testing.T) (*world, []contracttest.Device) {
	w := newWorld(t)
	d := w.enrolled(0, 12)
	w.at(12, time.Hour)
	return w, d
}

func (w *world) anchor(epoch uint64, attestations [][]byte) {
	w.t.Helper()
	w.must(operator, ledger.FnAnchor, contracttest.Anchor(w.place(epoch, 0), attestations), attestations...)
}

func TestAnchor(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	attestations = slices.Delete(attestations, 4, 6) // one of them in a gateway
	w.anchor(11, attestations)
	entry := query[[]ledger.AnchorEntry](w, ledger.QueryAnchors, ledger.EpochRef{Fleet: fleetID, Epoch: 11})[0]
	if a := entry.Anchor; a.Attested != 10 || a.Enrolled != 12 || a.Retired != 0 || a.Classes != [4]uint32{10, 0, 2, 0} || a.Bitmap[0] != 0b11001111 {
		t.Errorf("anchor is %+v", a)
	}
	if blob := w.kept[entry.Anchor.Root]; !bytes.Equal(blob, ledger.JoinAttestations(attestations)) {
		t.Error("the endorser did not keep the attestations")
	}
	facts := query[ledger.FactsEntry](w, ledger.QueryFacts, ledger.EpochRef{Fleet: fleetID, Epoch: 11})
	if err := facts.Facts.Check(); err != nil {
		t.Error(err)
	}
	if c := facts.Facts.Chunks[0]; !facts.Final || !c.Anchored || c.Attested != 10 || c.Classes["gateway"] != 2 || c.TxID != entry.Anchor.TxID {
		t.Errorf("facts are %+v", facts)
	}
}

func TestAttestationsAreInNoWrite(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	w.anchor(11, attestations)
	for _, encoded := range attestations {
		a, err := commit.ParseAttestation(encoded)
		if err != nil {
			t.Fatal(err)
		}
		c := a.C.Bytes()
		for _, key := range w.state.Keys() {
			value := w.state.Value(key)
			for _, part := range [][]byte{encoded, c[:], a.Proof.Bytes(), a.Signature} {
				if bytes.Contains(value, part) || bytes.Contains(value, ledger.Encode(part)) {
					t.Errorf("%s holds a part of an attestation", key)
				}
			}
		}
	}
}

func TestAnchorRefusesAttestations(t *testing.T) {
	w, d := anchorable(t)
	good := w.attested(11, 0, d)
	otherLedger := w.place(11, 0)
	otherLedger.Ledger = commit.Digest{9}
	otherSRS := w.place(11, 0)
	otherSRS.SRS = committest.UnsafeSRS(64).Digest()
	stranger := w.maker.Devices("stranger", 1)[0]
	badSignature, badProof := parse(t, good[0]), parse(t, good[0])
	badSignature.Signature[5] ^= 1
	badProof.Proof = parse(t, good[1]).Proof
	resigned, err := commit.Sign(d[0].Key, badProof.SigningBytes(w.id, w.srs.Digest()))
	if err != nil {
		t.Fatal(err)
	}
	badProof.Signature = resigned
	put := func(at int, a []byte) [][]byte {
		out := slices.Clone(good)
		out[at] = a
		return out
	}
	for name, c := range map[string]struct {
		attestations [][]byte
		text         string
	}{
		"replayed from another epoch":   {put(0, contracttest.Attest(w.srs, w.place(10, 0), 0, d[0])), "slot 0"},
		"for another slot":              {put(0, contracttest.Attest(w.srs, w.place(11, 0), 20, d[0])), "slot 20"},
		"of a neighbour":                {put(0, contracttest.Attest(w.srs, w.place(11, 0), 0, d[1])), "slot 0"},
		"for another chunk":             {put(0, contracttest.Attest(w.srs, w.place(11, 1), 0, d[0])), "slot 0"},
		"for another ledger":            {put(0, contracttest.Attest(w.srs, otherLedger, 0, d[0])), "slot 0"},
		"over another SRS":              {put(0, contracttest.Attest(committest.UnsafeSRS(64), otherSRS, 0, d[0])), "slot 0"},
		"of a device never enrolled":    {put(0, contracttest.Attest(w.srs, w.place(11, 0), 0, stranger)), "slot 0"},
		"with a bad signature":          {put(0, badSignature.Marshal()), "slot 0"},
		"with a bad proof":              {put(0, badProof.Marshal()), "slot 0"},
		"support on a neighbour's slot": {put(0, onNeighbour(t, w, d[0])), "slot 0"},
		"twice":                         {slices.Insert(slices.Clone(good), 1, good[0]), ""},
		"out of order":                  {append(slices.Clone(good[1:]), good[0]), "ascending"},
		"garbage":                       {put(0, []byte("attestation")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			a := contracttest.Anchor(w.place(11, 0), good)
			if name != "garbage" {
				a = contracttest.Anchor(w.place(11, 0), c.attestations)
			}
			w.refused(ledger.Invalid, c.text, operator, ledger.FnAnchor, a, c.attestations...)
		})
	}
	if len(w.kept) != 0 {
		t.Error("attestations were kept that did not verify")
	}
}

func parse(t *testing.T, encoded []byte) *commit.Attestation {
	t.Helper()
	a, err := commit.ParseAttestation(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// onNeighbour is slot 0's attestation with a multiple of slot 1's base added to its commitment, signed by the device.
func onNeighbour(t *testing.T, w *world, d contracttest.Device) []byte {
	t.Helper()
	a := parse(t, contracttest.Attest(w.srs, w.place(11, 0), 0, d))
	neighbour := w.srs.G1(1)
	a.C.Add(&a.C, &neighbour)
	var err error
	if a.Signature, err = commit.Sign(d.Key, a.SigningBytes(w.id, w.srs.Digest())); err != nil {
		t.Fatal(err)
	}
	return a.Marshal()
}

func TestAnchorFieldsAreTheEndorsersOwn(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	for name, change := range map[string]func(*ledger.AnchorChunk){
		"commitment":          func(a *ledger.AnchorChunk) { p := w.srs.G1(3); b := p.Bytes(); a.Commitment = b[:] },
		"commitment infinity": func(a *ledger.AnchorChunk) { a.Commitment = append([]byte{0x40}, make([]byte, 31)...) },
		"commitment length":   func(a *ledger.AnchorChunk) { a.Commitment = a.Commitment[:31] },
		"attested":            func(a *ledger.AnchorChunk) { a.Attested++ },
		"bitmap":              func(a *ledger.AnchorChunk) { a.Bitmap[7] = 1 },
		"bitmap length":       func(a *ledger.AnchorChunk) { a.Bitmap = a.Bitmap[:7] },
		"root":                func(a *ledger.AnchorChunk) { a.Root[0] ^= 1 },
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			a := contracttest.Anchor(w.place(11, 0), attestations)
			change(&a)
			w.refused(ledger.Invalid, "", operator, ledger.FnAnchor, a, attestations...)
		})
	}
}

func TestAnchorOutsideItsWindowIsRefused(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	a := contracttest.Anchor(w.place(11, 0), attestations)
	for _, at := range []struct {
		epoch uint64
		after time.Duration
	}{{11, 0}, {12, -time.Second}, {12, 6*time.Hour + time.Second}, {13, 0}, {500, 0}} {
		w.clock(at.epoch, at.after)
		w.refused(ledger.Expired, "anchors for epoch 11 are taken", operator, ledger.FnAnchor, a, attestations...)
	}
	far := a
	far.Epoch = 1 << 63
	w.refused(ledger.Invalid, "epoch", operator, ledger.FnAnchor, far, attestations...)
	w.clock(12, 6*time.Hour)
	w.must(operator, ledger.FnAnchor, a, attestations...)
}

func TestAnchorTwiceInAnEpochIsRefused(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	w.anchor(11, attestations[:9])
	w.refused(ledger.Conflict, "is anchored for epoch 11", operator, ledger.FnAnchor, contracttest.Anchor(w.place(11, 0), attestations), attestations...)
}

// A proof may be verified before the window is over, when every chunk with devices is anchored. Nothing is added to its epoch after it.
func TestNoAnchorAfterAVerdictAboutItsEpoch(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	closing := w.state.Begin()
	if err := closing.Put(ledger.ClosingKey(fleetID, 11), ledger.Encode(ledger.Closing{})); err != nil {
		t.Fatal(err)
	}
	closing.Commit()
	w.refused(ledger.Conflict, "settled", operator, ledger.FnAnchor, contracttest.Anchor(w.place(11, 0), attestations), attestations...)
}

func TestAnchorBelongsToTheFleetsOwner(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	a := contracttest.Anchor(w.place(11, 0), attestations)
	w.refused(ledger.Forbidden, "belongs to operator", rival, ledger.FnAnchor, a, attestations...)
	for _, org := range []string{lender, regulator} {
		w.refused(ledger.Forbidden, "role of owner", org, ledger.FnAnchor, a, attestations...)
	}
}

func TestRetiredDeviceAttestsInTheCurrentEpochAndNoLonger(t *testing.T) {
	w := newWorld(t)
	d := w.enrolled(0, 4)
	w.at(11, time.Hour)
	w.must(operator, ledger.FnRetire, ledger.Retire{Fleet: fleetID, Slots: []uint32{1}, Reason: "worn"})
	// Its next owner enrols it in the same epoch: it counts there from the next.
	w.must(rival, ledger.FnEnrol, ledger.Enrol{Fleet: "fleet-b", Devices: []ledger.EnrolDevice{contracttest.EnrolDevice(w.id, "fleet-b", 0, 0, d[1].Key, d[1].Certificate)}})
	w.at(12, 0)
	elsewhere := w.place(11, 0)
	elsewhere.Fleet = "fleet-b"
	again := [][]byte{contracttest.Attest(w.srs, elsewhere, 0, d[1])}
	w.refused(ledger.Invalid, "", rival, ledger.FnAnchor, contracttest.Anchor(elsewhere, again), again...)
	w.anchor(11, w.attested(11, 0, d))

	w.at(13, 0)
	all := w.attested(12, 0, d)
	w.refused(ledger.Invalid, "slot 1: no device is enrolled", operator, ledger.FnAnchor, contracttest.Anchor(w.place(12, 0), all[:3]), all[:3]...)
	w.anchor(12, slices.Delete(all, 1, 2))
	facts := query[ledger.FactsEntry](w, ledger.QueryFacts, ledger.EpochRef{Fleet: fleetID, Epoch: 12}).Facts
	if facts.Enrolled != 3 || facts.Retired != 1 || facts.Chunks[0].Attested != 3 {
		t.Errorf("facts are %+v", facts)
	}
}

func TestAnchorNeedsThePinnedSRS(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	call := ledger.Call{Function: ledger.FnAnchor, Args: ledger.Encode(contracttest.Anchor(w.place(11, 0), attestations)),
		Transient: map[string][]byte{ledger.TransientAttestations: ledger.JoinAttestations(attestations)}}
	for name, srs := range map[string]*commit.SRS{"none": nil, "another": committest.UnsafeSRS(64)} {
		environment := w.environment()
		environment.SRS = srs
		if _, err := contract.Execute(environment, w.tx(operator), w.state.Begin(), call); err == nil || !strings.Contains(err.Error(), "pinned SRS") {
			t.Errorf("with %s: %v", name, err)
		}
	}
	environment := w.environment()
	environment.Keep = nil
	if _, err := contract.Execute(environment, w.tx(operator), w.state.Begin(), call); err == nil {
		t.Error("a peer that keeps nothing endorsed an anchor")
	}
	unpinned := bareWorld(t)
	unpinned.srs = w.srs
	unpinned.must(operator, ledger.FnRegisterFleet, fleetArgs(fleetID))
	unpinned.at(12, 0)
	unpinned.refused(ledger.NotFound, verify.SRSKey, operator, ledger.FnAnchor, contracttest.Anchor(w.place(11, 0), attestations), attestations...)
}

func TestTransientInput(t *testing.T) {
	w, d := anchorable(t)
	attestations := w.attested(11, 0, d)
	a := contracttest.Anchor(w.place(11, 0), attestations)
	w.refused(ledger.Invalid, "transient", operator, ledger.FnAnchor, a)
	w.refused(ledger.Invalid, "transient", operator, ledger.FnRegisterFleet, fleetArgs("fleet-c"), attestations...)
	more := map[string][]byte{ledger.TransientAttestations: ledger.JoinAttestations(attestations), "more": {1}}
	call := ledger.Call{Function: ledger.FnAnchor, Args: ledger.Encode(a), Transient: more}
	if _, err := contract.Execute(w.environment(), w.tx(operator), w.state.Begin(), call); ledger.CodeOf(err) != ledger.Invalid {
		t.Errorf("input that nobody checks: %v", err)
	}
}

func TestAnchorRecordOfTheLargestChunkFitsOneKiB(t *testing.T) {
	full := bytes.Repeat([]byte{0xff}, commit.MaxSize/8)
	a := ledger.Anchor{Commitment: make([]byte, 32), Attested: 4096, Enrolled: 4096, Retired: 4096, Classes: [4]uint32{1024, 1024, 1024, 1024},
		Bitmap: full, Time: 253_402_300_799, TxID: strings.Repeat("f", 64)}
	if n := len(ledger.Encode(a)); n > ledger.MaxAnchor {
		t.Errorf("an anchor takes %d bytes, at most %d", n, ledger.MaxAnchor)
	}
}

package commit_test

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// edit returns a chunk whose attestation in one slot is changed by the device that holds the key: the commitment
// follows, so only the check under test can tell.
func edit(t *testing.T, c *committest.Chunk, slot int, change func(a *commit.Attestation)) *committest.Chunk {
	t.Helper()
	out := *c
	out.Attestations = slices.Clone(c.Attestations)
	a, err := commit.ParseAttestation(c.Attestations[slot])
	if err != nil {
		t.Fatal(err)
	}
	before := a.C
	change(a)
	resign(t, a, c.Place.Ledger, c.Place.SRS, c.Devices[slot])
	out.Attestations[slot] = a.Marshal()
	out.Commitment.Sub(&out.Commitment, &before)
	out.Commitment.Add(&out.Commitment, &a.C)
	return &out
}

// refused runs the check on one core and on all: the outcome may depend on neither cores nor randomness.
func refused(t *testing.T, name string, c *committest.Chunk, reason string) {
	t.Helper()
	_, err := c.Check()
	if err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("%s: error %v, want one about %q", name, err, reason)
		return
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range 3 {
		if _, again := c.Check(); again == nil || again.Error() != err.Error() {
			t.Errorf("%s: error %v the first time, then %v", name, err, again)
		}
	}
}

func TestChunkChecks(t *testing.T) {
	for _, algorithm := range algorithms {
		c := committest.NewChunk(64, algorithm)
		checked, err := c.Check()
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if checked.Attested != 64 || !bytes.Equal(checked.Bitmap, bytesOf(0xff, 8)) {
			t.Errorf("%s: %d attested, bitmap %x", algorithm, checked.Attested, checked.Bitmap)
		}
		if want := referenceRoot(c.Attestations); !bytes.Equal(checked.Root[:], want) {
			t.Errorf("%s: root %s, want %x", algorithm, checked.Root, want)
		}
	}
}

// referenceRoot follows RFC 6962 section 2.1 to the letter.
func referenceRoot(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return rfc6962.DefaultHasher.HashLeaf(leaves[0])
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return rfc6962.DefaultHasher.HashChildren(referenceRoot(leaves[:k]), referenceRoot(leaves[k:]))
}

func TestAbsentSlotsAreAbsent(t *testing.T) {
	c := committest.NewChunk(64, commit.Ed25519)
	present := []int{0, 9, 10, 63}
	var attestations [][]byte
	var points []bn254.G1Affine
	for _, slot := range present {
		attestations = append(attestations, c.Attestations[slot])
		points = append(points, c.Openings[slot].C)
	}
	c.Attestations, c.Commitment = attestations, commit.Sum(points)
	checked, err := c.Check()
	if err != nil {
		t.Fatal(err)
	}
	for slot := range 65 {
		if got := checked.Has(uint32(slot)); got != slices.Contains(present, slot) {
			t.Errorf("slot %d: attested %v", slot, got)
		}
	}
	if want := referenceRoot(attestations); checked.Attested != 4 || !bytes.Equal(checked.Root[:], want) {
		t.Errorf("%d attested under %s", checked.Attested, checked.Root)
	}
	c.Attestations = nil
	refused(t, "nobody attested", c, "must be 1 to")
}

// ‡ Whatever is for another place, ledger or time is refused, also when the thief has the key and signs again.
func TestChunkRefusesAttestationsForElsewhere(t *testing.T) {
	c := committest.NewChunk(64, commit.Ed25519)
	p := c.Place.At(6)
	for name, q := range elsewhere(p) {
		if q.SRS != p.SRS || q.Size != p.Size {
			continue // Commit refuses those; TestAttestationForAnotherPlaceOrDeviceIsRefused covers them
		}
		a, err := commit.Attest(c.SRS, q, c.Records[6], c.Devices[6].Secret, c.Devices[6].Key)
		if err != nil {
			t.Fatal(err)
		}
		bad := *c
		bad.Attestations = slices.Clone(c.Attestations)
		bad.Attestations[6] = a.Marshal()
		bad.Commitment.Sub(&bad.Commitment, &c.Openings[6].C)
		bad.Commitment.Add(&bad.Commitment, &a.C)
		if name == "slot" {
			refused(t, "replayed from another slot", &bad, "slot 7: attestation is by device")
			continue
		}
		if name != "ledger" { // the ledger is not on the wire: the signature tells
			refused(t, "replayed from another "+name, &bad, "slot 6: attestation is for fleet")
		}
		rewritten := edit(t, &bad, 6, func(a *commit.Attestation) {
			a.Fleet, a.Chunk, a.Size, a.Slot, a.Epoch = p.Fleet, p.Chunk, p.Size, p.Slot, p.Epoch
		})
		refused(t, "rewritten from another "+name, rewritten, "slot 6: proof of representation")
	}
}

// ‡ Slots and devices count once.
func TestChunkRefusesASlotOrADeviceTwice(t *testing.T) {
	c := committest.NewChunk(64, commit.Ed25519)
	replace := func(change func(bad *committest.Chunk)) *committest.Chunk {
		bad := *c
		bad.Attestations, bad.Enrolled = slices.Clone(c.Attestations), slices.Clone(c.Enrolled)
		change(&bad)
		return &bad
	}
	refused(t, "one attestation twice", replace(func(bad *committest.Chunk) {
		bad.Attestations[8] = bad.Attestations[7]
	}), "slot 7: attestation follows that of slot 7")
	refused(t, "descending", replace(func(bad *committest.Chunk) {
		bad.Attestations[8], bad.Attestations[7] = bad.Attestations[7], bad.Attestations[8]
	}), "must be ascending")
	refused(t, "one more than enrolled", replace(func(bad *committest.Chunk) {
		bad.Attestations = append(bad.Attestations, bad.Attestations[63])
	}), "must be 1 to the 64 enrolled")
	refused(t, "two devices in a slot", replace(func(bad *committest.Chunk) {
		bad.Enrolled[8].Slot = 7
	}), "slot 7: two devices are enrolled")
	refused(t, "one device in two slots", replace(func(bad *committest.Chunk) {
		bad.Enrolled[8].Key = bad.Enrolled[7].Key
	}), "slot 8: device")
	refused(t, "slot beyond the chunk", replace(func(bad *committest.Chunk) {
		bad.Enrolled[8].Slot = 64
	}), "slot: 64")
	refused(t, "no key", replace(func(bad *committest.Chunk) {
		bad.Enrolled[8].Key = commit.PublicKey{}
	}), "slot 8: enrolled without a key")
	refused(t, "not enrolled", replace(func(bad *committest.Chunk) {
		bad.Enrolled, bad.Attestations = bad.Enrolled[:63], bad.Attestations[1:]
	}), "slot 63: no device is enrolled")
	refused(t, "another device enrolled", replace(func(bad *committest.Chunk) {
		bad.Enrolled[8].Key = committest.NewDevice(commit.Ed25519).Public
	}), "slot 8: attestation is by device")
}

// ‡ Bad signature.
func TestChunkRefusesABadSignature(t *testing.T) {
	for _, algorithm := range algorithms {
		c := committest.NewChunk(64, algorithm)
		for _, slot := range []int{0, 33, 63} {
			bad := *c
			bad.Attestations = slices.Clone(c.Attestations)
			a, err := commit.ParseAttestation(c.Attestations[slot])
			if err != nil {
				t.Fatal(err)
			}
			a.Signature[63] ^= 1
			a.Signature[3] ^= 1
			bad.Attestations[slot] = a.Marshal()
			if slot < 63 { // a second bad one: the lowest is named
				bad.Attestations[63] = bytes.Clone(c.Attestations[63])
				bad.Attestations[63][len(c.Attestations[63])-60] ^= 1
			}
			refused(t, string(algorithm), &bad, "slot "+map[int]string{0: "0", 33: "33", 63: "63"}[slot]+": signature")
		}
	}
	c := committest.NewChunk(64, commit.P256)
	a, err := commit.ParseAttestation(c.Attestations[4])
	if err != nil {
		t.Fatal(err)
	}
	a.Signature = highS(a.Signature)
	c.Attestations[4] = a.Marshal()
	refused(t, "high s", c, "slot 4: signature has a high s")
}

func TestChunkRefusesAMixOfAlgorithmsWithOneBadSignature(t *testing.T) {
	c, p256 := committest.NewChunk(64, commit.Ed25519), committest.NewDevice(commit.P256)
	place := c.Place.At(12)
	a, err := commit.Attest(c.SRS, place, c.Records[12], p256.Secret, p256.Key)
	if err != nil {
		t.Fatal(err)
	}
	c.Enrolled[12].Key, c.Attestations[12] = p256.Public, a.Marshal()
	c.Commitment.Sub(&c.Commitment, &c.Openings[12].C)
	c.Commitment.Add(&c.Commitment, &a.C)
	if _, err := c.Check(); err != nil {
		t.Fatalf("a chunk may mix algorithms: %v", err)
	}
	a.Signature[40] ^= 1
	c.Attestations[12] = a.Marshal()
	refused(t, "bad P-256 among Ed25519", c, "slot 12: signature")
}

// ‡ The sum equals C.
func TestChunkRefusesAnotherSum(t *testing.T) {
	c := committest.NewChunk(64, commit.Ed25519)
	good := c.Commitment
	d := c.SRS.G1(5)
	c.Commitment.Add(&good, &d)
	refused(t, "shifted sum", c, "do not add up")
	c.Commitment.Neg(&good)
	refused(t, "negated sum", c, "do not add up")
	c.Commitment.SetInfinity()
	refused(t, "infinity", c, "claimed commitment: point at infinity")
	c.Commitment = good
	c.Commitment.X.SetUint64(4)
	refused(t, "off the curve", c, "claimed commitment: point is not on the curve")
	c.Commitment = good
	c.Attestations = c.Attestations[:63]
	refused(t, "one attestation left out", c, "do not add up")
}

func TestChunkRefusesMalformedInput(t *testing.T) {
	c := committest.NewChunk(64, commit.Ed25519)
	for name, change := range map[string]func(bad *committest.Chunk){
		"another srs":   func(bad *committest.Chunk) { bad.Place.SRS[0] ^= 1 },
		"small srs":     func(bad *committest.Chunk) { bad.Place.Size = 256 },
		"size":          func(bad *committest.Chunk) { bad.Place.Size = 65 },
		"no fleet":      func(bad *committest.Chunk) { bad.Place.Fleet = "" },
		"nobody":        func(bad *committest.Chunk) { bad.Enrolled = nil },
		"garbage":       func(bad *committest.Chunk) { bad.Attestations[3] = []byte("garbage") },
		"trailing byte": func(bad *committest.Chunk) { bad.Attestations[3] = append(bytes.Clone(bad.Attestations[3]), 0) },
		"ledger":        func(bad *committest.Chunk) { bad.Place.Ledger[0] ^= 1 },
	} {
		bad := *c
		bad.Attestations = slices.Clone(c.Attestations)
		change(&bad)
		if _, err := bad.Check(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

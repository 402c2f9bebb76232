package verify_test

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/verify"
)

// attestationVectors are attestations over one SRS, and the anchors of two chunks.
type attestationVectors struct {
	SRS       []byte              `json:"srs"`
	SRSDigest commit.Digest       `json:"srs_digest"`
	Cases     []attestationVector `json:"cases"`
	Anchors   []anchorVector      `json:"anchors"`
}

// attestationVector is an attestation, the place it is checked against, and the key enrolled there.
type attestationVector struct {
	Name        string         `json:"name"`
	Ledger      commit.Digest  `json:"ledger"`
	Fleet       string         `json:"fleet"`
	Chunk       uint32         `json:"chunk"`
	Size        uint32         `json:"size"`
	Slot        uint32         `json:"slot"`
	Epoch       uint64         `json:"epoch"`
	Key         []byte         `json:"key"`
	Attestation []byte         `json:"attestation"`
	Failure     verify.Failure `json:"failure"`
}

type anchorVector struct {
	Attestations []attestationVector `json:"attestations"`
	Commitment   []byte              `json:"commitment"`
	Root         commit.Digest       `json:"root"`
	Bitmap       []byte              `json:"bitmap"`
}

// Failures of attestations, which this package does not verify.
const (
	attestationEncoding  verify.Failure = "attestation-encoding"
	attestationPlace     verify.Failure = "attestation-place"
	attestationDevice    verify.Failure = "attestation-device"
	attestationSignature verify.Failure = "attestation-signature"
	attestationProof     verify.Failure = "attestation-proof"
	deviceKey            verify.Failure = "device-key"
)

// check verifies step by step, as commit.Attestation.Verify does at once.
func (v *attestationVector) check(srs *commit.SRS) (verify.Failure, error) {
	key, err := commit.ParsePublicKey(v.Key)
	if err != nil {
		return deviceKey, err
	}
	a, err := commit.ParseAttestation(v.Attestation)
	if err != nil {
		return attestationEncoding, err
	}
	place := commit.Place{Ledger: v.Ledger, SRS: srs.Digest(), Fleet: v.Fleet, Chunk: v.Chunk, Size: v.Size, Slot: v.Slot, Epoch: v.Epoch}
	whole := a.Verify(srs, place, key)
	switch {
	case a.Place(place.Ledger, place.SRS) != place:
		return attestationPlace, whole
	case a.Device != key.DeviceID():
		return attestationDevice, whole
	case key.Verify(a.SigningBytes(place.Ledger, place.SRS), a.Signature) != nil:
		return attestationSignature, whole
	case a.Proof.VerifyOne(srs, place, a.Device, a.C) != nil:
		return attestationProof, whole
	}
	return "", whole
}

func makeAttestationVectors(t *testing.T) (out attestationVectors) {
	var file bytes.Buffer
	var chunks []*committest.Chunk
	for _, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256} {
		chunks = append(chunks, committest.NewChunk(size, algorithm))
	}
	if _, err := chunks[0].SRS.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	out.SRS, out.SRSDigest = file.Bytes(), chunks[0].SRS.Digest()
	for _, c := range chunks {
		out.Anchors = append(out.Anchors, anchored(t, c, 0, 1, 9, 40, 63))
		name := string(c.Devices[5].Public.Algorithm()) + ": "
		good := attested(c, 5)
		for _, change := range attestationChanges {
			v := good
			v.Name, v.Key, v.Attestation, v.Failure = name+change.name, bytes.Clone(good.Key), bytes.Clone(good.Attestation), change.failure
			change.change(t, &v, c)
			got, err := v.check(c.SRS)
			if got != v.Failure || (err == nil) != (got == "") {
				t.Errorf("%s: failure is %q (%v), want %q", v.Name, got, err, v.Failure)
			}
			out.Cases = append(out.Cases, v)
		}
	}
	return out
}

func attested(c *committest.Chunk, slot uint32) attestationVector {
	return attestationVector{
		Ledger: c.Place.Ledger, Fleet: c.Place.Fleet, Chunk: c.Place.Chunk, Size: c.Place.Size, Slot: slot, Epoch: c.Place.Epoch,
		Key: c.Devices[slot].Public.DER(), Attestation: c.Attestations[slot],
	}
}

// anchored is what endorsers record of the slots that attested.
func anchored(t *testing.T, c *committest.Chunk, slots ...uint32) (out anchorVector) {
	t.Helper()
	var points []bn254.G1Affine
	var each [][]byte
	for _, slot := range slots {
		v := attested(c, slot)
		v.Name = "an anchor's"
		out.Attestations = append(out.Attestations, v)
		points, each = append(points, c.Openings[slot].C), append(each, v.Attestation)
	}
	sum := commit.Sum(points)
	checked, err := commit.CheckChunk(c.SRS, c.Place, c.Enrolled, each, sum)
	if err != nil {
		t.Fatal(err)
	}
	b := sum.Bytes()
	out.Commitment, out.Root, out.Bitmap = b[:], checked.Root, checked.Bitmap
	return out
}

func srsOf(t *testing.T, vectors attestationVectors) *commit.SRS {
	t.Helper()
	srs, err := commit.ReadSRS(bytes.NewReader(vectors.SRS), vectors.SRSDigest)
	if err != nil {
		t.Fatal(err)
	}
	return srs
}

func TestAttestationVectors(t *testing.T) {
	vectors := readVectors(t, "attestations.json", makeAttestationVectors)
	srs := srsOf(t, vectors)
	for _, c := range vectors.Cases {
		if got, err := c.check(srs); got != c.Failure || (err == nil) != (got == "") {
			t.Errorf("%s: failure is %q (%v), want %q", c.Name, got, err, c.Failure)
		}
	}
	for _, a := range vectors.Anchors {
		var each [][]byte
		for i := range a.Attestations {
			if got, err := a.Attestations[i].check(srs); got != "" {
				t.Errorf("attestation %d of an anchor: %v", i, err)
			}
			each = append(each, a.Attestations[i].Attestation)
		}
		if root, err := commit.MerkleRoot(each); err != nil || root != a.Root {
			t.Errorf("root is %v, want %v (%v)", root, a.Root, err)
		}
	}
}

// attestationQuestion asks the second verifier about one attestation.
type attestationQuestion struct {
	Op  string `json:"op"`
	SRS []byte `json:"srs"`
	attestationVector
}

func TestSecondVerifierOnAttestationVectors(t *testing.T) {
	v := startSecond(t)
	vectors := readVectors(t, "attestations.json", makeAttestationVectors)
	var got struct {
		Failure    verify.Failure `json:"failure"`
		Digest     commit.Digest  `json:"digest"`
		Commitment hexBytes       `json:"commitment"`
		Root       commit.Digest  `json:"root"`
		Bitmap     hexBytes       `json:"bitmap"`
	}
	if err := v.Ask(attestationQuestion{Op: "srs", SRS: vectors.SRS}, &got); err != nil || got.Digest != vectors.SRSDigest {
		t.Errorf("SRS: %v, %v", got, err)
	}
	for _, c := range vectors.Cases {
		if got := ask(t, v, attestationQuestion{"attestation", vectors.SRS, c}); got.Failure != c.Failure {
			t.Errorf("%s: failure is %q (%s), want %q", c.Name, got.Failure, got.Why, c.Failure)
		}
	}
	for _, a := range vectors.Anchors {
		err := v.Ask(map[string]any{"op": "anchor", "srs": vectors.SRS, "attestations": a.Attestations}, &got)
		if err != nil || got.Failure != "" || !bytes.Equal(got.Commitment, a.Commitment) || got.Root != a.Root || !bytes.Equal(got.Bitmap, a.Bitmap) {
			t.Errorf("anchor: %+v, %v, want %+v", got, err, a)
		}
	}
}

package verify_test

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/verify"
)

// reattest signs another attestation with the key of slot 5.
func reattest(t *testing.T, v *attestationVector, c *committest.Chunk, change func(a *commit.Attestation)) {
	t.Helper()
	a, err := commit.ParseAttestation(v.Attestation)
	if err != nil {
		t.Fatal(err)
	}
	change(a)
	if a.Signature, err = commit.Sign(c.Devices[5].Key, a.SigningBytes(v.Ledger, c.SRS.Digest())); err != nil {
		t.Fatal(err)
	}
	v.Attestation = a.Marshal()
}

var attestationChanges = []struct {
	name    string
	change  func(t *testing.T, v *attestationVector, c *committest.Chunk)
	failure verify.Failure
}{
	{"valid", func(*testing.T, *attestationVector, *committest.Chunk) {}, ""},
	{"cut short", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) {
		v.Attestation = v.Attestation[:len(v.Attestation)-1]
	}, attestationEncoding},
	{"a byte too many", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) {
		v.Attestation = append(v.Attestation, 0)
	}, attestationEncoding},
	{"another version", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) { v.Attestation[1] = 2 }, attestationEncoding},
	{"version in a byte", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) {
		v.Attestation = append([]byte{v.Attestation[0], 0x18, 1}, v.Attestation[2:]...)
	}, attestationEncoding},
	{"a commitment at infinity", func(t *testing.T, v *attestationVector, c *committest.Chunk) {
		reattest(t, v, c, func(a *commit.Attestation) { a.C = bn254.G1Affine{} })
	}, attestationEncoding},
	{"a size that is none", func(t *testing.T, v *attestationVector, c *committest.Chunk) {
		reattest(t, v, c, func(a *commit.Attestation) { a.Size = 65 })
	}, attestationEncoding},
	{"a slot beyond the chunk", func(t *testing.T, v *attestationVector, c *committest.Chunk) {
		reattest(t, v, c, func(a *commit.Attestation) { a.Slot = 64 })
	}, attestationEncoding},
	{"of another epoch", func(t *testing.T, v *attestationVector, c *committest.Chunk) {
		reattest(t, v, c, func(a *commit.Attestation) { a.Epoch++ })
	}, attestationPlace},
	{"of another slot", func(_ *testing.T, v *attestationVector, c *committest.Chunk) { v.Attestation = c.Attestations[6] }, attestationPlace},
	{"of another fleet", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) { v.Fleet = "fleet-b" }, attestationPlace},
	{"by another device", func(_ *testing.T, v *attestationVector, c *committest.Chunk) { v.Key = c.Devices[6].Public.DER() }, attestationDevice},
	{"on another ledger", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) { v.Ledger[0] ^= 1 }, attestationSignature},
	{"signature changed", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) {
		v.Attestation[len(v.Attestation)-1] ^= 1
	}, attestationSignature},
	{"signature of zeros", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) {
		clear(v.Attestation[len(v.Attestation)-commit.SignatureBytes:])
	}, attestationSignature},
	{"first response changed", func(t *testing.T, v *attestationVector, c *committest.Chunk) {
		reattest(t, v, c, func(a *commit.Attestation) { increment(&a.Proof.Zx) })
	}, attestationProof},
	{"another commitment", func(t *testing.T, v *attestationVector, c *committest.Chunk) {
		reattest(t, v, c, func(a *commit.Attestation) { a.C.Neg(&a.C) })
	}, attestationProof},
	{"a key that is none", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) { v.Key = v.Key[:len(v.Key)-1] }, deviceKey},
	{"a key with another header", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) { v.Key[5] ^= 1 }, deviceKey},
	{"a key of small order", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) {
		v.Key = append([]byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\x01"), make([]byte, 31)...)
	}, deviceKey},
	{"a key that is not reduced", func(_ *testing.T, v *attestationVector, _ *committest.Chunk) {
		v.Key = append([]byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00\xf0"), append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...)
	}, deviceKey},
}

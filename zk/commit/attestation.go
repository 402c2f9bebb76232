package commit

import (
	"crypto"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit/canonical"
	"github.com/assay-net/assay/zk/record"
)

// MaxAttestation bounds an encoded attestation; the longest fleet name makes one of 425 bytes.
const MaxAttestation = 512

// attestationVersion is the first field on the wire.
const attestationVersion = 1

// Attestation is what a device publishes once in an epoch. It hides the record, so anyone may check it. Ledger id and
// SRS digest are in what is hashed and signed, and are not repeated on the wire.
type Attestation struct {
	Fleet             string
	Chunk, Size, Slot uint32
	Epoch             uint64
	Device            DeviceID
	C                 bn254.G1Affine
	Proof             Representation
	Signature         []byte
}

// wireAttestation is a CBOR array (RFC 8949, core deterministic encoding) of these fields in this order. Points are
// compressed.
type wireAttestation struct {
	_                 struct{} `cbor:",toarray"`
	Version           uint64
	Fleet             string
	Chunk, Size, Slot uint32
	Epoch             uint64
	Device, C, Proof  []byte
	Signature         []byte
}

var encoding = canonical.New(16, 4)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Attest commits to the record, proves that it knows the opening over the slot's own bases, and signs. The same
// arguments give the same bytes where the key signs deterministically. It does not remember what it attested to:
// package datahub/device does, and attests once in an epoch.
func Attest(srs *SRS, p Place, rec record.Record, secret Secret, key crypto.Signer) (*Attestation, error) {
	public, err := NewPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("attesting: %w", err)
	}
	opening, err := Commit(srs, p, rec, secret)
	if err != nil {
		return nil, fmt.Errorf("attesting: %w", err)
	}
	proof, err := Prove(srs, p, public.DeviceID(), opening, secret)
	if err != nil {
		return nil, fmt.Errorf("attesting: %w", err)
	}
	a := &Attestation{
		Fleet: p.Fleet, Chunk: p.Chunk, Size: p.Size, Slot: p.Slot, Epoch: p.Epoch,
		Device: public.DeviceID(), C: opening.C, Proof: proof,
	}
	if a.Signature, err = Sign(key, a.SigningBytes(p.Ledger, p.SRS)); err != nil {
		return nil, fmt.Errorf("attesting: %w", err)
	}
	return a, nil
}

// Place says where and when the attestation is for, on the given ledger and SRS.
func (a *Attestation) Place(ledger, srs Digest) Place {
	return Place{Ledger: ledger, SRS: srs, Fleet: a.Fleet, Chunk: a.Chunk, Size: a.Size, Slot: a.Slot, Epoch: a.Epoch}
}

// SigningBytes is the message that the device signs: everything but the signature, with ledger and SRS.
func (a *Attestation) SigningBytes(ledger, srs Digest) []byte {
	t := NewTranscript(tagAttestation, ledger)
	t.place(a.Place(ledger, srs))
	t.Bytes(a.Device[:])
	t.Point(&a.C)
	t.Bytes(a.Proof.Bytes())
	return t.buf
}

// Verify checks one attestation by itself: that it is for this place and made by this key, its signature and its proof.
func (a *Attestation) Verify(srs *SRS, p Place, key PublicKey) error {
	if err := srs.checkSlot(p); err != nil {
		return err
	}
	if err := a.checkMade(p, key); err != nil {
		return fmt.Errorf("slot %d: %w", p.Slot, err)
	}
	if err := key.Verify(a.SigningBytes(p.Ledger, p.SRS), a.Signature); err != nil {
		return fmt.Errorf("slot %d: %w", p.Slot, err)
	}
	if err := a.Proof.VerifyOne(srs, p, a.Device, a.C); err != nil {
		return fmt.Errorf("slot %d: %w", p.Slot, err)
	}
	return nil
}

// checkMade checks that the attestation says it is for this place and by this device. Signature and proof are the
// caller's to check.
func (a *Attestation) checkMade(p Place, key PublicKey) error {
	if got := a.Place(p.Ledger, p.SRS); got != p {
		return fmt.Errorf("attestation is for fleet %q chunk %d size %d slot %d epoch %d, not for fleet %q chunk %d size %d slot %d epoch %d",
			got.Fleet, got.Chunk, got.Size, got.Slot, got.Epoch, p.Fleet, p.Chunk, p.Size, p.Slot, p.Epoch)
	}
	if a.Device != key.DeviceID() {
		return fmt.Errorf("attestation is by device %s, enrolled is %s", a.Device, key.DeviceID())
	}
	return nil
}

// Marshal encodes the attestation. ParseAttestation reads it back if it is well-formed.
func (a *Attestation) Marshal() []byte {
	c := a.C.Bytes()
	return encoding.Marshal(wireAttestation{
		Version: attestationVersion, Fleet: a.Fleet, Chunk: a.Chunk, Size: a.Size, Slot: a.Slot, Epoch: a.Epoch,
		Device: a.Device[:], C: c[:], Proof: a.Proof.Bytes(), Signature: a.Signature,
	})
}

// ParseAttestation decodes at most MaxAttestation bytes. It accepts exactly what Marshal writes for a well-formed
// attestation: one encoding each, finite points on the curve, reduced scalars, a slot below a known size, a signature
// of SignatureBytes. It verifies neither signature nor proof.
func ParseAttestation(b []byte) (*Attestation, error) {
	var w wireAttestation
	if err := encoding.Unmarshal("attestation", b, MaxAttestation, &w); err != nil {
		return nil, err
	}
	if w.Version != attestationVersion {
		return nil, fmt.Errorf("attestation: version %d is not %d", w.Version, attestationVersion)
	}
	if len(w.Device) != len(DeviceID{}) {
		return nil, fmt.Errorf("attestation: device has %d bytes, must have %d", len(w.Device), len(DeviceID{}))
	}
	if len(w.Signature) != SignatureBytes {
		return nil, fmt.Errorf("attestation: signature has %d bytes, must have %d", len(w.Signature), SignatureBytes)
	}
	a := &Attestation{
		Fleet: w.Fleet, Chunk: w.Chunk, Size: w.Size, Slot: w.Slot, Epoch: w.Epoch,
		Device: DeviceID(w.Device), Signature: w.Signature,
	}
	if err := a.Place(Digest{}, Digest{}).Validate(); err != nil {
		return nil, fmt.Errorf("attestation: %w", err)
	}
	var err error
	if a.C, err = ParsePoint(w.C); err != nil {
		return nil, fmt.Errorf("attestation: commitment: %w", err)
	}
	if a.Proof, err = ParseRepresentation(w.Proof); err != nil {
		return nil, fmt.Errorf("attestation: %w", err)
	}
	return a, nil
}

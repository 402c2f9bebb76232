package frame

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

const (
	// MaxFrame bounds a sealed frame as it arrives from a device, MaxPlain the frame inside.
	MaxFrame = 128 << 10
	MaxPlain = MaxFrame - Overhead
	// MaxPayload leaves room for the other fields.
	MaxPayload = MaxPlain - 256
	// MaxSequence bounds sequence numbers, so that they fit every database and never wrap.
	MaxSequence = 1 << 62
)

const (
	tagFrame   = "assay/v1/frame"
	tagContent = "assay/v1/frame/content"
)

// Kind says what a frame's payload is.
type Kind uint8

// The kinds of payload.
const (
	KindReadings  Kind = 1 // MarshalReadings
	KindGBT32960  Kind = 2 // a frame of the national standard as it came from the vehicle, package gbt32960
	KindOCPP      Kind = 3 // a message of a charging pile, package ocpp
	KindOCMF      Kind = 4 // a signed meter value, package ocmf
	KindReport    Kind = 5 // Report.Marshal
	KindAccept    Kind = 6 // Accept.Marshal
	KindMeterings Kind = 7 // MarshalMeterings
)

var kindNames = [...]string{
	KindReadings: "readings", KindGBT32960: "gbt32960", KindOCPP: "ocpp", KindOCMF: "ocmf",
	KindReport: "report", KindAccept: "accept", KindMeterings: "meterings",
}

// String names the kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Frame is what a device signs and sends.
type Frame struct {
	Device commit.DeviceID
	// Sequence counts the device's frames from 1, without holes. Oldest is the lowest that the device still holds.
	Sequence, Oldest uint64
	// SentMicros is when it was made: Unix time in µs, UTC, by the device's clock.
	SentMicros int64
	// Kind says what the payload is. A kind that the reader does not know is for the reader to refuse.
	Kind      Kind
	Payload   []byte
	Signature []byte
}

type wireFrame struct {
	_                struct{} `cbor:",toarray"`
	Version          uint64
	Device           []byte
	Sequence, Oldest uint64
	SentMicros       int64
	Kind             uint8
	Payload          []byte
	Signature        []byte
}

// SigningBytes is the message that the device signs: a tag, the ledger and every field but the signature.
func (f *Frame) SigningBytes(ledger commit.Digest) []byte {
	m := newMessage(tagFrame, ledger, 128+len(f.Payload))
	m.bytes(f.Device[:])
	m.number(f.Sequence)
	m.number(f.Oldest)
	m.number(uint64(f.SentMicros))
	m.number(uint64(f.Kind))
	m.bytes(f.Payload)
	return m
}

// Sign signs with the device's key. The frame's fields are checked first, so that no device signs what Parse refuses.
func (f *Frame) Sign(ledger commit.Digest, key crypto.Signer) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("signing a frame: %w", err)
	}
	signature, err := commit.Sign(key, f.SigningBytes(ledger))
	if err != nil {
		return fmt.Errorf("signing frame %d: %w", f.Sequence, err)
	}
	f.Signature = signature
	return nil
}

// Verify checks that this key's device made the frame for this ledger.
func (f *Frame) Verify(ledger commit.Digest, key commit.PublicKey) error {
	if f.Device != key.DeviceID() {
		return fmt.Errorf("frame is by device %s, the key is that of %s", f.Device, key.DeviceID())
	}
	if err := key.Verify(f.SigningBytes(ledger), f.Signature); err != nil {
		return fmt.Errorf("frame %d: %w", f.Sequence, err)
	}
	return nil
}

// Marshal encodes the frame. Parse reads it back if it was signed by Sign.
func (f *Frame) Marshal() []byte {
	return encode(wireFrame{
		Version: version, Device: f.Device[:], Sequence: f.Sequence, Oldest: f.Oldest, SentMicros: f.SentMicros,
		Kind: uint8(f.Kind), Payload: f.Payload, Signature: f.Signature,
	})
}

// Parse decodes at most MaxPlain bytes. It accepts exactly what Marshal writes for a well-formed frame: one encoding, a
// version that is known, a sequence from 1 to MaxSequence, an oldest that is not above it, a payload, a signature of
// commit.SignatureBytes. It does not verify the signature and does not look into the payload.
func Parse(b []byte) (*Frame, error) {
	var w wireFrame
	if err := decode("frame", b, MaxPlain, &w); err != nil {
		return nil, err
	}
	if err := checkVersion("frame", w.Version); err != nil {
		return nil, err
	}
	if len(w.Device) != len(commit.DeviceID{}) {
		return nil, fmt.Errorf("frame: device has %d bytes, must have %d", len(w.Device), len(commit.DeviceID{}))
	}
	if len(w.Signature) != commit.SignatureBytes {
		return nil, fmt.Errorf("frame: signature has %d bytes, must have %d", len(w.Signature), commit.SignatureBytes)
	}
	f := &Frame{
		Device: commit.DeviceID(w.Device), Sequence: w.Sequence, Oldest: w.Oldest, SentMicros: w.SentMicros,
		Kind: Kind(w.Kind), Payload: w.Payload, Signature: w.Signature,
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("frame: %w", err)
	}
	return f, nil
}

func (f *Frame) check() error {
	switch {
	case f.Sequence == 0 || f.Sequence > MaxSequence:
		return fmt.Errorf("sequence %d: must be 1 to %d", f.Sequence, uint64(MaxSequence))
	case f.Oldest == 0 || f.Oldest > f.Sequence:
		return fmt.Errorf("oldest %d: must be 1 to the sequence, %d", f.Oldest, f.Sequence)
	case f.Kind == 0:
		return errors.New("kind is missing")
	case len(f.Payload) == 0 || len(f.Payload) > MaxPayload:
		return fmt.Errorf("payload has %d bytes, must have 1 to %d", len(f.Payload), MaxPayload)
	}
	return nil
}

// Content is what a device never says in two ways under one sequence: device, sequence, time, kind and payload. Two frames that
// differ in it are by two holders of one key. Oldest and signature may differ: a device whose node lost frames signs the first
// one that it still has anew, and not every kind of key signs the same twice.
func (f *Frame) Content() []byte {
	m := newMessage(tagContent, commit.Digest{}, 128+len(f.Payload))
	m.bytes(f.Device[:])
	m.number(f.Sequence)
	m.number(uint64(f.SentMicros))
	m.number(uint64(f.Kind))
	m.bytes(f.Payload)
	return m
}

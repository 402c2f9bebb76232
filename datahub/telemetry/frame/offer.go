package frame

import (
	"crypto"
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

const (
	maxOffer       = 1024
	maxSealedOffer = maxOffer + 64
	tagOffer       = "assay/v1/offer"
	tagOfferSigned = "assay/v1/offer/node"
)

// Offer is the node's answer to a hello: the seat that it gives to the device, and the secrets that go with it.
type Offer struct {
	// Ledger, SRS, Fleet, Chunk, Size and Slot are the seat.
	Ledger, SRS       commit.Digest
	Fleet             string
	Chunk, Size, Slot uint32
	// Generation counts how often the device was enrolled anew. Secret and transport key are other ones in each.
	Generation uint32
	Secret     commit.Secret
	Transport  TransportKey
	// EpochZero is when epoch 0 began, in Unix seconds, EpochSeconds how long an epoch lasts: for a device to compare with the genesis,
	// not to go by.
	EpochZero, EpochSeconds int64
	// Through is the sequence up to which the node has the device's frames.
	Through uint64
	// Signature is by the node's organisation, for devices that know its key; empty where they do not.
	Signature []byte
}

type wireOffer struct {
	_                             struct{} `cbor:",toarray"`
	Version                       uint64
	Ledger, SRS                   []byte
	Fleet                         string
	Chunk, Size, Slot, Generation uint32
	Secret, Transport             []byte
	EpochZero, EpochSeconds       int64
	Through                       uint64
	Signature                     []byte
}

// Sign signs the offer for one device and one ephemeral key as the node's organisation.
func (o *Offer) Sign(key crypto.Signer, ephemeral []byte, device commit.DeviceID) error {
	signature, err := commit.Sign(key, o.signingBytes(ephemeral, device))
	if err != nil {
		return fmt.Errorf("signing an offer: %w", err)
	}
	o.Signature = signature
	return nil
}

// Verify checks the organisation's signature.
func (o *Offer) Verify(organisation commit.PublicKey, ephemeral []byte, device commit.DeviceID) error {
	if err := organisation.Verify(o.signingBytes(ephemeral, device), o.Signature); err != nil {
		return fmt.Errorf("offer: node's organisation: %w", err)
	}
	return nil
}

func (o *Offer) signingBytes(ephemeral []byte, device commit.DeviceID) []byte {
	unsigned := *o
	unsigned.Signature = nil
	plain := unsigned.marshal()
	m := newMessage(tagOfferSigned, o.Ledger, len(plain)+128)
	m.bytes(device[:])
	m.bytes(ephemeral)
	m.bytes(plain)
	return m
}

func (o *Offer) marshal() []byte {
	return encode(wireOffer{
		Version: version, Ledger: o.Ledger[:], SRS: o.SRS[:], Fleet: o.Fleet, Chunk: o.Chunk, Size: o.Size, Slot: o.Slot, Generation: o.Generation,
		Secret: o.Secret[:], Transport: o.Transport[:], EpochZero: o.EpochZero, EpochSeconds: o.EpochSeconds,
		Through: o.Through, Signature: o.Signature,
	})
}

// SealTo seals the offer to the ephemeral key of a hello (HPKE in base mode: X25519, HKDF-SHA-256, ChaCha20-Poly1305), in
// a context that names the device. The result is what goes to the device: its first byte tells it from a sealed message.
func (o *Offer) SealTo(ephemeral []byte, device commit.DeviceID) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("offer: %w", err)
	}
	public, err := ecdh.X25519().NewPublicKey(ephemeral)
	if err != nil {
		return nil, errors.New("offer: ephemeral key is not one of X25519")
	}
	recipient, err := hpke.NewDHKEMPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("offer: %w", err)
	}
	sealed, err := hpke.Seal(recipient, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), offerInfo(device), o.marshal())
	if err != nil {
		return nil, fmt.Errorf("offer: sealing: %w", err)
	}
	return append([]byte{outerOffer}, sealed...), nil
}

// IsOffer tells an offer from a sealed message by its first byte.
func IsOffer(b []byte) bool { return len(b) > 0 && b[0] == outerOffer }

// OpenOffer opens an offer with the private key of the hello that it answers.
func OpenOffer(private *ecdh.PrivateKey, b []byte, device commit.DeviceID) (*Offer, error) {
	if len(b) > maxSealedOffer {
		return nil, fmt.Errorf("offer has %d bytes, at most %d", len(b), maxSealedOffer)
	}
	if !IsOffer(b) {
		return nil, errors.New("offer: first byte is not that of an offer")
	}
	key, err := hpke.NewDHKEMPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("offer: %w", err)
	}
	plain, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), offerInfo(device), b[1:])
	if err != nil {
		return nil, errors.New("offer does not open with this key")
	}
	return parseOffer(plain)
}

func offerInfo(device commit.DeviceID) []byte { return append([]byte(tagOffer), device[:]...) }

func parseOffer(b []byte) (*Offer, error) {
	var w wireOffer
	if err := decode("offer", b, maxOffer, &w); err != nil {
		return nil, err
	}
	if err := checkVersion("offer", w.Version); err != nil {
		return nil, err
	}
	for _, field := range [][]byte{w.Ledger, w.SRS, w.Secret, w.Transport} {
		if len(field) != 32 {
			return nil, fmt.Errorf("offer: ledger, SRS, secret and transport key must have 32 bytes each, one has %d", len(field))
		}
	}
	o := &Offer{
		Ledger: commit.Digest(w.Ledger), SRS: commit.Digest(w.SRS), Fleet: w.Fleet, Chunk: w.Chunk, Size: w.Size, Slot: w.Slot, Generation: w.Generation,
		Secret: commit.Secret(w.Secret), Transport: TransportKey(w.Transport),
		EpochZero: w.EpochZero, EpochSeconds: w.EpochSeconds, Through: w.Through,
	}
	if len(w.Signature) != 0 {
		o.Signature = w.Signature
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("offer: %w", err)
	}
	return o, nil
}

const maxEpochSeconds = 366 * 24 * 3600

func (o *Offer) check() error {
	if err := o.Place(0).Validate(); err != nil {
		return err
	}
	switch {
	case o.Transport.IsZero():
		return errors.New("transport key is missing")
	case o.EpochSeconds < 1 || o.EpochSeconds > maxEpochSeconds:
		return fmt.Errorf("epoch of %d s: must be 1 to %d s", o.EpochSeconds, maxEpochSeconds)
	case o.EpochZero < 0 || o.EpochZero > MaxValue:
		return errors.New("epoch zero is not a time since 1970")
	case o.Through > MaxSequence:
		return fmt.Errorf("through %d: at most %d", o.Through, uint64(MaxSequence))
	case len(o.Signature) != 0 && len(o.Signature) != commit.SignatureBytes:
		return fmt.Errorf("signature has %d bytes, must have %d", len(o.Signature), commit.SignatureBytes)
	}
	return nil
}

// Place is the seat in one epoch.
func (o *Offer) Place(epoch uint64) commit.Place {
	return commit.Place{Ledger: o.Ledger, SRS: o.SRS, Fleet: o.Fleet, Chunk: o.Chunk, Size: o.Size, Slot: o.Slot, Epoch: epoch}
}

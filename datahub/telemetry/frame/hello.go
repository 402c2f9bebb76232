package frame

import (
	"crypto"
	"crypto/ecdh"
	"errors"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

const (
	maxHello = commit.MaxCertificate + 256
	tagHello = "assay/v1/hello"
)

// Hello is a device's request to be enrolled, or to be told again what it was enrolled as. It is not sealed: what it holds is
// public, or becomes so on the ledger.
type Hello struct {
	// Certificate is the maker's certificate of the device, in DER.
	Certificate []byte
	// Ephemeral is an X25519 public key that the device has just drawn. The offer is sealed to it.
	Ephemeral []byte
	// SentMicros is when it was made: Unix time in µs, UTC, by the device's clock.
	SentMicros int64
	Signature  []byte
}

type wireHello struct {
	_           struct{} `cbor:",toarray"`
	Version     uint64
	Certificate []byte
	Ephemeral   []byte
	SentMicros  int64
	Signature   []byte
}

// SigningBytes is the message that the device signs.
func (h *Hello) SigningBytes(ledger commit.Digest) []byte {
	m := newMessage(tagHello, ledger, len(h.Certificate)+128)
	m.bytes(h.Certificate)
	m.bytes(h.Ephemeral)
	m.number(uint64(h.SentMicros))
	return m
}

// Sign signs with the device's key.
func (h *Hello) Sign(ledger commit.Digest, key crypto.Signer) error {
	signature, err := commit.Sign(key, h.SigningBytes(ledger))
	if err != nil {
		return fmt.Errorf("signing a hello: %w", err)
	}
	h.Signature = signature
	return nil
}

// Verify reads the certificate and checks that its key signed the hello for this ledger. Whether a maker that counts
// issued the certificate is the caller's to check, and so is how old the hello may be.
func (h *Hello) Verify(ledger commit.Digest) (*commit.DeviceCertificate, error) {
	certificate, err := commit.ParseDeviceCertificate(h.Certificate)
	if err != nil {
		return nil, fmt.Errorf("hello: %w", err)
	}
	if err := certificate.Key.Verify(h.SigningBytes(ledger), h.Signature); err != nil {
		return nil, fmt.Errorf("hello: %w", err)
	}
	return certificate, nil
}

// Marshal encodes the hello.
func (h *Hello) Marshal() []byte {
	return encode(wireHello{Version: version, Certificate: h.Certificate, Ephemeral: h.Ephemeral, SentMicros: h.SentMicros, Signature: h.Signature})
}

// ParseHello decodes a hello. It accepts exactly what Marshal writes; it reads neither certificate nor signature.
func ParseHello(b []byte) (*Hello, error) {
	var w wireHello
	if err := decode("hello", b, maxHello, &w); err != nil {
		return nil, err
	}
	if err := checkVersion("hello", w.Version); err != nil {
		return nil, err
	}
	if len(w.Certificate) == 0 || len(w.Certificate) > commit.MaxCertificate {
		return nil, fmt.Errorf("hello: certificate has %d bytes, must have 1 to %d", len(w.Certificate), commit.MaxCertificate)
	}
	if _, err := ecdh.X25519().NewPublicKey(w.Ephemeral); err != nil {
		return nil, errors.New("hello: ephemeral key is not one of X25519")
	}
	if len(w.Signature) != commit.SignatureBytes {
		return nil, fmt.Errorf("hello: signature has %d bytes, must have %d", len(w.Signature), commit.SignatureBytes)
	}
	return &Hello{w.Certificate, w.Ephemeral, w.SentMicros, w.Signature}, nil
}

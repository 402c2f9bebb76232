package commit

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"slices"

	zip215 "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

const (
	// MaxPublicKey bounds the DER encoding of a public key: Ed25519 takes 44 bytes, P-256 91.
	MaxPublicKey = 128
	// SignatureBytes is the length of every signature: Ed25519's as it is, P-256's as r and s of 32 bytes each.
	SignatureBytes = 64
)

// Algorithm names the two kinds of device key.
type Algorithm string

const (
	Ed25519 Algorithm = "ed25519"
	P256    Algorithm = "p-256"
)

var errSignature = errors.New("signature does not verify")

// What DER puts before the bytes of a key: algorithm and curve, and the BIT STRING's header (RFC 8410 section 4, RFC
// 5480 section 2). All of it is fixed, since the bytes that follow have one length each.
var (
	ed25519Header = []byte("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00")
	p256Header    = []byte("\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00")
)

// PublicKey is a device's Ed25519 or ECDSA P-256 key. The zero value verifies nothing.
type PublicKey struct {
	der     []byte
	id      DeviceID
	ed25519 *zip215.ExpandedPublicKey
	p256    *ecdsa.PublicKey
}

// ParsePublicKey reads a PKIX SubjectPublicKeyInfo in DER. It refuses other algorithms and curves, every encoding but
// the one that Go's x509 writes, and Ed25519 keys that are not a point of large order: under a point of small order
// anyone can sign.
func ParsePublicKey(der []byte) (PublicKey, error) {
	if len(der) > MaxPublicKey {
		return PublicKey{}, fmt.Errorf("public key has %d bytes, at most %d", len(der), MaxPublicKey)
	}
	if key, ok := bytes.CutPrefix(der, ed25519Header); ok {
		return NewPublicKey(ed25519.PublicKey(key))
	}
	if key, ok := bytes.CutPrefix(der, p256Header); ok {
		point, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
		if err != nil {
			return PublicKey{}, fmt.Errorf("public key: P-256: %w", err)
		}
		return NewPublicKey(point)
	}
	return PublicKey{}, errors.New("public key is not Ed25519 or P-256 in its canonical encoding")
}

// NewPublicKey takes an ed25519.PublicKey or an *ecdsa.PublicKey on P-256.
func NewPublicKey(public crypto.PublicKey) (PublicKey, error) {
	var key PublicKey
	var err error
	switch k := public.(type) {
	case ed25519.PublicKey:
		if key.ed25519, err = expandEd25519(k); err != nil {
			return PublicKey{}, fmt.Errorf("public key: %w", err)
		}
		key.der = slices.Concat(ed25519Header, k)
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return PublicKey{}, errors.New("public key: ECDSA on a curve other than P-256")
		}
		point, err := k.Bytes()
		if err != nil {
			return PublicKey{}, fmt.Errorf("public key: P-256: %w", err)
		}
		key.p256, key.der = k, slices.Concat(p256Header, point)
	default:
		return PublicKey{}, fmt.Errorf("public key: %T is neither Ed25519 nor ECDSA P-256", public)
	}
	key.id = sha256.Sum256(key.der)
	return key, nil
}

// DeviceID is the SHA-256 of DER.
func (k PublicKey) DeviceID() DeviceID { return k.id }

// DER returns a copy of the PKIX SubjectPublicKeyInfo.
func (k PublicKey) DER() []byte { return bytes.Clone(k.der) }

// Algorithm is Ed25519 or P256, or "" for the zero value.
func (k PublicKey) Algorithm() Algorithm {
	switch {
	case k.ed25519 != nil:
		return Ed25519
	case k.p256 != nil:
		return P256
	}
	return ""
}

// Verify checks a signature over msg: Ed25519 of RFC 8032 by the exact rules of ZIP 215, or ECDSA P-256 over SHA-256 as
// r‖s with s at most half the group's order. A signature of high s is refused, since anyone can make it from the
// device's own and so have two attestations from one; Ed25519's s must be reduced for the same reason. ZIP 215
// multiplies by the cofactor and so gives the same answer one by one and in a batch, which endorsers who must agree
// need; RFC 8032 leaves that open.
func (k PublicKey) Verify(msg, signature []byte) error {
	if len(signature) != SignatureBytes {
		return fmt.Errorf("signature has %d bytes, must have %d", len(signature), SignatureBytes)
	}
	switch {
	case k.ed25519 != nil:
		if !zip215.VerifyExpandedWithOptions(k.ed25519, msg, signature, zip215Rules) {
			return errSignature
		}
		return nil
	case k.p256 != nil:
		return k.verifyP256(msg, signature)
	}
	return errors.New("no public key")
}

func (k PublicKey) verifyP256(msg, signature []byte) error {
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if s.Cmp(p256HalfOrder) > 0 {
		return errors.New("signature has a high s")
	}
	digest := sha256.Sum256(msg)
	if !ecdsa.Verify(k.p256, digest[:], r, s) {
		return errSignature
	}
	return nil
}

var p256HalfOrder = new(big.Int).Rsh(elliptic.P256().Params().N, 1)

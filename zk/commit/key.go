package commit

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"

	"github.com/hdevalence/ed25519consensus"
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

// PublicKey is a device's Ed25519 or ECDSA P-256 key. The zero value verifies nothing.
type PublicKey struct {
	der     []byte
	id      DeviceID
	ed25519 ed25519.PublicKey
	p256    *ecdsa.PublicKey
}

// ParsePublicKey reads a PKIX SubjectPublicKeyInfo in DER. It refuses other algorithms and curves, every encoding but
// the one that Go's x509 writes, and Ed25519 keys that are not a point of large order: under a point of small order
// anyone can sign.
func ParsePublicKey(der []byte) (PublicKey, error) {
	if len(der) > MaxPublicKey {
		return PublicKey{}, fmt.Errorf("public key has %d bytes, at most %d", len(der), MaxPublicKey)
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w", err)
	}
	key, err := NewPublicKey(parsed)
	if err != nil {
		return PublicKey{}, err
	}
	if !bytes.Equal(key.der, der) {
		return PublicKey{}, errors.New("public key is not in its canonical encoding")
	}
	return key, nil
}

// NewPublicKey takes an ed25519.PublicKey or an *ecdsa.PublicKey on P-256.
func NewPublicKey(public crypto.PublicKey) (PublicKey, error) {
	var key PublicKey
	switch k := public.(type) {
	case ed25519.PublicKey:
		if err := checkEd25519(k); err != nil {
			return PublicKey{}, fmt.Errorf("public key: %w", err)
		}
		key.ed25519 = bytes.Clone(k)
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return PublicKey{}, errors.New("public key: ECDSA on a curve other than P-256")
		}
		key.p256 = k
	default:
		return PublicKey{}, fmt.Errorf("public key: %T is neither Ed25519 nor ECDSA P-256", public)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w", err)
	}
	key.der, key.id = der, sha256.Sum256(der)
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
		if !ed25519consensus.Verify(k.ed25519, msg, signature) {
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

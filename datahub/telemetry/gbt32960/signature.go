package gbt32960

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Algorithm is the algorithm of a signature.
type Algorithm uint8

// The algorithms.
const (
	SignedSM2 Algorithm = 1
	SignedRSA Algorithm = 2
	SignedECC Algorithm = 3
)

// ErrSignature is in the error of a signature that was read and is not right.
var ErrSignature = errors.New("signature is wrong")

const scalarSize = 32

// Signature is what closes a report, and an activation, of the edition of 2025. It covers the unit from the first byte of its time
// up to the byte before the mark FF, or up to the signature where there is no mark, as in an activation.
//
// The standard names the algorithms and no more. This package takes them as vehicles in the field use them, or else as is usual:
//
//   - SignedSM2: SM2 with SM3 over the curve of GB/T 32918.5, R and S of 32 bytes. The user id is not stated: the usual default
//     1234567812345678 is taken unless the caller gives another.
//   - SignedRSA: PKCS#1 v1.5 with SHA-256, all of it in R, S empty; keys of 2048 to 8192 bits.
//   - SignedECC: neither curve nor hash is stated. P-256 with SHA-256 is taken, R and S as big-endian integers.
//
// Nor does it state whether a unit is signed before or after encryption: a signature is only ever read from a plain unit.
type Signature struct {
	Algorithm Algorithm
	R, S      []byte
	signed    []byte
}

// Covers are the bytes that the signature is over, exactly as they came or as they were signed. Nil before that.
func (s *Signature) Covers() []byte { return bytes.Clone(s.signed) }

func (s *Signature) covers(b []byte) { s.signed = append([]byte{}, b...) }

func (s *Signature) code(c *coder) {
	c.u8("signature algorithm", (*uint8)(&s.Algorithm))
	c.counted("signature R", &s.R)
	c.counted("signature S", &s.S)
}

// Verify checks the signature under the vehicle's key: *rsa.PublicKey, or *ecdsa.PublicKey on P-256 or on the curve of SM2. UserID is
// SM2's; nil is the default. Where the signature is wrong, or is not of the key's algorithm, the error is ErrSignature.
func (s *Signature) Verify(key crypto.PublicKey, userID []byte) error {
	if s.signed == nil {
		return fmt.Errorf("verifying a signature: it was not read from a unit, so that it covers nothing")
	}
	algorithm, err := algorithmOf(key)
	if err != nil {
		return fmt.Errorf("verifying a signature: %w", err)
	}
	if s.Algorithm != algorithm {
		return fmt.Errorf("verifying a signature: it states algorithm %d, the key is for %d: %w", s.Algorithm, algorithm, ErrSignature)
	}
	if !s.holds(key, userID) {
		return fmt.Errorf("verifying a signature of algorithm %d: %w", algorithm, ErrSignature)
	}
	return nil
}

func (s *Signature) holds(key crypto.PublicKey, userID []byte) bool {
	digest := sha256.Sum256(s.signed)
	switch k := key.(type) {
	case *rsa.PublicKey:
		return len(s.S) == 0 && rsa.VerifyPKCS1v15(k, crypto.SHA256, digest[:], s.R) == nil
	case *ecdsa.PublicKey:
		der, ok := s.der()
		if !ok {
			return false
		}
		if s.Algorithm == SignedSM2 {
			return sm2.VerifyASN1WithSM2(k, userID, s.signed, der)
		}
		return ecdsa.VerifyASN1(k, digest[:], der)
	}
	return false
}

// der is R and S as the libraries want them. Leading zeros are taken, as R and S are integers.
func (s *Signature) der() ([]byte, bool) {
	r, t := bytes.TrimLeft(s.R, "\x00"), bytes.TrimLeft(s.S, "\x00")
	if len(r) == 0 || len(r) > scalarSize || len(t) == 0 || len(t) > scalarSize {
		return nil, false
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(r))
		b.AddASN1BigInt(new(big.Int).SetBytes(t))
	})
	der, err := b.Bytes()
	return der, err == nil
}

// algorithmOf is the algorithm that a key is for. Other keys are refused.
func algorithmOf(key crypto.PublicKey) (Algorithm, error) {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k != nil && k.N != nil && k.N.BitLen() >= 2048 && k.N.BitLen() <= 8192 {
			return SignedRSA, nil
		}
		return 0, fmt.Errorf("RSA key: must have 2048 to 8192 bits")
	case *ecdsa.PublicKey:
		switch {
		case k == nil:
		case sm2.IsSM2PublicKey(k):
			return SignedSM2, nil
		case k.Curve == elliptic.P256():
			return SignedECC, nil
		}
		return 0, fmt.Errorf("elliptic key: must be on P-256 or on the curve of SM2")
	}
	return 0, fmt.Errorf("key of type %T: must be RSA, P-256 or SM2", key)
}

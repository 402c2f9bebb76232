package gbt32960

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/emmansun/gmsm/sm2"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Sign signs a report of the edition of 2025 as it stands now. UserID is SM2's; nil is the default. The key's kind decides the
// algorithm.
func (r *Report) Sign(key crypto.Signer, userID []byte) error {
	unsigned := *r
	unsigned.Signature = nil
	covered, err := EncodeUnit(Edition2025, &unsigned)
	if err != nil {
		return fmt.Errorf("signing a report: %w", err)
	}
	s, err := sign(covered, key, userID)
	if err != nil {
		return fmt.Errorf("signing a report: %w", err)
	}
	r.Signature = s
	return nil
}

// Sign signs an activation as it stands now, as Report.Sign does.
func (a *Activation) Sign(key crypto.Signer, userID []byte) error {
	unsigned := *a
	unsigned.Signature = Signature{}
	covered, err := EncodeUnit(Edition2025, &unsigned)
	if err != nil {
		return fmt.Errorf("signing an activation: %w", err)
	}
	const empty = 1 + 2 + 2 // algorithm and two lengths
	s, err := sign(covered[:len(covered)-empty], key, userID)
	if err != nil {
		return fmt.Errorf("signing an activation: %w", err)
	}
	a.Signature = *s
	return nil
}

func sign(covered []byte, key crypto.Signer, userID []byte) (*Signature, error) {
	algorithm, err := algorithmOf(key.Public())
	if err != nil {
		return nil, err
	}
	s := &Signature{Algorithm: algorithm}
	s.covers(covered)
	digest := sha256.Sum256(covered)
	switch algorithm {
	case SignedRSA:
		// An RSA signer makes PKCS#1 v1.5 where it is given a bare hash.
		s.R, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
		return s, err
	case SignedSM2:
		der, err := key.Sign(rand.Reader, covered, sm2.NewSM2SignerOption(true, userID))
		if err != nil {
			return nil, err
		}
		return s, s.fromDER(der)
	}
	der, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return s, s.fromDER(der)
}

func (s *Signature) fromDER(der []byte) error {
	var r, t []byte
	input, inner := cryptobyte.String(der), cryptobyte.String(nil)
	if !input.ReadASN1(&inner, asn1.SEQUENCE) || !inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&t) ||
		len(r) > scalarSize || len(t) > scalarSize {
		return fmt.Errorf("signer gave no signature of two integers")
	}
	s.R, s.S = make([]byte, scalarSize), make([]byte, scalarSize)
	copy(s.R[scalarSize-len(r):], r)
	copy(s.S[scalarSize-len(t):], t)
	return nil
}

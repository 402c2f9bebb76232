package commit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// Sign signs msg so that PublicKey.Verify accepts it. The signer may be a private key of the standard library or a key
// in hardware whose Public is an ed25519.PublicKey or an *ecdsa.PublicKey on P-256. A P-256 key of the standard library
// signs deterministically (RFC 6979), so one message has one signature; s is made low in any case.
func Sign(signer crypto.Signer, msg []byte) ([]byte, error) {
	switch public := signer.Public().(type) {
	case ed25519.PublicKey:
		signature, err := signer.Sign(rand.Reader, msg, crypto.Hash(0))
		if err != nil {
			return nil, fmt.Errorf("signing with Ed25519: %w", err)
		}
		return signature, nil
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return nil, errors.New("signing: ECDSA key on a curve other than P-256")
		}
		return signP256(signer, msg)
	default:
		return nil, fmt.Errorf("signing: %T is neither Ed25519 nor ECDSA P-256", public)
	}
}

func signP256(signer crypto.Signer, msg []byte) ([]byte, error) {
	var random io.Reader = rand.Reader
	if _, ok := signer.(*ecdsa.PrivateKey); ok {
		random = nil // asks the standard library for RFC 6979
	}
	digest := sha256.Sum256(msg)
	der, err := signer.Sign(random, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("signing with P-256: %w", err)
	}
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &rs); err != nil || len(rest) != 0 {
		return nil, errors.New("signing with P-256: signer did not return an ASN.1 signature")
	}
	n := elliptic.P256().Params().N
	if rs.R.Sign() <= 0 || rs.S.Sign() <= 0 || rs.R.Cmp(n) >= 0 || rs.S.Cmp(n) >= 0 {
		return nil, errors.New("signing with P-256: signer returned r or s out of range")
	}
	if rs.S.Cmp(p256HalfOrder) > 0 {
		rs.S.Sub(n, rs.S)
	}
	out := make([]byte, SignatureBytes)
	rs.R.FillBytes(out[:32])
	rs.S.FillBytes(out[32:])
	return out, nil
}

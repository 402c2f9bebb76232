package gateway

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"

	"github.com/hyperledger/fabric-gateway/pkg/identity"

	"github.com/assay-net/assay/fabricnet/durable"
)

// maxPEM bounds a file with a key or certificates.
const maxPEM = 256 << 10

// newSign signs digests as Fabric takes it: with the lower of the two values of S that verify. It also verifies each signature, so that a vault that
// has moved on to another key is named as the reason and not "access denied".
func newSign(signer crypto.Signer, certificate *x509.Certificate) (identity.Sign, error) {
	key, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("certificate: its key is not on P-256")
	}
	if !key.Equal(signer.Public()) {
		return nil, errors.New("signer: its key is not the certificate's")
	}
	return func(digest []byte) ([]byte, error) {
		signature, err := signer.Sign(rand.Reader, digest, crypto.SHA256)
		if err != nil {
			return nil, fmt.Errorf("signing: %w", err)
		}
		low, err := lowS(signature)
		if err != nil {
			return nil, fmt.Errorf("signing: %w", err)
		}
		if !ecdsa.VerifyASN1(key, digest, low) {
			return nil, errors.New("signing: the signature does not verify with the certificate's key")
		}
		return low, nil
	}, nil
}

type ecdsaSignature struct{ R, S *big.Int }

var (
	order     = elliptic.P256().Params().N
	halfOrder = new(big.Int).Rsh(order, 1)
)

// lowS replaces S by the order minus S where that is lower.
func lowS(signature []byte) ([]byte, error) {
	var s ecdsaSignature
	if rest, err := asn1.Unmarshal(signature, &s); err != nil || len(rest) > 0 {
		return nil, errors.New("the signature is not ECDSA in DER")
	}
	if s.R.Sign() <= 0 || s.S.Sign() <= 0 || s.R.Cmp(order) >= 0 || s.S.Cmp(order) >= 0 {
		return nil, errors.New("the signature is out of range")
	}
	if s.S.Cmp(halfOrder) > 0 {
		s.S.Sub(order, s.S)
	}
	return asn1.Marshal(s)
}

// readKey reads a P-256 key, PKCS#8 in PEM, from a file that is nobody else's business (durable.CheckPrivate). No error has its content.
func readKey(path string) (crypto.Signer, error) {
	if path == "" {
		return nil, errors.New("the profile names no key, and no signer is given")
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	if err := durable.CheckPrivate(path, info); err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	block, err := readPEM(path)
	if err != nil {
		return nil, fmt.Errorf("reading key: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading key %s: not PKCS#8", path)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, fmt.Errorf("reading key %s: not on P-256", path)
	}
	return key, nil
}

func readCertificate(path string) (*x509.Certificate, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, fmt.Errorf("reading certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading certificate %s: %w", path, err)
	}
	return certificate, nil
}

func readPEM(path string) (*pem.Block, error) {
	b, err := durable.ReadFile(path, maxPEM)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("%s: not in PEM", path)
	}
	return block, nil
}

// Package ocmftest makes records for tests of what reads OCMF. It imports nothing that it tests.
package ocmftest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"testing"
)

// Meter signs payloads as real meters do, with a P-256 key of its own.
type Meter struct{ key *ecdsa.PrivateKey }

// NewMeter is a meter with a new key.
func NewMeter(t testing.TB) Meter {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return Meter{k}
}

// SPKI is the public key as DER.
func (m Meter) SPKI(t testing.TB) []byte {
	t.Helper()
	b, err := x509.MarshalPKIXPublicKey(&m.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Sign signs a payload; no two signatures are the same.
func (m Meter) Sign(t testing.TB, payload string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(payload))
	sd, err := ecdsa.SignASN1(rand.Reader, m.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

// Record is a record of a payload and its signature.
func (m Meter) Record(t testing.TB, payload string) string {
	t.Helper()
	return Join(payload, m.Sign(t, payload))
}

// Join is the record of a payload and a signature, which need not be a signature.
func Join(payload string, signature []byte) string {
	return "OCMF|" + payload + `|{"SD":"` + hex.EncodeToString(signature) + `"}`
}

// Edit is a text with one part replaced; the part must be there.
func Edit(t testing.TB, text, from, to string) string {
	t.Helper()
	if !strings.Contains(text, from) {
		t.Fatalf("%q is not in the text", from)
	}
	return strings.Replace(text, from, to, 1)
}

package gbt32960

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"
)

// signers are a key of each algorithm.
func signers(t testing.TB) map[Algorithm]crypto.Signer {
	t.Helper()
	s, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return map[Algorithm]crypto.Signer{SignedSM2: s, SignedECC: e, SignedRSA: r}
}

func signedReport(t testing.TB, key crypto.Signer, userID []byte) *Frame {
	t.Helper()
	r := &Report{Time: noon, Blocks: []Block{
		&Vehicle{Voltage: 4000, Current: 30_000, SOC: 0xFF},
		&Private{Kind: 0x80, Bytes: bytes.Repeat([]byte{0xFF}, 7)},
	}}
	if err := r.Sign(key, userID); err != nil {
		t.Fatal(err)
	}
	f, err := NewFrame(Edition2025, RealTime, IsCommand, testVehicle(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func signatureOf(t testing.TB, f *Frame) *Signature {
	t.Helper()
	u, err := f.Unit()
	if err != nil {
		t.Fatal(err)
	}
	if u.(*Report).Signature == nil {
		t.Fatalf("no signature: %s", u.(*Report).Unread)
	}
	return u.(*Report).Signature
}

func TestSignatures(t *testing.T) {
	keys := signers(t)
	others := signers(t)
	for algorithm, key := range keys {
		f := signedReport(t, key, nil)
		roundTrip(t, f)
		s := signatureOf(t, f)
		mark := len(f.Data) - 6 - len(s.R) - len(s.S)
		if s.Algorithm != algorithm || f.Data[mark] != 0xFF || !bytes.Equal(s.Covers(), f.Data[:mark]) {
			t.Fatalf("algorithm %d: is %d and covers %d of %d bytes", algorithm, s.Algorithm, len(s.Covers()), mark)
		}
		if algorithm != SignedRSA && (len(s.R) != 32 || len(s.S) != 32) || algorithm == SignedRSA && (len(s.R) != 256 || len(s.S) != 0) {
			t.Errorf("algorithm %d: R has %d bytes, S %d", algorithm, len(s.R), len(s.S))
		}
		if err := s.Verify(key.Public(), nil); err != nil {
			t.Errorf("algorithm %d: %v", algorithm, err)
		}
		for name, err := range map[string]error{
			"another key":         s.Verify(others[algorithm].Public(), nil),
			"another kind of key": s.Verify(keys[algorithm%3+1].Public(), nil),
		} {
			if !errors.Is(err, ErrSignature) {
				t.Errorf("algorithm %d, %s: %v", algorithm, name, err)
			}
		}
		// Every byte that is covered counts.
		for i := range mark {
			changed := *s
			changed.signed = bytes.Clone(s.signed)
			changed.signed[i] ^= 1
			if err := changed.Verify(key.Public(), nil); !errors.Is(err, ErrSignature) {
				t.Errorf("algorithm %d: byte %d does not count: %v", algorithm, i, err)
			}
		}
	}
}

func TestSignatureOfWrongShape(t *testing.T) {
	keys := signers(t)
	for _, c := range []struct {
		name      string
		algorithm Algorithm
		change    func(*Signature)
		good      bool
	}{
		{"R with a leading zero", SignedECC, func(s *Signature) { s.R = append([]byte{0}, s.R...) }, true},
		{"R and S of SM2 with leading zeros", SignedSM2, func(s *Signature) { s.R, s.S = append([]byte{0}, s.R...), append([]byte{0, 0}, s.S...) }, true},
		{"R of 33 bytes", SignedECC, func(s *Signature) { s.R = append([]byte{1}, s.R...) }, false},
		{"R empty", SignedECC, func(s *Signature) { s.R = nil }, false},
		{"R zero", SignedECC, func(s *Signature) { s.R = make([]byte, 32) }, false},
		{"S zero", SignedSM2, func(s *Signature) { s.S = make([]byte, 32) }, false},
		{"R and S exchanged", SignedSM2, func(s *Signature) { s.R, s.S = s.S, s.R }, false},
		{"RSA in halves", SignedRSA, func(s *Signature) { s.R, s.S = s.R[:128], s.R[128:] }, false},
		{"RSA with an S", SignedRSA, func(s *Signature) { s.S = []byte{0} }, false},
		{"RSA cut off", SignedRSA, func(s *Signature) { s.R = s.R[:255] }, false},
		{"unknown algorithm", SignedECC, func(s *Signature) { s.Algorithm = 4 }, false},
	} {
		s := signatureOf(t, signedReport(t, keys[c.algorithm], nil))
		c.change(s)
		if err := s.Verify(keys[c.algorithm].Public(), nil); (err == nil) != c.good || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSM2UserID(t *testing.T) {
	key := signers(t)[SignedSM2]
	for _, c := range []struct {
		signed, checked []byte
		good            bool
	}{
		{nil, nil, true},
		{nil, []byte("1234567812345678"), true},
		{[]byte("ALICE123@YAHOO.COM"), []byte("ALICE123@YAHOO.COM"), true},
		{[]byte("ALICE123@YAHOO.COM"), nil, false},
	} {
		if err := signatureOf(t, signedReport(t, key, c.signed)).Verify(key.Public(), c.checked); (err == nil) != c.good {
			t.Errorf("signed under %q, checked under %q: %v", c.signed, c.checked, err)
		}
	}
}

func TestVerifyRefusesKeys(t *testing.T) {
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	edwards, _, _ := ed25519.GenerateKey(rand.Reader)
	s := &Signature{Algorithm: SignedECC, signed: []byte{1}}
	for name, key := range map[string]crypto.PublicKey{
		"P-384": &p384.PublicKey, "Ed25519": edwards, "nil": nil, "no RSA": (*rsa.PublicKey)(nil), "no curve": (*ecdsa.PublicKey)(nil),
	} {
		if err := s.Verify(key, nil); err == nil || errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := (&Signature{Algorithm: SignedECC}).Verify(signers(t)[SignedECC].Public(), nil); err == nil || errors.Is(err, ErrSignature) {
		t.Errorf("a signature over nothing: %v", err)
	}
}

func TestActivationIsSigned(t *testing.T) {
	for algorithm, key := range signers(t) {
		a := &Activation{Time: noon, Key: []byte("public"), VIN: testVehicle(t)}
		if err := a.Sign(key, nil); err != nil {
			t.Fatal(err)
		}
		f, err := NewFrame(Edition2025, ActivationAsked, IsCommand, a.VIN, a)
		if err != nil {
			t.Fatal(err)
		}
		got := roundTrip(t, f).(*Activation)
		if err := got.Signature.Verify(key.Public(), nil); err != nil || !bytes.Equal(got.Signature.Covers(), a.Signature.Covers()) {
			t.Errorf("algorithm %d: %v", algorithm, err)
		}
	}
}

func TestSignatureHasToEndTheReport(t *testing.T) {
	f := signedReport(t, signers(t)[SignedECC], nil)
	f.Data = append(f.Data, 0)
	r := roundTrip(t, f).(*Report)
	if r.Signature != nil || len(r.Rest) == 0 || !strings.Contains(r.Unread, "behind its end") {
		t.Errorf("signature %v, %d bytes kept, %q", r.Signature, len(r.Rest), r.Unread)
	}
}

package gateway

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func ok[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// selfSigned is a certificate of a key.
func selfSigned(t *testing.T, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}}
	return ok[*x509.Certificate](t)(x509.ParseCertificate(ok[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))))
}

// vault is a signer somewhere else, which does as it likes.
type vault struct {
	public crypto.PublicKey
	sign   func(digest []byte) ([]byte, error)
}

func (v vault) Public() crypto.PublicKey { return v.public }

func (v vault) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return v.sign(digest)
}

// high is a signature in its other form.
func high(t *testing.T, signature []byte) []byte {
	var s ecdsaSignature
	ok[[]byte](t)(asn1.Unmarshal(signature, &s))
	if s.S.Cmp(halfOrder) <= 0 {
		s.S.Sub(order, s.S)
	}
	return ok[[]byte](t)(asn1.Marshal(s))
}

func TestSignaturesAreLow(t *testing.T) {
	key := ok[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	digest := sha256.Sum256([]byte("proposal"))
	signer := vault{key.Public(), func(digest []byte) ([]byte, error) {
		return high(t, ok[[]byte](t)(ecdsa.SignASN1(rand.Reader, key, digest))), nil
	}}
	sign, err := newSign(signer, selfSigned(t, key))
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		signature := ok[[]byte](t)(sign(digest[:]))
		var s ecdsaSignature
		ok[[]byte](t)(asn1.Unmarshal(signature, &s))
		if s.S.Cmp(halfOrder) > 0 || !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
			t.Error("a signature is high, or does not verify")
		}
	}
}

func TestSignersThatAreRefused(t *testing.T) {
	key := ok[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	other := ok[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384 := ok[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newSign(other, selfSigned(t, key)); err == nil || !strings.Contains(err.Error(), "not the certificate's") {
		t.Errorf("another key: %v", err)
	}
	for _, wrong := range []crypto.Signer{p384, edwards} {
		if _, err := newSign(wrong, selfSigned(t, wrong)); err == nil || !strings.Contains(err.Error(), "P-256") {
			t.Errorf("%T: %v", wrong, err)
		}
	}
	digest := make([]byte, 32)
	for name, sign := range map[string]func([]byte) ([]byte, error){
		"another key's": func(digest []byte) ([]byte, error) { return ecdsa.SignASN1(rand.Reader, other, digest) },
		"nothing":       func([]byte) ([]byte, error) { return nil, nil },
		"zero":          func([]byte) ([]byte, error) { return asn1.Marshal(ecdsaSignature{new(big.Int), big.NewInt(1)}) },
		"too large":     func([]byte) ([]byte, error) { return asn1.Marshal(ecdsaSignature{big.NewInt(1), order}) },
		"sealed":        func([]byte) ([]byte, error) { return nil, errors.New("sealed") },
	} {
		s, err := newSign(vault{key.Public(), sign}, selfSigned(t, key))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s(digest); err == nil {
			t.Errorf("a signature that is %s is taken", name)
		}
	}
}

func TestReadKey(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, key any) string {
		path := filepath.Join(dir, name)
		block := &pem.Block{Type: "PRIVATE KEY", Bytes: ok[[]byte](t)(x509.MarshalPKCS8PrivateKey(key))}
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := ok[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	if got := ok[crypto.Signer](t)(readKey(write("good", key))); !key.Equal(got) {
		t.Error("another key is read")
	}
	p384 := ok[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	for _, path := range []string{"", filepath.Join(dir, "none"), write("p384", p384), dir} {
		if _, err := readKey(path); err == nil {
			t.Errorf("%q is read", path)
		}
	}
	shared := write("shared", key)
	if err := os.Chmod(shared, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := readKey(shared); err == nil || !strings.Contains(err.Error(), "0640") {
		t.Errorf("a key that others can read: %v", err)
	}
	long := filepath.Join(dir, "long")
	if err := os.WriteFile(long, make([]byte, maxPEM+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readCertificate(long); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("too long a file: %v", err)
	}
}

func FuzzLowS(f *testing.F) {
	b, _ := asn1.Marshal(ecdsaSignature{big.NewInt(1), new(big.Int).Sub(order, big.NewInt(1))})
	f.Add(b)
	f.Fuzz(func(t *testing.T, signature []byte) {
		low, err := lowS(signature)
		if err != nil {
			return
		}
		var s ecdsaSignature
		if _, err := asn1.Unmarshal(low, &s); err != nil || s.S.Cmp(halfOrder) > 0 {
			t.Errorf("%v, %x", err, low)
		}
	})
}

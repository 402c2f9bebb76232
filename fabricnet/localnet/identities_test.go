package localnet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"
)

func TestLowSignature(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	half := new(big.Int).Rsh(n, 1)
	for _, c := range []struct {
		name string
		s    *big.Int
		low  bool
	}{
		{"one", big.NewInt(1), true},
		{"half", half, true},
		{"over half", new(big.Int).Add(half, big.NewInt(1)), false},
		{"the largest", new(big.Int).Sub(n, big.NewInt(1)), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			signature, err := asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(7), c.s})
			if err != nil {
				t.Fatal(err)
			}
			low, err := lowSignature(&x509.Certificate{PublicKey: key.Public(), Signature: signature})
			if err != nil || low != c.low {
				t.Errorf("got %t, %v", low, err)
			}
		})
	}
	if _, err := lowSignature(&x509.Certificate{PublicKey: key.Public(), Signature: []byte("none")}); err == nil {
		t.Error("something else than a signature passed")
	}
}

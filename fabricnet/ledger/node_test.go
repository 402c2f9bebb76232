package ledger

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

func TestNodePossession(t *testing.T) {
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	id, url := commit.Digest{1}, "https://node.example:8443"
	for name, key := range map[string]crypto.Signer{"P-256": p256, "P-384": p384, "Ed25519": ed} {
		signature, err := SignNode(key, id, "bank", url)
		if err != nil {
			t.Fatal(err)
		}
		if err := VerifyNode(key.Public(), id, "bank", url, signature); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for what, err := range map[string]error{
			"ledger":       VerifyNode(key.Public(), commit.Digest{2}, "bank", url, signature),
			"organisation": VerifyNode(key.Public(), id, "fund", url, signature),
			"url":          VerifyNode(key.Public(), id, "bank", url+"/", signature),
			"parts":        VerifyNode(key.Public(), id, "bankh", url[1:], signature),
			"signature":    VerifyNode(key.Public(), id, "bank", url, signature[1:]),
			"none":         VerifyNode(key.Public(), id, "bank", url, nil),
			"too long":     VerifyNode(key.Public(), id, "bank", url, make([]byte, MaxNodeSignature+1)),
		} {
			if err == nil {
				t.Errorf("%s: taken with another %s", name, what)
			}
		}
	}
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	other, _ := rsa.GenerateKey(rand.Reader, 2048)
	for name, key := range map[string]crypto.Signer{"P-521": p521, "RSA": other} {
		if _, err := SignNode(key, id, "bank", url); err == nil || !strings.Contains(err.Error(), "P-256") {
			t.Errorf("%s: %v", name, err)
		}
		if err := VerifyNode(key.Public(), id, "bank", url, []byte("x")); err == nil || !strings.Contains(err.Error(), "P-256") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

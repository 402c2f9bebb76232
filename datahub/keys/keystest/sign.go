package keystest

import (
	"crypto"
	"crypto/ed25519"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
)

func testSigner(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	signer := must[crypto.Signer](t)(s.Signer(ctx, "sign"))
	public, ok := signer.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatalf("public key is a %T", signer.Public())
	}
	again := must[crypto.Signer](t)(open(t).Signer(ctx, "sign"))
	if !public.Equal(again.Public()) {
		t.Error("the key is another one when the store is opened again")
	}
	if other := must[crypto.Signer](t)(s.Signer(ctx, "sign-other")); public.Equal(other.Public()) {
		t.Error("two names have the same key")
	}
	for _, message := range [][]byte{nil, []byte("message"), Random(100_000), Random(keys.MaxMessage)} {
		for _, options := range []crypto.SignerOpts{crypto.Hash(0), &ed25519.Options{}} {
			signature := must[[]byte](t)(signer.Sign(nil, message, options))
			if !ed25519.Verify(public, message, signature) {
				t.Errorf("the signature of a message of %d bytes is wrong", len(message))
			}
		}
	}
}

func testSignerRefuses(t *testing.T, open Opener) {
	ctx, s := deadline(t), open(t)
	signer := must[crypto.Signer](t)(s.Signer(ctx, "sign"))
	for name, options := range map[string]crypto.SignerOpts{
		"hashed": crypto.SHA512, "with a context": &ed25519.Options{Context: "context"}, "hashed Ed25519": &ed25519.Options{Hash: crypto.SHA512},
	} {
		_, err := signer.Sign(nil, Random(64), options)
		wantError(t, name, err, nil)
	}
	_, err := signer.Sign(nil, Random(keys.MaxMessage+1), crypto.Hash(0))
	wantError(t, "message too long", err, nil)
}

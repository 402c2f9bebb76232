package vault

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/assay-net/assay/datahub/keys"
)

// signingKey says what a signing key is.
type signingKey struct {
	Type string `json:"type"`
}

var signingParameters = signingKey{"ed25519"}

type signer struct {
	key    transit
	public ed25519.PublicKey
}

func (s *Store) Signer(ctx context.Context, name string) (crypto.Signer, error) {
	t, err := s.transit(signing, name)
	if err != nil {
		return nil, fmt.Errorf("opening a signing key: %w", err)
	}
	d, err := t.describe(ctx)
	if errors.Is(err, keys.ErrNotFound) {
		if err = t.make(ctx, signingParameters); err == nil {
			d, err = t.describe(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("opening signing key %s: %w", name, err)
	}
	public, err := d.publicKey()
	if err != nil {
		return nil, fmt.Errorf("opening signing key %s: %w", name, err)
	}
	return &signer{t, public}, nil
}

func (d *description) publicKey() (ed25519.PublicKey, error) {
	if d.Type != signingParameters.Type {
		return nil, fmt.Errorf("Vault's key is of type %q, must be %s", d.Type, signingParameters.Type)
	}
	version, _ := d.Keys[strconv.Itoa(pinned)].(map[string]any)
	encoded, _ := version["public_key"].(string)
	public, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(public) != ed25519.PublicKeySize {
		return nil, errors.New("the first version of Vault's key has no public key of Ed25519")
	}
	return public, nil
}

func (s *signer) Public() crypto.PublicKey { return s.public }

// Sign has Vault sign, and checks that it did.
func (s *signer) Sign(_ io.Reader, message []byte, options crypto.SignerOpts) ([]byte, error) {
	if err := keys.CheckSigning(message, options); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	in := struct {
		Input   []byte `json:"input"`
		Version int    `json:"key_version"`
	}{message, pinned}
	if message == nil {
		in.Input = []byte{} // nil would be null
	}
	var out struct {
		Signature string `json:"signature"`
	}
	if err := s.key.do(context.Background(), "sign", in, &out); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	_, signature, err := parseVersioned(out.Signature)
	if err != nil || !ed25519.Verify(s.public, message, signature) {
		return nil, errors.New("signing: Vault's signature is not one of this key and message")
	}
	return signature, nil
}

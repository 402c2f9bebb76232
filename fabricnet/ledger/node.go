package ledger

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// MaxNodeSignature bounds a PublishNode's Possession.
const MaxNodeSignature = 128

var errNodeKey = errors.New("the CA's key must be ECDSA on P-256 or P-384, or Ed25519")

// SignNode makes a PublishNode's Possession with the key of the node's CA: it says that whoever has it wants the organisation to have the node at this URL, on this ledger.
func SignNode(key crypto.Signer, ledger commit.Digest, organisation, url string) ([]byte, error) {
	digest, hash, err := nodeDigest(key.Public(), ledger, organisation, url)
	if err != nil {
		return nil, err
	}
	signature, err := key.Sign(rand.Reader, digest, hash)
	if err != nil {
		return nil, fmt.Errorf("signing with the CA's key: %w", err)
	}
	return signature, nil
}

// VerifyNode verifies what SignNode made.
func VerifyNode(key crypto.PublicKey, ledger commit.Digest, organisation, url string, signature []byte) error {
	if len(signature) > MaxNodeSignature {
		return fmt.Errorf("has %d bytes, at most %d", len(signature), MaxNodeSignature)
	}
	digest, _, err := nodeDigest(key, ledger, organisation, url)
	if err != nil {
		return err
	}
	good := false
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		good = ecdsa.VerifyASN1(k, digest, signature)
	case ed25519.PublicKey:
		good = ed25519.Verify(k, digest, signature)
	}
	if !good {
		return errors.New("is not the CA's signature for this ledger, organisation and url")
	}
	return nil
}

// nodeDigest is what a key of that kind signs, and how it is told.
func nodeDigest(key crypto.PublicKey, ledger commit.Digest, organisation, url string) ([]byte, crypto.Hash, error) {
	message := Tagged("assay/v1/node", ledger[:], []byte(organisation), []byte(url))
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			digest := sha256.Sum256(message)
			return digest[:], crypto.SHA256, nil
		case elliptic.P384():
			digest := sha512.Sum384(message)
			return digest[:], crypto.SHA384, nil
		}
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return message, crypto.Hash(0), nil
		}
	}
	return nil, 0, errNodeKey
}

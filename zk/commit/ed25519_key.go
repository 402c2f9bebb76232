package commit

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"

	"filippo.io/edwards25519"
)

// checkEd25519 refuses what is not the canonical encoding of a point, and points of small order, which crypto/ed25519
// takes as keys: with such a key the equation S·B = R + k·A hardly depends on the message, so anyone can sign.
func checkEd25519(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("Ed25519 key has %d bytes, must have %d", len(key), ed25519.PublicKeySize)
	}
	point, err := new(edwards25519.Point).SetBytes(key)
	if err != nil {
		return errors.New("Ed25519 key is not on the curve")
	}
	if !bytes.Equal(point.Bytes(), key) {
		return errors.New("Ed25519 key is not in its canonical encoding")
	}
	if new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()) == 1 {
		return errors.New("Ed25519 key is a point of small order")
	}
	return nil
}

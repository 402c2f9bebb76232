package commit

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/oasisprotocol/curve25519-voi/curve"
	zip215 "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// zip215Rules are the rules of every Ed25519 signature here, one by one and in a batch.
var zip215Rules = &zip215.Options{Verify: zip215.VerifyOptionsZIP_215}

// expandEd25519 decompresses a key once for all its signatures. It refuses what is not the canonical encoding of a
// point, and points of small order, which crypto/ed25519 takes as keys: with such a key the equation S·B = R + k·A
// hardly depends on the message, so anyone can sign.
func expandEd25519(key ed25519.PublicKey) (*zip215.ExpandedPublicKey, error) {
	if len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("Ed25519 key has %d bytes, must have %d", len(key), ed25519.PublicKeySize)
	}
	compressed := curve.CompressedEdwardsY(key)
	if !compressed.IsCanonicalVartime() {
		return nil, errors.New("Ed25519 key is not in its canonical encoding")
	}
	if smallOrder[compressed] {
		return nil, errors.New("Ed25519 key is a point of small order")
	}
	expanded, err := zip215.NewExpandedPublicKey(zip215.PublicKey(key))
	if err != nil {
		return nil, errors.New("Ed25519 key is not on the curve")
	}
	return expanded, nil
}

// smallOrder holds the canonical encodings of the eight points whose order divides the cofactor.
var smallOrder = func() map[curve.CompressedEdwardsY]bool {
	out := map[curve.CompressedEdwardsY]bool{}
	for _, point := range curve.EIGHT_TORSION {
		out[*new(curve.CompressedEdwardsY).SetEdwardsPoint(point)] = true
	}
	return out
}()

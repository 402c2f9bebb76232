package ocmf

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrSignature says that a signature is well formed and does not belong to the signed bytes and the key. Every other error of
// Verify says that nothing could be checked.
var ErrSignature = errors.New("signature does not verify")

// Verify checks the signature over exactly the bytes between the record's pipes. It says that the key's holder signed them, not that
// the key is the meter's: where the key comes from decides that.
func (r *Record) Verify(key PublicKey) error {
	c, err := curveOf(r.Signature.Algorithm)
	if err != nil {
		return fmt.Errorf("verifying record: SA: %w", err)
	}
	if err := key.check(c); err != nil {
		return fmt.Errorf("verifying record: %w", err)
	}
	if err := c.usable(); err != nil {
		return fmt.Errorf("verifying record: %w", err)
	}
	if r.Signature.Data == nil {
		return errors.New("verifying record: SD is missing or cannot be decoded")
	}
	x, y, err := scalars(r.Signature.Data, c.size, c.order)
	if err != nil {
		return fmt.Errorf("verifying record: SD: %w", err)
	}
	digest := sha256.Sum256(r.Signed())
	if !c.verify(key.point, digest[:], x, y) {
		return fmt.Errorf("verifying record: %w", ErrSignature)
	}
	return nil
}

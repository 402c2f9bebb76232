package commit

import (
	"encoding/hex"
	"fmt"
)

// Digest is a SHA-256 digest. As text it is 64 lower-case hexadecimal digits.
type Digest [32]byte

// DeviceID names a device: the SHA-256 of its key's PKIX SubjectPublicKeyInfo in DER.
type DeviceID = Digest

// String returns 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero reports whether d was never set.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes 64 lower-case hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText accepts exactly what MarshalText writes: upper-case digits are refused, so that a digest has one
// spelling.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != 2*len(d) {
		return fmt.Errorf("digest has %d characters, must have %d", len(text), 2*len(d))
	}
	var out Digest
	if _, err := hex.Decode(out[:], text); err != nil {
		return fmt.Errorf("digest is not hexadecimal: %w", err)
	}
	if out.String() != string(text) {
		return fmt.Errorf("digest must be written in lower case")
	}
	*d = out
	return nil
}

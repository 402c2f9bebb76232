package commit

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Secret is what a device and its owner share since the device was enrolled in its slot. It is drawn anew at every
// enrolment. Printing or marshalling one never shows it.
type Secret [32]byte

// NewSecret draws a secret from the operating system.
func NewSecret() Secret {
	var s Secret
	rand.Read(s[:]) //nolint:errcheck // crypto/rand.Read never fails: it ends the process instead
	return s
}

const redacted = "[secret]"

// String returns a placeholder.
func (Secret) String() string { return redacted }

// Format writes a placeholder whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) } //nolint:errcheck // fmt.State keeps its own error

// MarshalText refuses: storing a secret must be a decision, taken by copying its bytes.
func (Secret) MarshalText() ([]byte, error) {
	return nil, errors.New("a device secret is not marshalled; seal its bytes instead")
}

// MarshalJSON refuses like MarshalText.
func (s Secret) MarshalJSON() ([]byte, error) { return s.MarshalText() }

// Blinding derives r for the packed record x at this place. It covers the place and x: two records, two slots, two
// epochs or two ledgers never share one r.
func (p Place) Blinding(secret Secret, x fr.Element) fr.Element {
	t := NewTranscript(tagBlinding, p.Ledger)
	t.place(p)
	t.Scalar(&x)
	return t.prf(secret, 1)[0]
}

package collective

import (
	"crypto/rand"
	"fmt"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Secret is a party's own secret of one session: 32 bytes, from which all that the party makes at random in key generation follows: its ternary s,
// its errors, the masks of its proof, the polynomial it shares s by, and, for the regulator, the flooding of its switch share. So nothing made from a
// Secret can come out differently the second time, whatever crashed in between: seal and store it, then use it.
//
// Every party of every session has a fresh one: owners, regulator and receiver.
type Secret struct{ seed [32]byte }

// NewSecret draws a secret from the system's randomness.
func NewSecret() *Secret {
	s := new(Secret)
	_, _ = rand.Read(s.seed[:]) // never fails: it ends the program instead
	return s
}

// UnmarshalSecret reads what Marshal wrote.
func UnmarshalSecret(data []byte) (*Secret, error) {
	if len(data) != 32 {
		return nil, fmt.Errorf("secret: %d bytes, want 32", len(data))
	}
	return &Secret{seed: [32]byte(data)}, nil
}

// Marshal gives the 32 bytes, to be sealed.
func (s *Secret) Marshal() []byte { return append([]byte(nil), s.seed[:]...) }

// Destroy overwrites the secret. What Go's collector or the stack kept of it is beyond reach.
func (s *Secret) Destroy() { clear(s.seed[:]) }

// String keeps a secret out of logs.
func (s *Secret) String() string { return "secret" }

// GoString keeps a secret out of logs.
func (s *Secret) GoString() string { return "secret" }

// check refuses a secret that was destroyed.
func (s *Secret) check() error {
	if s == nil || s.seed == [32]byte{} {
		return fmt.Errorf("secret: none, or destroyed")
	}
	return nil
}

// ternary is s itself.
func (s *Secret) ternary(p *Params) []int32 {
	return ternary(p.stream("secret", s.seed[:]), p.N())
}

// montgomery is s in the form in which lattigo keeps keys.
func (s *Secret) montgomery(p *Params) ring.Poly {
	x := p.lift(s.ternary(p))
	p.ring.MForm(x, x)
	return x
}

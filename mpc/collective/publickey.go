package collective

import (
	"errors"
	"fmt"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Labels under which the uniform half of a key is derived.
const (
	labelCollective = "collective key"
	labelReceiver   = "receiver's key"
)

// errForeign is a programmer's error: a value of another parameter set, or none.
var errForeign = errors.New("is missing, or of another parameter set")

// PublicPart is one party's part b = -a*s + e of the collective key, a derived from the session's common reference string, with a proof that its
// maker knows short s and e, bound to session and party.
type PublicPart struct {
	p     *Params
	b     ring.Poly
	proof *proof
}

// PublicPart makes the part of an owner or of the regulator. The same arguments give the same bytes.
func (p *Params) PublicPart(crs [32]byte, ctx Context, s *Secret) (*PublicPart, error) {
	if err := errors.Join(ctx.check(), s.check()); err != nil {
		return nil, fmt.Errorf("public part: %w", err)
	}
	a := p.expand(labelCollective, crs[:])
	negated := s.ternary(p)
	for i := range negated {
		negated[i] = -negated[i]
	}
	e := binomial(p.stream("key error", s.seed[:], crs[:]), p.N())
	part := &PublicPart{p: p, b: p.productPlus(a, p.lift(negated), p.lift(e))}
	part.proof = p.prove(a, [2][]int32{negated, e}, part.statement(crs, ctx), s.seed[:])
	clear(negated)
	clear(e)
	return part, nil
}

func (b *PublicPart) statement(crs [32]byte, ctx Context) [32]byte {
	return b.p.digest("public part", ctx.Session[:], []byte(ctx.Party), crs[:], appendPoly(nil, b.b))
}

// CheckPublicPart is nil if the part's proof holds for this party in this session.
func (p *Params) CheckPublicPart(crs [32]byte, ctx Context, part *PublicPart) error {
	if part == nil || part.p != p {
		return fmt.Errorf("public part %w", errForeign)
	}
	if err := ctx.check(); err != nil {
		return fmt.Errorf("public part: %w", err)
	}
	if err := p.verify(p.expand(labelCollective, crs[:]), part.b, part.statement(crs, ctx), part.proof); err != nil {
		return fmt.Errorf("public part of %s: %w", ctx.Party, err)
	}
	return nil
}

// PublicPartSize is the length of an encoded part.
func (p *Params) PublicPartSize() int { return headerBytes + p.polySize() + p.proofSize() }

// Marshal encodes the part.
func (b *PublicPart) Marshal() []byte {
	out := append(make([]byte, 0, b.p.PublicPartSize()), b.p.header(kindPublicPart, 0, 0)...)
	return appendProof(appendPoly(out, b.b), b.proof)
}

// UnmarshalPublicPart reads a part; CheckPublicPart says whether it is anybody's.
func (p *Params) UnmarshalPublicPart(data []byte) (*PublicPart, error) {
	r, err := p.body(kindPublicPart, 0, 0, p.PublicPartSize(), data)
	if err != nil {
		return nil, err
	}
	part := &PublicPart{p: p, b: r.poly(), proof: r.proof()}
	if r.err != nil {
		return nil, fmt.Errorf("public part: %w", r.err)
	}
	return part, nil
}

// PublicKey is the collective key of a session, computed from all parts, or a receiver's key, made by the receiver.
type PublicKey struct {
	p      *Params
	label  string
	origin [32]byte // a follows from it
	a, b   ring.Poly
	digest [32]byte
}

// PublicKey adds up the parts of ALL owners and of the regulator, each of which the caller has checked for its own party. Their order does not
// matter.
func (p *Params) PublicKey(crs [32]byte, parts ...*PublicPart) (*PublicKey, error) {
	if len(parts) < 2 || len(parts) > MaxOwners+1 {
		return nil, fmt.Errorf("collective key: %d parts, want 2 to %d", len(parts), MaxOwners+1)
	}
	sum := p.ring.NewPoly()
	for _, part := range parts {
		if part == nil || part.p != p {
			return nil, fmt.Errorf("collective key: a part %w", errForeign)
		}
		p.ring.Add(sum, part.b, sum)
	}
	return p.newKey(labelCollective, crs, p.expand(labelCollective, crs[:]), sum), nil
}

// ReceiverKey is the public key that goes with a receiver's secret.
func (p *Params) ReceiverKey(s *Secret) (*PublicKey, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("receiver's key: %w", err)
	}
	origin := p.digest("receiver's origin", s.seed[:])
	negated := s.ternary(p)
	for i := range negated {
		negated[i] = -negated[i]
	}
	e := binomial(p.stream("receiver's error", s.seed[:]), p.N())
	a := p.expand(labelReceiver, origin[:])
	b := p.productPlus(a, p.lift(negated), p.lift(e))
	clear(negated)
	clear(e)
	return p.newKey(labelReceiver, origin, a, b), nil
}

func (p *Params) newKey(label string, origin [32]byte, a, b ring.Poly) *PublicKey {
	key := &PublicKey{p: p, label: label, origin: origin, a: a, b: b}
	key.digest = p.digest("public key", []byte(label), origin[:], appendPoly(nil, b))
	return key
}

// check refuses a key of another set or of the other role.
func (k *PublicKey) check(p *Params, label string) error {
	if k == nil || k.p != p {
		return fmt.Errorf("%s %w", label, errForeign)
	}
	if k.label != label {
		return fmt.Errorf("a %s where a %s belongs", k.label, label)
	}
	return nil
}

// Digest identifies the key.
func (k *PublicKey) Digest() [32]byte { return k.digest }

// PublicKeySize is the length of an encoded receiver's key.
func (p *Params) PublicKeySize() int { return headerBytes + 32 + p.polySize() }

// Marshal encodes the key.
func (k *PublicKey) Marshal() []byte {
	role := 0
	if k.label == labelReceiver {
		role = 1
	}
	out := append(make([]byte, 0, k.p.PublicKeySize()), k.p.header(kindPublicKey, 0, role)...)
	return appendPoly(append(out, k.origin[:]...), k.b)
}

// UnmarshalPublicKey reads a receiver's key. A collective key is computed from checked parts, never received, and refused here.
func (p *Params) UnmarshalPublicKey(data []byte) (*PublicKey, error) {
	r, err := p.body(kindPublicKey, 0, 1, p.PublicKeySize(), data)
	if err != nil {
		return nil, err
	}
	origin, b := r.digest(), r.poly()
	if r.err != nil {
		return nil, fmt.Errorf("public key: %w", r.err)
	}
	return p.newKey(labelReceiver, origin, p.expand(labelReceiver, origin[:]), b), nil
}

// encryption is the randomness of an encryption of zero.
type encryption struct{ u, e0, e1 []int32 }

// zero encrypts zero: the first n coefficients of b*u + e0, and the whole of a*u + e1. What is not among the first n is never made.
func (k *PublicKey) zero(n int, x encryption) (c0 words, c1 ring.Poly) {
	u := k.p.lift(x.u)
	c0 = k.p.coefficients(k.p.product(k.b, u), n)
	for i, q := range k.p.q {
		for j, v := range x.e0[:n] {
			c0[i][j] = add(c0[i][j], residue(v, q), q)
		}
	}
	return c0, k.p.productPlus(k.a, u, k.p.lift(x.e1))
}

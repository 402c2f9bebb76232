package collective

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// s = s_reg + s_own: whoever lacks one share of the active set, or the regulator's, sees values spread over all of Q.
func TestTrapNoResultWithoutRegulatorAndThreshold(t *testing.T) {
	s := newSession(t, insecure(), 4, 3)
	totals := [][]*big.Int{integers(1, 10, 100, 1000), integers(1, 20, 200, 2000), integers(1, 30, 300, 3000)}
	sum := s.sum(t, Shape{Used: 4, Ciphertexts: 1}, totals...)
	shares := s.shares(t, sum, 1, 2, 4)
	owners, regulator := shares[:3], shares[3]
	all := s.shares(t, sum, 1, 2, 3)
	for _, c := range []struct {
		name   string
		shares []*SwitchShare
	}{
		{"nobody", nil},
		{"a lone owner", owners[:1]},
		{"the regulator alone", shares[3:]},
		{"all active owners without the regulator", owners},
		{"the regulator and one owner less than the threshold", []*SwitchShare{owners[0], owners[1], regulator}},
		{"shares of two active sets", []*SwitchShare{owners[0], owners[1], all[2], regulator}},
		{"a share twice", []*SwitchShare{owners[0], owners[1], owners[2], owners[2], regulator}},
		{"the regulator twice", []*SwitchShare{owners[0], owners[1], owners[2], regulator, regulator}},
	} {
		if got, err := s.p.Open(s.receiver, sum, c.shares...); !errors.Is(err, ErrOpening) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		// Whoever leaves out the look at who gave the shares still gets nothing but noise.
		if got, err := s.p.open(s.receiver, sum, c.shares); !errors.Is(err, ErrOpening) {
			t.Errorf("%s, adding what there is: %v, %v", c.name, got, err)
		}
	}
	if _, err := s.p.Open(s.receiver, sum, shares...); err != nil {
		t.Errorf("the same shares, all: %v", err)
	}
}

// All owners together have s_own, from the Shamir parts, and lack s_reg.
func TestTrapAllOwnersTogetherLackTheRegulatorsKey(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	sum := s.sum(t, Shape{Used: 8, Ciphertexts: 1}, make8(1), make8(2), make8(3))
	own := s.p.ring.NewPoly()
	for _, one := range s.owners {
		s.p.ring.Add(own, one.secret.montgomery(s.p), own)
	}
	if s.plausible(sum, own) {
		t.Error("owners' secrets alone open the sum")
	}
	s.p.ring.Add(own, s.regulator.secret.montgomery(s.p), own)
	if !s.plausible(sum, own) {
		t.Error("all secrets do not open the sum")
	}
}

func make8(v int64) []*big.Int { return integers(v, v, v, v, v, v, v, v) }

// plausible says whether a key (in Montgomery form) decrypts the sum's first ciphertext to little noise.
func (s *session) plausible(sum *Sum, key ring.Poly) bool {
	product := s.p.ring.NewPoly()
	s.p.ring.MulCoeffsMontgomery(sum.c1[0], key, product)
	noisy := s.p.coefficients(product, sum.shape.Used)
	s.p.accumulate(noisy, sum.c0[0])
	for j := range sum.shape.Used {
		if s.p.centred(noisy, j, s.p.plain[0]).CmpAbs(s.p.openingBound(0, 1)) > 0 {
			return false
		}
	}
	return true
}

// The last to publish its part could cancel the others' out of the collective key, and so own it. It has no proof for such a part.
func TestTrapLastPartCannotSetTheKey(t *testing.T) {
	p := insecure()
	s := newSession(t, p, 3, 2)
	last := s.owners[2]
	b := last.part.b.CopyNew()
	for _, other := range []*party{s.regulator, s.owners[0], s.owners[1]} {
		p.ring.Sub(*b, other.part.b, *b)
	}
	rogue := &PublicPart{p: p, b: *b, proof: last.part.proof}
	if err := p.CheckPublicPart(s.crs, last.ctx, rogue); err == nil {
		t.Error("its old proof holds")
	}
	x := [2][]int32{last.secret.ternary(p), binomial(p.stream("test"), p.N())}
	rogue.proof = p.prove(p.expand(labelCollective, s.crs[:]), x, rogue.statement(s.crs, last.ctx), []byte("nonce"))
	if err := p.CheckPublicPart(s.crs, last.ctx, rogue); err == nil {
		t.Error("a proof of other vectors holds")
	}
}

// A part belongs to one session, reference string and party: nobody takes over another's.
func TestTrapPartOfAnotherPartyOrSession(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	one, other := s.owners[0], s.owners[1]
	crs, elsewhere := s.crs, one.ctx
	crs[31]++
	elsewhere.Session[0]++
	for name, err := range map[string]error{
		"party":            s.p.CheckPublicPart(s.crs, other.ctx, one.part),
		"session":          s.p.CheckPublicPart(s.crs, elsewhere, one.part),
		"reference string": s.p.CheckPublicPart(crs, one.ctx, one.part),
	} {
		if !errors.Is(err, errProof) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// noisy is what a receiver sees of a sum's first ciphertext.
func (s *session) noisy(sum *Sum, shares []*SwitchShare) (out []*big.Int) {
	w := s.p.newWords(sum.shape.Used)
	s.p.accumulate(w, sum.c0[0])
	for _, share := range shares {
		s.p.accumulate(w, s.visible(share))
	}
	for j := range sum.shape.Used {
		out = append(out, s.p.centred(w, j, 1))
	}
	return out
}

// visible is what the receiver sees of one share's first ciphertext.
func (s *session) visible(share *SwitchShare) words {
	product := s.p.ring.NewPoly()
	s.p.ring.MulCoeffsMontgomery(share.h1[0], s.receiver.montgomery(s.p), product)
	w := s.p.coefficients(product, share.shape.Used)
	s.p.accumulate(w, share.h0[0])
	return w
}

// Unused coefficients are known to be zero: with them, an opened sum would tell the noise, and through it the key. They are in no share.
func TestTrapUnusedCoefficientsAreNotThere(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	shape := Shape{Used: 1, Ciphertexts: 2}
	sum := s.sum(t, shape, integers(1), integers(2), integers(3))
	for _, share := range s.shares(t, sum, 2, 3) {
		for k := range share.h0 {
			for i := range share.h0[k] {
				if len(share.h0[k][i]) != shape.Used {
					t.Errorf("share of %d has %d coefficients, want %d", share.from, len(share.h0[k][i]), shape.Used)
				}
			}
		}
		if got := len(share.Marshal()); got != s.p.SwitchShareSize(shape) {
			t.Errorf("encoded in %d bytes, want %d", got, s.p.SwitchShareSize(shape))
		}
	}
}

// Owner 3 is not active, and S_3 = 2*S_2 - S_1: from the shares h_1 = 2*c1*S_1 + f_1 and h_2 = -c1*S_2 + f_2 of the active ones it computes f_1 +
// 4*f_2 exactly, and so f_1 + f_2, the flooding of the sum, modulo 3. With more such owners, all of it. The ties make each share uniform to it.
func TestTrapInactiveOwnerLearnsNoRelationOfTheFlooding(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	p, shape := s.p, Shape{Used: 8, Ciphertexts: 1}
	sum := s.sum(t, shape, make8(1), make8(2), make8(3))
	for _, c := range []struct {
		name string
		tied bool
	}{{"untied", false}, {"tied", true}} {
		relation := p.ring.NewPoly()
		p.ring.MulCoeffsMontgomery(sum.c1[0], s.owners[2].holding.share, relation)
		p.ring.Add(relation, relation, relation)
		w := p.coefficients(relation, shape.Used) // 2*c1*S_3
		for _, factor := range []struct {
			owner, times int
		}{{1, 1}, {2, 4}} {
			key := must(p.OwnerKey(s.owners[factor.owner-1].holding, []Point{1, 2}))
			if !c.tied {
				key.ties = nil
			}
			seen := s.visible(must(p.SwitchShare(key, s.towards, sum)))
			for range factor.times {
				p.accumulate(w, seen)
			}
		}
		small := 0
		for j := range shape.Used {
			if p.centred(w, j, 1).BitLen() <= floodBits+3 {
				small++
			}
		}
		if c.tied && small > 0 || !c.tied && small != shape.Used {
			t.Errorf("%s: %d of %d coefficients are f_1 + 4*f_2", c.name, small, shape.Used)
		}
	}
}

// A share made twice for one sum with two floodings would let the floodings average out. There is only one share: the key, the sum and the receiver
// settle it.
func TestTrapShareIsMadeOnce(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	sum := s.sum(t, Shape{Used: 2, Ciphertexts: 2}, integers(1, 2), integers(1, 3), integers(1, 4))
	first, second := s.shares(t, sum, 1, 3), s.shares(t, sum, 1, 3)
	other := s.shares(t, s.sum(t, Shape{Used: 2, Ciphertexts: 2}, integers(1, 2), integers(1, 3), integers(1, 4)), 1, 3)
	for i := range first {
		if !bytes.Equal(first[i].Marshal(), second[i].Marshal()) {
			t.Errorf("share %d differs the second time", i)
		}
		if bytes.Equal(first[i].Marshal(), other[i].Marshal()) {
			t.Errorf("share %d of another sum is the same", i)
		}
	}
	// From what is stored, too.
	for _, one := range s.owners {
		restored := must(UnmarshalSecret(one.secret.Marshal()))
		if !bytes.Equal(one.part.Marshal(), must(s.p.PublicPart(s.crs, one.ctx, restored)).Marshal()) {
			t.Errorf("public part of %d differs the second time", one.point)
		}
		again := must(s.p.Split(restored, one.point, s.threshold, []Point{1, 2, 3}))
		for x, part := range one.dealt {
			if !bytes.Equal(part.Marshal(), again[x].Marshal()) {
				t.Errorf("part from %d to %d differs the second time", one.point, x)
			}
		}
	}
}

// The sum of two inputs tells each owner the other's. Below MinInputs there is no share.
func TestTrapFewInputs(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	sum := s.sum(t, Shape{Used: 1, Ciphertexts: 1}, integers(1), integers(2))
	if _, err := s.p.SwitchShare(must(s.p.RegulatorKey(s.regulator.secret)), s.towards, sum); err == nil {
		t.Error("a share for two inputs")
	}
}

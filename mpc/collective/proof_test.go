package collective

import (
	"testing"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// statement of a test: t = a*x + y, proven.
func proven(p *Params) (a, t ring.Poly, x [2][]int32, statement [32]byte, out *proof) {
	a = p.expand("test")
	x = [2][]int32{ternary(p.stream("x"), p.N()), binomial(p.stream("y"), p.N())}
	t = p.productPlus(a, p.lift(x[0]), p.lift(x[1]))
	statement = p.digest("statement")
	return a, t, x, statement, p.prove(a, x, statement, []byte("nonce"))
}

func TestProofHolds(t *testing.T) {
	for _, p := range []*Params{insecure(), Standard()} {
		a, b, _, statement, proof := proven(p)
		if err := p.verify(a, b, statement, proof); err != nil {
			t.Errorf("%s: %v", p.ID(), err)
		}
	}
}

// Each of the verifier's checks is broken alone.
func TestProofBroken(t *testing.T) {
	p := insecure()
	a, b, x, statement, _ := proven(p)
	for _, c := range []struct {
		name string
		edit func(a, b *ring.Poly, statement *[32]byte, proof *proof)
	}{
		{"challenge", func(_, _ *ring.Poly, _ *[32]byte, proof *proof) { proof.challenge[0] ^= 1 }},
		{"first response", func(_, _ *ring.Poly, _ *[32]byte, proof *proof) { proof.z[0][3]++ }},
		{"second response", func(_, _ *ring.Poly, _ *[32]byte, proof *proof) { proof.z[1][3]-- }},
		{"statement", func(_, _ *ring.Poly, statement *[32]byte, _ *proof) { statement[31] ^= 1 }},
		{"a", func(a, _ *ring.Poly, _ *[32]byte, _ *proof) { *a = p.expand("another") }},
		{"t", func(_, b *ring.Poly, _ *[32]byte, _ *proof) {
			other := b.CopyNew()
			p.ring.Add(*other, p.lift(append([]int32{1}, make([]int32, p.N()-1)...)), *other)
			*b = *other
		}},
		{"first response beyond its bound alone", func(a, _ *ring.Poly, statement *[32]byte, proof *proof) {
			*proof = *p.unbounded(*a, x, *statement, 0)
		}},
		{"second response beyond its bound alone", func(a, _ *ring.Poly, statement *[32]byte, proof *proof) {
			*proof = *p.unbounded(*a, x, *statement, 1)
		}},
		{"no knowledge", func(a, b *ring.Poly, statement *[32]byte, proof *proof) {
			*b = p.expand("nobody knows a short witness")
			*proof = *p.prove(*a, x, *statement, []byte("nonce"))
		}},
	} {
		a, b, statement := a, b, statement
		_, _, _, _, proof := proven(p)
		c.edit(&a, &b, &statement, proof)
		if err := p.verify(a, b, statement, proof); err == nil {
			t.Errorf("%s: proof holds", c.name)
		}
	}
}

// unbounded is an honest proof, were it not for one mask coefficient that takes response i beyond its bound: only the bound is broken.
func (p *Params) unbounded(a ring.Poly, x [2][]int32, statement [32]byte, i int) *proof {
	y := [2][]int32{make([]int32, p.N()), make([]int32, p.N())}
	for y[i][7] = maskBound; ; y[i][0]++ {
		w := p.productPlus(a, p.lift(y[0]), p.lift(y[1]))
		out := &proof{challenge: p.challenge(statement, w)}
		c := p.sparse(out.challenge)
		if shift := c.times(x[i])[7]; shift > 0 || maskBound+shift <= responseBounds[i] {
			continue
		}
		for k := range y {
			out.z[k] = make([]int32, p.N())
			respond(out.z[k], y[k], c.times(x[k]), maskBound)
		}
		return out
	}
}

func TestChallenges(t *testing.T) {
	p := Standard()
	for i := range 50 {
		c := p.sparse([32]byte{byte(i)})
		weight := 0
		for _, v := range c.dense(p.N()) {
			weight += int(v * v)
		}
		if weight != challengeWeight {
			t.Fatalf("weight %d", weight)
		}
	}
}

// times agrees with the ring's product.
func TestSparseProduct(t *testing.T) {
	p := insecure()
	c := p.sparse([32]byte{9})
	x := binomial(p.stream("x"), p.N())
	got := c.times(x)
	want := p.coefficients(p.product(p.lift(c.dense(p.N())), p.lift(x)), p.N())
	for j, v := range got {
		if w := p.centred(want, j, 1); w.Int64() != v {
			t.Fatalf("coefficient %d: %d, want %d", j, v, w)
		}
	}
}

// Responses are uniform within their bounds whatever the witness: none may ever be seen outside, and the mask that would explain another witness is
// always there.
func TestResponsesStayWithinBounds(t *testing.T) {
	mask := []int32{maskBound, -maskBound, 0}
	const most = challengeWeight * errorBound
	for _, c := range []struct {
		shift []int64
		want  bool
	}{
		{[]int64{0, 0, 0}, false},
		{[]int64{-most, most, 0}, true},
		{[]int64{-most + 1, most, 0}, false},
		{[]int64{-most, most - 1, 0}, false},
	} {
		if got := respond(make([]int32, 3), mask, c.shift, responseBounds[1]); got != c.want {
			t.Errorf("shift %v: within bounds %t", c.shift, got)
		}
	}
}

// Two challenges answered with one mask give the witness away. One secret proves other statements with other masks: of another session, party or
// reference string.
func TestTrapMaskIsNotUsedTwice(t *testing.T) {
	p, s := insecure(), NewSecret()
	x := s.ternary(p)
	seen := map[int32]string{}
	for _, c := range []struct {
		name string
		crs  [32]byte
		ctx  Context
	}{
		{"one", [32]byte{1}, Context{Party: "a"}},
		{"another party", [32]byte{1}, Context{Party: "b"}},
		{"another session", [32]byte{1}, Context{Session: [32]byte{1}, Party: "a"}},
		{"another reference string", [32]byte{2}, Context{Party: "a"}},
	} {
		part := must(p.PublicPart(c.crs, c.ctx, s))
		shift := p.sparse(part.proof.challenge).times(x)
		for j, z := range part.proof.z[0][:8] {
			mask := z + int32(shift[j]) // the witness is -s
			if seen[mask] != "" {
				t.Errorf("%s and %s: mask %d", c.name, seen[mask], mask)
			}
			seen[mask] = c.name
		}
	}
}

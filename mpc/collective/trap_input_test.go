package collective

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/utils/sampling"
)

// A sum with another's input in it, as it is, shifted or scaled, would tell that input. Whoever submits it cannot prove that it knows what is inside.
func TestTrapCopiedInput(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	p, shape := s.p, Shape{Used: 2, Ciphertexts: 1}
	victim, thief := s.owners[0], s.owners[1]
	in := must(p.Encrypt(s.key, victim.ctx, shape, integers(1, 77), NewSecret().seed))
	copied := func(edit func(part *inputPart)) *Input {
		out := must(p.UnmarshalInput(shape, in.Marshal()))
		edit(&out.parts[0])
		return out
	}
	scale := func(part *inputPart) {
		p.ring.MulScalar(part.c1, 1<<20, part.c1)
		for i, q := range p.q {
			for j := range part.c0[i] {
				part.c0[i][j] = ring.BRed(part.c0[i][j], 1<<20, q, p.ring.SubRings[i].BRedConstant)
			}
		}
	}
	for name, c := range map[string]struct {
		ctx  Context
		edit func(*inputPart)
	}{
		"as it is":                 {thief.ctx, func(*inputPart) {}},
		"scaled":                   {thief.ctx, scale},
		"scaled, by its own maker": {victim.ctx, scale},
		"another total":            {victim.ctx, func(part *inputPart) { part.c0[0][1] = add(part.c0[0][1], 1, p.q[0]) }},
		"in a later session":       {Context{Session: [32]byte{9}, Party: victim.ctx.Party}, func(*inputPart) {}},
		"with zero added, thief's own": {thief.ctx, func(part *inputPart) {
			x := encryption{u: ternary(p.stream("u"), p.N()), e0: binomial(p.stream("e"), 2), e1: binomial(p.stream("f"), p.N())}
			c0, c1 := s.key.zero(2, x)
			p.accumulate(part.c0, c0)
			p.ring.Add(part.c1, c1, part.c1)
			stolen := &Input{p: p, shape: shape, parts: []inputPart{*part}}
			part.proof = p.prove(s.key.a, [2][]int32{x.u, x.e1}, p.statement(stolen.common(s.key, thief.ctx), 0), []byte("nonce"))
		}},
	} {
		if _, err := p.CheckInput(s.key, c.ctx, copied(c.edit)); !errors.Is(err, errProof) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.CheckInput(s.key, victim.ctx, copied(func(*inputPart) {})); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

// Without the proof, an input (0, 2^190) is an encryption of the secret key: its sum's opened coefficients are the key's. With it, there is no such
// input.
func TestTrapInputThatAsksForTheKey(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	p, shape := s.p, Shape{Used: 32, Ciphertexts: 1}
	question := p.ring.NewPoly()
	shifted := new(big.Int).Lsh(big.NewInt(1), 190)
	for i, q := range p.q {
		question.Coeffs[i][0] = new(big.Int).Mod(shifted, new(big.Int).SetUint64(q)).Uint64()
	}
	p.ring.NTT(question, question)
	crafted := &Input{p: p, shape: shape, parts: []inputPart{{c0: p.newWords(shape.Used), c1: question}}}
	thief := s.owners[0].ctx
	crafted.parts[0].proof = p.prove(s.key.a, [2][]int32{make([]int32, p.N()), make([]int32, p.N())}, p.statement(crafted.common(s.key, thief), 0), []byte("nonce"))
	if _, err := p.CheckInput(s.key, thief, crafted); !errors.Is(err, errProof) {
		t.Errorf("checked: %v", err)
	}
	// What it would have got: force it into the sum.
	terms := []*Term{{input: crafted, key: s.key, ctx: thief}}
	for _, one := range s.owners[1:] {
		terms = append(terms, must(p.CheckInput(s.key, one.ctx, must(p.Encrypt(s.key, one.ctx, shape, zeros(shape.Used), NewSecret().seed)))))
	}
	sum := must(p.Add(terms...))
	got := s.noisy(sum, s.shares(t, sum, 1, 2))
	key := make([]int64, p.N())
	for _, one := range append(s.owners, s.regulator) {
		for j, v := range one.secret.ternary(p) {
			key[j] += int64(v)
		}
	}
	for j := range shape.Used {
		rounded := new(big.Int).Add(got[j], new(big.Int).Rsh(shifted, 1))
		if rounded.Rsh(rounded, 190).Int64() != key[j] {
			t.Fatalf("coefficient %d: the demonstration shows %d, the key has %d", j, rounded, key[j])
		}
	}
}

// The reason why this package encrypts by itself: with lattigo's WithPRNG the same randomness gives different ciphertexts under a public key, since u
// and e do not come from it.
func TestTrapLibraryDoesNotEncryptFromASeed(t *testing.T) {
	p := insecure()
	pk := rlwe.NewKeyGenerator(p.rlwe).GenPublicKeyNew(rlwe.NewKeyGenerator(p.rlwe).GenSecretKeyNew())
	encrypt := func() *rlwe.Ciphertext {
		prng := must(sampling.NewKeyedPRNG([]byte("seed")))
		return rlwe.NewEncryptor(p.rlwe, pk).WithPRNG(prng).EncryptZeroNew(p.rlwe.MaxLevel())
	}
	if encrypt().Equal(encrypt()) {
		t.Error("lattigo's ciphertexts follow from the seed now: the package documentation should say so")
	}
	s := newSession(t, p, 3, 2)
	shape, seed := Shape{Used: 3, Ciphertexts: 2}, NewSecret().seed
	first := must(p.Encrypt(s.key, s.owners[0].ctx, shape, integers(1, 2, 3), seed))
	second := must(p.Encrypt(s.key, s.owners[0].ctx, shape, integers(1, 2, 3), seed))
	if !bytes.Equal(first.Marshal(), second.Marshal()) {
		t.Error("seed and totals do not settle the input")
	}
}

// A seed used for two messages would show their difference: c0 - c0' = (m - m')/T. Randomness follows from the message too.
func TestTrapSeedUsedTwice(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	shape, seed := Shape{Used: 1, Ciphertexts: 2}, NewSecret().seed
	first := must(s.p.Encrypt(s.key, s.owners[0].ctx, shape, integers(5), seed))
	second := must(s.p.Encrypt(s.key, s.owners[0].ctx, shape, integers(6), seed))
	for k := range first.parts {
		if first.parts[k].c1.Equal(&second.parts[k].c1) {
			t.Errorf("ciphertext %d: one mask for two messages", k)
		}
	}
	// Nor do the two ciphertexts of a total, which hide residues of one number, share a mask.
	if first.parts[0].c1.Equal(&first.parts[1].c1) {
		t.Error("one mask for two residues")
	}
}

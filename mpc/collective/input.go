package collective

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Input is an owner's totals, encrypted under the collective key: for each plaintext modulus T the used coefficients of b*u + e0 + m/T, the whole of
// a*u + e1, and a proof of knowledge of short u, e1, by which the input is neither a copy of another's nor a question about the key.
type Input struct {
	p     *Params
	shape Shape
	parts []inputPart // one for each ciphertext
}

type inputPart struct {
	c0    words
	c1    ring.Poly
	proof *proof
}

// Encrypt encrypts an owner's totals, each at most Limit(shape.Ciphertexts) in absolute value, under a collective key. seed is 32 fresh bytes from
// crypto/rand, kept secret until the query closes: whoever is shown seed and totals makes the same input byte for byte, which settles a dispute about
// it.
func (p *Params) Encrypt(key *PublicKey, ctx Context, shape Shape, totals []*big.Int, seed [32]byte) (*Input, error) {
	if err := errors.Join(key.check(p, labelCollective), ctx.check(), p.CheckShape(shape)); err != nil {
		return nil, fmt.Errorf("encrypting: %w", err)
	}
	if seed == [32]byte{} {
		return nil, errors.New("encrypting: seed is zero, want 32 random bytes")
	}
	encoded, err := p.encode(shape, totals)
	if err != nil {
		return nil, fmt.Errorf("encrypting: %w", err)
	}
	// The randomness follows from all that is encrypted, not from the seed alone: a seed used twice does not encrypt two messages under one mask.
	root := p.digest("input", seed[:], key.digest[:], ctx.Session[:], []byte(ctx.Party), shape.bytes(), encoded)
	in := &Input{p: p, shape: shape}
	var witnesses [][2][]int32
	for k := range shape.Ciphertexts {
		r := p.stream("input randomness", root[:], []byte{byte(k)})
		x := encryption{u: ternary(r, p.N()), e0: binomial(r, shape.Used), e1: binomial(r, p.N())}
		c0, c1 := key.zero(shape.Used, x)
		p.embed(c0, k, totals)
		in.parts = append(in.parts, inputPart{c0: c0, c1: c1})
		witnesses = append(witnesses, [2][]int32{x.u, x.e1})
	}
	common := in.common(key, ctx)
	for k, x := range witnesses {
		nonce := p.digest("input mask", root[:], []byte{byte(k)})
		in.parts[k].proof = p.prove(key.a, x, p.statement(common, k), nonce[:])
		clear(x[0])
		clear(x[1])
	}
	return in, nil
}

// encode spells the totals for the derivation of the randomness, and refuses what could overflow a sum.
func (p *Params) encode(shape Shape, totals []*big.Int) ([]byte, error) {
	if len(totals) != shape.Used {
		return nil, fmt.Errorf("%d totals, want %d", len(totals), shape.Used)
	}
	limit := p.Limit(shape.Ciphertexts)
	out := make([]byte, 0, 17*len(totals))
	for j, m := range totals {
		if m == nil || m.CmpAbs(limit) > 0 {
			return nil, fmt.Errorf("total %d is missing, or beyond %d, an owner's limit in %d ciphertexts", j, limit, shape.Ciphertexts)
		}
		var magnitude [16]byte
		out = append(append(out, byte(m.Sign())), m.FillBytes(magnitude[:])...)
	}
	return out, nil
}

// embed adds m/T_k to the first coefficients: the plaintext's coefficient encoding, total j in coefficient j.
func (p *Params) embed(c0 words, k int, totals []*big.Int) {
	t, m := new(big.Int).SetUint64(p.plain[k]), new(big.Int)
	for j, total := range totals {
		v := m.Mod(total, t).Uint64()
		for i, q := range p.q {
			c0[i][j] = add(c0[i][j], ring.BRed(v, p.inverse[k][i], q, p.ring.SubRings[i].BRedConstant), q)
		}
	}
}

func (s Shape) bytes() []byte { return []byte{byte(s.Used), byte(s.Used >> 8), byte(s.Ciphertexts)} }

// common digests all of an input but its proofs, and what they are bound to.
func (in *Input) common(key *PublicKey, ctx Context) [32]byte {
	var all []byte
	for _, part := range in.parts {
		all = appendPoly(appendWords(all, part.c0), part.c1)
	}
	return in.p.digest("input statement", key.digest[:], ctx.Session[:], []byte(ctx.Party), in.shape.bytes(), all)
}

func (p *Params) statement(common [32]byte, k int) [32]byte {
	return p.digest("input part", common[:], []byte{byte(k)})
}

// InputSize is the length of an encoded input.
func (p *Params) InputSize(shape Shape) int {
	return headerBytes + shape.Ciphertexts*(p.wordsSize(shape.Used)+p.polySize()+p.proofSize())
}

// Marshal encodes the input.
func (in *Input) Marshal() []byte {
	out := append(make([]byte, 0, in.p.InputSize(in.shape)), in.p.header(kindInput, in.shape.Used, in.shape.Ciphertexts)...)
	for _, part := range in.parts {
		out = appendProof(appendPoly(appendWords(out, part.c0), part.c1), part.proof)
	}
	return out
}

// UnmarshalInput reads an input of the session's shape; CheckInput says whether it is anybody's.
func (p *Params) UnmarshalInput(shape Shape, data []byte) (*Input, error) {
	if err := p.CheckShape(shape); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	r, err := p.body(kindInput, shape.Used, shape.Ciphertexts, p.InputSize(shape), data)
	if err != nil {
		return nil, err
	}
	in := &Input{p: p, shape: shape}
	for range shape.Ciphertexts {
		in.parts = append(in.parts, inputPart{c0: r.words(shape.Used), c1: r.poly(), proof: r.proof()})
	}
	if r.err != nil {
		return nil, fmt.Errorf("input: %w", r.err)
	}
	return in, nil
}

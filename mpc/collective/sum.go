package collective

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Term is an input whose proof holds. Only terms can be added.
type Term struct {
	input *Input
	key   *PublicKey
	ctx   Context
}

// CheckInput checks an input's proof for one party of one session. Every party checks every input itself, its own too.
func (p *Params) CheckInput(key *PublicKey, ctx Context, in *Input) (*Term, error) {
	if in == nil || in.p != p {
		return nil, fmt.Errorf("input %w", errForeign)
	}
	if err := errors.Join(key.check(p, labelCollective), ctx.check()); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	common := in.common(key, ctx)
	for k, part := range in.parts {
		if err := p.verify(key.a, part.c1, p.statement(common, k), part.proof); err != nil {
			return nil, fmt.Errorf("input of %s, ciphertext %d: %w", ctx.Party, k, err)
		}
	}
	return &Term{input: in, key: key, ctx: ctx}, nil
}

// Sum is the encrypted sum of inputs. It is made by Add and never read: whoever gives a switch share for it has recomputed it from the inputs.
type Sum struct {
	p      *Params
	shape  Shape
	inputs int
	c0     []words
	c1     []ring.Poly
	digest [32]byte
}

// Add adds the inputs of different parties to one session, under one key, of one shape. Their order does not matter.
func (p *Params) Add(terms ...*Term) (*Sum, error) {
	if len(terms) < 1 || len(terms) > MaxOwners {
		return nil, fmt.Errorf("sum: %d inputs, want 1 to %d", len(terms), MaxOwners)
	}
	parties, err := p.addable(terms)
	if err != nil {
		return nil, fmt.Errorf("sum: %w", err)
	}
	first := terms[0]
	s := &Sum{p: p, shape: first.input.shape, inputs: len(terms)}
	fields := [][]byte{first.key.digest[:], first.ctx.Session[:], s.shape.bytes()}
	for k := range s.shape.Ciphertexts {
		c0, c1 := p.newWords(s.shape.Used), p.ring.NewPoly()
		for _, term := range terms {
			p.accumulate(c0, term.input.parts[k].c0)
			p.ring.Add(c1, term.input.parts[k].c1, c1)
		}
		s.c0, s.c1 = append(s.c0, c0), append(s.c1, c1)
		fields = append(fields, appendPoly(appendWords(nil, c0), c1))
	}
	for _, party := range parties {
		fields = append(fields, []byte(party))
	}
	s.digest = p.digest("sum", fields...)
	return s, nil
}

// addable gives the terms' parties, sorted, if the terms belong together.
func (p *Params) addable(terms []*Term) ([]string, error) {
	var parties []string
	for _, term := range terms {
		if term == nil || term.input.p != p {
			return nil, fmt.Errorf("an input %w", errForeign)
		}
		if first := terms[0]; term.key.digest != first.key.digest || term.ctx.Session != first.ctx.Session || term.input.shape != first.input.shape {
			return nil, fmt.Errorf("input of %s is of another session, key or shape than %s's", term.ctx.Party, first.ctx.Party)
		}
		if slices.Contains(parties, term.ctx.Party) {
			return nil, fmt.Errorf("two inputs of %s", term.ctx.Party)
		}
		parties = append(parties, term.ctx.Party)
	}
	slices.Sort(parties)
	return parties, nil
}

// Inputs is how many inputs were added.
func (s *Sum) Inputs() int { return s.inputs }

// Shape is the shape of the inputs.
func (s *Sum) Shape() Shape { return s.shape }

// Digest identifies the sum: session, key, shape, parties and every residue.
func (s *Sum) Digest() [32]byte { return s.digest }

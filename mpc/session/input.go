package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"github.com/fxamacker/cbor/v2"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// storedInput is an owner's answer, and all that it was made of.
type storedInput struct {
	Declined bool
	Values   []*big.Int
	Anchor   []byte
	Seed     [32]byte
	Nonce    [nonceSize]byte
	Input    []byte // encoded
}

// makeInput asks for the totals, once they are stored never again, and encrypts them.
func (p *Party) makeInput(ctx context.Context) error {
	totals, err := p.cfg.Totals(ctx, p.session, p.opening)
	if err == nil {
		err = p.checkTotals(totals)
	}
	if errors.Is(err, ErrDeclined) {
		p.log.WarnContext(ctx, "no input", "error", err)
		return p.storeInput(ctx, &storedInput{Declined: true})
	}
	if err != nil {
		return fmt.Errorf("asking for totals: %w", err)
	}
	in := &storedInput{Values: totals.Values, Anchor: totals.Anchor}
	_, _ = rand.Read(in.Seed[:]) // never fails: it ends the program instead
	own, err := p.key(ctx)
	if err != nil {
		return err
	}
	in.Nonce = own.nonce("input")
	if in.Input, err = p.encrypt(ctx, p.cfg.Self, in.Values, in.Seed); err != nil {
		return err
	}
	return p.storeInput(ctx, in)
}

// checkTotals declines what cannot be encrypted: asking again would not help.
func (p *Party) checkTotals(t *Totals) error {
	o := p.opening
	if len(t.Values) != o.Used {
		return fmt.Errorf("%w: %d totals, want %d", ErrDeclined, len(t.Values), o.Used)
	}
	limit := p.cfg.Params.Limit(o.Ciphertexts)
	for i, v := range t.Values {
		if v == nil || v.CmpAbs(limit) > 0 {
			return fmt.Errorf("%w: total %d is missing or beyond what %d ciphertexts hold of an owner", ErrDeclined, i, o.Ciphertexts)
		}
	}
	if !t.Values[0].IsInt64() || t.Values[0].Int64() != 1 {
		return fmt.Errorf("%w: the first total is not the 1 that counts the input", ErrDeclined)
	}
	e := transcript.Entry{Round: transcript.Input, Digest: transcript.Digest{1}, Detail: t.Anchor}
	if err := e.CheckForm(); err != nil {
		return fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return nil
}

// encrypt makes an owner's input: the same from the same seed.
func (p *Party) encrypt(ctx context.Context, owner string, values []*big.Int, seed [32]byte) ([]byte, error) {
	k, err := p.sessionKeys(ctx)
	if err != nil {
		return nil, err
	}
	in, err := p.cfg.Params.Encrypt(k.collective, p.context(owner), p.shape(), values, seed)
	if err != nil {
		return nil, err
	}
	return in.Marshal(), nil
}

func (p *Party) storeInput(ctx context.Context, in *storedInput) error {
	value, err := cbor.Marshal(in)
	if err != nil {
		return err
	}
	defer clear(value)
	return p.put(ctx, inputSlot, value)
}

func (p *Party) readInput(ctx context.Context) (*storedInput, error) {
	value, err := p.get(ctx, inputSlot)
	if err != nil {
		return nil, err
	}
	in := &storedInput{}
	if err := cbor.Unmarshal(value, in); err != nil {
		return nil, fmt.Errorf("reading the input of session %s: %w", p.session, err)
	}
	return in, nil
}

func (p *Party) promisedInput(ctx context.Context) (d transcript.Digest, anchor []byte, err error) {
	in, err := p.readInput(ctx)
	if err != nil || in.Declined {
		return d, nil, err
	}
	return p.single(p.cfg.Self, transcript.Input, in.Nonce, in.Input).digest(), in.Anchor, nil
}

// single is a commitment to one message.
func (p *Party) single(party string, round transcript.Round, nonce [nonceSize]byte, message []byte) *commitment {
	c := &commitment{session: p.session, party: party, round: round}
	c.add(nonce, message)
	return c
}

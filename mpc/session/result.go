package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"github.com/fxamacker/cbor/v2"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// storedResult is what the receiver opened.
type storedResult struct {
	Salt   [32]byte
	Totals []*big.Int
}

// makeResult opens the sum with all shares.
func (p *Party) makeResult(ctx context.Context, t *transcript.Transcript) error {
	sum, err := p.sum(ctx, t)
	if err != nil {
		return err
	}
	got, err := gather(ctx, t.Openers(), func(ctx context.Context, from string) (*collective.SwitchShare, error) {
		return p.fetchShare(ctx, t, from)
	})
	if err != nil {
		return err
	}
	var shares []*collective.SwitchShare
	for _, from := range t.Openers() {
		shares = append(shares, got[from])
	}
	own, err := p.key(ctx)
	if err != nil {
		return err
	}
	r := &storedResult{}
	if r.Totals, err = p.cfg.Params.Open(own.secret, sum, shares...); errors.Is(err, collective.ErrOpening) {
		p.log.ErrorContext(ctx, "opening", "error", err)
		return violated("the shares of %v do not open the sum", t.Openers())
	} else if err != nil {
		return err
	}
	if n := big.NewInt(int64(len(t.Inputs()))); r.Totals[0].Cmp(n) != 0 {
		return violated("what was opened does not count %v inputs", n)
	}
	_, _ = rand.Read(r.Salt[:]) // never fails: it ends the program instead
	value, err := cbor.Marshal(r)
	if err != nil {
		return err
	}
	return p.put(ctx, resultSlot, value)
}

func (p *Party) fetchShare(ctx context.Context, t *transcript.Transcript, from string) (*collective.SwitchShare, error) {
	shown, err := p.fetch(ctx, from, Item{Kind: ShareItem}, shownSize(1, p.cfg.Params.SwitchShareSize(p.shape())))
	if err != nil {
		return nil, err
	}
	message, err := openShown(t.Recorded(from, transcript.Share), 1, 0, shown)
	if err != nil {
		return nil, fmt.Errorf("share of %s: %w", from, err)
	}
	share, err := p.cfg.Params.UnmarshalSwitchShare(p.shape(), message)
	if err != nil {
		return nil, violated("%s: %v", from, err)
	}
	if share.From() != p.point(from) { // 0 is the regulator
		return nil, violated("%s: its share is of owner %d", from, share.From())
	}
	return share, nil
}

func (p *Party) readResult(ctx context.Context, t *transcript.Transcript) (*Result, error) {
	value, err := p.get(ctx, resultSlot)
	if err != nil {
		return nil, err
	}
	var r storedResult
	if err := cbor.Unmarshal(value, &r); err != nil {
		return nil, fmt.Errorf("reading the result of session %s: %w", p.session, err)
	}
	return &Result{Session: p.session, Opening: p.opening, Owners: t.Inputs(), Totals: r.Totals, Salt: r.Salt}, nil
}

func (p *Party) promisedResult(ctx context.Context, t *transcript.Transcript) (transcript.Digest, error) {
	r, err := p.readResult(ctx, t)
	if err != nil {
		return transcript.Digest{}, err
	}
	return r.Digest(), nil
}

// deliver hands the recorded result over, until the receiver of it says that it has it.
func (p *Party) deliver(ctx context.Context, t *transcript.Transcript) error {
	if _, err := p.get(ctx, deliveredSlot); !errors.Is(err, ErrAbsent) {
		return err
	}
	r, err := p.readResult(ctx, t)
	if errors.Is(err, ErrAbsent) || err == nil && r.Digest() != t.End().Digest {
		p.log.ErrorContext(ctx, "the recorded result is not in this store: a restored backup, or one of two copies")
		p.note(func(s *State) { s.Reason = "the recorded result is not in this store" })
		return nil
	}
	if err != nil {
		return err
	}
	if err := p.cfg.Deliver(ctx, r); err != nil {
		return fmt.Errorf("delivering the result: %w", err)
	}
	return p.put(ctx, deliveredSlot, []byte{1})
}

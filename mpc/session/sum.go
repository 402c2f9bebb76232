package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// sum gets, checks and adds the inputs that are recorded before the close: all of them, and nothing else.
func (p *Party) sum(ctx context.Context, t *transcript.Transcript) (*collective.Sum, error) {
	k, err := p.sessionKeys(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, owner := range t.Inputs() {
		if p.terms[owner] == nil {
			names = append(names, owner)
		}
	}
	got, err := gather(ctx, names, func(ctx context.Context, owner string) (*collective.Term, error) {
		shown, err := p.findInput(ctx, t, owner)
		if err != nil {
			return nil, err
		}
		return p.checkInput(ctx, t, k, owner, shown)
	})
	maps.Copy(p.terms, got)
	if err != nil {
		return nil, err
	}
	var terms []*collective.Term
	for _, owner := range t.Inputs() {
		terms = append(terms, p.terms[owner])
	}
	if len(terms) < transcript.MinInputs { // the rules say so too: a sum of fewer is an owner's own totals
		return nil, fmt.Errorf("a sum of %d inputs, want at least %d", len(terms), transcript.MinInputs)
	}
	return p.cfg.Params.Add(terms...)
}

// checkInput takes an input that is what its owner committed to.
func (p *Party) checkInput(ctx context.Context, t *transcript.Transcript, k *keys, owner string, shown []byte) (*collective.Term, error) {
	e := t.Recorded(owner, transcript.Input)
	message, err := openShown(e, 1, 0, shown)
	if err != nil {
		return nil, fmt.Errorf("input of %s: %w", owner, err)
	}
	in, err := p.cfg.Params.UnmarshalInput(p.shape(), message)
	if err != nil {
		return nil, violated("%s: %v", owner, err)
	}
	term, err := p.cfg.Params.CheckInput(k.collective, p.context(owner), in)
	if err != nil {
		return nil, violated("%s: %v", owner, err)
	}
	if p.cfg.CheckInput == nil || owner == p.cfg.Self {
		return term, nil
	}
	offered := &Offered{Session: p.session, Opening: p.opening, Owner: owner, Anchor: e.Detail, Input: in}
	if err := p.cfg.CheckInput(ctx, offered); errors.Is(err, ErrDeclined) {
		p.log.WarnContext(ctx, "input not accepted", "owner", owner, "error", err)
		return nil, violated("%s: input is not accepted", owner)
	} else if err != nil {
		return nil, &ownError{fmt.Errorf("checking the input of %s: %w", owner, err)}
	}
	return term, nil
}

// findInput looks in the store, asks the owner, and, once it has named the sum, the receiver. What is wrong of one may be right of another.
func (p *Party) findInput(ctx context.Context, t *transcript.Transcript, owner string) ([]byte, error) {
	shown, err := p.storedInput(ctx, owner)
	if err == nil || !errors.Is(err, ErrAbsent) {
		return shown, err
	}
	receiver := p.roster().Receiver
	sources := []string{owner}
	if t.Active() != nil && p.cfg.Self != receiver {
		sources = append(sources, receiver)
	}
	var failed []error
	for _, from := range sources {
		shown, err := p.fetch(ctx, from, Item{InputItem, owner}, shownSize(1, p.cfg.Params.InputSize(p.shape())))
		if err == nil {
			_, err = openShown(t.Recorded(owner, transcript.Input), 1, 0, shown)
		}
		if err == nil {
			return shown, p.keepInput(ctx, owner, shown)
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}

func (p *Party) inputSlot(owner string) string {
	return inputSlot + "-" + strconv.Itoa(p.roster().Point(owner))
}

// storedInput is an input as it is shown: this owner's own, or one that the receiver keeps.
func (p *Party) storedInput(ctx context.Context, owner string) ([]byte, error) {
	switch p.cfg.Self {
	case owner:
		in, err := p.readInput(ctx)
		if err != nil {
			return nil, &ownError{err}
		}
		return p.single(owner, transcript.Input, in.Nonce, in.Input).show(in.Nonce, in.Input), nil
	case p.roster().Receiver:
		shown, err := p.get(ctx, p.inputSlot(owner))
		if err != nil && !errors.Is(err, ErrAbsent) {
			err = &ownError{err}
		}
		return shown, err
	}
	return nil, ErrAbsent
}

// keepInput has the receiver hold what it hands on: from the activation on, owners who are not active may be gone.
func (p *Party) keepInput(ctx context.Context, owner string, shown []byte) error {
	if p.role() != transcript.Receiver {
		return nil
	}
	if err := p.put(ctx, p.inputSlot(owner), shown); err != nil {
		return &ownError{err}
	}
	return nil
}

// offerInputs shows what this party holds of the inputs: they are closed.
func (p *Party) offerInputs(ctx context.Context, t *transcript.Transcript) error {
	for _, owner := range t.Inputs() {
		item := Item{InputItem, owner}
		if p.offering(item) {
			continue
		}
		shown, err := p.storedInput(ctx, owner)
		switch {
		case errors.Is(err, ErrAbsent):
		case err != nil:
			return err
		default:
			p.offer(item, p.roster().Parties(), shown)
		}
	}
	return nil
}

package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Audit is nil if the sum that was opened, or is to be, is that of the recorded inputs: it gets and adds them again. Any party can that was ready in the session, from the activation until it expires, as long as their
// owners or the receiver show them.
func (p *Party) Audit(ctx context.Context) error {
	p.stepping.Lock()
	defer p.stepping.Unlock()
	t, err := p.read(ctx)
	if err != nil {
		return fmt.Errorf("session %s: %w", p.session, err)
	}
	activation := t.Recorded(p.roster().Receiver, transcript.Activate)
	if activation == nil {
		return fmt.Errorf("session %s: %w: no sum is named", p.session, ErrNotYet)
	}
	sum, err := p.sum(ctx, t)
	if err != nil {
		return fmt.Errorf("auditing session %s: %w", p.session, err)
	}
	if transcript.Digest(sum.Digest()) != activation.Digest {
		return fmt.Errorf("session %s: the activated sum is not that of the recorded inputs", p.session)
	}
	return nil
}

// Disclosure is all that an owner's input was made of: whoever is shown it knows the owner's totals, and that they are what was encrypted.
type Disclosure struct {
	Session transcript.ID
	Owner   string
	Values  []*big.Int
	Seed    [32]byte
	Nonce   [32]byte
}

// String keeps totals out of logs.
func (d *Disclosure) String() string {
	return fmt.Sprintf("disclosure of %s in session %s", d.Owner, d.Session)
}

// GoString keeps totals out of logs.
func (d *Disclosure) GoString() string { return d.String() }

// LogValue keeps totals out of logs.
func (d *Disclosure) LogValue() slog.Value { return slog.StringValue(d.String()) }

// Disclose reads what this owner encrypted, to settle a dispute: for the regulator, by a decision of the owner. It can be read until the session expires, or the owner's part of
// it is destroyed.
func (p *Party) Disclose(ctx context.Context) (*Disclosure, error) {
	in, err := p.readInput(ctx)
	if err != nil {
		return nil, err
	}
	if in.Declined {
		return nil, fmt.Errorf("session %s: %s declined", p.session, p.cfg.Self)
	}
	return &Disclosure{Session: p.session, Owner: p.cfg.Self, Values: in.Values, Seed: in.Seed, Nonce: in.Nonce}, nil
}

// Examine is nil if the disclosed values are what the owner committed to: it encrypts them again, byte for byte. Any party can that was ready in the session, until it expires.
func (p *Party) Examine(ctx context.Context, d *Disclosure) error {
	p.stepping.Lock()
	defer p.stepping.Unlock()
	t, err := p.read(ctx)
	if err != nil {
		return fmt.Errorf("session %s: %w", p.session, err)
	}
	e := t.Recorded(d.Owner, transcript.Input)
	if d.Session != p.session || e == nil || e.Declined() {
		return fmt.Errorf("session %s has no input of %.64q", p.session, d.Owner)
	}
	in, err := p.encrypt(ctx, d.Owner, d.Values, d.Seed)
	if err != nil {
		return fmt.Errorf("encrypting what %s disclosed: %w", d.Owner, err)
	}
	if p.single(d.Owner, transcript.Input, d.Nonce, in).digest() != e.Digest {
		return errors.New("what " + d.Owner + " disclosed is not what it encrypted")
	}
	return nil
}

package session

import (
	"context"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// closable says whether the receiver may close the inputs: it makes and stores nothing for that, as its entry says nothing.
func (p *Party) closable(t *transcript.Transcript) error {
	now := p.cfg.Now()
	err := t.Closable(now.Unix())
	if err == nil {
		return nil
	}
	if len(t.Inputs()) < p.opening.Minimum && len(t.Missing()) == 1 && t.Missing()[0] == p.cfg.Self {
		return violated("%d inputs, and all owners have answered: want %d", len(t.Inputs()), p.opening.Minimum)
	}
	return waiting{fmt.Sprintf("%v (now %s)", err, now.UTC().Format(time.RFC3339))}
}

// storedActivation is what the receiver says of a sum.
type storedActivation struct {
	Active []byte // transcript.EncodeActive
	Sum    [32]byte
}

// makeActivation names the sum, and the first owners of those who answer.
func (p *Party) makeActivation(ctx context.Context, t *transcript.Transcript) error {
	sum, err := p.sum(ctx, t)
	if err != nil {
		return err
	}
	active, err := p.chooseActive(ctx, t)
	if err != nil {
		return err
	}
	a := storedActivation{Sum: sum.Digest()}
	if a.Active, err = transcript.EncodeActive(p.roster(), active); err != nil {
		return err
	}
	value, err := cbor.Marshal(a)
	if err != nil {
		return err
	}
	return p.put(ctx, activationSlot, value)
}

// chooseActive asks the owners with an input whether they are there: who is named and then is not stops the session.
func (p *Party) chooseActive(ctx context.Context, t *transcript.Transcript) ([]string, error) {
	alive, missing := gather(ctx, t.Inputs(), func(ctx context.Context, owner string) ([]byte, error) {
		return p.fetch(ctx, owner, Item{Kind: AliveItem}, 1)
	})
	var active []string
	for _, owner := range t.Inputs() {
		if alive[owner] != nil && len(active) < p.roster().Threshold {
			active = append(active, owner)
		}
	}
	if len(active) < p.roster().Threshold {
		return nil, missing
	}
	return active, nil
}

func (p *Party) promisedActivation(ctx context.Context) (d transcript.Digest, active []byte, err error) {
	value, err := p.get(ctx, activationSlot)
	if err != nil {
		return d, nil, err
	}
	var a storedActivation
	if err := cbor.Unmarshal(value, &a); err != nil {
		return d, nil, fmt.Errorf("reading the activation of session %s: %w", p.session, err)
	}
	return a.Sum, a.Active, nil
}

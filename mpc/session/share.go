package session

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// makeShare makes this party's share of the switch for the sum that it added up itself, if it is the one that the receiver named, for the set of owners that is recorded.
func (p *Party) makeShare(ctx context.Context, t *transcript.Transcript) error {
	activation := t.Recorded(p.roster().Receiver, transcript.Activate)
	sum, err := p.sum(ctx, t)
	if err != nil {
		return err
	}
	if transcript.Digest(sum.Digest()) != activation.Digest {
		return violated("%s: the activated sum is not that of the recorded inputs", p.roster().Receiver)
	}
	key, err := p.shareKey(ctx, t)
	if err != nil {
		return err
	}
	defer key.Destroy()
	k, err := p.sessionKeys(ctx)
	if err != nil {
		return err
	}
	share, err := p.cfg.Params.SwitchShare(key, k.receiver, sum)
	if err != nil {
		return err
	}
	own, err := p.key(ctx)
	if err != nil {
		return err
	}
	nonce := own.nonce("share")
	return p.put(ctx, shareSlot, append(nonce[:], share.Marshal()...))
}

func (p *Party) shareKey(ctx context.Context, t *transcript.Transcript) (*collective.ShareKey, error) {
	if p.role() == transcript.Regulator {
		own, err := p.key(ctx)
		if err != nil {
			return nil, err
		}
		return p.cfg.Params.RegulatorKey(own.secret)
	}
	value, err := p.get(ctx, holdingSlot)
	if err != nil {
		return nil, err
	}
	defer clear(value)
	holding, err := p.cfg.Params.UnmarshalHolding(value)
	if err != nil {
		return nil, fmt.Errorf("reading the holding of session %s: %w", p.session, err)
	}
	defer holding.Destroy()
	return p.cfg.Params.OwnerKey(holding, p.points(t.Active()))
}

// readShare gives the stored share: as its commitment, and as it is shown.
func (p *Party) readShare(ctx context.Context) (*commitment, []byte, error) {
	value, err := p.get(ctx, shareSlot)
	if err != nil {
		return nil, nil, err
	}
	if want := nonceSize + p.cfg.Params.SwitchShareSize(p.shape()); len(value) != want {
		return nil, nil, fmt.Errorf("reading the share of session %s: %d bytes, want %d", p.session, len(value), want)
	}
	nonce := [nonceSize]byte(value)
	c := p.single(p.cfg.Self, transcript.Share, nonce, value[nonceSize:])
	return c, c.show(nonce, value[nonceSize:]), nil
}

func (p *Party) promisedShare(ctx context.Context) (transcript.Digest, error) {
	c, _, err := p.readShare(ctx)
	if err != nil {
		return transcript.Digest{}, err
	}
	return c.digest(), nil
}

func (p *Party) offerShare(ctx context.Context) error {
	if p.offering(Item{Kind: ShareItem}) {
		return nil
	}
	_, shown, err := p.readShare(ctx)
	if err == nil {
		p.offer(Item{Kind: ShareItem}, []string{p.roster().Receiver}, shown)
	}
	return err
}

package session

import (
	"context"
	"fmt"
	"maps"

	"github.com/fxamacker/cbor/v2"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// keys are the two keys of a session.
type keys struct {
	collective, receiver *collective.PublicKey
}

func (k *keys) digest() transcript.Digest {
	c, r := k.collective.Digest(), k.receiver.Digest()
	return transcript.Hash("assay/mpc/keys/1", c[:], r[:])
}

// storedKeys are what the keys are computed from: checked before it was stored.
type storedKeys struct {
	Parts    [][]byte // in the order of the roster's key holders
	Receiver []byte
}

// makeReady gets from the others all that this party needs of their keys, checks it, and stores it.
func (p *Party) makeReady(ctx context.Context, t *transcript.Transcript) error {
	own, err := p.key(ctx)
	if err != nil {
		return err
	}
	crs, err := p.crs(ctx)
	if err != nil {
		return err
	}
	if err := p.gatherPublic(ctx, t, crs); err != nil {
		return err
	}
	if err := p.gatherParts(ctx, t); err != nil {
		return err
	}
	p.shown[p.cfg.Self] = own.public
	stored := storedKeys{Receiver: p.shown[p.roster().Receiver]}
	for _, holder := range p.roster().KeyHolders() {
		stored.Parts = append(stored.Parts, p.shown[holder])
	}
	value, err := cbor.Marshal(stored)
	if err != nil {
		return err
	}
	if err := p.storeHolding(ctx, own); err != nil {
		return err
	}
	return p.put(ctx, keysSlot, value) // last: with it the party is ready
}

// gatherPublic keeps what came, so that one party that is late has the others asked once.
func (p *Party) gatherPublic(ctx context.Context, t *transcript.Transcript, crs [32]byte) error {
	var names []string
	for _, name := range p.others(p.roster().Parties()) {
		if p.shown[name] == nil {
			names = append(names, name)
		}
	}
	got, err := gather(ctx, names, func(ctx context.Context, from string) ([]byte, error) { return p.fetchPublic(ctx, t, from, crs) })
	maps.Copy(p.shown, got)
	return err
}

func (p *Party) fetchPublic(ctx context.Context, t *transcript.Transcript, from string, crs [32]byte) ([]byte, error) {
	size := p.cfg.Params.PublicPartSize()
	if p.roster().Role(from) == transcript.Receiver {
		size = p.cfg.Params.PublicKeySize()
	}
	message, err := p.fetchKeyMessage(ctx, t, from, Item{Kind: PublicItem}, 0, size)
	if err != nil {
		return nil, err
	}
	if p.roster().Role(from) == transcript.Receiver {
		if _, err := p.cfg.Params.UnmarshalPublicKey(message); err != nil {
			return nil, violated("%s: receiver's key: %v", from, err)
		}
		return message, nil
	}
	part, err := p.cfg.Params.UnmarshalPublicPart(message)
	if err == nil {
		err = p.cfg.Params.CheckPublicPart(crs, p.context(from), part)
	}
	if err != nil {
		return nil, violated("%s: public part: %v", from, err)
	}
	return message, nil
}

// fetchKeyMessage asks for one of the messages that another's key entry commits to.
func (p *Party) fetchKeyMessage(ctx context.Context, t *transcript.Transcript, from string, item Item, index, size int) ([]byte, error) {
	messages := p.keyMessages(from)
	shown, err := p.fetch(ctx, from, item, shownSize(messages, size))
	if err != nil {
		return nil, err
	}
	message, err := openShown(t.Recorded(from, transcript.Key), messages, index, shown)
	if err != nil {
		return nil, fmt.Errorf("%s from %s: %w", item, from, err)
	}
	return message, nil
}

// gatherParts gets what the other owners dealt to this one.
func (p *Party) gatherParts(ctx context.Context, t *transcript.Transcript) error {
	if p.role() != transcript.Owner {
		return nil
	}
	var names []string
	for _, name := range p.others(p.roster().Owners) {
		if p.dealt[name] == nil {
			names = append(names, name)
		}
	}
	got, err := gather(ctx, names, func(ctx context.Context, from string) (*collective.SecretPart, error) {
		return p.fetchPart(ctx, t, from)
	})
	maps.Copy(p.dealt, got)
	return err
}

func (p *Party) fetchPart(ctx context.Context, t *transcript.Transcript, from string) (*collective.SecretPart, error) {
	own := p.point(p.cfg.Self)
	message, err := p.fetchKeyMessage(ctx, t, from, Item{Kind: PartItem}, int(own), p.cfg.Params.SecretPartSize())
	if err != nil {
		return nil, err
	}
	part, err := p.cfg.Params.UnmarshalSecretPart(message)
	clear(message)
	if err != nil {
		return nil, violated("%s: part for %s: %v", from, p.cfg.Self, err)
	}
	if part.From() != p.point(from) || part.To() != own {
		return nil, violated("%s: part for %s: it is from owner %d to owner %d", from, p.cfg.Self, part.From(), part.To())
	}
	return part, nil
}

func (p *Party) storeHolding(ctx context.Context, own *ownKey) error {
	if p.role() != transcript.Owner {
		return nil
	}
	var received []*collective.SecretPart
	for _, owner := range p.others(p.roster().Owners) {
		received = append(received, p.dealt[owner])
	}
	holding, err := p.cfg.Params.Gather(p.point(p.cfg.Self), own.dealt, received...)
	if err != nil {
		return violated("parts for %s: %v", p.cfg.Self, err)
	}
	value := holding.Marshal()
	defer clear(value)
	defer holding.Destroy()
	return p.put(ctx, holdingSlot, value)
}

// promisedReady also sees that an owner has its holding: without it, it is not ready.
func (p *Party) promisedReady(ctx context.Context) (transcript.Digest, error) {
	k, err := p.sessionKeys(ctx)
	if err != nil {
		return transcript.Digest{}, err
	}
	if p.role() == transcript.Owner {
		value, err := p.get(ctx, holdingSlot)
		if err != nil {
			return transcript.Digest{}, err
		}
		clear(value)
	}
	return k.digest(), nil
}

// sessionKeys computes the keys from what is stored.
func (p *Party) sessionKeys(ctx context.Context) (*keys, error) {
	if p.keys != nil {
		return p.keys, nil
	}
	value, err := p.get(ctx, keysSlot)
	if err != nil {
		return nil, err
	}
	var stored storedKeys
	if err := cbor.Unmarshal(value, &stored); err != nil {
		return nil, fmt.Errorf("reading the keys of session %s: %w", p.session, err)
	}
	k, err := p.computeKeys(ctx, &stored)
	if err != nil {
		return nil, fmt.Errorf("reading the keys of session %s: %w", p.session, err)
	}
	p.keys = k
	return k, nil
}

func (p *Party) computeKeys(ctx context.Context, stored *storedKeys) (*keys, error) {
	crs, err := p.crs(ctx)
	if err != nil {
		return nil, err
	}
	var parts []*collective.PublicPart
	for _, b := range stored.Parts {
		part, err := p.cfg.Params.UnmarshalPublicPart(b)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	k := &keys{}
	if k.collective, err = p.cfg.Params.PublicKey(crs, parts...); err != nil {
		return nil, err
	}
	k.receiver, err = p.cfg.Params.UnmarshalPublicKey(stored.Receiver)
	return k, err
}

// compareKeys ends a session whose parties computed different keys from what they were shown.
func (p *Party) compareKeys(_ context.Context, t *transcript.Transcript) error {
	own := t.Recorded(p.cfg.Self, transcript.Ready)
	if own == nil {
		return nil
	}
	for _, other := range p.others(p.roster().Parties()) {
		if e := t.Recorded(other, transcript.Ready); e != nil && e.Digest != own.Digest {
			return violated("%s is ready with other keys than %s", other, p.cfg.Self)
		}
	}
	return nil
}

package session

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// ownKey is what follows from a party's secret of a session: the same at every reading.
type ownKey struct {
	secret *collective.Secret
	nonces [32]byte
	public []byte                                      // an encoded public part, or the receiver's public key
	dealt  map[collective.Point]*collective.SecretPart // an owner's parts for all owners
	commitment
}

func (k *ownKey) destroy() {
	if k == nil {
		return
	}
	k.secret.Destroy()
	clear(k.nonces[:])
	for _, part := range k.dealt {
		part.Destroy()
	}
}

// nonce of one of the party's commitments.
func (k *ownKey) nonce(label string) [nonceSize]byte {
	mac := hmac.New(sha256.New, k.nonces[:])
	mac.Write([]byte(label))
	return [nonceSize]byte(mac.Sum(nil))
}

func keyNonce(index int) string { return "key " + strconv.Itoa(index) }

// makeKey decides whether to take part, and draws a secret.
func (p *Party) makeKey(ctx context.Context) error {
	o := p.opening
	if o.Params != p.cfg.Params.ID() {
		return violated("parameters are not %s", p.cfg.Params.ID())
	}
	if err := p.cfg.Params.CheckShape(p.shape()); err != nil {
		return violated("shape: %v", err)
	}
	if p.role() != transcript.Receiver { // whose key has nothing to do with the beacon: its entry is what makes the next block where nobody else records anything
		if _, err := p.readBeacon(ctx); err != nil {
			return err
		}
	}
	if err := p.cfg.Admit(ctx, p.session, o); errors.Is(err, ErrDeclined) {
		p.log.WarnContext(ctx, "not admitted", "error", err)
		return violated("declined")
	} else if err != nil {
		return fmt.Errorf("admitting: %w", err)
	}
	if err := p.put(ctx, expirySlot, strconv.AppendInt(nil, o.Expires, 10)); err != nil {
		return err
	}
	secret := collective.NewSecret()
	defer secret.Destroy()
	value := append(secret.Marshal(), make([]byte, 32)...)
	defer clear(value)
	_, _ = rand.Read(value[32:]) // never fails: it ends the program instead
	return p.put(ctx, secretSlot, value)
}

func (p *Party) promisedKey(ctx context.Context) (transcript.Digest, error) {
	k, err := p.key(ctx)
	if err != nil {
		return transcript.Digest{}, err
	}
	return k.digest(), nil
}

// key reads the secret, and makes again what follows from it.
func (p *Party) key(ctx context.Context) (*ownKey, error) {
	if p.own != nil {
		return p.own, nil
	}
	value, err := p.get(ctx, secretSlot)
	if err != nil {
		return nil, err
	}
	defer clear(value)
	if len(value) != 64 {
		return nil, fmt.Errorf("reading the secret of session %s: %d bytes, want 64", p.session, len(value))
	}
	k := &ownKey{nonces: [32]byte(value[32:]), commitment: commitment{session: p.session, party: p.cfg.Self, round: transcript.Key}}
	if k.secret, err = collective.UnmarshalSecret(value[:32]); err != nil {
		return nil, err
	}
	if err := p.derive(ctx, k); err != nil {
		return nil, fmt.Errorf("making the key of session %s: %w", p.session, err)
	}
	p.own = k
	return k, nil
}

func (p *Party) derive(ctx context.Context, k *ownKey) error {
	if err := p.derivePublic(ctx, k); err != nil {
		return err
	}
	k.add(k.nonce(keyNonce(0)), k.public)
	if p.role() != transcript.Owner {
		return nil
	}
	points := p.points(p.roster().Owners)
	var err error
	if k.dealt, err = p.cfg.Params.Split(k.secret, p.point(p.cfg.Self), p.opening.Roster.Threshold, points); err != nil {
		return err
	}
	for _, point := range points {
		part := k.dealt[point].Marshal()
		k.add(k.nonce(keyNonce(int(point))), part)
		clear(part)
	}
	return nil
}

func (p *Party) derivePublic(ctx context.Context, k *ownKey) error {
	if p.role() == transcript.Receiver {
		key, err := p.cfg.Params.ReceiverKey(k.secret)
		if err == nil {
			k.public = key.Marshal()
		}
		return err
	}
	crs, err := p.crs(ctx)
	if err != nil {
		return err
	}
	part, err := p.cfg.Params.PublicPart(crs, p.context(p.cfg.Self), k.secret)
	if err == nil {
		k.public = part.Marshal()
	}
	return err
}

// offerKey shows what was committed to, now that all have committed.
func (p *Party) offerKey(ctx context.Context) error {
	if p.offering(Item{Kind: PublicItem}) {
		return nil
	}
	k, err := p.key(ctx)
	if err != nil {
		return err
	}
	for _, owner := range p.others(p.roster().Owners) {
		if point := p.point(owner); k.dealt != nil {
			p.offer(Item{PartItem, owner}, []string{owner}, k.show(k.nonce(keyNonce(int(point))), k.dealt[point].Marshal()))
		}
	}
	p.offer(Item{Kind: PublicItem}, p.roster().Parties(), k.show(k.nonce(keyNonce(0)), k.public))
	return nil
}

// keyMessages is how many messages a party's key commits to.
func (p *Party) keyMessages(party string) int {
	if p.roster().Role(party) == transcript.Owner {
		return 1 + len(p.roster().Owners)
	}
	return 1
}

func (p *Party) point(owner string) collective.Point {
	return collective.Point(p.roster().Point(owner))
}

func (p *Party) points(owners []string) []collective.Point {
	var points []collective.Point
	for _, owner := range owners {
		points = append(points, p.point(owner))
	}
	return points
}

package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Slots of the store.
const (
	expirySlot     = "expires"    // key round, before the secret: until when the session can be answered
	secretSlot     = "secret"     // key round: 32 bytes the key follows from, 32 bytes the nonces follow from
	keysSlot       = "keys"       // ready: the public parts, the receiver's key
	holdingSlot    = "holding"    // ready: an owner's share of the owners' key
	inputSlot      = "input"      // input: what was encrypted, how, and what came out; others' have their owner's point after it
	activationSlot = "activation" // activate
	shareSlot      = "share"      // share
	resultSlot     = "result"     // result
	deliveredSlot  = "delivered"  // a mark
)

// make does what a round's entry is to say, and stores it. It is called only if nothing is stored, and nothing recorded.
func (p *Party) make(ctx context.Context, t *transcript.Transcript, round transcript.Round) error {
	switch round {
	case transcript.Key:
		return p.makeKey(ctx)
	case transcript.Ready:
		return p.makeReady(ctx, t)
	case transcript.Input:
		return p.makeInput(ctx)
	case transcript.Activate:
		return p.makeActivation(ctx, t)
	case transcript.Share:
		return p.makeShare(ctx, t)
	case transcript.Result:
		return p.makeResult(ctx, t)
	}
	return fmt.Errorf("round %s: nothing to make", round)
}

// promised is the entry that follows from what is stored; ErrAbsent if nothing is.
func (p *Party) promised(ctx context.Context, t *transcript.Transcript, round transcript.Round) (*transcript.Entry, error) {
	e := &transcript.Entry{Session: p.session, Party: p.cfg.Self, Round: round}
	var err error
	switch round {
	case transcript.Key:
		e.Digest, err = p.promisedKey(ctx)
	case transcript.Ready:
		e.Digest, err = p.promisedReady(ctx)
	case transcript.Input:
		e.Digest, e.Detail, err = p.promisedInput(ctx)
	case transcript.Close:
		err = p.closable(t)
	case transcript.Activate:
		e.Digest, e.Detail, err = p.promisedActivation(ctx)
	case transcript.Share:
		e.Digest, err = p.promisedShare(ctx)
	case transcript.Result:
		e.Digest, err = p.promisedResult(ctx, t)
	}
	return e, err
}

// honour compares what is recorded in this party's name with what it has stored. If they differ, the store is not the one that the party wrote its entry from, and what else was said in its name is not known here.
func (p *Party) honour(ctx context.Context, t *transcript.Transcript) error {
	for _, round := range transcript.Rounds() {
		recorded := t.Recorded(p.cfg.Self, round)
		if recorded == nil || p.honoured[round] || round == transcript.Close || round == transcript.Abort {
			continue
		}
		e, err := p.promised(ctx, t, round)
		if errors.Is(err, ErrAbsent) {
			return p.refuse(ctx, fmt.Sprintf("round %s is recorded, and not in the store: a restored backup, or one of two copies", round))
		}
		if err != nil {
			return err
		}
		if !e.Same(recorded) {
			return p.refuse(ctx, fmt.Sprintf("round %s is recorded otherwise than it is stored: one of two copies", round))
		}
		p.honoured[round] = true
	}
	return nil
}

// prepare sets what Serve gives at this phase: never what is committed to before all of its round are committed to, never anything that is not recorded.
func (p *Party) prepare(ctx context.Context, t *transcript.Transcript) error {
	phase := t.Phase()
	if phase == transcript.Preparation {
		return p.offerKey(ctx)
	}
	p.withdraw(PublicItem, PartItem) // everyone has stored them
	if t.Recorded(p.roster().Receiver, transcript.Close) == nil {
		return nil
	}
	if phase == transcript.Activation && p.role() == transcript.Owner {
		p.offer(Item{Kind: AliveItem}, []string{p.roster().Receiver}, []byte{1})
	}
	if err := p.offerInputs(ctx, t); err != nil {
		return err
	}
	if t.Recorded(p.cfg.Self, transcript.Share) != nil {
		return p.offerShare(ctx)
	}
	return nil
}

// others are the parties of a list without this one.
func (p *Party) others(parties []string) []string {
	return slices.DeleteFunc(slices.Clone(parties), func(s string) bool { return s == p.cfg.Self })
}

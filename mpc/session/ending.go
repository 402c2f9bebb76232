package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Abort ends the session for everyone, if it is not answered yet. The reason is recorded for all to read: printable, 256 bytes of it.
func (p *Party) Abort(ctx context.Context, reason string) error {
	return p.abort(ctx, reason) // a step that is under way may take long
}

func (p *Party) abort(ctx context.Context, reason string) error {
	return p.post(ctx, &transcript.Entry{Session: p.session, Party: p.cfg.Self, Round: transcript.Abort, Detail: transcript.Reason(reason)})
}

// finish ends a session that the ledger has ended: the receiver delivers its result; keys are destroyed; what was encrypted and how is kept for a dispute until the session expires.
func (p *Party) finish(ctx context.Context, t *transcript.Transcript) error {
	p.forget()
	p.withdraw(PublicItem, PartItem, ShareItem, AliveItem)
	err := p.conclude(ctx, t)
	if errors.Is(err, ErrDestroyed) {
		return nil // it was concluded, or refused
	}
	return err
}

func (p *Party) conclude(ctx context.Context, t *transcript.Transcript) error {
	if err := p.destroyKeys(ctx); err != nil { // first: a result that nobody takes is no reason to keep them
		return err
	}
	if p.role() == transcript.Receiver && t.Phase() == transcript.Answered {
		if err := p.deliver(ctx, t); err != nil {
			return err
		}
	}
	if p.expired() {
		return p.destroyAll(ctx)
	}
	if t.Recorded(p.roster().Receiver, transcript.Close) == nil {
		return nil
	}
	return p.offerInputs(ctx, t)
}

func (p *Party) destroyKeys(ctx context.Context) error {
	return DestroyKeys(ctx, p.cfg.Store, p.session)
}

// destroyed tells a session that this party has left from one that it has seen the end of, in another process or an earlier one: of that only the keys are destroyed, and a ledger
// that is behind will show the end. What is kept for a dispute stays.
func (p *Party) destroyed(ctx context.Context) error {
	_, err := p.get(ctx, deliveredSlot) // is never destroyed by itself
	if errors.Is(err, ErrDestroyed) {
		return p.refuse(ctx, "this party's part of it is destroyed")
	}
	if err != nil && !errors.Is(err, ErrAbsent) {
		return err
	}
	p.forget()
	p.withdraw(PublicItem, PartItem, ShareItem, AliveItem)
	p.note(func(s *State) { s.Waiting = []string{"the ledger to show the end: the keys are destroyed"} })
	return nil
}

// Expire destroys the keys of a session that has expired by the party's own clock, and shows nothing more that was made with them. It does not ask the ledger, which may not answer. A step that is
// under way is waited for.
func (p *Party) Expire(ctx context.Context) error {
	p.stepping.Lock()
	defer p.stepping.Unlock()
	return p.expireBlind(ctx)
}

// expireBlind destroys keys when the session has expired and the ledger does not answer, or is not believed: no entry can need them any more. What else is kept waits for the ledger:
// there may be a result to deliver.
func (p *Party) expireBlind(ctx context.Context) error {
	if p.opening == nil || !p.expired() {
		return nil
	}
	p.forget()
	p.withdraw(PublicItem, PartItem, ShareItem, AliveItem)
	if _, err := p.get(ctx, shareSlot); errors.Is(err, ErrDestroyed) {
		return nil // done before, and repeated when the ledger shows the end
	}
	return p.destroyKeys(ctx)
}

func (p *Party) expired() bool { return p.cfg.Now().Unix() > p.opening.Expires }

func (p *Party) destroyAll(ctx context.Context) error {
	p.forget()
	p.withdraw(PublicItem, PartItem, InputItem, ShareItem, AliveItem)
	if err := p.cfg.Store.Destroy(ctx, p.session); err != nil {
		return fmt.Errorf("destroying session %s: %w", p.session, err)
	}
	return nil
}

// expire ends a session that was not answered in time.
func (p *Party) expire(ctx context.Context) error {
	if err := p.destroyAll(ctx); err != nil {
		return err
	}
	return p.leave(ctx, Expired, fmt.Sprintf("not answered until %d", p.opening.Expires))
}

// refuse ends this party's part of a session that goes on without it. It records nothing: another may be speaking in its name.
func (p *Party) refuse(ctx context.Context, reason string) error {
	p.log.ErrorContext(ctx, "refusing the session for good", "reason", reason)
	if err := p.destroyAll(ctx); err != nil {
		return err
	}
	return p.leave(ctx, Refused, reason)
}

func (p *Party) leave(ctx context.Context, phase transcript.Phase, reason string) error {
	p.log.WarnContext(ctx, "over", "phase", phase, "reason", reason)
	p.note(func(s *State) { s.Phase, s.Reason, s.Waiting = phase, reason, nil })
	return nil
}

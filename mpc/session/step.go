package session

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Step does what is next for this party, if anything is, and says how the session stands. An error is something to try again, as is a state that is not over. A session's
// step that is under way is waited for.
func (p *Party) Step(ctx context.Context) (State, error) {
	p.stepping.Lock()
	defer p.stepping.Unlock()
	if s := p.State(); s.Phase == Refused || s.Phase == Expired {
		return s, nil
	}
	t, err := p.read(ctx)
	if err != nil {
		return p.State(), fmt.Errorf("session %s: %w", p.session, errors.Join(err, p.expireBlind(ctx)))
	}
	p.see(ctx, t)
	err = p.judge(ctx, t, p.proceed(ctx, t))
	return p.State(), err
}

// judge tells errors to try again from what is no error of this step, and from what ends the session.
func (p *Party) judge(ctx context.Context, t *transcript.Transcript, err error) error {
	var wait waiting
	var broken *violation
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wait):
		p.note(func(s *State) { s.Waiting = wait })
		return nil
	case errors.Is(err, ErrDestroyed):
		return p.destroyed(ctx)
	case errors.As(err, &broken):
		p.log.WarnContext(ctx, "ending the session", "reason", broken.reason)
		return p.abort(ctx, broken.reason)
	}
	return fmt.Errorf("session %s, phase %s: %w", p.session, t.Phase(), err)
}

func (p *Party) proceed(ctx context.Context, t *transcript.Transcript) error {
	switch {
	case t.End() != nil:
		return p.finish(ctx, t)
	case p.cfg.Now().Unix() > t.Opening.Expires:
		return p.expire(ctx)
	}
	if err := p.honour(ctx, t); err != nil || p.State().Over() {
		return err
	}
	if err := p.compareKeys(ctx, t); err != nil {
		return err
	}
	if err := p.prepare(ctx, t); err != nil {
		return err
	}
	return p.act(ctx, t)
}

// act makes this party's entry for the phase, if it owes one.
func (p *Party) act(ctx context.Context, t *transcript.Transcript) error {
	round, owed := p.owes(t)
	if !owed {
		return waiting(t.Missing())
	}
	e, err := p.promised(ctx, t, round)
	if errors.Is(err, ErrAbsent) {
		if err = p.make(ctx, t, round); err == nil {
			e, err = p.promised(ctx, t, round)
		}
	}
	if err != nil {
		return err
	}
	return p.post(ctx, e)
}

// owes is the entry that the phase waits for from this party.
func (p *Party) owes(t *transcript.Transcript) (transcript.Round, bool) {
	var round transcript.Round
	switch t.Phase() {
	case transcript.Keys:
		round = transcript.Key
	case transcript.Preparation:
		round = transcript.Ready
	case transcript.Collection:
		if round = transcript.Input; p.role() == transcript.Receiver {
			round = transcript.Close
		}
	case transcript.Activation:
		round = transcript.Activate
	case transcript.Switching:
		round = transcript.Share
	case transcript.Answer:
		round = transcript.Result
	}
	return round, p.expected(t, round) && t.Recorded(p.cfg.Self, round) == nil
}

// expected says whether the round is this party's at all.
func (p *Party) expected(t *transcript.Transcript, round transcript.Round) bool {
	switch round {
	case transcript.Key, transcript.Ready:
		return true
	case transcript.Input:
		return p.role() == transcript.Owner
	case transcript.Close, transcript.Activate, transcript.Result:
		return p.role() == transcript.Receiver
	case transcript.Share:
		return slices.Contains(t.Openers(), p.cfg.Self)
	}
	return false
}

func (p *Party) post(ctx context.Context, e *transcript.Entry) error {
	err := p.cfg.Board.Post(ctx, *e)
	if errors.Is(err, transcript.ErrRepeated) {
		p.note(func(s *State) { s.Waiting = []string{"the ledger to show " + string(e.Round)} })
		return nil // what this party sees of the ledger is behind: to look again at once is to say it again and again
	}
	if err != nil {
		return fmt.Errorf("recording %s: %w", e.Round, err) // the next step sees what is recorded
	}
	p.log.InfoContext(ctx, "recorded", "round", e.Round, "digest", e.Digest)
	p.note(func(s *State) { s.posted = true })
	return nil
}

package scoring

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

// outcome is what came of a query: an answer, or why there is none and will be none.
type outcome struct {
	Session commit.Digest `json:"session"`
	Salt    commit.Digest `json:"salt"`
	Answer  *query.Answer `json:"answer,omitempty"`
	Failed  string        `json:"failed,omitempty"`
}

const maxOutcome = query.MaxAnswer + 4<<10

// digest is what the ledger records of an outcome. It tells nothing without the salt, not even whether there is an answer.
func (o *outcome) digest() commit.Digest {
	shown := []byte(o.Failed)
	if o.Answer != nil {
		shown = o.Answer.Encode()
	}
	return commit.Digest(transcript.Hash("assay/score/result/1", o.Session[:], o.Salt[:], shown))
}

// outcome reads what is kept of a query, or nil.
func (l *Lender) outcome(ctx context.Context, of commit.Digest) (*outcome, error) {
	b, err := l.get(ctx, of, resultSlot)
	if err != nil || b == nil {
		return nil, err
	}
	return ledger.Decode[outcome]("result", b, maxOutcome)
}

// Result is what the lender learned from a query: ErrNoResult until something is kept, ErrFailed if it is no answer.
func (l *Lender) Result(ctx context.Context, of commit.Digest) (*query.Answer, error) {
	o, err := l.outcome(ctx, of)
	switch {
	case err != nil:
		return nil, err
	case o == nil:
		return nil, ErrNoResult
	case o.Answer == nil:
		return nil, fmt.Errorf("%w: %s", ErrFailed, o.Failed)
	}
	return o.Answer, nil
}

// open fetches the answer that is recorded, opens it, and keeps what came out before anything else happens. An answer that does not open is kept as that: whether it did is not for its owner to know.
func (l *Lender) open(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState, d sealed, answer *ledger.SessionEntry) (Standing, error) {
	shape, err := query.Shape(&e.Record.Query)
	if err != nil {
		return Standing{}, err
	}
	m, err := l.model(ctx, e)
	if errors.Is(err, ErrNoModel) {
		return l.leave(ctx, s, ErrNoModel.Error())
	}
	if err != nil {
		return Standing{}, err
	}
	b, err := l.fetch(ctx, answer.Party, s.ID, ItemAnswer, score.AnswerSize(shape), answer.Digest)
	if err != nil && l.pastLate(s) {
		return l.leave(ctx, s, "the owner recorded an answer, and did not show it")
	}
	if err != nil {
		return waiting(ledger.RoundResult, "%s to show its answer: %v", answer.Party, err), ctx.Err()
	}
	o := &outcome{Session: s.ID}
	_, _ = rand.Read(o.Salt[:])
	if o.Answer, o.Failed, err = l.opened(e, s, m, d, b); err != nil {
		return Standing{}, err
	}
	kept, err := l.put(ctx, e.ID, resultSlot, ledger.Encode(o))
	if err != nil {
		return Standing{}, err
	}
	if o, err = ledger.Decode[outcome]("result", kept, maxOutcome); err != nil {
		return Standing{}, err
	}
	l.Log.InfoContext(ctx, "a score's answer is opened", "session", s.ID, "query", e.ID, "good", o.Answer != nil)
	return l.conclude(ctx, s, o)
}

// opened is an answer, or why there is none. An error is this node's own.
func (l *Lender) opened(e *ledger.QueryEntry, s *ledger.SessionState, m *score.Model, d sealed, b []byte) (a *query.Answer, failed string, err error) {
	key, err := score.ParseSecret(d.secret)
	if err != nil {
		return nil, "", err
	}
	defer key.Destroy()
	answer, err := score.ParseAnswer(b)
	if err != nil {
		return nil, err.Error(), nil
	}
	r, err := key.Open(answer)
	if err != nil {
		return nil, err.Error(), nil
	}
	if a, err = query.ScoreAnswer(e, &s.Session, m, r); err != nil {
		return nil, err.Error(), nil // what an owner can bring about must not be tried for ever: that would tell it
	}
	return a, "", nil
}

// conclude records the digest of what is kept, and destroys what it came from.
func (l *Lender) conclude(ctx context.Context, s *ledger.SessionState, o *outcome) (Standing, error) {
	recorded := s.Entry(l.Self, ledger.RoundResult)
	if recorded == nil && !aborted(s) {
		if err := l.post(ctx, s, ledger.RoundResult, o.digest()); err != nil {
			return waiting(ledger.RoundResult, "the ledger to record the result"), err
		}
	}
	if recorded != nil && recorded.Digest != o.digest() {
		l.Log.ErrorContext(ctx, "a score's result is recorded otherwise than it is kept: this node is one of two copies", "session", s.ID)
	}
	l.offers.withdraw(s.ID)
	if err := l.destroy(ctx, s.ID); err != nil {
		return Standing{}, err
	}
	if err := l.Forget(ctx, s.Session.Query); err != nil {
		return Standing{}, err
	}
	return Standing{Phase: ledger.RoundResult, Done: true, Reason: o.Failed}, nil
}

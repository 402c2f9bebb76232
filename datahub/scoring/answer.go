package scoring

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"

	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/privacy"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
)

// momentsSlot is the one of an owner's store that is a query's: a byte that says what follows, and the moments if there are any.
const momentsSlot = "score-moments"

const (
	keptExact  = 'e'
	keptNoised = 'n'
	keptNone   = '-' // too few batteries
)

// withheld is why an owner ends a session if the records are the reason, or what it said before. It must not say which.
const withheld = "the owner gives no answer to this query"

// refusal ends the session with a reason for all to read.
type refusal struct{ reason string }

func (r *refusal) Error() string { return r.reason }

func refused(format string, args ...any) error { return &refusal{fmt.Sprintf(format, args...)} }

// absence is that the other side does not bring something.
type absence struct{ error }

// answer makes the answer and keeps it, or returns the one that was kept first.
func (o *Owner) answer(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState, recorded *ledger.SessionEntry) ([]byte, error) {
	owner, shape, err := o.terms(e)
	if err != nil {
		return nil, err
	}
	request, err := o.request(ctx, s, shape, recorded)
	if err != nil {
		return nil, err
	}
	moments, err := o.moments(ctx, e, owner, shape)
	if err != nil {
		return nil, err
	}
	answer, err := owner.Answer(request, score.Context(s.ID), moments)
	if err != nil {
		return nil, err
	}
	b, err := answer.MarshalBinary()
	if err != nil {
		return nil, err
	}
	return o.put(ctx, s.ID, answerSlot, b)
}

// terms are what this owner answers with, and what the query says of the model. What it refuses here, it refuses by what everybody can read, and its own steps.
func (o *Owner) terms(e *ledger.QueryEntry) (*score.Owner, score.Shape, error) {
	q := &e.Record.Query
	if why := query.Unanswerable(e, e.Answers[0].Settled.Enrolled, e.Answers[0].Settled.Attested); len(why) > 0 {
		return nil, score.Shape{}, refused("%s", why[0])
	}
	shape, err := query.Shape(q)
	if err != nil {
		return nil, score.Shape{}, refused("%v", err)
	}
	owner := &score.Owner{Least: int(q.MinimumCohort)}
	if owner.Lanes, err = query.Lanes(q.Schema, o.steps[q.Parts[0].Fleet]); err != nil {
		return nil, score.Shape{}, err
	}
	if err := owner.Admit(shape); err != nil {
		return nil, score.Shape{}, refused("%v", err)
	}
	owner.Noise, err = noise(q)
	return owner, shape, err
}

// noise is what a query with an epsilon is answered with. Each sum changes by at most 1 with a battery, and all may.
func noise(q *ledger.Query) (func([]float64) error, error) {
	epsilon, delta, err := q.Privacy()
	if err != nil || q.Epsilon == "" {
		return nil, err
	}
	budget := privacy.Budget{EpsilonMillionths: epsilon, DeltaTrillionths: delta}
	return func(sums []float64) error {
		noised, _, err := privacy.Noise(sums, len(sums), 1, budget)
		copy(sums, noised)
		return err
	}, nil
}

// request fetches what the lender recorded the digest of, and holds it against session and query.
func (o *Owner) request(ctx context.Context, s *ledger.SessionState, shape score.Shape, recorded *ledger.SessionEntry) (*score.Request, error) {
	b, err := o.fetch(ctx, recorded.Party, s.ID, ItemRequest, score.RequestSize(shape), recorded.Digest)
	if errors.Is(err, errOther) {
		return nil, refused("%s shows another request than it recorded", recorded.Party)
	}
	if err != nil {
		return nil, &absence{err}
	}
	q, err := score.ParseRequest(b)
	switch {
	case err != nil:
		return nil, refused("what %s recorded is no request: %v", recorded.Party, err)
	case !reflect.DeepEqual(q.Shape, shape):
		return nil, refused("the request of %s is of another shape than the query states", recorded.Party)
	case q.Context != score.Context(s.ID):
		return nil, refused("the request of %s is for another session", recorded.Party)
	}
	return q, nil
}

// moments are the query's, collected and kept when they are first needed.
func (o *Owner) moments(ctx context.Context, e *ledger.QueryEntry, owner *score.Owner, shape score.Shape) (*score.Moments, error) {
	b, err := o.get(ctx, e.ID, momentsSlot)
	if err == nil && b == nil {
		b, err = o.collect(ctx, e, owner, shape)
	}
	if errors.Is(err, session.ErrDestroyed) {
		return nil, refused(withheld)
	}
	if err != nil {
		return nil, err
	}
	defer clear(b)
	want := byte(keptExact)
	if owner.Noise != nil {
		want = keptNoised
	}
	switch {
	case len(b) == 1 && b[0] == keptNone:
		return nil, refused(withheld)
	case len(b) < 1 || b[0] != want:
		return nil, fmt.Errorf("query %s: what is kept of it are no moments with the noise that it asks for", e.ID)
	}
	return score.ParseMoments(b[1:], shape)
}

// collect adds up the records, with the query's noise, and keeps what comes of it, or that they are too few: what is drawn once is not drawn again.
func (o *Owner) collect(ctx context.Context, e *ledger.QueryEntry, owner *score.Owner, shape score.Shape) ([]byte, error) {
	kind := byte(keptExact)
	if owner.Noise != nil {
		kind = keptNoised
	}
	m, err := owner.Collect(shape, query.ScoreRecords(e, o.records(ctx, e, e.Record.Query.Parts[0].Fleet)))
	switch {
	case errors.Is(err, desk.ErrGone):
		return nil, refused("%v", desk.ErrGone)
	case errors.Is(err, score.ErrCohort):
		return o.put(ctx, e.ID, momentsSlot, []byte{keptNone})
	case err != nil:
		return nil, err
	}
	b, err := m.MarshalBinary()
	if err != nil {
		return nil, err
	}
	defer clear(b)
	value := append([]byte{kind}, b...)
	defer clear(value)
	return o.put(ctx, e.ID, momentsSlot, value)
}

// say records the answer that is kept, and shows it from then on.
func (o *Owner) say(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState, kept []byte) (Standing, error) {
	if err := o.post(ctx, s, ledger.RoundAnswer, sha256.Sum256(kept)); err != nil {
		return waiting(ledger.RoundAnswer, "the ledger to record the answer"), err
	}
	return o.show(ctx, e, s)
}

// answered shows the answer that is recorded, if it is the one that is kept, until the lender has it. Else this store is not the one that the answer was recorded from: what was said besides is
// not known here, and nothing more is.
func (o *Owner) answered(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState, recorded *ledger.SessionEntry) (Standing, error) {
	switch {
	case s.Entry(s.Session.Receiver, ledger.RoundResult) != nil:
		return o.end(ctx, e, s, "")
	case o.pastLate(s):
		return o.end(ctx, e, s, "the lender did not fetch the answer")
	case o.offers.has(s.ID):
		return waiting(ledger.RoundResult, "%s to fetch the answer", s.Session.Receiver), nil
	}
	kept, err := o.get(ctx, s.ID, answerSlot)
	switch {
	case errors.Is(err, session.ErrDestroyed), err == nil && commit.Digest(sha256.Sum256(kept)) != recorded.Digest:
		o.Log.ErrorContext(ctx, "refusing a score's session for good: its answer is recorded, and not, or not so, in the store: a restored backup, or one of two copies", "session", s.ID)
		return o.end(ctx, e, s, "an answer is recorded that is not in the store: a restored backup, or one of two copies")
	case err != nil:
		return Standing{}, err
	}
	return o.show(ctx, e, s)
}

// show offers what is recorded. The moments are of no more use: the ledger takes no other answer.
func (o *Owner) show(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState) (Standing, error) {
	if err := o.Forget(ctx, e.ID); err != nil {
		return Standing{}, err
	}
	o.offers.put(s.ID, ItemAnswer, s.Session.Receiver, func(ctx context.Context) ([]byte, error) {
		return o.Store.Get(ctx, storeID(s.ID), answerSlot)
	})
	return waiting(ledger.RoundResult, "%s to fetch the answer", s.Session.Receiver), nil
}

// refuse ends the session, and with that this owner's part in the query.
func (o *Owner) refuse(ctx context.Context, s *ledger.SessionState, reason string) (Standing, error) {
	o.Log.WarnContext(ctx, "ending a score's session", "session", s.ID, "reason", reason)
	if err := o.abort(ctx, s, reason); err != nil {
		return Standing{}, err
	}
	return o.leave(ctx, s, reason)
}

// end destroys the session and the query's moments.
func (o *Owner) end(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState, reason string) (Standing, error) {
	if err := o.Forget(ctx, e.ID); err != nil {
		return Standing{}, err
	}
	standing, err := o.leave(ctx, s, reason)
	if reason == "" {
		standing.Phase = ledger.RoundResult
	}
	return standing, err
}

// leave destroys what there is of the session here.
func (o *Owner) leave(ctx context.Context, s *ledger.SessionState, reason string) (Standing, error) {
	o.offers.withdraw(s.ID)
	if err := o.destroy(ctx, s.ID); err != nil {
		return Standing{}, err
	}
	return Standing{Phase: ledger.RoundAbort, Done: true, Reason: reason}, nil
}

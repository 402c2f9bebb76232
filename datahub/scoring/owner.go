package scoring

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// answerSlot is the one of an owner's store that is a session's.
const answerSlot = "score-answer"

// Records gives what a fleet's anchors of an epoch commit to, chunk by chunk. desk.ErrGone says that there is nothing of it any more.
type Records func(ctx context.Context, e *ledger.QueryEntry, fleet string) iter.Seq2[[]record.Record, error]

// Owner is the side that has the batteries. It is safe for concurrent use.
type Owner struct {
	Node
	records Records
	steps   map[string]map[string]string
	offers  offers
}

// NewOwner makes one. steps are, of a fleet and a lane, what the bounds of a score's features are multiples of: see query.Lanes.
func NewOwner(n Node, records Records, steps map[string]map[string]string) (*Owner, error) {
	n, err := n.withDefaults()
	if err == nil && records == nil {
		err = errors.New("scoring: an owner needs records")
	}
	return &Owner{Node: n, records: records, steps: steps}, err
}

// Serve gives the lender the answer. It is session.ErrNotYet until a step of this process recorded it, or saw it recorded, and session.ErrForbidden to others.
func (o *Owner) Serve(ctx context.Context, caller string, id commit.Digest, item string) ([]byte, error) {
	return o.offers.serve(ctx, caller, id, item)
}

// Forget destroys the moments of a query that has expired. A step that sees an answer recorded, or the end, does so by itself.
func (o *Owner) Forget(ctx context.Context, of commit.Digest) error {
	return o.destroy(ctx, of, momentsSlot)
}

// Step does what is next for the owner in a session of a query that it approved, as both are recorded. An error is something to try again, and so is a standing that is not done.
func (o *Owner) Step(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState) (Standing, error) {
	if err := o.check(e, s); err != nil {
		return Standing{}, err
	}
	standing, err := o.step(ctx, e, s)
	if err != nil {
		return standing, fmt.Errorf("session %s: %w", s.ID, err)
	}
	return standing, nil
}

func (o *Owner) check(e *ledger.QueryEntry, s *ledger.SessionState) error {
	if err := checkSession(e, s); err != nil {
		return err
	}
	if ownerOf(s) != o.Self || s.Session.Seats[0].Fleet != e.Record.Query.Parts[0].Fleet {
		return fmt.Errorf("session %s: it is not %s that answers in it", s.ID, o.Self)
	}
	if len(e.Answers) != 1 || !e.Answers[0].Decision.Approved || e.Answers[0].Settled == nil {
		return fmt.Errorf("session %s: its query is not approved", s.ID)
	}
	return nil
}

func (o *Owner) step(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState) (Standing, error) {
	if recorded := s.Entry(o.Self, ledger.RoundAnswer); recorded != nil {
		return o.answered(ctx, e, s, recorded)
	}
	switch {
	case answeredIn(e, s):
		return waiting(ledger.RoundResult, "the ledger to show the answer that it has"), nil
	case e.Activated != nil:
		return o.leave(ctx, s, elsewhere)
	case o.unsettled(s):
		return waiting(ledger.RoundAnswer, "the ledger to be done with what was recorded at the last moment"), nil
	case s.Status == ledger.SessionExpired: // as the query has
		return o.end(ctx, e, s, unanswered)
	case s.Status != ledger.SessionOpen:
		return o.leave(ctx, s, unanswered)
	case slices.ContainsFunc(e.Sessions, func(h ledger.SessionHead) bool {
		return h.ID != s.ID && h.End != nil && h.End.Round == ledger.RoundAbort && h.End.Party == o.Self
	}):
		return o.refuse(ctx, s, withheld)
	}
	request := s.Entry(s.Session.Receiver, ledger.RoundRequest)
	if request == nil {
		return waiting(ledger.RoundRequest, "the request of %s", s.Session.Receiver), nil
	}
	kept, err := o.get(ctx, s.ID, answerSlot)
	if errors.Is(err, session.ErrDestroyed) {
		return o.refuse(ctx, s, withheld)
	}
	if err == nil && kept == nil {
		kept, err = o.answer(ctx, e, s, request)
	}
	var no *refusal
	var wait *absence
	switch {
	case errors.As(err, &no):
		return o.refuse(ctx, s, no.reason)
	case errors.As(err, &wait):
		return waiting(ledger.RoundAnswer, "%s to show its request: %v", s.Session.Receiver, wait.error), ctx.Err()
	case err != nil:
		return Standing{}, err
	}
	return o.say(ctx, e, s, kept)
}

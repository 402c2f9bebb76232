package party

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// KeepModel keeps the model of a score, which its node must have before the query is asked. The first wins: another is an error.
func (m *Manager) KeepModel(ctx context.Context, of commit.Digest, model []byte) error {
	if err := m.know(ctx, of); err != nil {
		return err
	}
	m.add(of, m.Organisation.ID) // to be seen to its end, whatever becomes of it
	return m.lender.KeepModel(ctx, of, model)
}

// stepScore takes a score's session further, on the side that this node is on.
func (m *Manager) stepScore(ctx context.Context, e *ledger.QueryEntry, s *seat) error {
	state, err := m.Book.SessionState(ctx, s.id)
	if err != nil {
		return err
	}
	var standing scoring.Standing
	if s.role == transcript.Receiver {
		standing, err = m.lender.Step(ctx, e, &state)
	} else {
		standing, err = m.owner.Step(ctx, e, &state)
	}
	var waiting []string
	if standing.Waiting != "" {
		waiting = []string{standing.Waiting}
	}
	if err != nil {
		return err
	}
	m.note(s, string(standing.Phase), waiting, standing.Reason)
	if standing.Done {
		m.finish(s, string(standing.Phase))
	}
	return nil
}

// scored are the records that a score is of.
func (m *Manager) scored(ctx context.Context, e *ledger.QueryEntry, fleet string) iter.Seq2[[]record.Record, error] {
	answer := answerOf(e, fleet)
	if answer == nil || answer.Settled == nil {
		return failing(fmt.Errorf("the part about fleet %s is not approved", fleet))
	}
	chunks, err := m.chunks(ctx, fleet, e.Record.Query.Epoch, answer.Settled)
	if err != nil {
		return failing(err)
	}
	return chunks
}

func failing(err error) iter.Seq2[[]record.Record, error] {
	return func(yield func([]record.Record, error) bool) { yield(nil, err) }
}

// futileScore says why no further session of a score can answer it. An owner that ended one takes part in no other.
func (m *Manager) futileScore(ctx context.Context, e *ledger.QueryEntry) (string, error) {
	for i := range e.Sessions {
		if end := e.Sessions[i].End; end != nil && end.Party != m.Organisation.ID {
			return end.Party + " ended a session of it", nil
		}
	}
	if err := m.lender.CheckModel(ctx, e); errors.Is(err, scoring.ErrNoModel) {
		return err.Error(), nil
	} else if err != nil {
		return "", err
	}
	return "", nil
}

// forgetScore destroys what is kept under the query's id for a score that is over.
func (m *Manager) forgetScore(ctx context.Context, e *ledger.QueryEntry, role transcript.Role) error {
	if e.Record.Query.Kind != ledger.QueryScore {
		return nil
	}
	if role == transcript.Receiver {
		return m.lender.Forget(ctx, e.ID)
	}
	return m.owner.Forget(ctx, e.ID)
}

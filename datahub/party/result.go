package party

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

// learned is what the requester keeps of a federated query's result: with session, owners, totals and salt it can show that this is what the ledger has the digest of.
type learned struct {
	Session commit.Digest   `json:"session"`
	Owners  []string        `json:"owners"`
	Totals  []*big.Int      `json:"totals"`
	Salt    []byte          `json:"salt"`
	Answer  json.RawMessage `json:"answer,omitempty"`
	// Failure is why there is no answer, for good: of totals that are no sum of honest parts.
	Failure string `json:"failure,omitempty"`
}

// deliver keeps what a party opened, for this node's people. The first is kept: there is no other, as one session of a query names a sum.
func (m *Manager) deliver(ctx context.Context, s *seat, r *session.Result) error {
	e, err := m.Book.QueryEntry(ctx, s.query)
	if err != nil {
		return err
	}
	l := learned{Session: s.id, Owners: r.Owners, Totals: r.Totals, Salt: r.Salt[:]}
	a, err := query.Read(&e, &s.session, r.Owners, r.Totals)
	switch {
	case errors.Is(err, federated.ErrOpening):
		l.Failure = federated.ErrOpening.Error()
	case err != nil:
		return err
	default:
		l.Answer = a.Encode()
	}
	value, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err = m.queries.Put(ctx, transcript.ID(s.query), resultSlot, value); err == nil {
		m.Logger.InfoContext(ctx, "a query is answered", "query", s.query, "session", s.id, "owners", r.Owners, "readable", l.Failure == "")
	}
	return err
}

// Result is what this node, the requester's, learned from a query: ErrNoResult until there is one, and ErrUnreadable if what was opened is no answer.
func (m *Manager) Result(ctx context.Context, of commit.Digest) (*query.Answer, error) {
	kept, err := m.queries.Get(ctx, transcript.ID(of), resultSlot)
	if errors.Is(err, session.ErrAbsent) || errors.Is(err, session.ErrDestroyed) {
		return m.scoreResult(ctx, of)
	}
	if err != nil {
		return nil, fmt.Errorf("result of query %s: %w", of, err)
	}
	var l learned
	if err := json.Unmarshal(kept, &l); err != nil {
		return nil, fmt.Errorf("result of query %s: not as it is kept", of)
	}
	if l.Failure != "" {
		return nil, fmt.Errorf("result of query %s: %w: %s", of, ErrUnreadable, l.Failure)
	}
	return query.ParseAnswer(l.Answer)
}

func (m *Manager) scoreResult(ctx context.Context, of commit.Digest) (*query.Answer, error) {
	a, err := m.lender.Result(ctx, of)
	switch {
	case errors.Is(err, scoring.ErrNoResult):
		return nil, fmt.Errorf("query %s: %w", of, ErrNoResult)
	case errors.Is(err, scoring.ErrFailed):
		return nil, fmt.Errorf("result of query %s: %w: %w", of, ErrUnreadable, err)
	}
	return a, err
}

// conclude destroys what is kept for a query that nothing is left to do for, and reports whether it is so. Results are kept.
func (m *Manager) conclude(ctx context.Context, e *ledger.QueryEntry, role transcript.Role) (bool, error) {
	if m.Now().Unix() < e.Record.Query.Expiry && e.Status != ledger.QueryRefused {
		return false, nil
	}
	for i := range e.Sessions {
		m.mu.Lock()
		s := m.seats[e.Sessions[i].ID]
		m.mu.Unlock()
		if s != nil && !s.gone {
			return false, nil
		}
	}
	if err := m.forgetScore(ctx, e, role); err != nil {
		return false, err
	}
	return true, m.unknow(ctx, e.ID, role != transcript.Receiver)
}

// unknow ends what know began, and with it all that is kept of the query.
func (m *Manager) unknow(ctx context.Context, id commit.Digest, all bool) error {
	_, err := m.queries.Get(ctx, transcript.ID(id), knownSlot)
	if errors.Is(err, session.ErrAbsent) || errors.Is(err, session.ErrDestroyed) {
		return nil
	}
	slots := []string{knownSlot}
	if all {
		slots = nil
	}
	if err := m.queries.Destroy(ctx, transcript.ID(id), slots...); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.known, id)
	return nil
}

// orphaned is how long a model is kept for a query that is not on the ledger: it is kept before the query is asked.
const orphaned = time.Hour

// neverAsked destroys what is kept of a query that the ledger does not have, if it is old, and reports whether it did.
func (m *Manager) neverAsked(ctx context.Context, id commit.Digest) (bool, error) {
	since, err := m.queries.Get(ctx, transcript.ID(id), knownSlot)
	if errors.Is(err, session.ErrAbsent) || errors.Is(err, session.ErrDestroyed) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if at, err := time.Parse(time.RFC3339, string(since)); err == nil && m.Now().Before(at.Add(orphaned)) {
		return false, nil
	}
	if err := m.lender.Forget(ctx, id); err != nil {
		return false, err
	}
	return true, m.unknow(ctx, id, true)
}

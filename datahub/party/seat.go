package party

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

// seat is this node's place in one session of a query. Its fields are those of whoever works on the query, but for state, party and early, which the manager's lock guards.
type seat struct {
	id      commit.Digest
	query   commit.Digest
	session ledger.Session
	role    transcript.Role
	fleet   string
	// seen is when this node first saw the session, doubted since when the ledger says no to what it approved.
	seen, doubted time.Time
	// pace is how long the session was left alone after something was asked for too early.
	pace time.Duration
	// over says that nothing more can happen in the session. What is kept of it may be left until it expires.
	over bool
	// gone says that nothing is kept of it.
	gone bool
	// Of a federated session.
	board *board
	party *session.Party // nil when it rests
	// further does what is next in the session.
	further func(context.Context, *ledger.QueryEntry, *seat) error

	state State
	// early says that the last step asked for what another node does not show yet.
	early bool
}

// maxAwake bounds the sessions that are over and still serve what they are asked for: the others rest until they expire.
const maxAwake = 16

// sit takes every session of a query further, and says when to look again.
func (m *Manager) sit(ctx context.Context, e *ledger.QueryEntry, role transcript.Role, fleet string) (next time.Duration, err error) {
	if len(e.Sessions) == 0 {
		return m.rest(), nil
	}
	if err := m.know(ctx, e.ID); errors.Is(err, session.ErrDestroyed) {
		return m.rest(), nil // it was seen to its end
	} else if err != nil {
		return 0, err
	}
	next = m.rest()
	var failed []error
	for i := range e.Sessions {
		s, err := m.seat(e, &e.Sessions[i].Session, role, fleet)
		if err == nil {
			err = m.step(ctx, e, s, &e.Sessions[i])
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("session %s: %w", e.Sessions[i].ID, err))
			if s != nil {
				failed = append(failed, m.abandon(ctx, s))
			}
		} else if !s.over && m.Now().Unix() < s.session.Expires {
			next = min(next, m.paceOf(s))
		}
	}
	return next, errors.Join(failed...)
}

// step takes a session further. One that another of its query has left behind it ends first: nobody else may.
func (m *Manager) step(ctx context.Context, e *ledger.QueryEntry, s *seat, h *ledger.SessionHead) (err error) {
	open := m.Now().Unix() < s.session.Expires
	if s.gone || s.over && open {
		return nil
	}
	if s.board != nil && s.role != transcript.Receiver && open && h.End == nil && e.Activated != nil && e.Activated.Session != h.ID {
		err = m.giveUp(ctx, h, outdone)
	}
	if err == nil {
		err = s.further(ctx, e, s)
	}
	m.noteError(s, err)
	return err
}

// paceOf is how soon to look at a session again of which nothing was heard: what others are about to show is asked for soon, and less and less often.
func (m *Manager) paceOf(s *seat) time.Duration {
	m.mu.Lock()
	early := s.early
	s.early = false
	m.mu.Unlock()
	if !early {
		s.pace = 0
		return m.Poll
	}
	s.pace = min(max(m.Poll/quickly, 2*s.pace), m.Poll)
	return s.pace
}

// know makes durable that this node takes part in a query.
func (m *Manager) know(ctx context.Context, id commit.Digest) error {
	m.mu.Lock()
	known := m.known[id]
	m.mu.Unlock()
	if known {
		return nil
	}
	if _, err := m.queries.Put(ctx, transcript.ID(id), knownSlot, []byte(stamp(m.Now().Unix()))); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known[id] = true
	return nil
}

// seat finds a session's, or takes it.
func (m *Manager) seat(e *ledger.QueryEntry, in *ledger.Session, role transcript.Role, fleet string) (*seat, error) {
	id := in.ID()
	m.mu.Lock()
	s := m.seats[id]
	m.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s = &seat{id: id, query: e.ID, session: *in, role: role, fleet: fleet, seen: m.Now()}
	s.state = State{Query: e.ID, Session: id, Kind: in.Kind, Role: string(role), Since: m.Now()}
	s.further = m.stepScore
	if in.Kind == ledger.QueryFederated {
		var err error
		s.further = m.stepParty
		if s.board, err = newBoard(m.Book, e, in); err != nil {
			s.further = m.sayNo(err)
		} else if s.party, err = m.join(s); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seats[id] = s
	return s, nil
}

// join makes this node a party of a federated session.
func (m *Manager) join(s *seat) (*session.Party, error) {
	return session.Join(session.Config{
		Self: m.Organisation.ID, Params: collective.Standard(), Board: s.board, Mail: mail{line{m}, s.id}, Store: m.sessions,
		Admit: func(ctx context.Context, _ transcript.ID, o *transcript.Opening) error {
			return m.admit(ctx, s, o)
		},
		Totals: func(ctx context.Context, _ transcript.ID, _ *transcript.Opening) (*session.Totals, error) {
			e, err := m.Book.QueryEntry(ctx, s.query)
			if err != nil {
				return nil, err
			}
			return m.totals(ctx, &e, s)
		},
		Deliver: func(ctx context.Context, r *session.Result) error { return m.deliver(ctx, s, r) },
		Log:     m.Logger.With("query", s.query, "session", s.id), Now: m.Now, Timeout: m.timeout(),
	}, s.board.id)
}

// sayNo ends a session that is not as its query has it, or of a query that no party can answer: nobody makes a key for it.
func (m *Manager) sayNo(why error) func(context.Context, *ledger.QueryEntry, *seat) error {
	return func(ctx context.Context, e *ledger.QueryEntry, s *seat) error {
		m.note(s, string(transcript.Aborted), nil, ledger.Printable(why.Error(), ledger.MaxReason))
		i := slices.IndexFunc(e.Sessions, func(h ledger.SessionHead) bool { return h.ID == s.id })
		if i >= 0 && e.Sessions[i].End == nil && m.Now().Unix() < s.session.Expires {
			m.Logger.WarnContext(ctx, "ending a session that is none", "query", s.query, "session", s.id, "error", why)
			_, err := m.Book.Post(ctx, ledger.Post{Session: s.id, Round: ledger.RoundAbort, Detail: transcript.Reason("declined: " + why.Error())})
			if err != nil {
				return err
			}
		}
		m.finish(s, string(transcript.Aborted))
		return nil
	}
}

// abandoned is how long after its end a session is still read that cannot be read.
const abandoned = 24 * time.Hour

// abandon destroys an owner's or the regulator's part of a session that has long expired, and of which the ledger shows nothing that can be believed. A receiver may have a result.
func (m *Manager) abandon(ctx context.Context, s *seat) error {
	if s.role == transcript.Receiver || s.board == nil || m.Now().Unix() < s.session.Expires+int64(abandoned/time.Second) {
		return nil
	}
	if err := m.sessions.Destroy(ctx, s.board.id); err != nil {
		return err
	}
	m.finish(s, string(session.Expired))
	return nil
}

// finish is called when nothing is kept of a session any more.
func (m *Manager) finish(s *seat, phase string) {
	m.metrics.sessions.WithLabelValues(string(s.role), phase).Inc()
	s.over = true
	m.mu.Lock()
	defer m.mu.Unlock()
	s.gone, s.party = true, nil
}

// timeout of one answer of another party.
func (m *Manager) timeout() time.Duration { return max(30*time.Second, m.Poll) }

// stepParty steps a federated session as long as it says something: what it says may be what it waits for.
func (m *Manager) stepParty(ctx context.Context, _ *ledger.QueryEntry, s *seat) error {
	p, err := m.present(s)
	if err != nil {
		return err
	}
	for {
		before := s.board.posts.Load()
		state, err := p.Step(ctx)
		m.note(s, string(state.Phase), state.Waiting, state.Reason)
		if err != nil {
			return err
		}
		if state.Over() {
			m.end(s, string(state.Phase))
			return nil
		}
		if s.board.posts.Load() == before {
			return nil
		}
	}
}

// present is the party of a seat, which is there again if it rested.
func (m *Manager) present(s *seat) (*session.Party, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	if s.party == nil {
		s.party, err = m.join(s)
	}
	return s.party, err
}

// note keeps what a node sees of its session.
func (m *Manager) note(s *seat, phase string, waiting []string, reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.state.Phase != phase {
		s.state.Phase, s.state.Since = phase, m.Now()
	}
	s.state.Waiting, s.state.Reason = slices.Clone(waiting), reason
}

func (m *Manager) noteError(s *seat, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.state.Error = ""; err != nil {
		s.state.Error = ledger.Printable(err.Error(), maxErrorText)
	}
}

const maxErrorText = 512

// end is called when nothing more can happen in a session, again when it has expired.
func (m *Manager) end(s *seat, phase string) {
	if !s.over {
		m.metrics.sessions.WithLabelValues(string(s.role), phase).Inc()
	}
	s.over = true
	m.mu.Lock()
	defer m.mu.Unlock()
	m.awake = slices.DeleteFunc(m.awake, func(o *seat) bool { return o == s })
	if m.Now().Unix() >= s.session.Expires {
		s.gone, s.party = true, nil
		return
	}
	if m.awake = append(m.awake, s); len(m.awake) > maxAwake {
		m.awake[0].party = nil
		m.awake = slices.Delete(m.awake, 0, 1)
	}
}

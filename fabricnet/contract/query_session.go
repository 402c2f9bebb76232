package contract

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func queryQuery(r *run, a *ledger.QueryRef) (*ledger.QueryEntry, error) {
	q, err := queryOf(r.state, a.Query)
	if err != nil {
		return nil, err
	}
	return r.queryEntry(a.Query, q)
}

// queryQueries pages through the queries, as queryRequests does through requests.
func queryQueries(r *run, a *ledger.QueriesQuery) (*ledger.QueriesPage, error) {
	p, err := newPageOf(a.Limit, a.After, a.Status, a.Status == "")
	if err != nil {
		return nil, err
	}
	var ids []commit.Digest
	records := map[commit.Digest]*ledger.QueryRecord{}
	next, err := pageOf(r, p, ledger.QueryPrefix, ledger.QueryPrefix, a.After, func(rest string, q *ledger.QueryRecord) (bool, error) {
		id, err := hexDigest(rest)
		if err != nil {
			return false, fmt.Errorf("state key of a query: %w", err)
		}
		if a.Requester != "" && q.Query.Requester != a.Requester || a.Fleet != "" && q.Query.Part(a.Fleet) == nil {
			return false, nil
		}
		ids, records[id] = append(ids, id), q
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return r.queryEntries(ids, records, a.Status, next)
}

// queryEntries adds to the queries of a page what followed. Reasons may be long, so the page may end before they do.
func (r *run) queryEntries(ids []commit.Digest, records map[commit.Digest]*ledger.QueryRecord, status ledger.QueryStatus, next string) (*ledger.QueriesPage, error) {
	out := &ledger.QueriesPage{Entries: []ledger.QueryEntry{}, Next: next}
	left := maxPageBytes
	for i, id := range ids {
		e, err := r.queryEntry(id, records[id])
		if err != nil {
			return nil, err
		}
		if status != "" && e.Status != status {
			continue
		}
		out.Entries = append(out.Entries, *e)
		if left -= len(ledger.Encode(e)); left <= 0 && i < len(ids)-1 {
			out.Next = id.String()
			break
		}
	}
	return out, nil
}

// queryEntry adds to a query what followed.
func (r *run) queryEntry(id commit.Digest, q *ledger.QueryRecord) (*ledger.QueryEntry, error) {
	e := &ledger.QueryEntry{ID: id, Record: *q, Answers: []ledger.QueryAnswer{}, Sessions: []ledger.SessionHead{}}
	for _, p := range q.Query.Parts {
		a, err := get[ledger.QueryAnswer](r.state, ledger.QueryAnswerKey(id, p.Fleet))
		if err != nil {
			return nil, err
		}
		if a != nil {
			e.Answers = append(e.Answers, *a)
		}
	}
	sessions, err := r.sessionsOf(id)
	if err != nil {
		return nil, err
	}
	for _, session := range sessions {
		s, err := sessionOf(r.state, session)
		if err != nil {
			return nil, err
		}
		end, err := get[ledger.SessionEnd](r.state, ledger.SessionEndKey(session))
		if err != nil {
			return nil, err
		}
		e.Sessions = append(e.Sessions, ledger.SessionHead{ID: session, Session: *s, End: end})
	}
	if e.Activated, err = get[ledger.Activation](r.state, ledger.ActivationKey(id)); err != nil {
		return nil, err
	}
	e.Status, err = r.queryStatus(e)
	return e, err
}

func (r *run) queryStatus(e *ledger.QueryEntry) (ledger.QueryStatus, error) {
	if e.Activated != nil {
		s, err := r.sessionState(e.Activated.Session)
		switch {
		case err != nil:
			return "", err
		case s.Status == ledger.SessionAnswered:
			return ledger.QueryAnswered, nil
		case s.Status == ledger.SessionAborted:
			return ledger.QueryFailed, nil
		}
	}
	approved := 0
	for _, a := range e.Answers {
		if !a.Decision.Approved {
			return ledger.QueryRefused, nil
		}
		approved++
	}
	running := slices.ContainsFunc(e.Sessions, func(s ledger.SessionHead) bool { return s.End == nil })
	switch {
	case !running && len(e.Sessions) == ledger.MaxSessions:
		return ledger.QueryFailed, nil
	case r.now >= e.Record.Query.Expiry:
		return ledger.QueryExpired, nil
	case running:
		return ledger.QueryRunning, nil
	case approved == len(e.Record.Query.Parts):
		return ledger.QueryApproved, nil
	}
	return ledger.QueryOpen, nil
}

func querySession(r *run, a *ledger.SessionRef) (*ledger.SessionState, error) {
	return r.sessionState(a.Session)
}

// sessionState reads a session with its entries, in the order of its rounds.
func (r *run) sessionState(id commit.Digest) (*ledger.SessionState, error) {
	s, err := sessionOf(r.state, id)
	if err != nil {
		return nil, err
	}
	out := &ledger.SessionState{ID: id, Session: *s, Entries: []ledger.SessionEntry{}}
	err = scan(r.state, ledger.EntryPrefix(id), func(_ string, e *ledger.SessionEntry) error {
		out.Entries = append(out.Entries, *e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	order := ledger.RoundsOf(s.Kind)
	slices.SortStableFunc(out.Entries, func(a, b ledger.SessionEntry) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Round), slices.Index(order, b.Round)), cmp.Compare(a.Time, b.Time), cmp.Compare(a.Party, b.Party))
	})
	out.Status, err = r.sessionStatus(out)
	return out, err
}

func (r *run) sessionStatus(s *ledger.SessionState) (ledger.SessionStatus, error) {
	answered, err := complete(s)
	switch {
	case err != nil:
		return "", err
	case answered:
		return ledger.SessionAnswered, nil
	case slices.ContainsFunc(s.Entries, func(e ledger.SessionEntry) bool { return e.Round == ledger.RoundAbort }):
		return ledger.SessionAborted, nil
	case r.now >= s.Session.Expires:
		return ledger.SessionExpired, nil
	}
	return ledger.SessionOpen, nil
}

// complete reports whether the receiver has all that it needs for a result.
func complete(s *ledger.SessionState) (bool, error) {
	if s.Session.Kind == ledger.QueryScore {
		return s.Entry(s.Session.Seats[0].Owner, ledger.RoundAnswer) != nil, nil
	}
	activated := s.Entry(s.Session.Receiver, ledger.RoundActivate)
	if activated == nil {
		return false, nil
	}
	active, err := activeIn(&s.Session, activated.Detail)
	if err != nil {
		return false, fmt.Errorf("state of session %s: %w", s.ID, err)
	}
	missing := slices.ContainsFunc(append(active, s.Session.Regulator), func(party string) bool { return s.Entry(party, ledger.RoundShare) == nil })
	return !missing, nil
}

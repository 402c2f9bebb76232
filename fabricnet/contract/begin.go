package contract

import (
	"cmp"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// begin begins a session of the caller's own query, once all owners approved their parts and as long as those approvals suffice. It is in nobody's way: of two queries that must not
// be answered beside one another, the first whose sum is named is. A session that ends before that may be followed by another, with new keys.
func begin(r *run, a *ledger.QueryRef) (*ledger.Session, error) {
	q, err := r.openQuery(a.Query)
	if err != nil {
		return nil, err
	}
	if q.Query.Requester != r.caller() {
		return nil, ledger.Refuse(ledger.Forbidden, "query %s is by %s, not by %s", a.Query, q.Query.Requester, r.caller())
	}
	n, err := r.mayBegin(a.Query)
	if err != nil {
		return nil, err
	}
	s := r.newSession(a.Query, q)
	if s.InputsUntil >= s.Expires {
		return nil, ledger.Refuse(ledger.Expired, "inputs may come until %s, and query %s expires at %s", stamp(s.InputsUntil), a.Query, stamp(s.Expires))
	}
	answers, err := r.approvals(a.Query, q)
	if err != nil {
		return nil, err
	}
	if _, err := r.judgeParts(a.Query, q, answers, q.Query.Fleets()); err != nil {
		return nil, err
	}
	if err := r.putSession(s, n); err != nil {
		return nil, err
	}
	id := s.ID()
	r.event(ledger.EventSessionBegun, ledger.EventPayload{Requester: q.Query.Requester, Epoch: &q.Query.Epoch, Query: &a.Query, Session: &id})
	return s, nil
}

// mayBegin is how many sessions of the query began, if another may.
func (r *run) mayBegin(query commit.Digest) (int, error) {
	activated, err := exists(r.state, ledger.ActivationKey(query))
	if err != nil {
		return 0, err
	}
	if activated {
		return 0, ledger.Refuse(ledger.Conflict, "query %s is answered in a session that began before", query)
	}
	sessions, err := r.sessionsOf(query)
	if err == nil && len(sessions) >= ledger.MaxSessions {
		return 0, ledger.Refuse(ledger.Conflict, "query %s began %d times, which is all", query, len(sessions))
	}
	return len(sessions), err
}

// newSession counts from the time of the proposal. One that its caller held back leaves the owners less time for their inputs, which their nodes can see before they commit to a key.
func (r *run) newSession(id commit.Digest, q *ledger.QueryRecord) *ledger.Session {
	s := &ledger.Session{
		Query: id, Kind: q.Query.Kind, Receiver: q.Query.Requester, Parameters: q.Query.Parameters, Expires: q.Query.Expiry, Time: r.now, TxID: r.tx.ID,
	}
	for i, p := range q.Query.Parts {
		s.Seats = append(s.Seats, ledger.Seat{Owner: q.Owners[i], Fleet: p.Fleet})
	}
	slices.SortFunc(s.Seats, func(a, b ledger.Seat) int { return cmp.Compare(a.Owner, b.Owner) })
	if q.Query.Kind == ledger.QueryFederated {
		s.Regulator, s.Threshold, s.InputsUntil = q.Query.Regulator, q.Query.Threshold, r.now+q.Query.InputSeconds
		s.Minimum = q.Query.MinimumInputs()
	}
	return s
}

// approvals reads the answers to a query, which must all be approvals.
func (r *run) approvals(id commit.Digest, q *ledger.QueryRecord) ([]*ledger.QueryAnswer, error) {
	var out []*ledger.QueryAnswer
	for _, p := range q.Query.Parts {
		a, err := get[ledger.QueryAnswer](r.state, ledger.QueryAnswerKey(id, p.Fleet))
		if err != nil {
			return nil, err
		}
		if a == nil || !a.Decision.Approved {
			return nil, ledger.Refuse(ledger.Conflict, "the part of query %s about fleet %s is not approved", id, p.Fleet)
		}
		out = append(out, a)
	}
	return out, nil
}

// judgeParts judges the approved parts about some fleets again, as things are now.
func (r *run) judgeParts(id commit.Digest, q *ledger.QueryRecord, answers []*ledger.QueryAnswer, fleets []string) ([]*judgement, error) {
	var out []*judgement
	for i, p := range q.Query.Parts {
		if !slices.Contains(fleets, p.Fleet) {
			continue
		}
		j, _, err := r.judgePart(id, q, i, answers[i])
		if err != nil {
			return nil, err
		}
		if !j.Allowed {
			return nil, j.refusal()
		}
		out = append(out, j)
	}
	return out, nil
}

func (r *run) putSession(s *ledger.Session, n int) error {
	if err := put(r.state, ledger.SessionKey(s.ID()), s); err != nil {
		return err
	}
	return put(r.state, ledger.SessionsKey(s.Query, n), ledger.SessionRef{Session: s.ID()})
}

// putPooled notes on the epoch of all its fleets that the query's sum is named. All parts have one cohort.
func (r *run) putPooled(id commit.Digest, q *ledger.QueryRecord, j *judgement, opened []string) error {
	p := &ledger.Pooled{Fleets: q.Query.Fleets(), Cohort: j.question.Cohort, Opened: opened}
	for _, fleet := range p.Fleets {
		if err := put(r.state, ledger.PooledKey(fleet, q.Query.Epoch, id), p); err != nil {
			return err
		}
	}
	return nil
}

// sessionsOf lists a query's sessions in the order in which they began.
func (r *run) sessionsOf(query commit.Digest) (out []commit.Digest, err error) {
	for n := range ledger.MaxSessions {
		ref, err := get[ledger.SessionRef](r.state, ledger.SessionsKey(query, n))
		if err != nil || ref == nil {
			return out, err
		}
		out = append(out, ref.Session)
	}
	return out, nil
}

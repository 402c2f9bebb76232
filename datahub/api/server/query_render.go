package server

import (
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

var queryKindOf = map[ledger.QueryKind]assayv1.QueryKind{
	ledger.QueryFederated: assayv1.QueryKind_QUERY_KIND_FEDERATED, ledger.QueryScore: assayv1.QueryKind_QUERY_KIND_SCORE,
}

var queryStatusOf = map[ledger.QueryStatus]assayv1.QueryStatus{
	ledger.QueryOpen: assayv1.QueryStatus_QUERY_STATUS_OPEN, ledger.QueryApproved: assayv1.QueryStatus_QUERY_STATUS_APPROVED,
	ledger.QueryRunning: assayv1.QueryStatus_QUERY_STATUS_RUNNING, ledger.QueryAnswered: assayv1.QueryStatus_QUERY_STATUS_ANSWERED,
	ledger.QueryRefused: assayv1.QueryStatus_QUERY_STATUS_REFUSED, ledger.QueryFailed: assayv1.QueryStatus_QUERY_STATUS_FAILED,
	ledger.QueryExpired: assayv1.QueryStatus_QUERY_STATUS_EXPIRED,
}

// ledgerQueryStatus is the status that a list is restricted to, empty for none.
func ledgerQueryStatus(s assayv1.QueryStatus) ledger.QueryStatus {
	for of, is := range queryStatusOf {
		if is == s {
			return of
		}
	}
	return ""
}

func (s *Server) queryMessage(e *ledger.QueryEntry) (*assayv1.Query, error) {
	q := &e.Record.Query
	if len(e.Record.Owners) != len(q.Parts) {
		return nil, fmt.Errorf("%w: query %s: %d owners of %d parts", errFault, e.ID, len(e.Record.Owners), len(q.Parts))
	}
	m := &assayv1.Query{
		Id: e.ID.String(), Status: queryStatusOf[e.Status], Kind: queryKindOf[q.Kind], Query: string(ledger.Encode(q)), Requester: q.Requester, Epoch: q.Epoch,
		Purpose: q.Purpose, MinimumCohort: q.MinimumCohort, Epsilon: q.Epsilon, Delta: q.Delta, Regulator: q.Regulator, Threshold: q.Threshold,
		InputSeconds: uint64(max(q.InputSeconds, 0)), ExpiresAt: stamp(q.Expiry), CreatedAt: stamp(e.Record.Time), TxId: e.Record.TxID, Attributes: e.Record.Attributes,
	}
	for i, p := range q.Parts {
		m.Parts = append(m.Parts, partMessageOf(p, e.Record.Owners[i], answerTo(e, p.Fleet)))
	}
	for i := range e.Sessions {
		h := &e.Sessions[i]
		m.Sessions = append(m.Sessions, &assayv1.SessionSummary{
			Id: h.ID.String(), Status: sessionStatusOf[headStatus(e, h, s.Clock())], BegunAt: stamp(h.Session.Time), TxId: h.Session.TxID, End: endMessage(h.End),
		})
	}
	if e.Activated != nil {
		m.Activated = e.Activated.Session.String()
	}
	return m, nil
}

func partMessageOf(p ledger.QueryPart, owner string, a *ledger.QueryAnswer) *assayv1.QueryPart {
	m := &assayv1.QueryPart{Fleet: p.Fleet, Grant: p.Grant, Owner: owner}
	if a == nil {
		return m
	}
	m.Decision = decisionMessage(&a.Decision)
	if s := a.Settled; s != nil {
		m.Settled = &assayv1.SettledEpoch{Anchors: anchorsMessage(&s.Anchors), Attested: s.Attested, Enrolled: s.Enrolled}
	}
	return m
}

func anchorsMessage(r *ledger.AnchorReference) *assayv1.AnchorReference {
	return &assayv1.AnchorReference{Epoch: r.Epoch, Chunks: r.Chunks, Digest: r.Digest.String()}
}

var sessionStatusOf = map[ledger.SessionStatus]assayv1.SessionStatus{
	ledger.SessionOpen: assayv1.SessionStatus_SESSION_STATUS_OPEN, ledger.SessionAnswered: assayv1.SessionStatus_SESSION_STATUS_ANSWERED,
	ledger.SessionAborted: assayv1.SessionStatus_SESSION_STATUS_ABORTED, ledger.SessionExpired: assayv1.SessionStatus_SESSION_STATUS_EXPIRED,
}

// headStatus is where a session stands, as far as its query tells. That is all there is to it but for the clock: whether the one session that may be answered is, is the query's status.
func headStatus(e *ledger.QueryEntry, h *ledger.SessionHead, now time.Time) ledger.SessionStatus {
	activated := e.Activated != nil && e.Activated.Session == h.ID
	switch {
	case activated && e.Status == ledger.QueryAnswered:
		return ledger.SessionAnswered
	case h.End != nil:
		return ledger.SessionAborted
	case e.Status == ledger.QueryExpired, now.Unix() >= h.Session.Expires:
		return ledger.SessionExpired
	}
	return ledger.SessionOpen
}

func endMessage(end *ledger.SessionEnd) *assayv1.SessionEnd {
	if end == nil {
		return nil
	}
	return &assayv1.SessionEnd{Round: string(end.Round), Party: end.Party, At: stamp(end.Time), TxId: end.TxID}
}

func sessionMessage(id commit.Digest, s *ledger.Session, status ledger.SessionStatus) *assayv1.Session {
	m := &assayv1.Session{
		Id: id.String(), Query: s.Query.String(), Status: sessionStatusOf[status], Regulator: s.Regulator, Receiver: s.Receiver, Threshold: s.Threshold,
		MinimumInputs: s.Minimum, Parameters: s.Parameters, ExpiresAt: stamp(s.Expires), BegunAt: stamp(s.Time), TxId: s.TxID,
	}
	if s.InputsUntil != 0 {
		m.InputsUntil = stamp(s.InputsUntil)
	}
	for _, seat := range s.Seats {
		m.Seats = append(m.Seats, &assayv1.Seat{Owner: seat.Owner, Fleet: seat.Fleet})
	}
	return m
}

// wholeSession is a session with its entries.
func wholeSession(s *ledger.SessionState) *assayv1.Session {
	m := sessionMessage(s.ID, &s.Session, s.Status)
	for i := range s.Entries {
		m.Entries = append(m.Entries, entryMessage(&s.Session, &s.Entries[i]))
	}
	return m
}

// entryMessage says what an entry's detail says, where it is what the ledger takes.
func entryMessage(s *ledger.Session, e *ledger.SessionEntry) *assayv1.SessionEntry {
	m := &assayv1.SessionEntry{Party: e.Party, Round: string(e.Round), Digest: unlessZero(e.Digest), Detail: e.Detail, Declined: e.Declined(), At: stamp(e.Time), TxId: e.TxID}
	switch e.Round {
	case ledger.RoundInput:
		if r, err := ledger.Decode[ledger.AnchorReference]("detail", e.Detail, ledger.MaxEntryDetail); err == nil && !m.Declined {
			m.Anchors = anchorsMessage(r)
		}
	case ledger.RoundActivate:
		for _, seat := range e.Detail {
			if seat >= 1 && int(seat) <= len(s.Seats) {
				m.OpenedBy = append(m.OpenedBy, s.Seats[seat-1].Owner)
			}
		}
	case ledger.RoundAbort:
		m.Reason = string(e.Detail)
	}
	return m
}

package party

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// drive is what the requester's node does for its query: it begins sessions, and gives up those that do not get on.
func (m *Manager) drive(ctx context.Context, e *ledger.QueryEntry) (next time.Duration, err error) {
	for i := range e.Sessions {
		h := &e.Sessions[i]
		if h.End != nil || e.Activated != nil && e.Activated.Session == h.ID {
			continue
		}
		reason, err := m.hopeless(ctx, e, i)
		if err != nil {
			return 0, err
		}
		if reason == "" {
			continue
		}
		if err := m.giveUp(ctx, h, reason); err != nil {
			return 0, err
		}
	}
	if e.Status != ledger.QueryApproved || len(e.Sessions) >= ledger.MaxSessions {
		return m.rest(), nil
	}
	return m.begin(ctx, e)
}

// outdone is why a session ends of whose query another has named the sum: nothing that is made in it is needed any more.
const outdone = "another session of the query answers it"

// giveUp ends a session, unless another member just did.
func (m *Manager) giveUp(ctx context.Context, h *ledger.SessionHead, reason string) error {
	m.Logger.WarnContext(ctx, "giving a session up", "query", h.Session.Query, "session", h.ID, "reason", reason)
	_, err := m.Book.Post(ctx, ledger.Post{Session: h.ID, Round: ledger.RoundAbort, Detail: transcript.Reason(reason)})
	if code := ledger.CodeOf(err); code == ledger.Expired || code == ledger.Conflict {
		return nil
	}
	return err
}

// hopeless says why the i-th session of a query, which has not come to name its sum, is to end; "" if it is not.
func (m *Manager) hopeless(ctx context.Context, e *ledger.QueryEntry, i int) (string, error) {
	if e.Activated != nil {
		return outdone, nil
	}
	h := &e.Sessions[i]
	state, err := m.Book.SessionState(ctx, h.ID)
	if err != nil || state.Status != ledger.SessionOpen {
		return "", err
	}
	last := h.Session.Time
	for _, entry := range state.Entries {
		last = max(last, entry.Time)
	}
	waits := ""
	if h.Session.Kind == ledger.QueryFederated {
		b, err := newBoard(m.Book, e, &h.Session)
		if err != nil {
			return ledger.Printable(err.Error(), ledger.MaxAbort), nil // no member can take part in it
		}
		t, err := transcript.Read(b.id, b.opening, entriesOf(b.id, state.Entries))
		if err != nil {
			return "", err
		}
		if t.Phase() == transcript.Activation && state.Entry(m.Organisation.ID, ledger.RoundActivate) != nil {
			return "", nil
		}
		if t.Phase() == transcript.Collection {
			last = max(last, t.SilentUntil())
		}
		waits = fmt.Sprintf(", in phase %s, for %v", t.Phase(), t.Missing())
	}
	patience := m.Patience << i
	if m.Now().Unix() <= last+int64(patience/time.Second) {
		return "", nil
	}
	return fmt.Sprintf("waited %s%s", patience, waits), nil
}

// begin begins a session if there is hope. After one that failed it waits, each time longer.
func (m *Manager) begin(ctx context.Context, e *ledger.QueryEntry) (next time.Duration, err error) {
	q, now := &e.Record.Query, m.Now().Unix()
	if now+q.InputSeconds >= q.Expiry {
		return m.rest(), nil // there is no time for it
	}
	if n := len(e.Sessions); n > 0 {
		last := e.Sessions[n-1].End
		if last == nil || now <= last.Time+int64(m.Patience/quickly<<n/time.Second) {
			return m.Poll, nil
		}
	}
	why, err := m.futile(ctx, e)
	if err != nil {
		return 0, err
	}
	if why != "" {
		m.Logger.DebugContext(ctx, "no session of a query is begun", "query", e.ID, "reason", why)
		return m.rest(), nil
	}
	if err := m.know(ctx, e.ID); err != nil {
		return 0, err
	}
	id, receipt, err := m.Book.Begin(ctx, e.ID)
	if err != nil {
		return 0, err
	}
	m.Logger.InfoContext(ctx, "a session begins", "query", e.ID, "session", id, "number", len(e.Sessions)+1, "tx", receipt.TxID)
	return 0, nil
}

// futile says why no further session of a query can answer it, as far as that is known; "" if one may. An owner that gave no part gives none ever.
func (m *Manager) futile(ctx context.Context, e *ledger.QueryEntry) (string, error) {
	if e.Record.Query.Kind == ledger.QueryScore {
		return m.futileScore(ctx, e)
	}
	if _, err := query.Plan(e); err != nil {
		return err.Error(), nil
	}
	for _, p := range e.Record.Query.Parts {
		a, err := m.Book.AssessQuery(ctx, e.ID, p.Fleet)
		if err != nil {
			return "", err
		}
		if !a.Allowed && !a.Wait {
			return fmt.Sprintf("the ledger allows the part about fleet %s no more: %q", p.Fleet, a.Reasons), nil
		}
	}
	silent := map[string]bool{}
	for i := range e.Sessions {
		state, err := m.Book.SessionState(ctx, e.Sessions[i].ID)
		if err != nil {
			return "", err
		}
		for j := range state.Entries {
			if entry := &state.Entries[j]; entry.Declined() {
				silent[entry.Party] = true
			}
		}
	}
	if left := len(e.Record.Owners) - len(silent); left < int(e.Record.Query.MinimumInputs()) {
		return fmt.Sprintf("%d owners give no part, and %d are left, want %d", len(silent), left, e.Record.Query.MinimumInputs()), nil
	}
	return "", nil
}

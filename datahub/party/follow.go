package party

import (
	"context"
	"slices"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
)

// unfinished are the statuses of queries that a node may have something new to do with.
var unfinished = []ledger.QueryStatus{ledger.QueryOpen, ledger.QueryApproved, ledger.QueryRunning}

// follow finds what there is to do, and then what comes, and begins anew when the ledger cannot be followed.
func (m *Manager) follow(ctx context.Context) {
	ledger.KeepFollowing(ctx, m.Poll, m.read, func(err error) { m.Logger.WarnContext(ctx, "following the ledger: will try again", "error", err) })
}

// read takes up everything unfinished, here or on the ledger, and then the events from before that: none is missed, and one that is seen twice does no harm.
func (m *Manager) read(ctx context.Context) error {
	head, err := m.Book.Head(ctx)
	if err != nil {
		return err
	}
	if err := m.checkSteps(ctx); err != nil {
		return err
	}
	if err := m.readKept(ctx); err != nil {
		return err
	}
	for _, filter := range m.filters() {
		for _, status := range unfinished {
			if err := m.readPages(ctx, filter, status); err != nil {
				return err
			}
		}
	}
	for e, err := range m.Book.Events(ctx, head.Height+1, 0) {
		if err != nil {
			return err
		}
		m.heard(e)
	}
	return nil
}

// readKept takes up the queries that this node has anything of, and ends what a crash interrupted of destructions.
func (m *Manager) readKept(ctx context.Context) error {
	for _, store := range []*session.FileStore{m.sessions, m.scores} {
		if _, err := store.Sessions(ctx); err != nil {
			return err
		}
	}
	kept, err := m.queries.Sessions(ctx)
	if err != nil {
		return err
	}
	for _, id := range kept {
		m.add(commit.Digest(id), "")
	}
	return nil
}

// filters are of the queries in which this organisation can have a place.
func (m *Manager) filters() (out []ledger.QueriesQuery) {
	if m.Organisation.Has(ledger.RoleRegulator) { // which may be named in any
		return []ledger.QueriesQuery{{}}
	}
	for _, fleet := range m.Fleets {
		out = append(out, ledger.QueriesQuery{Fleet: fleet})
	}
	return append(out, ledger.QueriesQuery{Requester: m.Organisation.ID})
}

func (m *Manager) readPages(ctx context.Context, filter ledger.QueriesQuery, status ledger.QueryStatus) error {
	filter.Limit, filter.Status = ledger.MaxPage, status
	for {
		page, err := m.Book.QueriesPage(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page.Entries {
			if role, _ := m.roleIn(&page.Entries[i]); role != "" && !unheld(&page.Entries[i], role) {
				m.add(page.Entries[i].ID, page.Entries[i].Record.Query.Requester)
			}
		}
		if filter.After = page.Next; filter.After == "" {
			return nil
		}
	}
}

// heard has a query looked at that something was recorded about. Who owns its fleets is not in all events.
func (m *Manager) heard(e ledger.Event) {
	switch e.Name {
	case ledger.EventQueryAsked, ledger.EventQueryAnswered, ledger.EventSessionBegun, ledger.EventPosted:
		if e.Payload.Query != nil {
			m.add(*e.Payload.Query, e.Payload.Requester)
		}
	case ledger.EventPolicyPublished, ledger.EventRevoked, ledger.EventGranted, ledger.EventSettled:
		if e.Payload.Fleet == "" || slices.Contains(m.Fleets, e.Payload.Fleet) {
			m.addAll()
		}
	}
}

// addAll has everything looked at again that did not fail.
func (m *Manager) addAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.tasks {
		if t.pause == 0 {
			t.due, t.again = time.Time{}, true
		}
	}
	m.rouse()
}

package party

import (
	"context"
	"errors"

	"github.com/assay-net/assay/zk/commit"
)

// line is the way to other nodes. A query that waits for one takes no room from the others, and is looked at again soon if what it asked for is not there yet.
type line struct{ m *Manager }

// Fetch implements Peers.
func (l line) Fetch(ctx context.Context, organisation string, session commit.Digest, item string, size int) ([]byte, error) {
	l.m.awaits(session, 1)
	b, err := l.m.Peers.Fetch(ctx, organisation, session, item, size)
	l.m.awaits(session, -1)
	if errors.Is(err, ErrNotYet) {
		l.m.mu.Lock()
		defer l.m.mu.Unlock()
		if s := l.m.seats[session]; s != nil {
			s.early = true
		}
	}
	return b, err
}

// awaits counts what is asked of other nodes for a session's query.
func (m *Manager) awaits(session commit.Digest, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.seats[session]
	if s == nil {
		return
	}
	if t := m.tasks[s.query]; t != nil {
		if t.awaits += n; t.awaits == n {
			m.rouse() // there is room
		}
	}
}

package party

import (
	"context"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Tasks is how many queries a node is not done with.
func (m *Manager) Tasks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.tasks)
}

// Kept says of every session that the node's folder has something of whether keys are among it.
func (m *Manager) Kept(ctx context.Context) (map[transcript.ID]bool, error) {
	ids, err := m.sessions.Sessions(ctx)
	out := map[transcript.ID]bool{}
	for _, id := range ids {
		for _, slot := range []string{"secret", "holding", "share"} {
			if _, err := m.sessions.Get(ctx, id, slot); err == nil {
				out[id] = true
			}
		}
		out[id] = out[id] || false
	}
	return out, err
}

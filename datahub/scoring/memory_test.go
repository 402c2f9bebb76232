package scoring_test

import (
	"bytes"
	"context"
	"maps"
	"sync"

	"github.com/assay-net/assay/mpc/session"
)

// memory is a store that a backup can be made of, keys and all.
type memory struct {
	mu        sync.Mutex
	values    map[place][]byte
	destroyed map[place]bool
}

type place struct {
	id   storeID
	slot string // empty: of the whole session
}

func newMemory() *memory {
	return &memory{values: map[place][]byte{}, destroyed: map[place]bool{}}
}

func (m *memory) backup() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{values: maps.Clone(m.values), destroyed: maps.Clone(m.destroyed)}
}

func (m *memory) Put(ctx context.Context, id storeID, slot string, value []byte) ([]byte, error) {
	m.mu.Lock()
	if _, ok := m.values[place{id, slot}]; !ok {
		m.values[place{id, slot}] = bytes.Clone(value)
	}
	m.mu.Unlock()
	return m.Get(ctx, id, slot)
}

func (m *memory) Get(_ context.Context, id storeID, slot string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.destroyed[place{id: id}] || m.destroyed[place{id, slot}] {
		return nil, session.ErrDestroyed
	}
	b, ok := m.values[place{id, slot}]
	if !ok {
		return nil, session.ErrAbsent
	}
	return bytes.Clone(b), nil
}

func (m *memory) Destroy(_ context.Context, id storeID, slots ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, slot := range append(slots, "")[:max(1, len(slots))] {
		m.destroyed[place{id, slot}] = true
	}
	return nil
}

func (m *memory) Sessions(context.Context) ([]storeID, error) { panic("not asked for") }

// inMemory gives both sides stores that can be backed up.
func (w *world) inMemory() (ofLender, ofOwner *memory) {
	ofLender, ofOwner = newMemory(), newMemory()
	w.stores = map[string]session.Store{lender: ofLender, operator: ofOwner}
	w.restart()
	return ofLender, ofOwner
}

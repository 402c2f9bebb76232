package store

import (
	"context"
	"time"
)

// SealForBenchmark seals a batch and throws it away.
func (s *Store) SealForBenchmark(ctx context.Context, b *Batch) { _, _ = s.sealBatch(ctx, b) }

// ProveKeysEvery sets after what time a held key is opened again.
func (s *Store) ProveKeysEvery(d time.Duration) {
	s.ring.mu.Lock()
	defer s.ring.mu.Unlock()
	s.ring.provenEvery = d
}

// WrappingKey names a period's wrapping key.
func (s *Store) WrappingKey(fleet string, number uint64) string {
	return s.ring.wrappingKey(period{fleet, number})
}

package store

import "context"

// SealForBenchmark seals a batch and throws it away.
func (s *Store) SealForBenchmark(ctx context.Context, b *Batch) { _, _ = s.sealBatch(ctx, b) }

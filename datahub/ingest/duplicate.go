package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/zk/commit"
)

const lookupTimeout = 2 * time.Second

var errConflict = errors.New("another frame of this sequence is stored: two devices use one key, or one device numbers twice")

// duplicate drops a frame whose sequence was used up. If it is not the frame that was taken, somebody else has the device's key.
func (s *settler) duplicate(ctx context.Context, d *track, it *item) {
	s.p.metrics.duplicates.Inc()
	if same, known := d.remember(it.frame.Sequence, it.mark); known {
		if !same {
			s.conflict(ctx, it)
		}
		return
	}
	if len(s.pending) == maxLookups {
		s.p.metrics.unchecked.Inc()
		return
	}
	s.pending = append(s.pending, it)
}

func (s *settler) conflict(ctx context.Context, it *item) {
	it.refuse(ReasonConflict, errConflict)
	s.putAside(ctx, it, false)
	s.p.notice("two frames of one sequence: a device's key is in two places", "device", it.id, "sequence", it.frame.Sequence)
}

// compare asks the store for the frames that are not remembered. If the store does not answer, they are dropped as what they most
// likely are: frames that were sent again.
func (s *settler) compare(ctx context.Context) {
	digests, ok := s.stored(ctx, s.pending)
	if !ok {
		return
	}
	for _, it := range s.pending {
		// One that is not there was put aside when it came first; of one whose key was shredded the digest is zero.
		d, there := digests[store.FrameID{Device: it.id, Sequence: it.frame.Sequence}]
		if there && !d.IsZero() && d != s.p.o.Store.Digest(it.plain) {
			s.conflict(ctx, it)
		}
	}
}

func (s *settler) stored(ctx context.Context, items []*item) (map[store.FrameID]commit.Digest, bool) {
	if len(items) == 0 {
		return nil, false
	}
	ids := make([]store.FrameID, len(items))
	for i, it := range items {
		ids[i] = store.FrameID{Device: it.id, Sequence: it.frame.Sequence}
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	digests, err := s.p.o.Store.FrameDigests(ctx, ids)
	if err != nil {
		s.p.metrics.unchecked.Add(float64(len(items)))
		return nil, false
	}
	return digests, true
}

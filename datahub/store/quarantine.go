package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// QuarantineList returns quarantined frames in the order of their IDs. To read on, set the filter's After to the last ID.
func (s *Store) QuarantineList(ctx context.Context, f Filter) ([]Quarantined, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	if len(f.IDs) > MaxIDs {
		return nil, fmt.Errorf("listing quarantined frames: %d IDs, at most %d", len(f.IDs), MaxIDs)
	}
	rows, err := s.driver.Quarantine(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("listing quarantined frames: %w", err)
	}
	out := make([]Quarantined, len(rows))
	for i := range rows {
		if out[i], err = s.openQuarantined(ctx, &rows[i]); err != nil {
			return nil, fmt.Errorf("reading quarantined frame %s: %w", rows[i].ID, err)
		}
	}
	return out, nil
}

// QuarantineMark marks the frames that a filter chooses for replay, and returns how many it chose. Its limit does not count.
func (s *Store) QuarantineMark(ctx context.Context, f Filter) (int, error) {
	if len(f.IDs) > MaxIDs {
		return 0, fmt.Errorf("marking quarantined frames: %d IDs, at most %d", len(f.IDs), MaxIDs)
	}
	n, err := s.driver.MarkQuarantine(ctx, f)
	if err != nil {
		return 0, fmt.Errorf("marking quarantined frames: %w", err)
	}
	return n, nil
}

// QuarantineDelete deletes quarantined frames, and returns how many were there.
func (s *Store) QuarantineDelete(ctx context.Context, ids []string) (int, error) {
	n, err := s.driver.DeleteQuarantine(ctx, ids)
	if err != nil {
		return n, fmt.Errorf("deleting quarantined frames: %w", err)
	}
	return n, nil
}

func (s *Store) openQuarantined(ctx context.Context, r *driver.Quarantined) (Quarantined, error) {
	q := Quarantined{ID: r.ID, Fleet: r.Fleet, Device: r.Device, Subject: r.Subject, Epoch: r.Epoch, Received: r.Received,
		Reason: r.Reason, Detail: r.Detail, Size: r.Size, Replay: r.Replay, Acknowledged: r.Acknowledged, Plain: r.Plain}
	var err error
	q.Payload, q.Shredded, err = s.open(ctx, quarantinePlace(r), r.Sealed)
	return q, err
}

func quarantinePlace(r *driver.Quarantined) place {
	at := appendString(appendString(appendString(nil, r.ID), r.Subject), r.Reason)
	return place{quarantineBody, r.Fleet, r.Device, r.Epoch, at}
}

// sealQuarantine also leaves out what would be dropped at once, so that a flood costs little.
func (s *Store) sealQuarantine(ctx context.Context, b *Batch, used *usedKeys, out *driver.Batch) error {
	kept, rest := make(map[commit.DeviceID]int), 0
	for i := range b.Quarantine {
		if q := &b.Quarantine[i]; q.ID == "" {
			q.ID = s.ids.next()
		}
	}
	for i := len(b.Quarantine) - 1; i >= 0; i-- {
		q := &b.Quarantine[i]
		if !q.Acknowledged {
			if kept[q.Device] == s.options.QuarantinePerDevice || rest == s.options.QuarantineTotal {
				s.metrics.dropped.Inc()
				continue
			}
			kept[q.Device]++
			rest++
		}
		key, err := used.of(ctx, q.Fleet, q.Epoch)
		if err != nil {
			return err
		}
		row := driver.Quarantined{ID: q.ID, Fleet: q.Fleet, Device: q.Device, Subject: q.Subject, Epoch: q.Epoch, Received: q.Received,
			Reason: q.Reason, Detail: q.Detail, Size: q.Size, Replay: q.Replay, Acknowledged: q.Acknowledged, Plain: q.Plain}
		row.Sealed = seal(key, quarantinePlace(&row), q.Payload)
		out.Quarantine = append(out.Quarantine, row)
	}
	slices.Reverse(out.Quarantine)
	return nil
}

// sequencer makes IDs of 32 hexadecimal digits: 64 bits that rise with time, so that they sort, and 64 random ones.
type sequencer struct {
	mu   sync.Mutex
	last uint64
}

func (q *sequencer) next() string {
	var id [16]byte
	q.mu.Lock()
	q.last = max(q.last+1, uint64(time.Now().UnixNano()))
	binary.BigEndian.PutUint64(id[:], q.last)
	q.mu.Unlock()
	rand.Read(id[8:])
	return hex.EncodeToString(id[:])
}

package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// Frames returns up to limit frames of a device with sequences above after, in order. Those whose key is shredded are among them,
// without their payload.
func (s *Store) Frames(ctx context.Context, device commit.DeviceID, after uint64, limit int) ([]Frame, error) {
	if after > math.MaxInt64 || limit <= 0 {
		return nil, nil
	}
	rows, err := s.driver.Frames(ctx, device, after, limit)
	if err != nil {
		return nil, fmt.Errorf("reading frames of device %s: %w", device, err)
	}
	out := make([]Frame, len(rows))
	for i := range rows {
		if out[i], err = s.openFrame(ctx, &rows[i]); err != nil {
			return nil, fmt.Errorf("reading frame %d: %w", rows[i].Sequence, err)
		}
	}
	return out, nil
}

func (s *Store) openFrame(ctx context.Context, row *driver.Frame) (Frame, error) {
	f := Frame{Fleet: row.Fleet, Device: row.Device, Epoch: row.Epoch, Sequence: row.Sequence, Received: row.Received,
		Kind: row.Kind, Readings: row.Readings, Late: row.Late}
	var err error
	f.Payload, f.Shredded, err = s.open(ctx, framePlace(row), row.Sealed)
	return f, err
}

// open opens a body. That its key is shredded is not an error.
func (s *Store) open(ctx context.Context, p place, sealed []byte) (body []byte, shredded bool, err error) {
	key, err := s.ring.forReading(ctx, p.fleet, p.epoch)
	if errors.Is(err, ErrShredded) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	body, err = open(key, p, sealed)
	return body, false, err
}

// Digest is a keyed digest of a payload, to compare with FrameDigests. The key is drawn when a store is opened and never leaves it: a
// digest means nothing to another store, is not to be kept, and tells nobody anything about the payload.
func (s *Store) Digest(payload []byte) commit.Digest {
	mac := hmac.New(sha256.New, s.digest[:])
	mac.Write(payload)
	return commit.Digest(mac.Sum(nil))
}

// FrameDigests returns the Digests of stored frames' payloads. Frames that are not there are left out, and those that are shredded have
// the zero digest, as have those that do not open: one row that was altered must not keep frames of others from being looked up.
func (s *Store) FrameDigests(ctx context.Context, ids []FrameID) (map[FrameID]commit.Digest, error) {
	possible := make([]FrameID, 0, len(ids))
	for _, id := range ids {
		if id.Sequence <= math.MaxInt64 {
			possible = append(possible, id)
		}
	}
	rows, err := s.driver.FramesAt(ctx, possible)
	if err != nil {
		return nil, fmt.Errorf("looking up %d frames: %w", len(ids), err)
	}
	out := make(map[FrameID]commit.Digest, len(rows))
	for i := range rows {
		f, err := s.openFrame(ctx, &rows[i])
		if err != nil && !errors.Is(err, ErrTampered) {
			return nil, err
		}
		var d commit.Digest
		switch {
		case err != nil:
			s.options.Logger.Error("a stored frame does not open", "device", rows[i].Device, "sequence", rows[i].Sequence, "error", err)
		case !f.Shredded:
			d = s.Digest(f.Payload)
		}
		out[FrameID{Device: rows[i].Device, Sequence: rows[i].Sequence}] = d
	}
	return out, nil
}

// Count returns how many frames and readings were received for a fleet in an epoch, and how many of the frames were late, whether or
// not they were pruned since.
func (s *Store) Count(ctx context.Context, fleet string, epoch uint64) (frames, readings, late uint64, err error) {
	if err := checkNumber("count", "epoch", epoch); err != nil {
		return 0, 0, 0, err
	}
	c, err := s.driver.Count(ctx, fleet, epoch)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("counting epoch %d of fleet %q: %w", epoch, fleet, err)
	}
	return c.Frames, c.Readings, c.Late, nil
}

// Prune deletes a fleet's frames, snapshots and quarantined frames of the epochs before one; "" is the fleet of frames that were
// quarantined before their fleet was known. What a device's derivation goes on from stays, however old, and is counted: its newest
// snapshot and the frames after that, or all frames of a device of which there is no snapshot. Reports, chunks and what Count says stay. Progress stays, so that a pruned frame that is
// sent again is still known as a duplicate. Broken off it leaves some of them, and may be called again. A SQLite file does not shrink,
// but its space is used again.
func (s *Store) Prune(ctx context.Context, fleet string, beforeEpoch uint64) (Pruned, error) {
	if err := checkNumber("prune", "epoch", beforeEpoch); err != nil {
		return Pruned{}, err
	}
	p, err := s.driver.Prune(ctx, fleet, beforeEpoch)
	if err != nil {
		return p, fmt.Errorf("pruning fleet %q before epoch %d: %w", fleet, beforeEpoch, err)
	}
	if p.KeptFrames > 0 {
		s.options.Logger.InfoContext(ctx, "old frames were kept, which no snapshot stands for yet", "fleet", fleet, "before_epoch", beforeEpoch,
			"frames", p.KeptFrames, "snapshots", p.KeptSnapshots)
	}
	return p, nil
}

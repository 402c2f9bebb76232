package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// PutClosing writes an epoch's closing, replacing the one that is there.
func (s *Store) PutClosing(ctx context.Context, c Closing) error {
	if err := checkRow("closing", c.Fleet, c.Epoch, 0, 0); err != nil {
		return err
	}
	if err := checkNumber("closing", "count", max(c.Readings, c.Frames, c.Late)); err != nil {
		return err
	}
	if err := s.driver.PutClosing(ctx, c); err != nil {
		return fmt.Errorf("writing the closing of fleet %q, epoch %d: %w", c.Fleet, c.Epoch, err)
	}
	return nil
}

// Closing returns an epoch's closing, or ErrNotFound.
func (s *Store) Closing(ctx context.Context, fleet string, epoch uint64) (Closing, error) {
	if err := checkNumber("closing", "epoch", epoch); err != nil {
		return Closing{}, err
	}
	found, err := s.driver.Closings(ctx, fleet, epoch, 1)
	if err == nil && (len(found) == 0 || found[0].Epoch != epoch) {
		err = ErrNotFound
	}
	if err != nil {
		return Closing{}, fmt.Errorf("closing of fleet %q, epoch %d: %w", fleet, epoch, err)
	}
	return found[0], nil
}

// Closings returns a fleet's closings, the newest first, up to limit.
func (s *Store) Closings(ctx context.Context, fleet string, limit int) ([]Closing, error) {
	if limit <= 0 {
		return nil, nil
	}
	out, err := s.driver.Closings(ctx, fleet, math.MaxInt64, limit)
	if err != nil {
		return nil, fmt.Errorf("listing the closings of fleet %q: %w", fleet, err)
	}
	return out, nil
}

// PutChunk writes a chunk, replacing the one that is there.
func (s *Store) PutChunk(ctx context.Context, c Chunk) error {
	size := max(len(c.Anchor), len(c.Attestations), len(c.Opening), len(c.Absent))
	if err := checkRow("chunk", c.Fleet, c.Epoch, c.Height, size); err != nil {
		return err
	}
	if err := s.putChunk(ctx, &c); err != nil {
		return fmt.Errorf("writing chunk %d of fleet %q, epoch %d: %w", c.Index, c.Fleet, c.Epoch, err)
	}
	return nil
}

func (s *Store) putChunk(ctx context.Context, c *Chunk) error {
	return s.withKeys(func() ([]driver.KeyUse, error) {
		row, err := s.sealChunk(ctx, c)
		if err != nil {
			return nil, err
		}
		err = s.driver.PutChunk(ctx, *row)
		if row.Key == nil {
			return nil, err
		}
		return []driver.KeyUse{*row.Key}, err
	})
}

// sealChunk needs a key only if there is something to seal.
func (s *Store) sealChunk(ctx context.Context, c *Chunk) (*driver.Chunk, error) {
	row := &driver.Chunk{Fleet: c.Fleet, Epoch: c.Epoch, Index: c.Index, State: c.State, Closed: c.Closed, Anchor: c.Anchor,
		Attestations: c.Attestations, Attested: c.Attested, Enrolled: c.Enrolled, TxID: c.TxID, Height: c.Height,
		Error: legible(c.Error, 4*maxDetail)}
	if c.Opening == nil && c.Absent == nil {
		return row, nil
	}
	key, err := s.ring.forWriting(ctx, c.Fleet, c.Epoch)
	if err != nil {
		return nil, err
	}
	row.Key = &key.use
	if c.Opening != nil {
		row.SealedOpening = seal(key, chunkPlace(row, openingBody), c.Opening)
	}
	if c.Absent != nil {
		row.SealedAbsent = seal(key, chunkPlace(row, absentBody), c.Absent)
	}
	return row, nil
}

// Chunks returns the chunks of a fleet's epoch by index.
func (s *Store) Chunks(ctx context.Context, fleet string, epoch uint64) ([]Chunk, error) {
	return s.chunks(ctx, fleet, epoch, nil)
}

// Chunk returns one chunk, or ErrNotFound.
func (s *Store) Chunk(ctx context.Context, fleet string, epoch uint64, index uint32) (Chunk, error) {
	found, err := s.chunks(ctx, fleet, epoch, &index)
	if err != nil {
		return Chunk{}, err
	}
	if len(found) == 0 {
		return Chunk{}, fmt.Errorf("chunk %d of fleet %q, epoch %d: %w", index, fleet, epoch, ErrNotFound)
	}
	return found[0], nil
}

func (s *Store) chunks(ctx context.Context, fleet string, epoch uint64, index *uint32) ([]Chunk, error) {
	if err := checkNumber("chunk", "epoch", epoch); err != nil {
		return nil, err
	}
	rows, err := s.driver.Chunks(ctx, fleet, epoch, index)
	if err != nil {
		return nil, fmt.Errorf("reading chunks of fleet %q, epoch %d: %w", fleet, epoch, err)
	}
	out := make([]Chunk, len(rows))
	for i := range rows {
		if out[i], err = s.openChunk(ctx, &rows[i]); err != nil {
			return nil, fmt.Errorf("reading chunk %d: %w", rows[i].Index, err)
		}
	}
	return out, nil
}

func (s *Store) openChunk(ctx context.Context, r *driver.Chunk) (Chunk, error) {
	c := Chunk{Fleet: r.Fleet, Epoch: r.Epoch, Index: r.Index, State: r.State, Closed: r.Closed, Anchor: r.Anchor,
		Attestations: r.Attestations, Attested: r.Attested, Enrolled: r.Enrolled, TxID: r.TxID, Height: r.Height, Error: r.Error}
	var err error
	if r.SealedOpening != nil {
		if c.Opening, c.Shredded, err = s.open(ctx, chunkPlace(r, openingBody), r.SealedOpening); err != nil {
			return Chunk{}, err
		}
	}
	if r.SealedAbsent != nil {
		if c.Absent, c.Shredded, err = s.open(ctx, chunkPlace(r, absentBody), r.SealedAbsent); err != nil {
			return Chunk{}, err
		}
	}
	return c, nil
}

// chunkPlace leaves out the columns that change while a chunk is being anchored.
func chunkPlace(r *driver.Chunk, k kind) place {
	return place{k, r.Fleet, commit.DeviceID{}, r.Epoch, binary.BigEndian.AppendUint32(nil, r.Index)}
}

package store

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// Reports returns the reports of a fleet's epoch by chunk and slot.
func (s *Store) Reports(ctx context.Context, fleet string, epoch uint64) ([]Report, error) {
	return s.reports(ctx, fleet, epoch, nil)
}

// ChunkReports returns the reports of one chunk by slot.
func (s *Store) ChunkReports(ctx context.Context, fleet string, epoch uint64, chunk uint32) ([]Report, error) {
	return s.reports(ctx, fleet, epoch, &chunk)
}

func (s *Store) reports(ctx context.Context, fleet string, epoch uint64, chunk *uint32) ([]Report, error) {
	if err := checkNumber("reports", "epoch", epoch); err != nil {
		return nil, err
	}
	rows, err := s.driver.Reports(ctx, fleet, epoch, chunk)
	if err != nil {
		return nil, fmt.Errorf("reading reports of fleet %q, epoch %d: %w", fleet, epoch, err)
	}
	out := make([]Report, len(rows))
	for i := range rows {
		r := &rows[i]
		out[i] = Report{Fleet: r.Fleet, Device: r.Device, Chunk: r.Chunk, Slot: r.Slot, Epoch: r.Epoch, Sequence: r.Sequence,
			Received: r.Received, Attestation: r.Attestation, Own: r.Own, Flags: r.Flags}
		if out[i].Record, out[i].Shredded, err = s.open(ctx, reportPlace(r), r.Sealed); err != nil {
			return nil, fmt.Errorf("reading reports of fleet %q, epoch %d: %w", fleet, epoch, err)
		}
	}
	return out, nil
}

func reportPlace(r *driver.Report) place {
	at := binary.BigEndian.AppendUint32(nil, r.Chunk)
	at = binary.BigEndian.AppendUint32(at, r.Slot)
	at = binary.BigEndian.AppendUint64(at, r.Sequence)
	return place{reportBody, r.Fleet, r.Device, r.Epoch, append(at, flag(r.Own))}
}

func (s *Store) sealReports(ctx context.Context, b *Batch, used *usedKeys, out *driver.Batch) error {
	type id struct {
		fleet  string
		device commit.DeviceID
		epoch  uint64
	}
	last := merge(b.Reports, func(r *Report) any { return id{r.Fleet, r.Device, r.Epoch} }, func(into, r *Report) { *into = *r })
	for i := range last {
		r := &last[i]
		key, err := used.of(ctx, r.Fleet, r.Epoch)
		if err != nil {
			return err
		}
		row := driver.Report{Fleet: r.Fleet, Device: r.Device, Chunk: r.Chunk, Slot: r.Slot, Epoch: r.Epoch, Sequence: r.Sequence,
			Received: r.Received, Attestation: r.Attestation, Own: r.Own, Flags: r.Flags}
		row.Sealed = seal(key, reportPlace(&row), r.Record)
		out.Reports = append(out.Reports, row)
	}
	return nil
}

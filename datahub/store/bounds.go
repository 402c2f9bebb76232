package store

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/assay-net/assay/zk/commit"
)

// The bounds of what is stored.
const (
	// MaxBody is the largest payload, state, record, opening or the like.
	MaxBody = 16 << 20
	// MaxFleet is the longest name of a fleet.
	MaxFleet = 128
	// MaxIDs is how many quarantined frames a filter may name.
	MaxIDs = 1000

	maxSubject, maxReason, maxDetail = 256, 64, 512
)

// check refuses what a row cannot hold.
func (b *Batch) check() error {
	for i := range b.Frames {
		f := &b.Frames[i]
		if err := checkRow("frame", f.Fleet, f.Epoch, f.Sequence, len(f.Payload)); err != nil {
			return err
		}
	}
	for i := range b.Progress {
		if err := checkNumber("progress", "through", b.Progress[i].Through); err != nil {
			return err
		}
	}
	for i := range b.Snapshots {
		s := &b.Snapshots[i]
		if err := checkRow("snapshot", s.Fleet, s.Epoch, s.Sequence, len(s.State)); err != nil {
			return err
		}
	}
	for i := range b.Reports {
		r := &b.Reports[i]
		if err := checkRow("report", r.Fleet, r.Epoch, r.Sequence, len(r.Record)+len(r.Attestation)); err != nil {
			return err
		}
	}
	return b.checkQuarantine()
}

// checkQuarantine is lenient with the text, which may quote what a stranger sent.
func (b *Batch) checkQuarantine() error {
	for i := range b.Quarantine {
		q := &b.Quarantine[i]
		q.Subject, q.Reason, q.Detail = legible(q.Subject, maxSubject), legible(q.Reason, maxReason), legible(q.Detail, maxDetail)
		if q.Fleet == "" {
			if err := errors.Join(checkNumber("quarantined frame", "epoch", q.Epoch), checkSize("quarantined frame", len(q.Payload))); err != nil {
				return err
			}
			continue
		}
		if err := checkRow("quarantined frame", q.Fleet, q.Epoch, 0, len(q.Payload)); err != nil {
			return err
		}
	}
	return nil
}

func checkRow(what, fleet string, epoch, sequence uint64, size int) error {
	if err := checkFleet(fleet); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := checkNumber(what, "epoch", epoch); err != nil {
		return err
	}
	if err := checkNumber(what, "sequence", sequence); err != nil {
		return err
	}
	return checkSize(what, size)
}

func checkSize(what string, size int) error {
	if size > MaxBody {
		return fmt.Errorf("%s: %d bytes, at most %d", what, size, MaxBody)
	}
	return nil
}

func checkFleet(fleet string) error {
	if len(fleet) > MaxFleet {
		return fmt.Errorf("fleet: %d bytes, at most %d", len(fleet), MaxFleet)
	}
	if err := commit.CheckName(fleet); err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	return nil
}

// checkNumber keeps to the integers that databases have.
func checkNumber(what, field string, n uint64) error {
	if n > math.MaxInt64 {
		return fmt.Errorf("%s: %s is %d, at most %d", what, field, n, int64(math.MaxInt64))
	}
	return nil
}

// legible makes text that every database takes, and cuts it off.
func legible(s string, longest int) string {
	if len(s) > longest {
		s = s[:longest]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

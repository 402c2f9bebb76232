package store_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/store"
)

// onTampered fills a database, lets somebody change it beside the store, and has a reader look at it.
func onTampered(t *testing.T, tamper func(*testing.T, *env), read func(*testing.T, *store.Store) error) {
	t.Helper()
	onBoth(t, func(t *testing.T, e *env) {
		fill(t, e.open(t))
		if err := read(t, e.open(t)); err != nil {
			t.Fatalf("before it was altered: %v", err)
		}
		tamper(t, e)
		is(t, read(t, e.open(t)), store.ErrTampered)
	})
}

// fill writes rows of every kind, whose bodies have one length.
func fill(t *testing.T, s *store.Store) {
	t.Helper()
	b := frames("alpha", 1, 0, 1, 3)
	b.Frames = append(b.Frames, frame("alpha", 2, 0, 1), frame("alpha", 2, 1, 2), frame("gamma", 3, 0, 1))
	for n := range 2 {
		b.Snapshots = append(b.Snapshots, store.Snapshot{Fleet: "alpha", Device: device(1 + n), Epoch: 0, Sequence: 1, State: []byte("state")})
		b.Reports = append(b.Reports, store.Report{Fleet: "alpha", Device: device(1 + n), Slot: uint32(n), Epoch: 0, Sequence: 1, Record: []byte("record")})
		b.Quarantine = append(b.Quarantine, quarantined(1+n, "signature", "quarantined"))
	}
	mustCommit(t, s, b)
	for n := range uint32(2) {
		must(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Epoch: 0, Index: n, State: store.Closed, Opening: []byte("secret"), Absent: []byte("absent")}))
	}
}

func readFrames(t *testing.T, s *store.Store) error {
	for _, n := range []int{1, 2, 3} {
		if _, err := s.Frames(t.Context(), device(n), 0, 10); err != nil {
			return err
		}
	}
	return nil
}

func readSnapshots(t *testing.T, s *store.Store) error {
	for _, err := range s.Snapshots(t.Context(), "alpha") {
		if err != nil {
			return err
		}
	}
	return nil
}

func readReports(t *testing.T, s *store.Store) error {
	_, err := s.Reports(t.Context(), "alpha", 0)
	return err
}

func readQuarantine(t *testing.T, s *store.Store) error {
	_, err := s.QuarantineList(t.Context(), store.Filter{})
	return err
}

func readChunks(t *testing.T, s *store.Store) error {
	_, err := s.Chunks(t.Context(), "alpha", 0)
	return err
}

// idOf writes a device's ID as an SQL literal of the driver.
func idOf(e *env, n int) string {
	id := device(n)
	if strings.HasPrefix(e.url, "sqlite:") {
		return "X'" + id.String() + "'"
	}
	return `'\x` + id.String() + `'::bytea`
}

func TestFrameCopiedToAnotherSequenceDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		e.change(t, `UPDATE frames SET sealed = (SELECT sealed FROM frames WHERE sequence = 3) WHERE sequence = 1 AND device = `+idOf(e, 1))
	}, readFrames)
}

func TestFrameMovedToAnotherSequenceDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE frames SET sequence = 4 WHERE sequence = 3`) }, func(t *testing.T, s *store.Store) error {
		if err := readFrames(t, s); err != nil {
			return err
		}
		_, err := s.FrameDigests(t.Context(), []store.FrameID{{Device: device(1), Sequence: 3}, {Device: device(1), Sequence: 4}})
		return err
	})
}

func TestFrameOfAnotherDeviceDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		e.change(t, `UPDATE frames SET sealed = (SELECT sealed FROM frames WHERE sequence = 1 AND device = `+idOf(e, 1)+`)
			WHERE sequence = 1 AND epoch = 0 AND device = `+idOf(e, 2))
	}, readFrames)
}

func TestFramesSwappedBetweenDevicesDoNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		for _, move := range [][2]int{{1, 9}, {3, 1}, {9, 3}} {
			e.change(t, `UPDATE frames SET device = `+idOf(e, move[1])+` WHERE sequence = 1 AND device = `+idOf(e, move[0]))
		}
	}, readFrames)
}

func TestFrameOfAnotherEpochDoesNotOpen(t *testing.T) {
	// One period, and so one key, for both epochs.
	onBoth(t, func(t *testing.T, e *env) {
		e.options.EpochsPerKey = 10
		fill(t, e.open(t))
		e.change(t, `UPDATE frames SET epoch = 2 WHERE epoch = 1`)
		is(t, readFrames(t, e.open(t)), store.ErrTampered)
	})
}

func TestFrameOfAnotherFleetDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE frames SET fleet = 'alpha' WHERE fleet = 'gamma'`) }, readFrames)
}

func TestFrameWithAnotherTimeDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		e.change(t, `UPDATE frames SET received = received + 1 WHERE sequence = 3`)
	}, readFrames)
}

func TestFrameOfAnotherKindDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE frames SET kind = 2 WHERE sequence = 3`) }, readFrames)
}

func TestFrameWithMoreReadingsDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE frames SET readings = 11 WHERE sequence = 3`) }, readFrames)
}

func TestFrameThatIsMadeLateDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE frames SET late = TRUE WHERE sequence = 3`) }, readFrames)
}

func TestFrameThatIsCutOffDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		e.change(t, `UPDATE frames SET sealed = substr(sealed, 1, 20) WHERE sequence = 3`)
	}, readFrames)
}

func TestFrameWithAChangedByteDoesNotOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		fill(t, s)
		var sealed []byte
		must(t, e.raw(t).QueryRow(`SELECT sealed FROM frames WHERE sequence = 3`).Scan(&sealed))
		for _, at := range []int{0, 1, 24, 25, 40, len(sealed) - 1} {
			changed := bytes.Clone(sealed)
			changed[at] ^= 1
			e.change(t, `UPDATE frames SET sealed = $1 WHERE sequence = 3`, changed)
			is(t, readFrames(t, s), store.ErrTampered)
		}
		e.change(t, `UPDATE frames SET sealed = $1 WHERE sequence = 3`, sealed)
		must(t, readFrames(t, s))
	})
}

func TestSnapshotsSwappedDoNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		e.change(t, `UPDATE snapshots SET sealed = (SELECT o.sealed FROM snapshots o WHERE o.device <> snapshots.device)`)
	}, readSnapshots)
}

func TestSnapshotOfAnotherSequenceDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE snapshots SET sequence = 2`) }, readSnapshots)
}

func TestFrameAsASnapshotDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		e.change(t, `UPDATE snapshots SET sealed = (SELECT sealed FROM frames f WHERE f.device = snapshots.device AND f.sequence = 1 AND f.epoch = 0)`)
	}, readSnapshots)
}

func TestReportsSwappedDoNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		e.change(t, `UPDATE reports SET sealed = (SELECT o.sealed FROM reports o WHERE o.device <> reports.device)`)
	}, readReports)
}

func TestReportInAnotherSlotDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE reports SET slot = slot + 1`) }, readReports)
}

func TestReportThatIsMadeTheDevicesOwnDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE reports SET own = TRUE`) }, readReports)
}

func TestQuarantinedFrameWithAnotherReasonDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE quarantine SET reason = 'clock'`) }, readQuarantine)
}

func TestQuarantinedFrameUnderAnotherIDDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE quarantine SET id = id || '0'`) }, readQuarantine)
}

func TestOpeningAndAbsencesSwappedDoNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) { e.change(t, `UPDATE chunks SET opening = absent, absent = opening`) }, readChunks)
}

func TestOpeningOfAnotherChunkDoesNotOpen(t *testing.T) {
	onTampered(t, func(t *testing.T, e *env) {
		e.change(t, `UPDATE chunks SET opening = (SELECT o.opening FROM chunks o WHERE o.number <> chunks.number)`)
	}, readChunks)
}

func TestDataKeyOfAnotherPeriodDoesNotOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		fill(t, e.open(t))
		e.change(t, `UPDATE data_keys SET wrapped = (SELECT o.wrapped FROM data_keys o WHERE o.fleet = 'alpha' AND o.period = 1) WHERE fleet = 'alpha' AND period = 0`)
		is(t, readFrames(t, e.open(t)), keys.ErrCorrupt)
	})
}

func TestNothingSecretIsInTheDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		const secret = "a secret that must not be found"
		s := e.open(t)
		b := &store.Batch{Frames: []store.Frame{frame("alpha", 1, 7, 1)}, Quarantine: []store.Quarantined{quarantined(1, "clock", secret)},
			Snapshots: []store.Snapshot{{Fleet: "alpha", Device: device(1), Epoch: 7, State: []byte(secret)}},
			Reports:   []store.Report{{Fleet: "alpha", Device: device(1), Epoch: 7, Record: []byte(secret)}}}
		b.Frames[0].Payload = []byte(secret)
		mustCommit(t, s, b)
		must(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Epoch: 7, Opening: []byte(secret), Absent: []byte(secret), TxID: "not a secret"}))
		e.checkpoint(t)
		if !e.holds(t, "not a secret") {
			t.Error("what is not sealed was not found: the search does not work")
		}
		if e.holds(t, secret) {
			t.Error("found")
		}
	})
}

// checkpoint has the database write its files.
func (e *env) checkpoint(t *testing.T) {
	t.Helper()
	statement := "CHECKPOINT"
	if strings.HasPrefix(e.url, "sqlite:") {
		statement = "PRAGMA wal_checkpoint(PASSIVE)"
	}
	_, err := e.raw(t).ExecContext(t.Context(), statement)
	must(t, err)
}

// holds searches the database's files.
func (e *env) holds(t *testing.T, text string) bool {
	t.Helper()
	var root string
	if path, is := strings.CutPrefix(e.url, "sqlite:"); is {
		root = filepath.Dir(path)
	} else {
		must(t, e.raw(t).QueryRowContext(t.Context(), "SHOW data_directory").Scan(&root))
		root = filepath.Dir(root) // the write-ahead log is beside it
	}
	found := false
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		var content []byte
		if err == nil && d.Type().IsRegular() {
			content, err = os.ReadFile(path)
			found = found || bytes.Contains(content, []byte(text))
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a running server removes files
		}
		return err
	}))
	return found
}

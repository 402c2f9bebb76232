package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	lib "modernc.org/sqlite/lib"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

func TestCodesAreToldApart(t *testing.T) {
	for code, want := range map[int]error{
		lib.SQLITE_FULL:                  driver.ErrFull,
		lib.SQLITE_IOERR_SHMSIZE:         driver.ErrFull,
		lib.SQLITE_BUSY:                  driver.ErrUnavailable,
		lib.SQLITE_BUSY_SNAPSHOT:         driver.ErrUnavailable,
		lib.SQLITE_LOCKED:                driver.ErrUnavailable,
		lib.SQLITE_IOERR_FSYNC:           driver.ErrUnavailable,
		lib.SQLITE_CANTOPEN:              driver.ErrUnavailable,
		lib.SQLITE_CONSTRAINT_UNIQUE:     driver.ErrConflict,
		lib.SQLITE_CONSTRAINT_PRIMARYKEY: driver.ErrConflict,
		lib.SQLITE_CONSTRAINT_NOTNULL:    nil,
		lib.SQLITE_CORRUPT:               nil,
		lib.SQLITE_READONLY:              nil,
	} {
		if got := kindOf(code); got != want {
			t.Errorf("code %d is %v, must be %v", code, got, want)
		}
	}
}

func openTest(t *testing.T) *Driver {
	t.Helper()
	d, err := Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func batch(first, count uint64, size int) *driver.Batch {
	b := &driver.Batch{Progress: []driver.Progress{{Device: commit.DeviceID{1}, Through: first + count - 1}}}
	for i := range count {
		b.Frames = append(b.Frames, driver.Frame{Fleet: "alpha", Device: commit.DeviceID{1}, Sequence: first + i, Sealed: make([]byte, size)})
	}
	return b
}

func TestSettingsThatThePromisesNeed(t *testing.T) {
	d := openTest(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"} {
		var got string
		if err := d.Write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, must be %s: %v", pragma, got, want, err)
		}
	}
	if _, err := d.Read.Exec("DELETE FROM settings"); err == nil {
		t.Error("a reader writes")
	}
}

func TestFileThatMayNotGrow(t *testing.T) {
	d := openTest(t)
	var pages int
	if err := d.Write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	limit := func(n int) {
		t.Helper()
		var got int
		if err := d.Write.QueryRow(fmt.Sprintf("PRAGMA max_page_count(%d)", n)).Scan(&got); err != nil || got != n {
			t.Fatalf("limit of %d pages: %d, %v", n, got, err)
		}
	}
	limit(pages + 200)
	stored := uint64(0)
	for ; stored < 10_000; stored += 10 {
		_, err := d.Commit(t.Context(), batch(stored+1, 10, 4000))
		if errors.Is(err, driver.ErrFull) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if stored == 0 || stored == 10_000 {
		t.Fatalf("%d frames fit", stored)
	}
	fs, err := d.Frames(t.Context(), commit.DeviceID{1}, 0, 1<<20)
	if err != nil || uint64(len(fs)) != stored {
		t.Fatalf("%d frames, %d acknowledged, %v", len(fs), stored, err)
	}
	limit(pages + 1000)
	if _, err := d.Commit(t.Context(), batch(stored+1, 10, 4000)); err != nil {
		t.Fatal(err)
	}
}

func TestFramesAreFoundBeforeAndAfterTheyAreIndexed(t *testing.T) {
	d := openTest(t)
	indexed := func() (n int) {
		if err := d.Read.QueryRow("SELECT count(*) FROM frame_index").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const size = maxUnindexed/4 + 1
	for part := range uint64(6) {
		if _, err := d.Commit(t.Context(), batch(part*size+1, size, 10)); err != nil {
			t.Fatal(err)
		}
		if n := indexed(); part < 3 && n != 0 || part >= 3 && n != 4*size {
			t.Fatalf("%d frames are indexed after %d parts", n, part+1)
		}
		for _, sequence := range []uint64{1, part*size + 1, (part + 1) * size} {
			checkFrame(t, d, sequence)
		}
	}
	b := &driver.Batch{Snapshots: []driver.Snapshot{{Fleet: "alpha", Device: batch(1, 1, 1).Frames[0].Device, Epoch: 1, Sequence: 6 * size, Sealed: []byte{}}}}
	if _, err := d.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	pruned, err := d.Prune(t.Context(), "alpha", 1)
	if err != nil || pruned.Frames != 6*size || indexed() != 0 {
		t.Fatalf("pruned %d, %d are indexed, %v", pruned.Frames, indexed(), err)
	}
	if _, err := d.Commit(t.Context(), batch(6*size+1, maxUnindexed, 10)); err != nil {
		t.Fatal(err)
	}
	if n := indexed(); n != maxUnindexed {
		t.Fatalf("%d frames are indexed", n)
	}
	checkFrame(t, d, 6*size+1)
}

func checkFrame(t *testing.T, d *Driver, sequence uint64) {
	t.Helper()
	fs, err := d.FramesAt(context.Background(), []driver.FrameID{{Device: commit.DeviceID{1}, Sequence: sequence}})
	if err != nil || len(fs) != 1 || fs[0].Sequence != sequence {
		t.Fatalf("frame %d: found %d, %v", sequence, len(fs), err)
	}
	fs, err = d.Frames(context.Background(), commit.DeviceID{1}, sequence-1, 1)
	if err != nil || len(fs) != 1 || fs[0].Sequence != sequence {
		t.Fatalf("frame %d: found %d, %v", sequence, len(fs), err)
	}
	if _, err := d.Commit(context.Background(), batch(sequence, 1, 10)); !errors.Is(err, driver.ErrConflict) {
		t.Fatalf("frame %d again: %v", sequence, err)
	}
}

package store_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/store/postgrestest"
)

// smallDisk is a file system of so many bytes.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("mounts a file system")
	}
	if os.Getuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	dir, err := os.MkdirTemp("", "assay-small-")
	must(t, err)
	t.Cleanup(func() { os.Remove(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mounting a file system is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmounting %s: %v", dir, err)
		}
	})
	return dir
}

// fillDisk writes a file until there is no space left, or none but so many bytes.
func fillDisk(t *testing.T, dir string, leave int64) (ballast string) {
	t.Helper()
	var st syscall.Statfs_t
	must(t, syscall.Statfs(dir, &st))
	ballast = filepath.Join(dir, "ballast")
	must(t, os.WriteFile(ballast, make([]byte, max(0, int64(st.Bavail)*st.Bsize-leave)), 0o600))
	return ballast
}

// largeBatch is writerBatch with states that are large and replace nothing.
func largeBatch(through uint64, size int) *store.Batch {
	b := writerBatch(0, through)
	for i := range b.Snapshots {
		b.Snapshots[i].Epoch, b.Snapshots[i].State = through, make([]byte, size)
	}
	return b
}

// overflow commits until the disk is full, makes space, and goes on with the batch that did not fit.
func overflow(t *testing.T, e *env, disk string) {
	t.Helper()
	s := e.open(t)
	putWriterDevices(t, s)
	mustCommit(t, s, largeBatch(0, 1))
	ballast := fillDisk(t, disk, 1<<20)
	through := uint64(writerFrames)
	var err error
	for ; err == nil && through < 1<<20; through += writerFrames {
		err = s.Commit(t.Context(), largeBatch(through, 20_000))
	}
	through -= writerFrames // the one that did not fit
	full := largeBatch(through, 20_000)
	for range 3 { // nothing changes as long as it is full
		is(t, err, store.ErrFull)
		err = s.Commit(t.Context(), full)
	}
	if got := checkWritten(t, s); got != through {
		t.Fatalf("stored up to %d, acknowledged up to %d", got, through)
	}
	must(t, os.Remove(ballast))
	mustCommit(t, s, full)
	for range 20 {
		through += writerFrames
		mustCommit(t, s, largeBatch(through, 1))
	}
	if got := checkWritten(t, s); got != through+writerFrames {
		t.Fatalf("stored up to %d, acknowledged up to %d", got, through+writerFrames)
	}
}

func TestSQLiteOnAFullDisk(t *testing.T) {
	disk := smallDisk(t, "size=8m")
	overflow(t, newEnv(t, "sqlite:"+filepath.Join(disk, "store.db")), disk)
}

func TestPostgresOnAFullDisk(t *testing.T) {
	disk := smallDisk(t, "size=128m")
	server := postgrestest.Start(t, postgrestest.Options{Data: disk})
	overflow(t, newEnv(t, server.Database(t)), disk)
}

package postgres

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/postgrestest"
	"github.com/assay-net/assay/zk/commit"
)

var shared postgrestest.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func openTest(t *testing.T, url string, epochsPerKey uint64) *Driver {
	t.Helper()
	d, err := Open(t.Context(), url, 4, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	if _, err := d.Identity(t.Context(), driver.Identity{ID: "id", EpochsPerKey: epochsPerKey}); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSettingsThatThePromisesNeed(t *testing.T) {
	server := shared.Server(t)
	url := server.Database(t)
	d := openTest(t, url, 1)
	for _, name := range []string{"off", "local"} {
		if _, err := d.pool.Exec(t.Context(), "ALTER ROLE assay SET synchronous_commit = "+name); err != nil {
			t.Fatal(err)
		}
		other := openTest(t, url, 1)
		var got string
		if err := other.pool.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&got); err != nil || got != "on" {
			t.Errorf("synchronous_commit is %s, %v", got, err)
		}
	}
	if _, err := d.pool.Exec(t.Context(), "ALTER ROLE assay RESET synchronous_commit"); err != nil {
		t.Fatal(err)
	}
}

func TestPartitionsCoverEveryEpoch(t *testing.T) {
	d := openTest(t, shared.Server(t).Database(t), 7)
	for i, epoch := range []uint64{0, 6, 7, 1 << 40, math.MaxInt64 - 1, math.MaxInt64} {
		b := &driver.Batch{
			Frames:    []driver.Frame{{Fleet: "alpha", Device: commit.DeviceID{1}, Epoch: epoch, Sequence: uint64(i + 1), Sealed: []byte{}}},
			Reports:   []driver.Report{{Fleet: "alpha", Device: commit.DeviceID{1}, Epoch: epoch, Sealed: []byte{}}},
			Snapshots: []driver.Snapshot{{Fleet: "alpha", Device: commit.DeviceID{1}, Epoch: epoch, Sequence: uint64(i + 1), Sealed: []byte{}}},
		}
		if _, err := d.Commit(t.Context(), b); err != nil {
			t.Errorf("epoch %d: %v", epoch, err)
		}
	}
	fs, err := d.Frames(t.Context(), commit.DeviceID{1}, 0, 100)
	if err != nil || len(fs) != 6 {
		t.Fatalf("%d frames, %v", len(fs), err)
	}
	got, err := d.framePartitions(t.Context())
	if err != nil || len(got) != 5 {
		t.Fatalf("partitions %v, %v", got, err)
	}
	pruned, err := d.Prune(t.Context(), "alpha", math.MaxInt64)
	if err != nil || pruned.Frames != 5 {
		t.Fatalf("pruned %+v, %v", pruned, err)
	}
}

func TestServerWithoutFsyncIsWarnedOf(t *testing.T) {
	server := postgrestest.Start(t, postgrestest.Options{Settings: []string{"fsync = off"}})
	var log strings.Builder
	d, err := Open(t.Context(), server.Database(t), 1, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !strings.Contains(log.String(), "fsync off") {
		t.Errorf("the log is %q", log.String())
	}
}

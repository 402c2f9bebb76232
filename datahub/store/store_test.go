package store_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/store/postgrestest"
	"github.com/assay-net/assay/zk/commit"
)

// shared is the server of all tests but those that break one, of which alone something survives a crash.
var shared = postgrestest.Shared{Options: postgrestest.Options{Settings: []string{"fsync = off", "full_page_writes = off"}}}

func TestMain(m *testing.M) {
	if os.Getenv(writerVariable) != "" {
		os.Exit(writer())
	}
	code := m.Run()
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// onBoth runs a test against both drivers, each with an empty database.
func onBoth(t *testing.T, test func(t *testing.T, e *env)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteEnv(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresEnv(t)) })
}

// notShort is for tests that take more than a second.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes a while")
	}
}

// env is a database and a key store.
type env struct {
	url      string
	keys     keys.Store
	options  store.Options
	identity reference.Reference
	keyDir   string
}

func sqliteEnv(t testing.TB) *env {
	return newEnv(t, "sqlite:"+filepath.Join(t.TempDir(), "store.db"))
}

func postgresEnv(t testing.TB) *env {
	t.Helper()
	return newEnv(t, shared.Server(t).Database(t))
}

func newEnv(t testing.TB, url string) *env {
	t.Helper()
	e := &env{url: url, keyDir: filepath.Join(t.TempDir(), "keys")}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "identity")
	if err := os.WriteFile(path, []byte(identity.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	e.identity = reference.Reference("file:" + path)
	e.keys = openKeys(t, e)
	return e
}

func openKeys(t testing.TB, e *env) keys.Store {
	t.Helper()
	ks, err := file.Open(t.Context(), file.Config{Directory: e.keyDir, Identity: e.identity, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ks.Close() })
	return ks
}

// open opens the database, closed when the test ends.
func (e *env) open(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{URL: e.url}, e.keys, e.options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// raw opens the database beside the store, as somebody would who has got hold of it.
func (e *env) raw(t testing.TB) *sql.DB {
	t.Helper()
	driver, source := "pgx", e.url
	if path, is := strings.CutPrefix(e.url, "sqlite:"); is {
		driver, source = "sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_busy_timeout=10000"}).String()
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// change runs statements that must change a row each.
func (e *env) change(t testing.TB, statement string, args ...any) {
	t.Helper()
	result, err := e.raw(t).ExecContext(t.Context(), statement, args...)
	must(t, err)
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s: changed %d rows, %v", statement, n, err)
	}
}

// device is a device's ID, and frame one of its frames.
func device(n int) (id commit.DeviceID) {
	binary.BigEndian.PutUint32(id[:], uint32(n))
	id[31] = 1
	return id
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)

func frame(fleet string, n int, epoch, sequence uint64) store.Frame {
	return store.Frame{Fleet: fleet, Device: device(n), Epoch: epoch, Sequence: sequence, Received: noon.Add(time.Duration(sequence) * time.Second),
		Kind: 1, Readings: 10, Payload: []byte(fmt.Sprintf("payload of %s, %d, %d, %d", fleet, n, epoch, sequence))}
}

// frames are a device's frames of an epoch, with its progress.
func frames(fleet string, n int, epoch, first, last uint64) *store.Batch {
	b := &store.Batch{Progress: []store.Progress{{Device: device(n), Through: last}}}
	for s := first; s <= last; s++ {
		b.Frames = append(b.Frames, frame(fleet, n, epoch, s))
	}
	return b
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func is(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, must be %v", err, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustCommit(t testing.TB, s *store.Store, b *store.Batch) {
	t.Helper()
	must(t, s.Commit(context.Background(), b))
}

package store_test

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/store"
)

func TestNodesThatStartAtOnceMigrateOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		const nodes = 6
		stores := make([]*store.Store, nodes)
		var group sync.WaitGroup
		for i := range nodes {
			group.Go(func() {
				s, err := store.Open(t.Context(), store.Config{URL: e.url, MaxConnections: 1}, e.keys, store.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				stores[i] = s
			})
		}
		group.Wait()
		if t.Failed() {
			t.FailNow()
		}
		for i, s := range stores {
			mustCommit(t, s, frames("alpha", i, 7, 1, 2))
		}
		for i, s := range stores { // one identity: each reads what the others sealed
			fs, err := s.Frames(t.Context(), device(nodes-1-i), 0, 10)
			if err != nil || len(fs) != 2 {
				t.Errorf("%d frames, %v", len(fs), err)
			}
			must(t, s.Check(t.Context()))
			must(t, s.Close())
		}
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		must(t, e.open(t).Close())
		e.change(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
		_, err := store.Open(t.Context(), store.Config{URL: e.url}, e.keys, store.Options{})
		is(t, err, store.ErrNewerSchema)
	})
}

func TestEpochsPerKeyDoNotChange(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		e.options.EpochsPerKey = 30
		must(t, e.open(t).Close())
		if _, err := store.Open(t.Context(), store.Config{URL: e.url}, e.keys, store.Options{EpochsPerKey: 31}); err == nil {
			t.Error("another number was taken")
		}
		e.options.EpochsPerKey = 0
		s := e.open(t)
		mustCommit(t, s, frames("alpha", 1, 59, 1, 1))
		all, err := s.Keys(t.Context(), "alpha")
		if err != nil || len(all) != 1 || all[0].First != 30 || all[0].Last != 59 {
			t.Errorf("keys %+v, %v", all, err)
		}
	})
}

func TestUnknownURLIsRefusedAndNotQuoted(t *testing.T) {
	for _, url := range []string{"", "mysql://user:secret@host/db", "postgres://user:secret@host:port/db", "postgres://user:secret@127.0.0.1:1/db"} {
		_, err := store.Open(t.Context(), store.Config{URL: url}, sqliteEnv(t).keys, store.Options{})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error is %v", err)
		}
	}
	_, err := store.Open(t.Context(), store.Config{URL: "postgres://user:secret@db.example.org/db"}, sqliteEnv(t).keys, store.Options{})
	if err == nil || !strings.Contains(err.Error(), "sslmode=verify-full") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a server that need not prove who it is: %v", err)
	}
	_, err = store.Open(t.Context(), store.Config{URL: "postgres://user@127.0.0.1:1/db"}, sqliteEnv(t).keys, store.Options{})
	is(t, err, store.ErrUnavailable)
}

func TestFileIsItsOwnersOnly(t *testing.T) {
	e := sqliteEnv(t)
	mustCommit(t, e.open(t), frames("alpha", 1, 7, 1, 1))
	path := strings.TrimPrefix(e.url, "sqlite:")
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", info.Name(), info.Mode().Perm())
		}
	}
}

func TestPathWithSignsOfAURL(t *testing.T) {
	e := sqliteEnv(t)
	e.url = "sqlite:" + t.TempDir() + "/a?b=c&_query_only=1 #%41.db"
	mustCommit(t, e.open(t), frames("alpha", 1, 7, 1, 1))
	if _, err := os.Stat(strings.TrimPrefix(e.url, "sqlite:")); err != nil {
		t.Error(err)
	}
}

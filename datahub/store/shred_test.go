package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/zk/commit"
)

// fillPeriods writes rows of every kind to the epochs 0 to 5, two of which share a key.
func fillPeriods(t *testing.T, e *env) *store.Store {
	t.Helper()
	e.options.EpochsPerKey = 2
	s := e.open(t)
	for epoch := range uint64(6) {
		b := frames("alpha", 1, epoch, epoch+1, epoch+1)
		b.Snapshots = []store.Snapshot{{Fleet: "alpha", Device: device(100 + int(epoch)), Epoch: epoch, State: []byte("state")}}
		b.Reports = []store.Report{{Fleet: "alpha", Device: device(1), Epoch: epoch, Record: []byte("record")}}
		b.Quarantine = []store.Quarantined{quarantined(1, "clock", "payload")}
		b.Quarantine[0].Epoch = epoch
		mustCommit(t, s, b)
		must(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Epoch: epoch, Opening: []byte("opening"), TxID: "tx"}))
	}
	return s
}

// readable says of each epoch which rows of it can be read.
func readable(t *testing.T, s *store.Store) (out []string) {
	t.Helper()
	fs, err := s.Frames(t.Context(), device(1), 0, 10)
	must(t, err)
	qs, err := s.QuarantineList(t.Context(), store.Filter{})
	must(t, err)
	states := make(map[uint64]bool)
	for one := range s.Snapshots(t.Context(), "alpha") {
		states[one.Epoch] = one.State != nil
	}
	for epoch := range uint64(6) {
		rs, err := s.Reports(t.Context(), "alpha", epoch)
		must(t, err)
		c, err := s.Chunk(t.Context(), "alpha", epoch, 0)
		must(t, err)
		if rs[0].Shredded != (rs[0].Record == nil) || c.Shredded != (c.Opening == nil) || fs[epoch].Shredded != (fs[epoch].Payload == nil) ||
			qs[epoch].Shredded != (qs[epoch].Payload == nil) || c.TxID != "tx" {
			t.Errorf("epoch %d: a row that does not say whether it is shredded", epoch)
		}
		all := []bool{!fs[epoch].Shredded, !qs[epoch].Shredded, states[epoch], !rs[0].Shredded, !c.Shredded}
		switch {
		case all[0] && all[1] && all[2] && all[3] && all[4]:
			out = append(out, "all")
		case !all[0] && !all[1] && !all[2] && !all[3] && !all[4]:
			out = append(out, "none")
		default:
			out = append(out, "some")
		}
	}
	return out
}

var afterShredding = []string{"none", "none", "none", "none", "all", "all"}

func TestShreddingMakesAPeriodUnreadable(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := fillPeriods(t, e)
		shredded, err := s.Shred(t.Context(), "alpha", 5, store.ShredOptions{}) // in the midst of the last period
		must(t, err)
		if len(shredded) != 2 || shredded[1].First != 2 || shredded[1].Last != 3 || shredded[1].Shredded.IsZero() {
			t.Errorf("shredded %+v", shredded)
		}
		equal(t, "readable here", readable(t, s), afterShredding)
		equal(t, "readable elsewhere", readable(t, e.open(t)), afterShredding)

		all, err := s.Keys(t.Context(), "alpha")
		must(t, err)
		equal(t, "shredded keys", all[:2], shredded)
		if len(all) != 3 || all[2].Period != 2 || !all[2].Shredded.IsZero() {
			t.Errorf("keys %+v", all)
		}
		id := store.FrameID{Device: device(1), Sequence: 1}
		digests, err := s.FrameDigests(t.Context(), []store.FrameID{id})
		must(t, err)
		equal(t, "digests of what is shredded", digests, map[store.FrameID]commit.Digest{id: {}})
		is(t, s.Commit(t.Context(), frames("alpha", 9, 3, 1, 1)), store.ErrShredded)
		is(t, e.open(t).PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Epoch: 0, Opening: []byte("x")}), store.ErrShredded)
		again, err := s.Shred(t.Context(), "alpha", 5, store.ShredOptions{})
		if err != nil || len(again) != 0 {
			t.Errorf("shredded again: %v, %v", again, err)
		}
	})
}

func TestShreddingReachesBackups(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := fillPeriods(t, e)
		must(t, s.Close())
		backup := *e
		backup.url = e.copy(t)
		s = e.open(t)
		_, err := s.Shred(t.Context(), "alpha", 4, store.ShredOptions{})
		must(t, err)

		restored := backup.open(t)
		_, err = restored.Frames(t.Context(), device(1), 0, 10)
		is(t, err, keys.ErrNotFound)
		_, err = restored.Frames(t.Context(), device(1), 4, 10)
		must(t, err)
		_, err = restored.Shred(t.Context(), "alpha", 4, store.ShredOptions{})
		must(t, err)
		equal(t, "readable once it was told", readable(t, restored), afterShredding)
	})
}

// copy copies the database, which nobody uses, and returns the copy's URL.
func (e *env) copy(t *testing.T) string {
	t.Helper()
	path, isSQLite := strings.CutPrefix(e.url, "sqlite:")
	if isSQLite {
		content, err := os.ReadFile(path)
		must(t, err)
		path = filepath.Join(t.TempDir(), "backup.db")
		must(t, os.WriteFile(path, content, 0o600))
		return "sqlite:" + path
	}
	server := *e
	server.url = shared.Server(t).URL("postgres")
	db := server.raw(t)
	name := strings.TrimPrefix(strings.Split(e.url, "?")[0][strings.LastIndex(strings.Split(e.url, "?")[0], "/"):], "/")
	_, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name+"_backup TEMPLATE "+name)
	must(t, err)
	return shared.Server(t).URL(name + "_backup")
}

func TestCurrentPeriodIsNotShredded(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := fillPeriods(t, e)
		_, err := s.Shred(t.Context(), "alpha", 6, store.ShredOptions{})
		is(t, err, store.ErrCurrent)
		equal(t, "readable", readable(t, s), []string{"all", "all", "all", "all", "all", "all"})
		// The fleet is silent, and its epochs go on.
		must(t, s.PutClosing(t.Context(), store.Closing{Fleet: "alpha", Epoch: 5, Ended: noon}))
		must(t, s.PutClosing(t.Context(), store.Closing{Fleet: "alpha", Epoch: 6}))
		shredded, err := s.Shred(t.Context(), "alpha", 6, store.ShredOptions{})
		if err != nil || len(shredded) != 3 {
			t.Fatalf("%d shredded, %v", len(shredded), err)
		}
		if shredded, err = s.Shred(t.Context(), "none", 6, store.ShredOptions{}); err != nil || len(shredded) != 0 {
			t.Fatalf("%d shredded of a fleet that is not, %v", len(shredded), err)
		}
	})
}

func TestKeyShreddedByAnotherProcessStopsWorking(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		s := fillPeriods(t, e)
		readable(t, s) // every key is held
		other := *e
		other.keys = openKeys(t, e)
		_, err := other.open(t).Shred(t.Context(), "alpha", 4, store.ShredOptions{})
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		for tick := time.Tick(50 * time.Millisecond); ; <-tick {
			fs, err := s.Frames(ctx, device(1), 0, 1)
			must(t, err)
			if fs[0].Shredded {
				break
			}
		}
		equal(t, "readable", readable(t, s), afterShredding)
		mustCommit(t, s, frames("alpha", 2, 5, 1, 1))
	})
}

// failing is a key store that does not destroy keys.
type failing struct{ keys.Store }

func (f failing) Destroy(context.Context, string) error { return keys.ErrUnavailable }

func TestShreddingThatWasBrokenOffGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		must(t, fillPeriods(t, e).Close())
		broken := *e
		broken.keys = failing{e.keys}
		s := broken.open(t)
		_, err := s.Shred(t.Context(), "alpha", 4, store.ShredOptions{})
		is(t, err, keys.ErrUnavailable)
		equal(t, "readable", readable(t, s), afterShredding)
		all, err := s.Keys(t.Context(), "alpha")
		must(t, err)
		if !all[0].Shredded.IsZero() {
			t.Error("a key is said to be shredded that is not")
		}
		shredded, err := e.open(t).Shred(t.Context(), "alpha", 4, store.ShredOptions{})
		if err != nil || len(shredded) != 2 {
			t.Fatalf("%d shredded, %v", len(shredded), err)
		}
	})
}

func TestProcessesAgreeOnAPeriodsKey(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		var stores []*store.Store
		for range 4 {
			own := *e
			own.keys = openKeys(t, e)
			stores = append(stores, own.open(t))
		}
		for epoch := range uint64(10) {
			var group sync.WaitGroup
			for n, s := range stores {
				group.Go(func() {
					if err := s.Commit(t.Context(), frames("alpha", n, epoch, epoch+1, epoch+1)); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
		}
		for _, s := range append(stores, e.open(t)) {
			for n := range stores {
				if fs, err := s.Frames(t.Context(), device(n), 0, 20); err != nil || len(fs) != 10 {
					t.Fatalf("%d frames, %v", len(fs), err)
				}
			}
		}
	})
}

func TestOpenKeysWorkWhileTheKeyStoreDoesNot(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		mustCommit(t, s, frames("alpha", 1, 7, 1, 1))
		must(t, e.keys.Close())
		mustCommit(t, s, frames("alpha", 1, 7, 2, 2))
		b := frames("alpha", 1, 8, 4, 4)
		b.Frames = append(b.Frames, frame("alpha", 1, 7, 3))
		is(t, s.Commit(t.Context(), b), keys.ErrUnavailable)
		is(t, s.Check(t.Context()), keys.ErrUnavailable)
		if fs, err := s.Frames(t.Context(), device(1), 0, 9); err != nil || len(fs) != 2 {
			t.Fatalf("%d frames, %v", len(fs), err)
		}
		if _, err := e.open(t).Frames(t.Context(), device(1), 0, 9); !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("error is %v", err)
		}
		e.keys = openKeys(t, e)
		mustCommit(t, e.open(t), b)
	})
}

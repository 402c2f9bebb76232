package store_test

import (
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/store"
)

// fillFleets writes two frames for each of two fleets to each of the epochs 0 to 9, three of which share a key and a partition.
func fillFleets(t *testing.T, e *env) *store.Store {
	t.Helper()
	e.options.EpochsPerKey = 3
	s := e.open(t)
	for epoch := range uint64(10) {
		for n, fleet := range []string{"alpha", "beta"} {
			b := frames(fleet, n, epoch, 2*epoch+1, 2*epoch+2)
			b.Snapshots = []store.Snapshot{{Fleet: fleet, Device: device(n), Epoch: epoch, Sequence: 2*epoch + 2, State: []byte("state")}}
			b.Reports = []store.Report{{Fleet: fleet, Device: device(n), Epoch: epoch, Record: []byte("record")}}
			b.Quarantine = []store.Quarantined{quarantined(n, "clock", "payload")}
			b.Quarantine[0].Epoch, b.Quarantine[0].Fleet = epoch, fleet
			mustCommit(t, s, b)
		}
	}
	return s
}

func sequences(t *testing.T, s *store.Store, n int) (first uint64, count int) {
	t.Helper()
	fs, err := s.Frames(t.Context(), device(n), 0, 100)
	must(t, err)
	if len(fs) == 0 {
		return 0, 0
	}
	return fs[0].Sequence, len(fs)
}

func TestPruneDeletesOldEpochsOfOneFleet(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := fillFleets(t, e)
		got, err := s.Prune(t.Context(), "alpha", 4)
		must(t, err)
		equal(t, "pruned", got, store.Pruned{Frames: 8, Snapshots: 4, Quarantined: 4})
		if first, n := sequences(t, s, 0); first != 9 || n != 12 {
			t.Errorf("%d frames from %d", n, first)
		}
		if first, n := sequences(t, s, 1); first != 1 || n != 20 {
			t.Errorf("the other fleet has %d frames from %d", n, first)
		}
		if n, _, _, err := s.Count(t.Context(), "alpha", 0); err != nil || n != 2 {
			t.Errorf("%d counted, %v", n, err)
		}
		rs, err := s.Reports(t.Context(), "alpha", 0)
		if err != nil || len(rs) != 1 || string(rs[0].Record) != "record" {
			t.Errorf("%d reports, %v", len(rs), err)
		}
		digests, err := s.FrameDigests(t.Context(), []store.FrameID{{Device: device(0), Sequence: 1}})
		if err != nil || len(digests) != 0 {
			t.Errorf("digests of what is pruned: %v, %v", digests, err)
		}
		if got, err = s.Prune(t.Context(), "alpha", 4); err != nil || got != (store.Pruned{}) {
			t.Errorf("pruned %+v again, %v", got, err)
		}
		got, err = s.Prune(t.Context(), "beta", 100)
		must(t, err)
		equal(t, "pruned of the other", got, store.Pruned{Frames: 20, Snapshots: 9, Quarantined: 10, KeptSnapshots: 1})
		got, err = s.Prune(t.Context(), "alpha", 100)
		must(t, err)
		equal(t, "the rest", got, store.Pruned{Frames: 12, Snapshots: 5, Quarantined: 6, KeptSnapshots: 1})

		// It goes on, also in an epoch that was pruned, and another process knows.
		for _, s := range []*store.Store{s, e.open(t)} {
			first, _ := sequences(t, s, 0)
			mustCommit(t, s, frames("alpha", 0, 0, first+50, first+50))
		}
		if first, n := sequences(t, s, 0); first != 50 || n != 2 {
			t.Errorf("%d frames from %d", n, first)
		}
	})
}

func TestPruneDropsPartitions(t *testing.T) {
	e := postgresEnv(t)
	s := fillFleets(t, e)
	partitions := func() (n int) {
		must(t, e.raw(t).QueryRow(`SELECT count(*) FROM pg_inherits WHERE inhparent = 'frames'::regclass`).Scan(&n))
		return n
	}
	before := partitions()
	for _, fleet := range []string{"alpha", "beta"} {
		_, err := s.Prune(t.Context(), fleet, 7)
		must(t, err)
	}
	if after := partitions(); before != 4 || after != 2 {
		t.Errorf("%d partitions before, %d after", before, after)
	}
}

func TestPruneBesideWriters(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		e.options.EpochsPerKey = 1
		stores := []*store.Store{e.open(t), e.open(t)}
		var group sync.WaitGroup
		for n, s := range stores {
			group.Go(func() {
				for epoch := range uint64(25) {
					// A late clock writes to an epoch that the other may just be pruning.
					for i, at := range []uint64{epoch, epoch / 2} {
						sequence := 2*epoch + uint64(i) + 1
						b := frames("alpha", n, at, sequence, sequence)
						b.Snapshots = []store.Snapshot{{Fleet: "alpha", Device: device(n), Epoch: epoch, Sequence: sequence, State: []byte("state")}}
						if err := s.Commit(t.Context(), b); err != nil {
							t.Error(err)
						}
					}
					if _, err := s.Prune(t.Context(), "alpha", epoch*2/3); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		for n := range stores {
			if _, err := stores[0].Prune(t.Context(), "alpha", 24); err != nil {
				t.Error(err)
			}
			if first, count := sequences(t, stores[0], n); first != 49 || count != 1 {
				t.Errorf("device %d has %d frames from %d", n, count, first)
			}
		}
	})
}

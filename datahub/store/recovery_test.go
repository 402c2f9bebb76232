package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/store"
)

// lifetime commits frames 1 to 50 of epoch 0 with a snapshot after 40 of them, and 51 to 60 of epoch 1, of which there is none yet.
func lifetime(t *testing.T, s *store.Store, n int) {
	t.Helper()
	b := frames("alpha", n, 0, 1, 50)
	b.Snapshots = []store.Snapshot{{Fleet: "alpha", Device: device(n), Epoch: 0, Sequence: 40, State: []byte("lifetime")}}
	mustCommit(t, s, b)
	mustCommit(t, s, frames("alpha", n, 1, 51, 60))
}

func TestPruneKeepsWhatADerivationGoesOnFrom(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		lifetime(t, s, 0)
		mustCommit(t, s, frames("alpha", 1, 0, 1, 5)) // of which there is no snapshot at all
		for range 2 {
			got, err := s.Prune(t.Context(), "alpha", 2)
			must(t, err)
			if got.KeptFrames != 25 || got.KeptSnapshots != 1 || got.Snapshots != 0 {
				t.Errorf("pruned %+v", got)
			}
			if first, n := sequences(t, s, 0); first != 41 || n != 20 {
				t.Errorf("%d frames from %d", n, first)
			}
			if first, n := sequences(t, s, 1); first != 1 || n != 5 {
				t.Errorf("%d frames from %d of the device without a snapshot", n, first)
			}
			if got := snapshots(t, s); len(got) != 1 || string(got[0].State) != "lifetime" {
				t.Errorf("snapshots %+v", got)
			}
		}
		// Another fleet's pruning takes none of it.
		mustCommit(t, s, frames("beta", 7, 0, 1, 1))
		mustCommit(t, s, &store.Batch{Snapshots: []store.Snapshot{{Fleet: "beta", Device: device(7), Epoch: 3, Sequence: 1}}})
		_, err := s.Prune(t.Context(), "beta", 3)
		must(t, err)
		if first, n := sequences(t, s, 0); first != 41 || n != 20 {
			t.Errorf("%d frames from %d after the other fleet was pruned", n, first)
		}
		// Once there are newer snapshots it goes.
		b := &store.Batch{}
		for n, sequence := range []uint64{60, 5} {
			b.Snapshots = append(b.Snapshots, store.Snapshot{Fleet: "alpha", Device: device(n), Epoch: 2, Sequence: sequence, State: []byte("newer")})
		}
		mustCommit(t, s, b)
		got, err := s.Prune(t.Context(), "alpha", 2)
		must(t, err)
		equal(t, "pruned", got, store.Pruned{Frames: 25, Snapshots: 1})
	})
}

func TestPartitionThatHoldsKeptFramesIsNotDropped(t *testing.T) {
	e := postgresEnv(t)
	e.options.EpochsPerKey = 5
	s := e.open(t)
	lifetime(t, s, 0)
	mustCommit(t, s, frames("beta", 1, 1, 1, 1))
	mustCommit(t, s, &store.Batch{Snapshots: []store.Snapshot{{Fleet: "beta", Device: device(1), Epoch: 9, Sequence: 1}}})
	for range 2 {
		for _, fleet := range []string{"alpha", "beta"} { // each sees the other's frames gone or not, by what was noted of them
			_, err := s.Prune(t.Context(), fleet, 9)
			must(t, err)
		}
	}
	if first, n := sequences(t, s, 0); first != 41 || n != 20 {
		t.Errorf("%d frames from %d", n, first)
	}
	if _, n := sequences(t, s, 1); n != 0 {
		t.Errorf("%d frames of the other fleet", n)
	}
}

func TestShredKeepsWhatADerivationGoesOnFrom(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		lifetime(t, s, 0)
		must(t, s.PutClosing(t.Context(), store.Closing{Fleet: "alpha", Epoch: 0, Ended: noon}))
		_, err := s.Shred(t.Context(), "alpha", 1, store.ShredOptions{})
		is(t, err, store.ErrCurrent)
		if !strings.Contains(err.Error(), device(0).String()) {
			t.Errorf("the error does not name the device: %v", err)
		}
		if got := snapshots(t, s); string(got[0].State) != "lifetime" {
			t.Errorf("snapshots %+v", got)
		}
		shredded, err := s.Shred(t.Context(), "alpha", 1, store.ShredOptions{Force: true})
		if err != nil || len(shredded) != 1 {
			t.Fatalf("%d shredded by force, %v", len(shredded), err)
		}
		// What was lost is told.
		got := snapshots(t, s)
		if len(got) != 1 || !got[0].Shredded || got[0].State != nil || got[0].Sequence != 40 {
			t.Errorf("snapshots %+v", got)
		}
	})
}

func TestShredAfterANewerSnapshotIsNotRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		lifetime(t, s, 0)
		must(t, s.PutClosing(t.Context(), store.Closing{Fleet: "alpha", Epoch: 0, Ended: noon}))
		mustCommit(t, s, &store.Batch{Snapshots: []store.Snapshot{{Fleet: "alpha", Device: device(0), Epoch: 1, Sequence: 50, State: []byte("x")}}})
		shredded, err := s.Shred(t.Context(), "alpha", 1, store.ShredOptions{})
		if err != nil || len(shredded) != 1 {
			t.Fatalf("%d shredded, %v", len(shredded), err)
		}
	})
}

func TestEpochThatIsBeingClosedIsNotShredded(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		mustCommit(t, s, frames("alpha", 1, 0, 1, 5))
		mustCommit(t, s, frames("alpha", 1, 1, 6, 6))
		refused := func(when string) {
			t.Helper()
			if _, err := s.Shred(t.Context(), "alpha", 1, store.ShredOptions{}); err == nil {
				t.Fatalf("shredded %s", when)
			} else {
				is(t, err, store.ErrCurrent)
			}
			b := &store.Batch{Reports: []store.Report{{Fleet: "alpha", Device: device(1), Epoch: 0, Record: []byte("record")}}}
			must(t, s.Commit(t.Context(), b))
			must(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", State: store.Closed, Opening: []byte("opening")}))
		}
		refused("before its closing began")
		must(t, s.PutClosing(t.Context(), store.Closing{Fleet: "alpha", Started: noon, Chunks: 1}))
		refused("while it is closed")
		mustCommit(t, s, frames("alpha", 1, 2, 7, 7))
		refused("while it is closed, an epoch later")
		must(t, s.PutClosing(t.Context(), store.Closing{Fleet: "alpha", Started: noon, Ended: noon.Add(time.Minute), Chunks: 1}))
		shredded, err := s.Shred(t.Context(), "alpha", 1, store.ShredOptions{})
		if err != nil || len(shredded) != 1 {
			t.Fatalf("%d shredded, %v", len(shredded), err)
		}
	})
}

func TestRowOfAFarEpochDoesNotLiftTheGuard(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		mustCommit(t, s, frames("alpha", 1, 3, 1, 1))
		must(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Epoch: 1000}))
		if all, err := s.Keys(t.Context(), "alpha"); err != nil || len(all) != 1 {
			t.Errorf("%d keys, %v: one was made with nothing to seal", len(all), err)
		}
		mustCommit(t, s, &store.Batch{Snapshots: []store.Snapshot{{Fleet: "alpha", Device: device(2), Epoch: 1000}}})
		must(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Epoch: 1001, Opening: []byte("x")}))
		_, err := s.Shred(t.Context(), "alpha", 4, store.ShredOptions{})
		is(t, err, store.ErrCurrent)
		// A closing of a far epoch does, but for a caller that knows the ledger's epoch.
		must(t, s.PutClosing(t.Context(), store.Closing{Fleet: "alpha", Epoch: 1000}))
		_, err = s.Shred(t.Context(), "alpha", 4, store.ShredOptions{Now: 3, Force: true})
		is(t, err, store.ErrCurrent)
	})
}

func TestSilentFleetIsShreddedByWhoKnowsTheEpoch(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		for epoch := range uint64(3) {
			mustCommit(t, s, frames("alpha", 1, epoch, epoch+1, epoch+1))
		}
		mustCommit(t, s, &store.Batch{Quarantine: []store.Quarantined{{Epoch: 2, Reason: "stranger", Payload: []byte("payload")}}})
		for _, fleet := range []string{"alpha", ""} {
			_, err := s.Shred(t.Context(), fleet, 1000, store.ShredOptions{})
			is(t, err, store.ErrCurrent)
			shredded, err := s.Shred(t.Context(), fleet, 1000, store.ShredOptions{Now: 1000})
			if want := map[string]int{"alpha": 3, "": 1}[fleet]; err != nil || len(shredded) != want {
				t.Errorf("fleet %q: %d shredded, %v", fleet, len(shredded), err)
			}
		}
		all, err := s.Fleets(t.Context())
		must(t, err)
		equal(t, "fleets", all, []string{"", "alpha"})
	})
}

func TestRestoredBackupIsToldAndOpens(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		b := frames("alpha", 1, 5, 1, 3)
		b.Snapshots = []store.Snapshot{{Fleet: "alpha", Device: device(1), Epoch: 5, Sequence: 3, State: []byte("x")}}
		mustCommit(t, s, b)
		must(t, s.Close())
		backup := *e
		backup.url = e.copy(t)
		s = e.open(t)
		mustCommit(t, s, frames("alpha", 1, 10, 4, 5))
		_, err := s.Shred(t.Context(), "alpha", 10, store.ShredOptions{Force: true})
		must(t, err)

		restored := backup.open(t)
		shredded, err := restored.Shred(t.Context(), "alpha", 6, store.ShredOptions{}) // its newest period
		if err != nil || len(shredded) != 1 {
			t.Fatalf("%d shredded, %v", len(shredded), err)
		}
		if got := snapshots(t, restored); len(got) != 1 || !got[0].Shredded {
			t.Errorf("snapshots %+v", got)
		}
	})
}

func TestOlderSnapshotDoesNotReplaceANewerOne(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		for _, sequence := range []uint64{300, 200} {
			mustCommit(t, s, &store.Batch{Snapshots: []store.Snapshot{{Fleet: "alpha", Device: device(1), Epoch: 1, Sequence: sequence, State: []byte("x")}}})
		}
		if got := snapshots(t, s); len(got) != 1 || got[0].Sequence != 300 {
			t.Errorf("snapshots %+v", got)
		}
	})
}

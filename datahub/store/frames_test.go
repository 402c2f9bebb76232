package store_test

import (
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/store"
)

func TestFramesComeBackInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		late := frame("alpha", 1, 8, 4)
		late.Late, late.Kind, late.Readings, late.Payload = true, 200, math.MaxUint32, nil
		mustCommit(t, s, frames("alpha", 1, 7, 1, 3))
		mustCommit(t, s, &store.Batch{Frames: []store.Frame{late, frame("alpha", 2, 8, 1), frame("beta", 3, 8, 9)}})
		want := append(frames("alpha", 1, 7, 1, 3).Frames, late)
		for name, s := range map[string]*store.Store{"the same store": s, "another": e.open(t)} {
			got, err := s.Frames(t.Context(), device(1), 0, 100)
			must(t, err)
			equal(t, name, got, want)
		}
		got, err := s.Frames(t.Context(), device(1), 1, 2)
		must(t, err)
		equal(t, "two after the first", got, want[1:3])
		got, err = s.Frames(t.Context(), device(1), math.MaxUint64, 2)
		must(t, err)
		equal(t, "none after the last", got, []store.Frame(nil))
	})
}

func TestBatchWithAStoredFrameWritesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		mustCommit(t, s, frames("alpha", 1, 7, 1, 3))
		other := frame("alpha", 1, 9, 2)
		other.Payload = []byte("another frame of the sequence, in another epoch")
		for name, stored := range map[string]store.Frame{"same epoch": frame("alpha", 1, 7, 2), "another epoch": other} {
			b := frames("alpha", 2, 9, 1, 5)
			b.Frames = append(b.Frames, stored)
			b.Seen = []store.Seen{{Device: device(2), At: noon}}
			b.Quarantine = []store.Quarantined{{Device: device(3), Reason: "signature"}}
			b.Snapshots = []store.Snapshot{{Fleet: "alpha", Device: device(2), Epoch: 9, State: []byte("state")}}
			is(t, s.Commit(t.Context(), b), store.ErrConflict)
			if got, err := s.Frames(t.Context(), device(2), 0, 10); err != nil || len(got) != 0 {
				t.Errorf("%s: %d frames, %v", name, len(got), err)
			}
			if n, _, _, err := s.Count(t.Context(), "alpha", 9); err != nil || n != 0 {
				t.Errorf("%s: %d frames counted, %v", name, n, err)
			}
			if q, err := s.QuarantineList(t.Context(), store.Filter{}); err != nil || len(q) != 0 {
				t.Errorf("%s: %d quarantined, %v", name, len(q), err)
			}
			for range s.Snapshots(t.Context(), "alpha") {
				t.Errorf("%s: there is a snapshot", name)
			}
		}
		twice := frames("alpha", 4, 7, 1, 3)
		twice.Frames = append(twice.Frames, frame("alpha", 4, 8, 2))
		is(t, s.Commit(t.Context(), twice), store.ErrConflict)
		got, err := s.Frames(t.Context(), device(1), 0, 10)
		must(t, err)
		equal(t, "what was stored first", got, frames("alpha", 1, 7, 1, 3).Frames)
	})
}

func TestFrameBelowTheLastOneIsNewIfItIsNotThere(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		mustCommit(t, s, frames("alpha", 1, 7, 5, 6))
		mustCommit(t, s, frames("alpha", 1, 8, 2, 3))
		s = e.open(t)
		is(t, s.Commit(t.Context(), frames("alpha", 1, 9, 3, 4)), store.ErrConflict)
		mustCommit(t, s, frames("alpha", 1, 9, 4, 4))
		got, err := s.Frames(t.Context(), device(1), 0, 10)
		must(t, err)
		want := append(frames("alpha", 1, 8, 2, 3).Frames, frame("alpha", 1, 9, 4))
		equal(t, "frames", got, append(want, frames("alpha", 1, 7, 5, 6).Frames...))
	})
}

func TestOneOfTwoWritersOfAFrameWins(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		stores := []*store.Store{e.open(t), e.open(t), e.open(t)}
		for round := range 20 {
			results := make(chan error, len(stores))
			for i, s := range stores {
				go func() { results <- s.Commit(t.Context(), frames("alpha", round, uint64(7+i), 1, 3)) }()
			}
			won := 0
			for range stores {
				err := <-results
				if err == nil {
					won++
				} else if !errors.Is(err, store.ErrConflict) {
					t.Fatal(err)
				}
			}
			if got, err := stores[0].Frames(t.Context(), device(round), 0, 10); won != 1 || err != nil || len(got) != 3 {
				t.Fatalf("%d writers won, %d frames, %v", won, len(got), err)
			}
		}
	})
}

func TestManyWritersAtOnce(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		const writers, batches = 6, 15
		var group sync.WaitGroup
		for w := range writers {
			group.Go(func() {
				for n := range uint64(batches) {
					// Each batch has frames of two devices, of which a neighbour writes one too.
					b := frames("alpha", 100+w, n, 2*n+1, 2*n+2)
					b.Seen = []store.Seen{{Device: device((w + 1) % writers), At: noon}, {Device: device(w), At: noon}}
					if err := s.Commit(t.Context(), b); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		for w := range writers {
			if got, err := s.Frames(t.Context(), device(100+w), 0, 100); err != nil || len(got) != 2*batches {
				t.Errorf("%d frames, %v", len(got), err)
			}
		}
		if n, readings, _, err := s.Count(t.Context(), "alpha", 3); err != nil || n != 2*writers || readings != 20*writers {
			t.Errorf("%d frames and %d readings counted, %v", n, readings, err)
		}
	})
}

func TestDigestsTellFramesApart(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		b := frames("alpha", 1, 7, 1, 3)
		mustCommit(t, s, b)
		d := s.Digest(b.Frames[1].Payload)
		if d == s.Digest(b.Frames[0].Payload) || d == e.open(t).Digest(b.Frames[1].Payload) {
			t.Error("two payloads, or two stores, have the same digest")
		}
		ids := []store.FrameID{{Device: device(1), Sequence: 1}, {Device: device(1), Sequence: 3}, {Device: device(1), Sequence: 4},
			{Device: device(1), Sequence: math.MaxUint64}, {Device: device(2), Sequence: 1}}
		all, err := s.FrameDigests(t.Context(), ids)
		must(t, err)
		if len(all) != 2 || all[ids[0]] != s.Digest(b.Frames[0].Payload) || all[ids[1]] != s.Digest(b.Frames[2].Payload) {
			t.Errorf("%d digests", len(all))
		}
	})
}

func TestMoreFramesThanAreLookedThrough(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		const devices, each, rounds = 30, 100, 5 // 15,000 frames
		for round := range uint64(rounds) {
			for n := range devices {
				mustCommit(t, s, frames("alpha", n, round, round*each+1, round*each+each))
			}
		}
		for n := range devices {
			got, err := s.Frames(t.Context(), device(n), 0, 1000)
			if err != nil || len(got) != rounds*each || got[0].Sequence != 1 || got[len(got)-1].Sequence != rounds*each {
				t.Fatalf("device %d has %d frames, %v", n, len(got), err)
			}
		}
		is(t, s.Commit(t.Context(), frames("alpha", 0, rounds, 1, 1)), store.ErrConflict)
		is(t, s.Commit(t.Context(), frames("alpha", 0, rounds, rounds*each, rounds*each)), store.ErrConflict)
	})
}

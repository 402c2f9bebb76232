package store_test

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/store"
)

// destroying is a key store that tells what it destroyed.
type destroying struct {
	keys.Store
	names []string
}

func (d *destroying) Destroy(ctx context.Context, name string) error {
	d.names = append(d.names, name)
	return d.Store.Destroy(ctx, name)
}

func TestDoomedRowOutsideWhatIsAskedForIsNotDestroyed(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		for epoch := range uint64(10) {
			mustCommit(t, s, frames("alpha", 1, epoch, epoch+1, epoch+1))
		}
		e.change(t, `UPDATE data_keys SET doomed = TRUE WHERE period = 9`)
		got, err := s.Shred(t.Context(), "alpha", 2, store.ShredOptions{})
		must(t, err)
		if len(got) != 2 || got[0].Period != 0 || got[1].Period != 1 {
			t.Errorf("shredded %+v", got)
		}
		e.change(t, `UPDATE data_keys SET doomed = FALSE WHERE period = 9`)
		fs, err := e.open(t).Frames(t.Context(), device(1), 9, 1)
		if err != nil || fs[0].Shredded {
			t.Errorf("the current period: %+v, %v", fs, err)
		}
	})
}

func TestAlteredEpochsPerKeyAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		e.options.EpochsPerKey = 10
		s := e.open(t)
		for epoch := uint64(115); epoch < 126; epoch++ {
			mustCommit(t, s, frames("alpha", 1, epoch, epoch, epoch))
		}
		must(t, s.Close())
		watched := &destroying{Store: e.keys}
		e.keys = watched
		e.change(t, `UPDATE settings SET value = '1' WHERE name = 'epochs_per_key'`)
		e.options.EpochsPerKey = 0
		_, err := store.Open(t.Context(), store.Config{URL: e.url}, e.keys, store.Options{})
		is(t, err, store.ErrOtherKeys)
		// Without the canary too.
		e.change(t, `DELETE FROM settings WHERE name = 'canary'`)
		_, err = store.Open(t.Context(), store.Config{URL: e.url}, e.keys, store.Options{})
		is(t, err, store.ErrOtherKeys)
		if len(watched.names) != 0 {
			t.Errorf("destroyed %v", watched.names)
		}
	})
}

func TestRowThatDoesNotOpenDestroysNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		for epoch := range uint64(3) {
			mustCommit(t, s, frames("alpha", 1, epoch, epoch+1, epoch+1))
		}
		must(t, s.Close())
		watched := &destroying{Store: e.keys}
		e.keys = watched
		s = e.open(t)
		shred := func(want error) {
			t.Helper()
			_, err := s.Shred(t.Context(), "alpha", 1, store.ShredOptions{Force: true})
			is(t, err, want)
			if len(watched.names) != 0 {
				t.Fatalf("destroyed %v", watched.names)
			}
		}
		e.change(t, `UPDATE data_keys SET last_epoch = 5 WHERE period = 0`)
		shred(store.ErrTampered)
		e.change(t, `UPDATE data_keys SET last_epoch = 0 WHERE period = 0`)
		e.change(t, `UPDATE data_keys SET wrapped = (SELECT o.wrapped FROM data_keys o WHERE o.period = 2) WHERE period = 0`)
		shred(keys.ErrCorrupt)
	})
}

func TestNothingIsAcknowledgedUnderAKeyThatIsLost(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		mustCommit(t, s, frames("alpha", 1, 0, 1, 1))
		// What a server that lags behind does when it takes over: the row of the key is gone, and the frames with it.
		e.change(t, `DELETE FROM data_keys`)
		e.change(t, `DELETE FROM frames`)
		mustCommit(t, s, frames("alpha", 1, 0, 2, 9))
		must(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Opening: []byte("opening")}))
		other := e.open(t)
		mustCommit(t, other, frames("alpha", 2, 0, 1, 1))
		e.change(t, `DELETE FROM data_keys`)
		e.change(t, `DELETE FROM frames`)
		must(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Opening: []byte("opening")}))
		mustCommit(t, other, frames("alpha", 2, 0, 2, 3))
		mustCommit(t, s, frames("alpha", 1, 0, 10, 12))
		for _, s := range []*store.Store{s, other, e.open(t)} {
			for n, want := range map[int]int{1: 3, 2: 2} {
				if fs, err := s.Frames(t.Context(), device(n), 0, 100); err != nil || len(fs) != want {
					t.Errorf("%d frames, %v", len(fs), err)
				}
			}
			if c, err := s.Chunk(t.Context(), "alpha", 0, 0); err != nil || string(c.Opening) != "opening" {
				t.Errorf("chunk %+v, %v", c, err)
			}
		}
	})
}

func TestNothingIsAcknowledgedUnderAKeyThatIsDestroyed(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s, other := e.open(t), e.open(t)
		mustCommit(t, s, frames("alpha", 1, 0, 1, 1))
		mustCommit(t, s, frames("alpha", 2, 1, 1, 1))
		mustCommit(t, s, frames("alpha", 2, 2, 2, 2))
		_, err := other.Shred(t.Context(), "alpha", 1, store.ShredOptions{})
		must(t, err)
		// At once, before this one looks for shredded keys.
		is(t, s.Commit(t.Context(), frames("alpha", 1, 0, 2, 2)), store.ErrShredded)
		is(t, s.PutChunk(t.Context(), store.Chunk{Fleet: "alpha", Opening: []byte("x")}), store.ErrShredded)
		mustCommit(t, s, frames("alpha", 1, 2, 2, 2))
	})
}

func TestDoomsThatGoBackAreNoticed(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		s, other := e.open(t), e.open(t)
		for epoch := range uint64(5) {
			mustCommit(t, s, frames("alpha", 1, epoch, epoch+1, epoch+1))
		}
		shreddedHere := func(sequence uint64) {
			t.Helper()
			deadline := time.Now().Add(10 * time.Second)
			for tick := time.Tick(50 * time.Millisecond); ; <-tick {
				fs, err := s.Frames(t.Context(), device(1), sequence-1, 1)
				must(t, err)
				if fs[0].Shredded {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("frame %d is still readable", sequence)
				}
			}
		}
		_, err := other.Shred(t.Context(), "alpha", 1, store.ShredOptions{})
		must(t, err)
		shreddedHere(1)
		e.change(t, `UPDATE settings SET value = '0' WHERE name = 'dooms'`) // as a server does that lags behind
		_, err = other.Shred(t.Context(), "alpha", 2, store.ShredOptions{})
		must(t, err)
		shreddedHere(2)
	})
}

func TestWrappingKeyThatIsGoneIsNoticed(t *testing.T) {
	notShort(t)
	onBoth(t, func(t *testing.T, e *env) {
		watched := &destroying{Store: e.keys}
		e.keys = watched
		s := e.open(t)
		s.ProveKeysEvery(time.Nanosecond)
		mustCommit(t, s, frames("alpha", 1, 0, 1, 1))
		name := s.WrappingKey("alpha", 0)
		must(t, e.keys.Destroy(t.Context(), name))
		deadline := time.Now().Add(20 * time.Second)
		sequence := uint64(2)
		for tick := time.Tick(50 * time.Millisecond); ; <-tick {
			err := s.Commit(t.Context(), frames("alpha", 1, 0, sequence, sequence))
			if err != nil {
				is(t, err, keys.ErrNotFound)
				return
			}
			if sequence++; time.Now().After(deadline) {
				t.Fatal("it goes on being used")
			}
		}
	})
}

// down is a key store that can be made unavailable.
type down struct {
	keys.Store
	is atomic.Bool
}

func (d *down) Unwrap(ctx context.Context, name string, wrapped, context []byte) ([]byte, error) {
	if d.is.Load() {
		return nil, keys.ErrUnavailable
	}
	return d.Store.Unwrap(ctx, name, wrapped, context)
}

func TestOtherKeyStoreIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		mustCommit(t, s, frames("alpha", 1, 0, 1, 1))
		must(t, s.Close())
		right := e.keys
		must(t, os.Rename(e.keyDir, e.keyDir+".away")) // the disk is not mounted, and create is set
		wrong := &down{Store: openKeys(t, e)}
		_, err := store.Open(t.Context(), store.Config{URL: e.url}, wrong, store.Options{})
		is(t, err, store.ErrOtherKeys)

		// One that does not answer yet is taken, and looked at before a key is made in it or destroyed.
		wrong.is.Store(true)
		e.keys = wrong
		s = e.open(t)
		is(t, s.Commit(t.Context(), frames("alpha", 1, 1, 2, 2)), keys.ErrUnavailable)
		wrong.is.Store(false)
		is(t, s.Commit(t.Context(), frames("alpha", 1, 1, 2, 2)), store.ErrOtherKeys)
		_, err = s.Shred(t.Context(), "alpha", 1, store.ShredOptions{Now: 9})
		is(t, err, store.ErrOtherKeys)
		_, err = s.Frames(t.Context(), device(1), 0, 9)
		is(t, err, store.ErrOtherKeys)

		e.keys = right
		must(t, os.RemoveAll(e.keyDir))
		must(t, os.Rename(e.keyDir+".away", e.keyDir))
		mustCommit(t, e.open(t), frames("alpha", 1, 1, 2, 2))
	})
}

func TestEmptyListOfIDsChoosesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, e *env) {
		s := e.open(t)
		mustCommit(t, s, &store.Batch{Quarantine: []store.Quarantined{quarantined(1, "x", "y"), quarantined(2, "x", "y")}})
		if n, err := s.QuarantineMark(t.Context(), store.Filter{IDs: []string{}}); n != 0 || err != nil {
			t.Errorf("%d marked, %v", n, err)
		}
		if n, err := s.QuarantineMark(t.Context(), store.Filter{}); n != 2 || err != nil {
			t.Errorf("%d marked, %v", n, err)
		}
	})
}

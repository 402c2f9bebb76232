package embedded

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// damaged changes a copy of a closed ledger's store and verifies it.
func damaged(t *testing.T, file []byte, change func(tx *bbolt.Tx) error) error {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(databasePath(dir), file, 0o600); err != nil {
		t.Fatal(err)
	}
	db := ok[*bbolt.DB](t)(openDatabase(dir, false))
	db.NoSync = true
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
	_, err := Verify(dir)
	return err
}

func TestVerifyNeedsNoKeys(t *testing.T) {
	n := newNetwork(t)
	n.anchored()
	open := ok[Report](t)(n.Verify())
	n.Close()
	if err := os.RemoveAll(n.dir + "/orgs"); err != nil {
		t.Fatal(err)
	}
	if closed := ok[Report](t)(Verify(n.dir)); closed != open || closed.Height != 8 || closed.Keys < 12*3 {
		t.Errorf("reports are %+v and %+v", open, closed)
	}
	if _, err := Verify(t.TempDir()); err == nil {
		t.Error("nothing verifies")
	}
}

func TestVerifyAnEmptyLedger(t *testing.T) {
	n := newNetwork(t)
	if r := ok[Report](t)(n.Verify()); r.Height != 0 || r.Head != n.ID() {
		t.Errorf("report is %+v", r)
	}
}

// flips are positions in a value: all of a short one, both ends and a sample of a long one.
func flips(size int) []int {
	if size <= 100 {
		all := make([]int, size)
		for i := range all {
			all[i] = i
		}
		return all
	}
	random, some := rand.New(rand.NewPCG(1, uint64(size))), make([]int, 0, 54)
	for i := range 12 {
		some = append(some, i, size-1-i)
	}
	for range 30 {
		some = append(some, random.IntN(size))
	}
	return some
}

func TestFlippedByteInABlockIsFoundAndNamed(t *testing.T) {
	n := newNetwork(t)
	n.anchored()
	n.Close()
	db := ok[*bbolt.DB](t)(openDatabase(n.dir, false))
	defer db.Close()
	for height := uint64(1); height <= 8; height++ {
		tryFlips(t, db, height)
	}
	if _, err := replayed(db); err != nil {
		t.Errorf("the blocks were not put back: %v", err)
	}
}

func tryFlips(t *testing.T, db *bbolt.DB, height uint64) {
	t.Helper()
	put := func(b []byte) {
		if err := db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketBlocks).Put(heightKey(height), b) }); err != nil {
			t.Fatal(err)
		}
	}
	db.NoSync = true
	var good []byte
	db.View(func(tx *bbolt.Tx) error {
		good = bytes.Clone(tx.Bucket(bucketBlocks).Get(heightKey(height)))
		return nil
	})
	positions := flips(len(good))
	if testing.Short() {
		positions = positions[:20]
	}
	for _, at := range positions {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		put(bad)
		_, err := replayed(db)
		var damage *Damage
		if !errors.As(err, &damage) || damage.Height != height {
			t.Fatalf("block %d, byte %d of %d: %v", height, at, len(good), err)
		}
	}
	put(good)
}

// The file's own bytes are flipped where it holds the blocks, as a disk would.
func TestFlippedByteInTheFileIsFound(t *testing.T) {
	n := newNetwork(t)
	n.anchored()
	var block []byte
	n.db.View(func(tx *bbolt.Tx) error {
		block = bytes.Clone(tx.Bucket(bucketBlocks).Get(heightKey(4)))
		return nil
	})
	n.Close()
	file := ok[[]byte](t)(os.ReadFile(databasePath(n.dir)))
	if !bytes.Contains(file, block) {
		t.Fatal("block 4 is not in the file in one piece")
	}
	for _, i := range []int{0, 1, len(block) / 2, len(block) - 1} {
		bad := bytes.Clone(block)
		bad[i] ^= 4
		// bbolt copies on write: pages that it gave up may hold the block too.
		if err := os.WriteFile(databasePath(n.dir), bytes.ReplaceAll(file, block, bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(n.dir); err == nil || !strings.Contains(err.Error(), "block 4") {
			t.Errorf("byte %d: %v", i, err)
		}
	}
}

func TestVerifyRefusesAStoreThatIsNotWhatTheBlocksSay(t *testing.T) {
	n := newNetwork(t)
	n.anchored()
	n.Close()
	file := ok[[]byte](t)(os.ReadFile(databasePath(n.dir)))
	fleetKey := []byte(ledger.FleetKey(fleetID))
	for name, c := range map[string]struct {
		change func(tx *bbolt.Tx) error
		text   string
	}{
		"state changed": {func(tx *bbolt.Tx) error {
			v := bytes.Clone(tx.Bucket(bucketState).Get(fleetKey))
			return tx.Bucket(bucketState).Put(fleetKey, bytes.Replace(v, []byte("operator"), []byte("zperator"), 1))
		}, "fleet/fleet-a"},
		"version changed": {func(tx *bbolt.Tx) error {
			v := bytes.Clone(tx.Bucket(bucketState).Get(fleetKey))
			v[7]++
			return tx.Bucket(bucketState).Put(fleetKey, v)
		}, "fleet/fleet-a"},
		"state lost":       {func(tx *bbolt.Tx) error { return tx.Bucket(bucketState).Delete(fleetKey) }, "fleet/fleet-a"},
		"state added":      {func(tx *bbolt.Tx) error { return tx.Bucket(bucketState).Put([]byte("zzz"), make([]byte, 20)) }, "zzz"},
		"first block lost": {func(tx *bbolt.Tx) error { return tx.Bucket(bucketBlocks).Delete(heightKey(1)) }, "block 1"},
		"block lost":       {func(tx *bbolt.Tx) error { return tx.Bucket(bucketBlocks).Delete(heightKey(3)) }, "block 3"},
		"last block lost":  {func(tx *bbolt.Tx) error { return tx.Bucket(bucketBlocks).Delete(heightKey(8)) }, "head"},
		"block elsewhere": {func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketBlocks)
			return errors.Join(b.Put(heightKey(9), bytes.Clone(b.Get(heightKey(8)))), b.Delete(heightKey(8)))
		}, "block 8"},
		"block twice": {func(tx *bbolt.Tx) error {
			return tx.Bucket(bucketBlocks).Put(heightKey(9), bytes.Clone(tx.Bucket(bucketBlocks).Get(heightKey(8))))
		}, "block 9"},
		"blocks swapped": {func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketBlocks)
			two, three := bytes.Clone(b.Get(heightKey(2))), bytes.Clone(b.Get(heightKey(3)))
			return errors.Join(b.Put(heightKey(2), three), b.Put(heightKey(3), two))
		}, "block 2"},
		"head lost":  {func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Delete(keyHead) }, "head"},
		"head wrong": {func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyHead, encode(head{Height: 5})) }, "head"},
		"transaction unlisted": {func(tx *bbolt.Tx) error {
			k, _ := tx.Bucket(bucketTransactions).Cursor().First()
			return tx.Bucket(bucketTransactions).Delete(bytes.Clone(k))
		}, "index"},
		"genesis changed": {func(tx *bbolt.Tx) error {
			g := bytes.Clone(tx.Bucket(bucketMeta).Get(keyGenesis))
			return tx.Bucket(bucketMeta).Put(keyGenesis, bytes.Replace(g, []byte("test"), []byte("best"), 1))
		}, "block 1"},
		"bucket lost": {func(tx *bbolt.Tx) error { return tx.DeleteBucket(bucketState) }, "no ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := damaged(t, file, c.change); err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %q", err, c.text)
			}
		})
	}
}

// What is left when blocks, head and effects are cut off the end is a sound, shorter ledger: that is what noting the head elsewhere is for.
func TestShorterLedgerHasAnotherHead(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	n.done(n.book(operator).RegisterFleet(ctx, fleetArgs(fleetID)))
	before := ok[Report](t)(n.Verify())
	n.done(n.book(operator).RegisterFleet(ctx, fleetArgs("fleet-b")))
	if after := ok[Report](t)(n.Verify()); after.Head == before.Head || after.StateDigest == before.StateDigest {
		t.Error("a block does not change the head")
	}
}

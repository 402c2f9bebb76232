package embedded

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"runtime/debug"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Report is what Verify found of a sound ledger.
type Report struct {
	Ledger commit.Digest `json:"ledger"`
	Name   string        `json:"name"`
	// Height and Head are the last block's. Compare them with ones noted elsewhere: blocks cut off the end leave a sound ledger.
	Height       uint64        `json:"height"`
	Head         commit.Digest `json:"head"`
	Time         int64         `json:"time"`
	Transactions uint64        `json:"transactions"`
	// Signatures is how many were verified: proposals, endorsements and seals.
	Signatures uint64 `json:"signatures"`
	// Keys is the number of keys in the state, StateDigest covers them with versions and values.
	Keys        uint64        `json:"keys"`
	StateDigest commit.Digest `json:"state_digest"`
}

// Damage says which block is not as it was written, or closes a ceremony's stage with what is no block's hash.
type Damage struct {
	Height uint64
	Err    error
}

func (d *Damage) Error() string { return fmt.Sprintf("block %d: %v", d.Height, d.Err) }

// Unwrap gives the reason.
func (d *Damage) Unwrap() error { return d.Err }

// Verify reads a ledger from genesis: every block follows its predecessor and is sealed by the regulator; every transaction was proposed and endorsed with valid
// signatures that meet the rule of its time, and read what the state then held; a ceremony's stage is closed with the hash of the block in which it ended; and the writes
// add up to the state that is stored. It needs no keys and changes nothing. The ledger must not be open for writing. Damage in a block is a *Damage.
func Verify(dir string) (Report, error) {
	if _, err := os.Stat(databasePath(dir)); err != nil {
		return Report{}, fmt.Errorf("verifying ledger: %w", err)
	}
	report, err := verifyFile(dir)
	if err != nil {
		return Report{}, fmt.Errorf("verifying ledger %s: %w", dir, err)
	}
	return report, nil
}

func verifyFile(dir string) (report Report, err error) {
	// bbolt trusts its file and panics, or touches unmapped memory, where it is damaged.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("the store is damaged: %v", cause)
		}
	}()
	db, err := openDatabase(dir, true)
	if err != nil {
		return Report{}, err
	}
	defer db.Close() //nolint:errcheck // opened for reading
	return replayed(db)
}

// Verify verifies an open ledger, as of its last block.
func (l *Ledger) Verify() (Report, error) { return replayed(l.db) }

// replayed replays the blocks into a store of its own and compares.
func replayed(db *bbolt.DB) (Report, error) {
	dir, err := os.MkdirTemp("", "assay-verify-")
	if err != nil {
		return Report{}, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of temporary files
	fresh, err := bbolt.Open(filepath.Join(dir, "replay.db"), 0o600, &bbolt.Options{NoSync: true, NoFreelistSync: true})
	if err != nil {
		return Report{}, err
	}
	defer fresh.Close() //nolint:errcheck // removed next
	r := &replay{}
	err = db.View(func(stored *bbolt.Tx) error {
		if err := r.start(stored); err != nil {
			return err
		}
		if err := r.blocks(fresh); err != nil {
			return err
		}
		return fresh.View(func(tx *bbolt.Tx) error { return r.compare(stored, tx) })
	})
	if err != nil {
		return Report{}, err
	}
	return r.report, nil
}

// replay is a verification on its way: the head so far.
type replay struct {
	genesis *ledger.Genesis
	stored  *bbolt.Bucket // the blocks
	head    head
	report  Report
}

func (r *replay) start(stored *bbolt.Tx) error {
	var err error
	if r.genesis, err = readGenesis(stored); err != nil {
		return err
	}
	r.report.Ledger, r.report.Name = r.genesis.ID(), r.genesis.Name
	r.head, r.stored = head{Hash: r.report.Ledger}, stored.Bucket(bucketBlocks)
	return nil
}

// blocksPerWrite bounds what the replay holds in memory.
const blocksPerWrite = 64

func (r *replay) blocks(fresh *bbolt.DB) error {
	c := r.stored.Cursor()
	key, value := c.First()
	for key != nil {
		err := fresh.Update(func(tx *bbolt.Tx) error {
			b, err := r.book(tx)
			for n := 0; err == nil && key != nil && n < blocksPerWrite; n++ {
				if err = r.block(b, key, value); err != nil {
					return &Damage{Height: r.head.Height + 1, Err: err}
				}
				key, value = c.Next()
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) book(tx *bbolt.Tx) (*book, error) {
	state, err := tx.CreateBucketIfNotExists(bucketState)
	if err != nil {
		return nil, err
	}
	transactions, err := tx.CreateBucketIfNotExists(bucketTransactions)
	return &book{Rules: sealed.Rules{ID: r.report.Ledger, Genesis: r.genesis}, state: stateView{state}, transactions: transactions}, err
}

func (r *replay) block(b *book, key, value []byte) error {
	if want := heightKey(r.head.Height + 1); !bytes.Equal(key, want) {
		return fmt.Errorf("is missing: the next stored is %x", key)
	}
	blk, hash, err := b.Open(value)
	if err != nil {
		return err
	}
	if blk.Height != r.head.Height+1 || blk.Previous != r.head.Hash {
		return errors.New("does not follow the block before it")
	}
	if blk.Time < r.head.Time {
		return errors.New("is older than the block before it")
	}
	for i, encoded := range blk.Transactions {
		if err := r.transaction(b, blk, uint32(i), encoded); err != nil {
			return fmt.Errorf("transaction %d: %w", i, err)
		}
	}
	r.head = head{Height: blk.Height, Hash: hash, Time: blk.Time}
	r.report.Signatures++
	return nil
}

func (r *replay) transaction(b *book, blk *block, index uint32, encoded []byte) error {
	t, err := decodeTransaction(b.ID, encoded)
	if err != nil {
		return err
	}
	if err := b.apply(version{Height: blk.Height, Index: index}, blk.Time, t); err != nil {
		return err
	}
	if err := r.closings(b, t.Done.Writes); err != nil {
		return err
	}
	r.report.Transactions++
	r.report.Signatures += 1 + uint64(len(t.Endorsements))
	return nil
}

// compare holds head, transaction index and state as they are stored against what the blocks give.
func (r *replay) compare(stored, fresh *bbolt.Tx) error {
	h, err := readHead(stored, r.report.Ledger)
	if err != nil {
		return err
	}
	if h != r.head {
		return fmt.Errorf("the stored head is block %d, %s; the blocks end with %d, %s",
			h.Height, commit.Digest(h.Hash), r.head.Height, commit.Digest(r.head.Hash))
	}
	if err := compareBuckets(stored.Bucket(bucketTransactions), fresh.Bucket(bucketTransactions), func([]byte, []byte) {}); err != nil {
		return fmt.Errorf("index of transactions: %w", err)
	}
	digest := sha256.New()
	if err := compareBuckets(stored.Bucket(bucketState), fresh.Bucket(bucketState), func(k, v []byte) {
		r.report.Keys++
		hashPair(digest, k, v)
	}); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	r.report.Height, r.report.Head, r.report.Time = h.Height, h.Hash, h.Time
	r.report.StateDigest = commit.Digest(digest.Sum(nil))
	return nil
}

func hashPair(h hash.Hash, k, v []byte) {
	var n [16]byte
	binary.BigEndian.PutUint64(n[:8], uint64(len(k)))
	binary.BigEndian.PutUint64(n[8:], uint64(len(v)))
	h.Write(n[:])
	h.Write(k)
	h.Write(v)
}

// compareBuckets walks both in step. A ledger without blocks has no fresh bucket.
func compareBuckets(stored, fresh *bbolt.Bucket, each func(k, v []byte)) error {
	c := stored.Cursor()
	k, v := c.First()
	if fresh != nil {
		d := fresh.Cursor()
		for wantK, wantV := d.First(); wantK != nil; wantK, wantV = d.Next() {
			if !bytes.Equal(k, wantK) || !bytes.Equal(v, wantV) {
				return fmt.Errorf("%q is not stored as the blocks have it", wantK)
			}
			each(k, v)
			k, v = c.Next()
		}
	}
	if k != nil {
		return fmt.Errorf("%q is in no block", k)
	}
	return nil
}

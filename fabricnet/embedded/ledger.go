package embedded

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/zk/commit"
)

// Options are what a ledger needs from outside.
type Options struct {
	// Clock is read for proposals and blocks; nil means time.Now. The ledger's time never goes back: behind the last block's time, that counts.
	Clock func() time.Time
	// SRS is what the peers check attestations against. Without it anchors are refused.
	SRS *commit.SRS
	// Agree is asked for each organisation's consent to a verifying key or a maker's CA, see contract.Environment. Nil means that all agree
	// to everything, which suits a ledger whose organisations all sit in one directory. Peers ask at the same time.
	Agree func(org string, digest commit.Digest) error
	// Attributes are, by organisation, what the certificates of its callers would say on Fabric: policies may look at them. They are within the bounds of package ledger, and not
	// in the blocks but for the requests that keep them. Do not change them.
	Attributes map[string]map[string]string
}

// Ledger is an open ledger. It is safe for concurrent use.
type Ledger struct {
	dir     string
	db      *bbolt.DB
	genesis *ledger.Genesis
	id      commit.Digest
	clock   func() time.Time
	srs     *commit.SRS
	consent func(org string, digest commit.Digest) error
	keys    map[string]orgkey.Key
	// keyrings and policies are shared by the peers: they hold nothing but what the state says.
	keyrings   contract.KeyringCache
	policies   contract.PolicyCache
	attributes map[string]map[string]string
	last       atomic.Int64 // time of the last block

	queueMu sync.Mutex
	queue   []*pending
	writeMu sync.Mutex // held while a block is written

	changedMu sync.Mutex
	changed   chan struct{} // closed at the next block, and at Close
	closed    bool
}

var (
	bucketMeta         = []byte("meta")
	bucketBlocks       = []byte("blocks")
	bucketState        = []byte("state")
	bucketTransactions = []byte("transactions")
	allBuckets         = [][]byte{bucketMeta, bucketBlocks, bucketState, bucketTransactions}

	keyGenesis = []byte("genesis")
	keyHead    = []byte("head")
)

// ErrLocked says that another process, or another part of this one, has the ledger open.
var ErrLocked = errors.New("the ledger is open elsewhere")

// lockWait is how long Open waits for somebody who is just closing.
const lockWait = 250 * time.Millisecond

// keyPath is where an organisation's key lies.
func keyPath(dir, org string) string { return filepath.Join(dir, "orgs", org+".key") }

func databasePath(dir string) string { return filepath.Join(dir, "ledger.db") }

func openDatabase(dir string, readOnly bool) (*bbolt.DB, error) {
	db, err := bbolt.Open(databasePath(dir), 0o600, &bbolt.Options{Timeout: lockWait, ReadOnly: readOnly})
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = ErrLocked
	}
	return db, err
}

// Create makes a ledger in a directory that holds none. It draws a key for every organisation; the genesis must bring none. A creation that was interrupted
// may be repeated.
func Create(dir string, genesis ledger.Genesis, o Options) (*Ledger, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating ledger %s: %w", dir, err)
	}
	db, err := openDatabase(dir, false)
	if err != nil {
		return nil, fmt.Errorf("creating ledger %s: %w", dir, err)
	}
	if err := found(db, dir, genesis); err != nil {
		db.Close() //nolint:errcheck // the first error counts
		return nil, fmt.Errorf("creating ledger %s: %w", dir, err)
	}
	if err := db.Close(); err != nil {
		return nil, fmt.Errorf("creating ledger %s: %w", dir, err)
	}
	return Open(dir, o)
}

// found puts keys and genesis in place, the genesis last and all at once.
func found(db *bbolt.DB, dir string, genesis ledger.Genesis) error {
	if err := db.View(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketMeta) != nil {
			return errors.New("there is a ledger already")
		}
		return nil
	}); err != nil {
		return err
	}
	genesis.Organisations = append([]ledger.Organisation(nil), genesis.Organisations...)
	for i := range genesis.Organisations {
		if err := foundKey(dir, &genesis.Organisations[i]); err != nil {
			return err
		}
	}
	if err := genesis.Check(); err != nil {
		return err
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		for _, name := range allBuckets {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Put(keyGenesis, genesis.Canonical())
	}); err != nil {
		return err
	}
	return durable.SyncDir(dir)
}

func foundKey(dir string, o *ledger.Organisation) error {
	if err := ledger.CheckID("organisation id", o.ID); err != nil { // it becomes part of a path
		return err
	}
	if len(o.Key) != 0 {
		return fmt.Errorf("organisation %s: brings a key", o.ID)
	}
	key, err := orgkey.Create(keyPath(dir, o.ID))
	if err != nil {
		return err
	}
	if o.Key, err = key.PKIX(); err != nil {
		return err
	}
	return foundStore(dir, o.ID)
}

// foundStore makes the folder of a peer's attestations, and its name last.
func foundStore(dir, org string) error {
	store := attestationsOf(dir, org).Dir
	if err := os.MkdirAll(store, 0o700); err != nil {
		return err
	}
	for _, d := range []string{filepath.Dir(store), filepath.Join(dir, "peers")} {
		if err := durable.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}

// Open opens a ledger for reading and writing. It does not verify it; Verify does.
func Open(dir string, o Options) (*Ledger, error) {
	if _, err := os.Stat(databasePath(dir)); err != nil {
		return nil, fmt.Errorf("opening ledger: %w", err)
	}
	db, err := openDatabase(dir, false)
	if err != nil {
		return nil, fmt.Errorf("opening ledger %s: %w", dir, err)
	}
	l := &Ledger{dir: dir, db: db, clock: o.Clock, srs: o.SRS, consent: o.Agree, attributes: o.Attributes, keys: map[string]orgkey.Key{}, changed: make(chan struct{})}
	if l.clock == nil {
		l.clock = time.Now
	}
	if err := l.load(); err != nil {
		db.Close() //nolint:errcheck // the first error counts
		return nil, fmt.Errorf("opening ledger %s: %w", dir, err)
	}
	return l, nil
}

func (l *Ledger) load() error {
	if err := l.db.View(func(tx *bbolt.Tx) error {
		var err error
		if l.genesis, err = readGenesis(tx); err != nil {
			return err
		}
		l.id = l.genesis.ID()
		h, err := readHead(tx, l.id)
		l.last.Store(h.Time)
		return err
	}); err != nil {
		return err
	}
	for i := range l.genesis.Organisations {
		o := &l.genesis.Organisations[i]
		key, err := orgkey.Read(keyPath(l.dir, o.ID))
		if err != nil {
			return err
		}
		if der, err := key.PKIX(); err != nil || !bytes.Equal(der, o.Key) {
			return fmt.Errorf("key file of %s does not hold the key of the genesis", o.ID)
		}
		l.keys[o.ID] = key
	}
	return nil
}

func readGenesis(tx *bbolt.Tx) (*ledger.Genesis, error) {
	for _, name := range allBuckets {
		if tx.Bucket(name) == nil {
			return nil, errors.New("there is no ledger, or its creation was interrupted")
		}
	}
	return ledger.ParseGenesis(tx.Bucket(bucketMeta).Get(keyGenesis))
}

// head is the last block. Before the first, its hash is the ledger id.
type head struct {
	_      struct{} `cbor:",toarray"`
	Height uint64
	Hash   [32]byte
	Time   int64
}

func readHead(tx *bbolt.Tx, id commit.Digest) (head, error) {
	b := tx.Bucket(bucketMeta).Get(keyHead)
	if b == nil {
		return head{Hash: id}, nil
	}
	h, err := decode[head]("head", b)
	if err != nil {
		return head{}, err
	}
	return *h, nil
}

// now is the ledger's time in whole seconds. It never goes back.
func (l *Ledger) now() int64 { return max(l.clock().Unix(), l.last.Load()) }

// ID is the ledger id.
func (l *Ledger) ID() commit.Digest { return l.id }

// Genesis is what the consortium agreed on. Do not change it.
func (l *Ledger) Genesis() *ledger.Genesis { return l.genesis }

// Close waits for what is being written and closes the store. Followers of events end with an error.
func (l *Ledger) Close() error {
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	l.changedMu.Lock()
	if !l.closed {
		l.closed = true
		close(l.changed)
	}
	l.changedMu.Unlock()
	return l.db.Close()
}

// signed signs with an organisation's key, which the ledger holds.
func (l *Ledger) signed(org string, message []byte) []byte {
	signature, err := l.keys[org].Sign(nil, message, crypto.Hash(0))
	if err != nil {
		panic(fmt.Sprintf("signing for %s: %v", org, err)) // Ed25519 signs whatever it is given
	}
	return signature
}

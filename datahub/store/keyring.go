package store

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/store/driver"
)

const (
	// keyCheckEvery is how old the knowledge may be that no key was shredded by another process.
	keyCheckEvery = 2 * time.Second
	// maxOpenKeys bounds the keys that are held open.
	maxOpenKeys = 256
)

// keyring opens data keys, and holds them while they are not shredded.
type keyring struct {
	driver   driver.Driver
	keys     keys.Store
	identity driver.Identity
	log      *slog.Logger

	mu   sync.RWMutex
	open map[period]*openKey // nil: shredded
	// checked is when dooms was read last.
	checked time.Time
	dooms   string
	// proven says that the key store was seen to be the database's, provenEvery after what time a key that is held is opened again.
	proven      bool
	provenEvery time.Duration

	checking, loading turn // one check, and one key loaded or made, at a time
}

// openKey is an open data key.
type openKey struct {
	cipher.AEAD
	use  driver.KeyUse // the row that it was opened from
	seen time.Time     // when the key store opened it last
}

// turn is a lock that a context ends the wait for.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) leave() { <-t }

// period is a fleet's run of epochs under one data key.
type period struct {
	fleet  string
	number uint64
}

func newKeyring(d driver.Driver, ks keys.Store, id driver.Identity, log *slog.Logger) *keyring {
	return &keyring{driver: d, keys: ks, identity: id, log: log, open: make(map[period]*openKey), provenEvery: proveEvery,
		checking: make(turn, 1), loading: make(turn, 1)}
}

func (r *keyring) period(fleet string, epoch uint64) period {
	return period{fleet, epoch / r.identity.EpochsPerKey}
}

// epochs returns the first and the last epoch of a period.
func (r *keyring) epochs(p period) (first, last uint64) {
	first = p.number * r.identity.EpochsPerKey
	return first, first + min(r.identity.EpochsPerKey-1, math.MaxInt64-first)
}

// wrappingKey names a period's wrapping key in the key store: a hash, since fleets have names that key stores do not allow, and the
// database's ID in it, so that databases that share a key store do not shred one another's data. That the epochs per key are in it as
// well keeps a database in which they were altered from naming keys that are there, under the numbers of other periods.
func (r *keyring) wrappingKey(p period) string {
	h := sha256.Sum256(appendString(r.bound("assay/store/wrapping-key/v1"), p.fleet))
	return fmt.Sprintf("store-%s-%d", hex.EncodeToString(h[:16]), p.number)
}

// bound begins what is bound to the database's identity.
func (r *keyring) bound(tag string) []byte {
	return binary.BigEndian.AppendUint64(appendString([]byte(tag), r.identity.ID), r.identity.EpochsPerKey)
}

// context binds a wrapped data key to its database, fleet and epochs.
func (r *keyring) context(p period) []byte {
	first, last := r.epochs(p)
	b := appendString(r.bound("assay/store/data-key/v1"), p.fleet)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, first), last)
}

// forReading returns the key of a fleet's epoch.
func (r *keyring) forReading(ctx context.Context, fleet string, epoch uint64) (*openKey, error) {
	return r.get(ctx, r.period(fleet, epoch), false)
}

// forWriting is forReading that makes the key if there is none.
func (r *keyring) forWriting(ctx context.Context, fleet string, epoch uint64) (*openKey, error) {
	return r.get(ctx, r.period(fleet, epoch), true)
}

func (r *keyring) get(ctx context.Context, p period, create bool) (*openKey, error) {
	if err := r.check(ctx, false); err != nil {
		return nil, err
	}
	key, held := r.held(p)
	if !held {
		var err error
		if key, err = r.load(ctx, p, create); err != nil {
			return nil, fmt.Errorf("opening the data key of fleet %q, period %d: %w", p.fleet, p.number, err)
		}
	}
	if key == nil {
		return nil, fmt.Errorf("fleet %q, period %d: %w", p.fleet, p.number, ErrShredded)
	}
	return key, nil
}

func (r *keyring) held(p period) (key *openKey, held bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	key, held = r.open[p]
	return key, held
}

// load opens a key and holds it; it returns nil for one that is shredded.
func (r *keyring) load(ctx context.Context, p period, create bool) (*openKey, error) {
	if err := r.loading.take(ctx); err != nil {
		return nil, err
	}
	defer r.loading.leave()
	if key, held := r.held(p); held {
		return key, nil
	}
	dooms := r.seenDooms()
	found, err := r.driver.Keys(ctx, p.fleet, &p.number)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		if !create {
			return nil, errors.New("the database has none")
		}
		if found, err = r.create(ctx, p); err != nil {
			return nil, err
		}
	}
	key, err := r.unwrap(ctx, p, &found[0])
	if err != nil {
		return nil, err
	}
	r.hold(p, key, dooms)
	return key, nil
}

// create makes a period's key. Where another process made one meanwhile it is that one which counts.
func (r *keyring) create(ctx context.Context, p period) ([]driver.Key, error) {
	if err := r.prove(ctx); err != nil {
		return nil, err
	}
	plain := make([]byte, chacha20poly1305.KeySize)
	rand.Read(plain)
	defer clear(plain)
	wrapped, err := r.keys.Wrap(ctx, r.wrappingKey(p), plain, r.context(p))
	if err != nil {
		return nil, fmt.Errorf("wrapping it: %w", err)
	}
	first, last := r.epochs(p)
	row := driver.Key{Fleet: p.fleet, Period: p.number, First: first, Last: last, Created: time.Now(), Wrapped: wrapped}
	if row, err = r.driver.AddKey(ctx, row); err != nil {
		return nil, err
	}
	r.log.InfoContext(ctx, "data key made", "fleet", p.fleet, "period", p.number, "first_epoch", first, "last_epoch", last)
	return []driver.Key{row}, nil
}

// unwrap opens a stored key. Also one that was made just now goes through it: it is not used before it was seen to open.
func (r *keyring) unwrap(ctx context.Context, p period, row *driver.Key) (*openKey, error) {
	if row.Doomed {
		return nil, nil
	}
	seen := time.Now()
	plain, err := r.keys.Unwrap(ctx, r.wrappingKey(p), row.Wrapped, r.context(p))
	if errors.Is(err, keys.ErrNotFound) {
		if other := r.prove(ctx); errors.Is(other, ErrOtherKeys) {
			return nil, errors.Join(other, err)
		}
		return nil, fmt.Errorf("its wrapping key is destroyed though the database does not say so "+
			"(after a backup was restored, shred again): %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("unwrapping it: %w", err)
	}
	defer clear(plain)
	aead, err := chacha20poly1305.NewX(plain)
	if err != nil {
		return nil, err
	}
	return &openKey{AEAD: aead, use: driver.KeyUse{Fleet: p.fleet, Period: p.number, Wrapped: row.Wrapped}, seen: seen}, nil
}

// hold keeps a key that was loaded while dooms was this; if a shredding was seen since, the row may be out of date and is not held.
func (r *keyring) hold(p period, key *openKey, dooms string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if key != nil && dooms != r.dooms {
		return
	}
	for old := range r.open {
		if len(r.open) < maxOpenKeys {
			break
		}
		delete(r.open, old)
	}
	r.open[p] = key
}

// forget lets go of keys that the database was found not to have any more as they were used.
func (r *keyring) forget(uses []driver.KeyUse) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range uses {
		p := period{uses[i].Fleet, uses[i].Period}
		if key := r.open[p]; key != nil && bytes.Equal(key.use.Wrapped, uses[i].Wrapped) {
			delete(r.open, p)
		}
	}
}

package store

import (
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
	open map[period]cipher.AEAD // nil: shredded
	// checked is when dooms was read last.
	checked time.Time
	dooms   uint64

	checking, loading turn // one check, and one key loaded or made, at a time
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
	return &keyring{driver: d, keys: ks, identity: id, log: log, open: make(map[period]cipher.AEAD),
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
// database's ID in it, so that databases that share a key store do not shred one another's data.
func (r *keyring) wrappingKey(p period) string {
	h := sha256.Sum256(appendString(appendString([]byte("assay/store/wrapping-key/v1"), r.identity.ID), p.fleet))
	return fmt.Sprintf("store-%s-%d", hex.EncodeToString(h[:16]), p.number)
}

// context binds a wrapped data key to its database, fleet and epochs.
func (r *keyring) context(p period) []byte {
	first, last := r.epochs(p)
	b := appendString(appendString([]byte("assay/store/data-key/v1"), r.identity.ID), p.fleet)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, first), last)
}

// forReading returns the key of a fleet's epoch.
func (r *keyring) forReading(ctx context.Context, fleet string, epoch uint64) (cipher.AEAD, error) {
	return r.get(ctx, r.period(fleet, epoch), false)
}

// forWriting is forReading that makes the key if there is none.
func (r *keyring) forWriting(ctx context.Context, fleet string, epoch uint64) (cipher.AEAD, error) {
	return r.get(ctx, r.period(fleet, epoch), true)
}

func (r *keyring) get(ctx context.Context, p period, create bool) (cipher.AEAD, error) {
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

func (r *keyring) held(p period) (key cipher.AEAD, held bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	key, held = r.open[p]
	return key, held
}

// load opens a key and holds it; it returns nil for one that is shredded.
func (r *keyring) load(ctx context.Context, p period, create bool) (cipher.AEAD, error) {
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
func (r *keyring) unwrap(ctx context.Context, p period, row *driver.Key) (cipher.AEAD, error) {
	if row.Doomed {
		return nil, nil
	}
	plain, err := r.keys.Unwrap(ctx, r.wrappingKey(p), row.Wrapped, r.context(p))
	if errors.Is(err, keys.ErrNotFound) {
		return nil, fmt.Errorf("its wrapping key is destroyed though the database does not say so (is this the right key store? "+
			"after a backup was restored, shred again): %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("unwrapping it: %w", err)
	}
	defer clear(plain)
	return chacha20poly1305.NewX(plain)
}

// hold keeps a key that was loaded while dooms was this; if a shredding was seen since, the row may be out of date and is not held.
func (r *keyring) hold(p period, key cipher.AEAD, dooms uint64) {
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

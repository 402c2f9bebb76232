package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/keys"
)

const (
	// proveEvery is after what time a key that is held is opened again, to see that its wrapping key is there still.
	proveEvery = time.Minute
	// proveWait bounds how long a store that is opened waits for the key store.
	proveWait = 5 * time.Second
)

// prove sees to it that the key store is the one that the database was made with, before a key is made in it or destroyed: the database
// holds a canary, which only that key store opens. It is made before the first data key.
func (r *keyring) prove(ctx context.Context) error {
	r.mu.RLock()
	proven, canary := r.proven, r.identity.Canary
	r.mu.RUnlock()
	if proven {
		return nil
	}
	if len(canary) == 0 {
		var err error
		if canary, err = r.makeCanary(ctx); err != nil {
			return err
		}
	}
	plain, err := r.keys.Unwrap(ctx, r.canaryKey(), canary, r.bound(canaryTag))
	clear(plain)
	if errors.Is(err, keys.ErrNotFound) || errors.Is(err, keys.ErrCorrupt) {
		return fmt.Errorf("%w, or the database's settings were altered: its canary does not open: %w", ErrOtherKeys, err)
	}
	if err != nil {
		return fmt.Errorf("opening the database's canary: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proven, r.identity.Canary = true, canary
	return nil
}

const canaryTag = "assay/store/canary/v1"

func (r *keyring) canaryKey() string {
	h := sha256.Sum256(r.bound(canaryTag))
	return fmt.Sprintf("store-%s-canary", hex.EncodeToString(h[:16]))
}

// makeCanary returns the canary that the database has, and makes one if it has no key either. Where another process made one meanwhile
// it is that one which counts.
func (r *keyring) makeCanary(ctx context.Context) ([]byte, error) {
	now, err := r.driver.Identity(ctx, r.identity)
	if err != nil || len(now.Canary) > 0 {
		return now.Canary, err
	}
	fleets, err := r.driver.Fleets(ctx)
	if err != nil {
		return nil, err
	}
	if len(fleets) > 0 {
		return nil, fmt.Errorf("the database has data keys and no canary (setting canary): %w", ErrOtherKeys)
	}
	plain := make([]byte, keys.DataKeySize)
	rand.Read(plain)
	defer clear(plain)
	canary, err := r.keys.Wrap(ctx, r.canaryKey(), plain, r.bound(canaryTag))
	if err != nil {
		return nil, fmt.Errorf("wrapping the database's canary: %w", err)
	}
	return r.driver.SetCanary(ctx, canary)
}

// proveAtStart is prove for a store that is opened, which a key store that does not answer does not keep from being opened.
func (r *keyring) proveAtStart(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, proveWait)
	defer cancel()
	err := r.prove(limited)
	if errors.Is(err, keys.ErrUnavailable) || limited.Err() != nil && ctx.Err() == nil {
		r.log.WarnContext(ctx, "whether the key store is the database's will be seen when it answers", "error", err)
		return nil
	}
	return err
}

// proveOne opens the key again that was opened longest ago, if that is a while, and lets go of it if its wrapping key is gone: nothing
// is sealed any more under a key that a restart would not find.
func (r *keyring) proveOne(ctx context.Context) {
	p, key := r.oldest()
	if key == nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, 2*keyCheckEvery)
	defer cancel()
	plain, err := r.keys.Unwrap(limited, r.wrappingKey(p), key.use.Wrapped, r.context(p))
	clear(plain)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open[p] != key {
		return
	}
	key.seen = time.Now()
	if errors.Is(err, keys.ErrNotFound) {
		delete(r.open, p)
		r.log.ErrorContext(ctx, "a wrapping key is gone from the key store, and with it what was written under it", "fleet", p.fleet, "period", p.number)
	}
}

// oldest returns the held key that was opened longest ago, if it is to be opened again.
func (r *keyring) oldest() (at period, key *openKey) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for p, k := range r.open {
		if k != nil && (key == nil || k.seen.Before(key.seen)) {
			at, key = p, k
		}
	}
	if key == nil || time.Since(key.seen) < r.provenEvery {
		return period{}, nil
	}
	return at, key
}

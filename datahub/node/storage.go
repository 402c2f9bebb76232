package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/keystore"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/store"
)

// Storage is a node's key store and its store. More than one process may have them open.
type Storage struct {
	Keys  keys.Store
	Store *store.Store
}

// StorageOptions say how to open them.
type StorageOptions struct {
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	// EpochsPerKey is for a store that is made anew.
	EpochsPerKey uint64
	// Existing refuses to make a new store.
	Existing bool
}

// OpenStorage opens what a configuration names.
func OpenStorage(ctx context.Context, c *Config, o StorageOptions) (*Storage, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	at, err := c.Store.open(c)
	if err != nil {
		return nil, err
	}
	if path, ok := strings.CutPrefix(at.URL, "sqlite:"); ok && o.Existing {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("store.url: %w", err)
		}
	}
	where, err := c.keys()
	if err != nil {
		return nil, err
	}
	ks, err := keystore.Open(ctx, where, keystore.Options{Logger: o.Logger, Metrics: o.Metrics})
	if err != nil {
		return nil, fmt.Errorf("opening the key store: %w", err)
	}
	s, err := store.Open(ctx, at, ks, store.Options{Logger: o.Logger, Metrics: o.Metrics, EpochsPerKey: o.EpochsPerKey})
	if errors.Is(err, store.ErrOtherKeys) {
		err = fmt.Errorf("keys (%s): %w", cmp.Or(where.File.Directory, where.Vault.Address), err)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the store: %w", err), ks.Close())
	}
	return &Storage{Keys: ks, Store: s}, nil
}

// Close closes both.
func (s *Storage) Close() error { return errors.Join(s.Store.Close(), s.Keys.Close()) }

// open resolves the store's URL: the path of a file, or a secret.
func (s *Store) open(c *Config) (store.Config, error) {
	out := store.Config{URL: s.URL, MaxConnections: s.MaxConnections}
	if path, ok := strings.CutPrefix(s.URL, "sqlite:"); ok {
		out.URL = "sqlite:" + c.Resolve(path)
		return out, nil
	}
	if strings.HasPrefix(s.URL, "postgres") {
		return out, nil
	}
	secret, err := reference.Reference(s.URL).Read()
	if err != nil {
		return out, fmt.Errorf("store.url: %w", err)
	}
	out.URL = strings.TrimSpace(string(secret))
	return out, nil
}

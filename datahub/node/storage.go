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

	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/keystore"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/zk/record"
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
	ks, where, err := openKeys(ctx, c, keystore.Options{Logger: o.Logger, Metrics: o.Metrics})
	if err != nil {
		return nil, err
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

// openKeys opens the key store that a configuration names, and says where it is.
func openKeys(ctx context.Context, c *Config, o keystore.Options) (keys.Store, keystore.Config, error) {
	where, err := c.keys()
	if err != nil {
		return nil, where, err
	}
	ks, err := keystore.Open(ctx, where, o)
	if err != nil {
		return nil, where, fmt.Errorf("opening the key store: %w", err)
	}
	return ks, where, nil
}

// Records are what the anchors of a fleet's epoch commit to, as far as the store has them: a record for each slot, empty where no device was heard.
func (s *Storage) Records(ctx context.Context, fleet string, epoch uint64) ([]record.Record, error) {
	chunks, err := s.Store.Chunks(ctx, fleet, epoch)
	if err != nil {
		return nil, err
	}
	var out []record.Record
	for i := range chunks {
		if chunks[i].Shredded {
			return nil, fmt.Errorf("chunk %d of fleet %s, epoch %d: %w", chunks[i].Index, fleet, epoch, desk.ErrGone)
		}
		records, err := openedRecords(chunks[i].Opening, chunks[i].Index)
		if err != nil {
			return nil, err
		}
		out = append(out, records...)
	}
	return out, nil
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

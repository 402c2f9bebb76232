// Package keystore opens an organisation's key store from a configuration, and measures what is asked of it.
package keystore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/prometheus/client_golang/prometheus"
)

// Drivers.
const (
	File  = "file"
	Vault = "vault"
)

// Config says where the organisation's keys are.
type Config struct {
	// Driver is file, for a directory on this machine, or vault, for a HashiCorp Vault. What one has made the other does not know: there is no moving between
	// them.
	Driver string `yaml:"driver"`
	// File is the directory; only for driver file.
	File file.Config `yaml:"file"`
	// Vault is the Vault; only for driver vault.
	Vault vault.Config `yaml:"vault"`
}

// Check says whether the configuration is complete. It reads no secret and asks nobody.
func (c *Config) Check() error {
	switch c.Driver {
	case File:
		if c.Vault != (vault.Config{}) {
			return errors.New("keys: driver is file, and there is a part vault")
		}
		return c.File.Check()
	case Vault:
		if c.File != (file.Config{}) {
			return errors.New("keys: driver is vault, and there is a part file")
		}
		return c.Vault.Check()
	}
	return errors.New("keys: driver must be file or vault")
}

// Options are what a store may use beside its configuration.
type Options struct {
	Logger  *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: nothing is measured; one store to a registerer
}

// Open opens the store. One that cannot be reached yet is no error with driver vault: its methods fail with keys.ErrUnavailable until it can.
func Open(ctx context.Context, c Config, o Options) (keys.Store, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	store, err := open(ctx, c, o)
	if err != nil {
		return nil, fmt.Errorf("opening the key store: %w", err)
	}
	if o.Metrics == nil {
		return store, nil
	}
	measured, err := measure(store, o.Metrics)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the key store: %w", err), store.Close())
	}
	return measured, nil
}

func open(ctx context.Context, c Config, o Options) (keys.Store, error) {
	if c.Driver == Vault {
		return vault.Open(ctx, c.Vault, vault.Options{Logger: o.Logger, Metrics: o.Metrics})
	}
	return file.Open(ctx, c.File)
}

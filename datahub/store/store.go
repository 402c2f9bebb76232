package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/datahub/store/postgres"
	"github.com/assay-net/assay/datahub/store/sqlite"
)

// Config says where the database is.
type Config struct {
	// URL is "sqlite:PATH" for a file of this machine, which is made if it is not there, or
	// "postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full&sslrootcert=CA.pem". Leave a password out of it: PGPASSFILE, or passfile=
	// in the URL, names a file that holds it. A SQLite file must not be on a network file system.
	//
	// A PostgreSQL server of another machine has to prove who it is: without sslmode=verify-full, or verify-ca, its URL is refused. On a
	// network that is protected otherwise "sslmode=disable&assay_plaintext=allow" does without TLS. Sockets and loopback addresses need
	// none of it.
	URL string `yaml:"url"`
	// MaxConnections bounds the connections to a PostgreSQL server, or the readers of a SQLite file. 0 is 8.
	MaxConnections int `yaml:"max_connections"`
}

// Options of a Store. The zero value has working defaults.
type Options struct {
	Logger  *slog.Logger          // nil discards
	Metrics prometheus.Registerer // nil has none
	// EpochsPerKey is how many epochs share a data key: the finest grain of shredding. It is fixed when a database is made, and
	// another value is refused then; 0 is what the database has, or 1 in a new one.
	EpochsPerKey uint64
	// QuarantinePerDevice and QuarantineTotal bound how many quarantined frames are kept that were not acknowledged; the oldest are
	// dropped. 0 is 100 and 10,000. Acknowledged ones have bounds of their own, as many of a device and ten times as many in all, and are
	// not dropped: see Room.
	QuarantinePerDevice, QuarantineTotal int
}

// Store is an owner's data at rest. It is safe for concurrent use, and other processes may open the same database.
type Store struct {
	driver  driver.Driver
	keys    keys.Store
	ring    *keyring
	options Options
	metrics *metrics
	digest  [32]byte // the key of Digest
	ids     *sequencer
	stop    func()
}

// Open opens a database, made or migrated as needed. A key store that is not the one that the database was made with is refused with
// ErrOtherKeys; one that does not answer is not, and is looked at before a key is made in it. It is not closed by the store.
func Open(ctx context.Context, c Config, ks keys.Store, o Options) (*Store, error) {
	o = o.withDefaults()
	if err := checkNumber("options", "epochs per key", o.EpochsPerKey); err != nil {
		return nil, err
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("registering the store's metrics: %w", err)
	}
	d, err := openDriver(ctx, c, o.Logger)
	if err != nil {
		return nil, err
	}
	s := &Store{driver: d, keys: ks, options: o, metrics: m, ids: &sequencer{}}
	rand.Read(s.digest[:])
	if err := s.identify(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.QuarantinePerDevice <= 0 {
		o.QuarantinePerDevice = 100
	}
	if o.QuarantineTotal <= 0 {
		o.QuarantineTotal = 10_000
	}
	return o
}

func openDriver(ctx context.Context, c Config, log *slog.Logger) (driver.Driver, error) {
	connections := c.MaxConnections
	if connections <= 0 {
		connections = 8
	}
	if path, is := strings.CutPrefix(c.URL, "sqlite:"); is {
		return sqlite.Open(ctx, path, connections)
	}
	if strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://") {
		return postgres.Open(ctx, c.URL, connections, log)
	}
	// The URL is not quoted: it may hold a password.
	return nil, errors.New(`store.url must begin with "sqlite:" or "postgres://"`)
}

// identify learns which database this is, and starts the keyring that goes with it.
func (s *Store) identify(ctx context.Context) error {
	id := make([]byte, 16)
	rand.Read(id)
	proposal := driver.Identity{ID: hex.EncodeToString(id), EpochsPerKey: max(s.options.EpochsPerKey, 1)}
	identity, err := s.driver.Identity(ctx, proposal)
	if err != nil {
		return fmt.Errorf("reading the database's identity: %w", err)
	}
	if wanted := s.options.EpochsPerKey; wanted != 0 && wanted != identity.EpochsPerKey {
		return fmt.Errorf("epochs per key is %d, but the database was made with %d: it cannot change", wanted, identity.EpochsPerKey)
	}
	s.ring = newKeyring(s.driver, s.keys, identity, s.options.Logger)
	if err := s.ring.proveAtStart(ctx); err != nil {
		return err
	}
	s.stop = s.ring.watch()
	return nil
}

// Check says whether the database and the key store can be used now.
func (s *Store) Check(ctx context.Context) error {
	if err := s.driver.Check(ctx); err != nil {
		return fmt.Errorf("checking the database: %w", err)
	}
	if err := s.keys.Check(ctx); err != nil {
		return fmt.Errorf("checking the key store: %w", err)
	}
	return nil
}

// Close lets go of the database and forgets the keys.
func (s *Store) Close() error {
	s.stop()
	return s.driver.Close()
}

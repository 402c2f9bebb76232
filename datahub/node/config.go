package node

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/assay-net/assay/datahub/keys/keystore"
)

// MaxConfig bounds a configuration file.
const MaxConfig = 256 << 10

// Config is an organisation's node. What runs follows from the organisation's roles on the ledger. The example in deploy/examples/owner.yaml names every field with
// its default and is the manual; a test holds the two together.
type Config struct {
	// Data is the node's folder. Relative paths below count from it.
	Data string `yaml:"data"`
	// Memory is how much memory the garbage collector keeps the process to, as far as it can.
	Memory     string          `yaml:"memory"`
	Log        Log             `yaml:"log"`
	Operations Operations      `yaml:"operations"`
	Tracing    Tracing         `yaml:"tracing"`
	Ledger     Ledger          `yaml:"ledger"`
	Fleets     []Fleet         `yaml:"fleets"`
	Keys       keystore.Config `yaml:"keys"`
	Store      Store           `yaml:"store"`
	Broker     Broker          `yaml:"broker"`
	Ingest     Ingest          `yaml:"ingest"`
	Epochs     Epochs          `yaml:"epochs"`
	Proving    Proving         `yaml:"proving"`
	API        API             `yaml:"api"`
	Requests   Requests        `yaml:"requests"`
	Queries    Queries         `yaml:"queries"`
	Review     Review          `yaml:"review"`
}

// Log says how the node logs.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// Operations is the listener for metrics and health checks.
type Operations struct {
	Listen    string `yaml:"listen"`
	Profiling bool   `yaml:"profiling"`
}

// Tracing says where spans go.
type Tracing struct {
	// Endpoint is a collector that speaks OTLP over gRPC.
	Endpoint string  `yaml:"endpoint"`
	Insecure bool    `yaml:"insecure"`
	Share    float64 `yaml:"share"`
}

// Ledger is one of a Fabric network, by an organisation's profile, and a trial ledger in a folder.
type Ledger struct {
	Profile string `yaml:"profile"`
	Trial   *Trial `yaml:"trial"`
}

// Trial is a consortium in one folder, with all of its organisations' keys: for trying a node.
type Trial struct {
	Directory    string        `yaml:"directory"`
	Epoch        time.Duration `yaml:"epoch"`
	AnchorWindow time.Duration `yaml:"anchor_window"`
}

// Store says where what devices sent is kept.
type Store struct {
	URL            string        `yaml:"url"`
	MaxConnections int           `yaml:"max_connections"`
	KeyPeriod      time.Duration `yaml:"key_period"`
	KeepFrames     time.Duration `yaml:"keep_frames"`
}

// Broker is the MQTT broker of the devices: embedded unless URL names a NATS cluster.
type Broker struct {
	Listen      string `yaml:"listen"`
	Name        string `yaml:"name"`
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	Sync        bool   `yaml:"sync"`
	MaxBytes    string `yaml:"max_bytes"`
	Workers     string `yaml:"workers"`
	URL         string `yaml:"url"`
	Devices     string `yaml:"devices"`
	Keys        string `yaml:"keys"`
	Roots       string `yaml:"roots"`
}

// Ingest bounds what devices may do.
type Ingest struct {
	Future          time.Duration `yaml:"future"`
	Past            time.Duration `yaml:"past"`
	FramesPerSecond float64       `yaml:"frames_per_second"`
	Burst           int           `yaml:"burst"`
}

// Epochs says when epochs are closed.
type Epochs struct {
	Close         string        `yaml:"close"`
	Grace         time.Duration `yaml:"grace"`
	Gather        time.Duration `yaml:"gather"`
	Late          string        `yaml:"late"`
	AnchorsAtOnce int           `yaml:"anchors_at_once"`
}

// Proving says who proves.
type Proving struct {
	Answer     bool     `yaml:"answer"`
	Local      int      `yaml:"local"`
	Workers    []Worker `yaml:"workers"`
	Generation uint32   `yaml:"generation"`
	Cache      string   `yaml:"cache"`
}

// Worker is a prove-worker on another machine.
type Worker struct {
	Name string `yaml:"name"`
	// Recipient is the age recipient (age1…) that the worker's profile is sealed to.
	Recipient string `yaml:"recipient"`
}

// Defaults is a configuration with everything that has a default.
func Defaults() Config {
	return Config{
		Data:       "assay-node",
		Memory:     "384MiB",
		Log:        Log{Level: "info", Format: "text"},
		Operations: Operations{Listen: "127.0.0.1:9464"},
		Tracing:    Tracing{Share: 0.01},
		Store:      Store{URL: "sqlite:assay.db", MaxConnections: 8, KeyPeriod: 24 * time.Hour, KeepFrames: 90 * 24 * time.Hour},
		Broker:     Broker{Listen: "127.0.0.1:8883", Name: "localhost", MaxBytes: "4GiB"},
		Ingest:     Ingest{Future: 5 * time.Minute, Past: 30 * 24 * time.Hour, FramesPerSecond: 50, Burst: 256},
		Epochs:     Epochs{Close: "every", Grace: 10 * time.Second, Gather: 30 * time.Second, Late: "count", AnchorsAtOnce: 8},
		Proving:    Proving{Answer: true},
		API: API{Listen: "127.0.0.1:8443", GRPC: "127.0.0.1:8444", Names: []string{"localhost"}, BuiltInIssuer: true,
			RequestsPerSecond: 20, Burst: 60, Failures: 60},
		Requests: Requests{Approve: byPolicy},
		Queries:  Queries{Patience: 5 * time.Minute, Longest: 7 * 24 * time.Hour},
		Review:   Review{Alert: true, OpenEpochs: true},
	}
}

// ParseConfig reads a configuration over the defaults. A field that it does not know is an error, with its line.
func ParseConfig(b []byte) (*Config, error) {
	if len(b) > MaxConfig {
		return nil, fmt.Errorf("configuration has %d bytes, at most %d are read", len(b), MaxConfig)
	}
	c := Defaults()
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("configuration: %s", yaml.FormatError(err, false, true))
	}
	for i := range c.Fleets {
		c.Fleets[i].setDefaults()
	}
	if err := c.Check(); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return &c, nil
}

// Resolve is a path of the configuration: one that is relative counts from the data folder.
func (c *Config) Resolve(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.Data, p)
}

// Check names the first field that is wrong, and its bound.
func (c *Config) Check() error {
	if c.Data == "" {
		return errors.New("data: names no folder")
	}
	if n, err := c.MemoryBytes(); err != nil || n < 128<<20 {
		return fmt.Errorf("memory is %q, must be a size of at least 128MiB", c.Memory)
	}
	for _, check := range []func() error{c.checkLog, c.checkLedger, c.checkFleets, c.checkBroker, c.checkIngest, c.checkEpochs, c.checkStore, c.checkAPI, c.checkRequests, c.checkQueries} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) checkLog() error {
	if !oneOf(c.Log.Level, "debug", "info", "warn", "error") {
		return fmt.Errorf("log.level is %q, must be debug, info, warn or error", c.Log.Level)
	}
	if !oneOf(c.Log.Format, "text", "json") {
		return fmt.Errorf("log.format is %q, must be text or json", c.Log.Format)
	}
	if c.Tracing.Share < 0 || c.Tracing.Share > 1 {
		return fmt.Errorf("tracing.share is %v, must be within 0 and 1", c.Tracing.Share)
	}
	return address("operations.listen", c.Operations.Listen)
}

func oneOf(s string, of ...string) bool { return slices.Contains(of, s) }

func address(field, s string) error {
	if s == "" {
		return nil // switched off
	}
	if _, _, err := net.SplitHostPort(s); err != nil {
		return fmt.Errorf("%s is %q, must be host:port: %w", field, s, err)
	}
	return nil
}

func (c *Config) checkLedger() error {
	switch t := c.Ledger.Trial; {
	case (c.Ledger.Profile == "") == (t == nil):
		return errors.New("ledger: give one of profile and trial")
	case t == nil:
	case t.Epoch < 4*time.Second || t.Epoch > 366*24*time.Hour || t.Epoch%time.Second != 0:
		return fmt.Errorf("ledger.trial.epoch is %s, must be whole seconds from 4s to a year", t.Epoch)
	case t.AnchorWindow < time.Second || t.AnchorWindow > t.Epoch || t.AnchorWindow%time.Second != 0:
		return fmt.Errorf("ledger.trial.anchor_window is %s, must be whole seconds from 1s to the epoch's %s", t.AnchorWindow, t.Epoch)
	case t.Directory == "":
		return errors.New("ledger.trial.directory: names no folder")
	}
	return nil
}

func (c *Config) checkFleets() error {
	if len(c.Fleets) > 256 {
		return fmt.Errorf("fleets: there are %d, at most 256", len(c.Fleets))
	}
	if len(c.Fleets) == 0 && c.Ledger.Trial != nil {
		return errors.New("fleets: there are none, and the node of a trial is an owner's")
	}
	seen := map[string]bool{}
	for i := range c.Fleets {
		f := &c.Fleets[i]
		if err := f.check(); err != nil {
			return fmt.Errorf("fleets[%d]: %w", i, err)
		}
		if seen[f.ID] {
			return fmt.Errorf("fleets[%d]: id %q is another fleet's", i, f.ID)
		}
		seen[f.ID] = true
	}
	_, err := meterKeys(c.Fleets)
	return err
}

package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/keystore"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

func (n *Node) openMetrics(context.Context) (err error) {
	n.metrics, err = newMetrics(n.env.Metrics)
	return err
}

// openLedger reads the ledger's rules, and what the organisation is there.
func (n *Node) openLedger(ctx context.Context) error {
	g, err := n.env.Book.Genesis(ctx)
	if err != nil {
		return err
	}
	n.genesis = &g
	own, ok := g.Organisation(n.env.Organisation)
	if !ok {
		return fmt.Errorf("organisation %q is not of this consortium", n.env.Organisation)
	}
	n.own = own
	if err := n.config.CheckFor(own); err != nil {
		return err
	}
	return checkFolder(n.config, g.ID())
}

// openFolder keeps the data folder for this ledger.
func (n *Node) openFolder(context.Context) error { return claimFolder(n.config, n.genesis.ID()) }

// openFleets registers fleets that the ledger does not have yet.
func (n *Node) openFleets(ctx context.Context) error {
	if err := n.config.Epochs.checkAgainst(n.genesis, time.Now()); err != nil {
		return err
	}
	if err := n.checkSRS(ctx); err != nil {
		return err
	}
	for i := range n.config.Fleets {
		if err := n.registerFleet(ctx, &n.config.Fleets[i]); err != nil {
			return fmt.Errorf("fleet %s: %w", n.config.Fleets[i].ID, err)
		}
	}
	return nil
}

// checkSRS holds the node's SRS against the ledger's: anchors made with another one are refused.
func (n *Node) checkSRS(ctx context.Context) error {
	pinned, err := n.env.Book.Keys(ctx)
	if err != nil {
		return err
	}
	for _, k := range pinned {
		if k.CircuitID != verify.SRSKey {
			continue
		}
		keys, err := verify.NewKeyring([]verify.PublishedKey{k})
		if err != nil {
			return err
		}
		if digest, _ := keys.SRSDigest(); digest != n.env.SRS.Digest() {
			return fmt.Errorf("the ledger pins SRS %s, this node has %s", digest, n.env.SRS.Digest())
		}
		return nil
	}
	return errors.New("the ledger pins no SRS yet: a regulator has to publish the keys first")
}

func (n *Node) registerFleet(ctx context.Context, f *Fleet) error {
	found, err := n.env.Book.Fleet(ctx, f.ID)
	if ledger.CodeOf(err) == ledger.NotFound {
		n.log.Info("registering the fleet", "fleet", f.ID, "schema", f.Schema, "chunk_size", f.ChunkSize)
		_, err = n.env.Book.RegisterFleet(ctx, ledger.RegisterFleet{ID: f.ID, Schema: f.Schema, ChunkSize: f.ChunkSize})
		return err
	}
	if err != nil {
		return err
	}
	if found.Schema != f.Schema || found.ChunkSize != f.ChunkSize {
		return fmt.Errorf("is on the ledger with schema %s and chunks of %d, the configuration says %s and %d", found.Schema, found.ChunkSize, f.Schema, f.ChunkSize)
	}
	return nil
}

func (n *Node) openStorage(ctx context.Context) error {
	epoch := time.Duration(n.genesis.EpochSeconds) * time.Second
	var err error
	n.storage, err = OpenStorage(ctx, n.config, StorageOptions{Logger: n.log, Metrics: n.env.Metrics, EpochsPerKey: uint64(max(1, n.config.Store.KeyPeriod/epoch))})
	if err != nil {
		return err
	}
	if err := n.awaitStorage(ctx); err != nil {
		return err
	}
	n.signer, err = n.storage.Keys.Signer(ctx, "organisation")
	return err
}

// awaitStorage waits for a key store or a database that is not there yet: a Vault that nobody has unsealed, a server that starts.
func (n *Node) awaitStorage(ctx context.Context) error {
	for waited := false; ; waited = true {
		err := n.storage.Store.Check(ctx)
		if err == nil || ctx.Err() != nil || !errors.Is(err, keys.ErrUnavailable) && !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		if !waited {
			n.log.Warn("the node waits before it starts", "error", err)
		}
		if err := sleep(ctx, storagePause); err != nil {
			return err
		}
	}
}

const storagePause = 2 * time.Second

// keys completes the key store's configuration: a trial has a machine key in its own folder, which is no protection and needs no care.
func (c *Config) keys() (keystore.Config, error) {
	k := c.Keys
	if k.Driver != keystore.File {
		return k, nil
	}
	k.File.Directory = c.Resolve(k.File.Directory)
	if c.Ledger.Trial == nil || k.File.Passphrase != "" || k.File.Identity != "" {
		return k, nil
	}
	at, err := filepath.Abs(c.Resolve("trial/machine.key"))
	if err != nil {
		return k, err
	}
	k.File.Identity, k.File.Create = reference.Reference("file:"+at), true
	return k, file.CreateIdentity(at)
}

func (n *Node) openDevices(ctx context.Context) error {
	n.devices = newDevices(n.config.Fleets, n.env.Book)
	n.devices.log = n.log
	stored, err := n.storage.Store.Devices(ctx)
	if err != nil {
		return err
	}
	if err := checkStore(stored, n.genesis.ID()); err != nil {
		return err
	}
	for _, d := range stored {
		if n.devices.fleet(d.Fleet) == nil && d.State != store.Retired {
			return fmt.Errorf("the store has devices of fleet %s, which the configuration does not have: it would lose what they send", d.Fleet)
		}
	}
	s := &secrets{n.storage.Keys, n.genesis.ID()}
	if err := n.devices.load(ctx, s, stored); err != nil {
		return err
	}
	if err := n.devices.readMakers(ctx); err != nil {
		return err
	}
	n.greeter = &greeter{devices: n.devices, secrets: s, store: n.storage.Store, genesis: n.genesis, srs: n.env.SRS.Digest(),
		signer: n.signer, wake: make(chan struct{}, 1), clock: time.Now}
	n.enroller = &enroller{n.greeter, n.log}
	return nil
}

func (n *Node) openBroker(ctx context.Context) error {
	var err error
	if n.broker, err = n.startBroker(ctx); err != nil {
		return err
	}
	if err := n.openQueue(ctx); err != nil {
		return err
	}
	if err := n.openPipeline(ctx); err != nil {
		return err
	}
	return n.writeProvisions()
}

func (n *Node) openOperations(context.Context) (err error) {
	if n.config.Operations.Listen == "" {
		return nil
	}
	n.operations, err = newOperations(n.config.Operations.Listen, n.config.Operations.Profiling, n.env.Metrics, n.Ready)
	return err
}

// openSink brings the derivations up to where the store is.
func (n *Node) openSink(ctx context.Context) error {
	schedule, err := parseSchedule(n.config.Epochs.Close)
	if err != nil {
		return err
	}
	n.closer = &closer{config: n.config.Epochs, schedule: schedule, devices: n.devices, store: n.storage.Store, genesis: n.genesis, srs: n.env.SRS,
		clock: time.Now, log: n.log, metrics: n.metrics, tracer: n.env.Tracer.Tracer("github.com/assay-net/assay/datahub/node"), gathering: map[epochOf]*gathering{}, finished: map[string]uint64{}, drawn: map[string]uint64{}}
	n.sink = &sink{greeter: n.greeter, closer: n.closer, derivations: map[string]*derivation{},
		late: n.config.Epochs.Late, log: n.log, metrics: n.metrics, snapshots: map[commit.DeviceID]uint64{}}
	// A batch that holds no readings has snapshots of this epoch, whose key is not one that is over.
	if n.sink.epoch, err = n.opened(ctx); err != nil && !errors.Is(err, errNoEpoch) {
		return err
	}
	meters, err := meterKeys(n.config.Fleets)
	if err != nil {
		return err
	}
	n.sink.decoders, n.sink.stations = decoders(meters), &stations{keys: meters, byID: map[commit.DeviceID]*station{}}
	for i := range n.config.Fleets {
		f := &n.config.Fleets[i]
		if n.sink.derivations[f.ID], err = newDerivation(f, n.genesis.EpochZero, n.genesis.EpochSeconds); err != nil {
			return fmt.Errorf("fleet %s: %w", f.ID, err)
		}
	}
	if err := n.sink.restore(ctx, n.storage.Store); err != nil {
		return err
	}
	n.sink.stations.missing = n.sink.missed // what was missing before was told of then
	return nil
}

// openPipeline joins broker, derivations, store and closing.
func (n *Node) openPipeline(context.Context) error {
	var err error
	n.pipeline, err = ingest.New(ingest.Options{
		Ledger: n.genesis.ID(), Broker: n.broker, Registry: n.devices, Sink: n.sink, Store: n.storage.Store, EpochAt: n.genesis.EpochAt,
		MaxFuture: n.config.Ingest.Future, MaxPast: n.config.Ingest.Past, DeviceRate: n.config.Ingest.FramesPerSecond, DeviceBurst: n.config.Ingest.Burst, Decoders: n.sink.decoders,
		Logger: n.log, Metrics: n.env.Metrics, Tracer: n.env.Tracer,
	})
	if err != nil {
		return err
	}
	c := n.closer
	c.settled, c.backlog = n.pipeline.Settled, n.pipeline.Backlog
	c.send = func(id commit.DeviceID, m frame.Message) {
		if err := n.pipeline.Tell(id, m); err != nil {
			n.log.Debug("a message to a device was not sent", "device", id, "error", err)
		}
	}
	c.derive = func(fleet string, id commit.DeviceID, epoch uint64) *frame.Attest {
		return n.sink.derivations[fleet].attest(id, epoch)
	}
	c.through = func(id commit.DeviceID) uint64 { through, _ := n.pipeline.Through(id); return through }
	c.line = func(fleet string, epoch uint64) { n.sink.derivations[fleet].end(epoch, n.genesis.EpochEnd(epoch)) }
	c.after = n.refresh
	return nil
}

package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/fabricnet/durable"
)

// startBroker starts the broker in this process, or uses the cluster that the configuration names.
func (n *Node) startBroker(ctx context.Context) (*ingest.Broker, error) {
	most, err := n.config.Broker.Bytes()
	if err != nil {
		return nil, err
	}
	backlog := ingest.Backlog{MaxBytes: int64(most)}
	if n.config.Broker.URL != "" {
		return n.useCluster(ctx, backlog)
	}
	if n.tls, err = loadTLS(n.config); err != nil {
		return nil, err
	}
	derived, err := n.storage.Keys.Derive(ctx, "broker", [][]byte{[]byte("assay/v1/jetstream")})
	if err != nil {
		return nil, err
	}
	if n.workers, err = n.workerUsers(ctx); err != nil {
		return nil, err
	}
	b, err := ingest.StartBroker(ctx, ingest.Embedded{
		Directory: filepath.Join(n.config.Data, "broker"), Key: derived[0][:], Listen: n.config.Broker.Listen, TLS: n.tls.config,
		SyncAlways: n.config.Broker.Sync, Workers: n.workerListener(), Backlog: backlog, Logger: n.log, Metrics: n.env.Metrics,
	}, n.devices)
	if err != nil {
		return nil, err
	}
	n.workersAt = "tls://" + b.WorkerAddress()
	if n.devicesAt, err = reachable("tls://"+b.Address(), n.config.Broker.Name); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// useCluster joins an external NATS cluster. Its servers know workers by the accounts that openQueue writes.
func (n *Node) useCluster(ctx context.Context, backlog ingest.Backlog) (*ingest.Broker, error) {
	c := &n.config.Broker
	secret, err := reference.Reference(c.Keys).Read()
	if err != nil {
		return nil, fmt.Errorf("broker.keys: %w", err)
	}
	keys, err := ingest.ParseClusterKeys(secret)
	if err != nil {
		return nil, fmt.Errorf("broker.keys: %w", err)
	}
	n.tls = &serverTLS{config: &tls.Config{MinVersion: tls.VersionTLS13, ServerName: c.Name}}
	if c.Roots != "" {
		if n.tls.roots, err = durable.ReadFile(n.config.Resolve(c.Roots), MaxConfig); err != nil {
			return nil, fmt.Errorf("broker.roots: %w", err)
		}
		n.tls.config.RootCAs = x509.NewCertPool()
		if !n.tls.config.RootCAs.AppendCertsFromPEM(n.tls.roots) {
			return nil, errors.New("broker.roots: holds no certificate in PEM")
		}
	}
	if n.workers, err = n.workerUsers(ctx); err != nil {
		return nil, err
	}
	n.devicesAt, n.workersAt = c.Devices, strings.Split(c.URL, ",")[0]
	return ingest.ConnectBroker(ctx, ingest.Cluster{
		URLs: strings.Split(c.URL, ","), TLS: n.tls.config, Keys: keys, Backlog: backlog, Logger: n.log, Metrics: n.env.Metrics,
	}, n.devices)
}

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/verify"
)

// proveQueue is the name of the node's queue of proofs.
const proveQueue = "prove"

// workerUsers are the identities under which workers connect. Their keys are derived in the key store, so that a profile serves for as long as the worker is in the
// configuration under the same generation: raising that locks out whoever has an older profile.
func (n *Node) workerUsers(ctx context.Context) (map[string]ingest.WorkerUser, error) {
	out := map[string]ingest.WorkerUser{}
	for _, w := range n.config.Proving.Workers {
		seed, err := n.storage.Keys.Derive(ctx, "broker", [][]byte{fmt.Appendf(nil, "assay/v1/prove-worker/%s/%d", w.Name, n.config.Proving.Generation)})
		if err != nil {
			return nil, err
		}
		user, err := ingest.NewWorkerUser(seed[0])
		if err != nil {
			return nil, err
		}
		may := workqueue.WorkerMay(proveQueue, w.Name)
		user.Publish, user.Subscribe = may.Publish, may.Subscribe
		out[w.Name] = user
	}
	return out, nil
}

// workerListener is where workers connect, nil for none.
func (n *Node) workerListener() *ingest.WorkerListener {
	if len(n.workers) == 0 {
		return nil
	}
	l := &ingest.WorkerListener{Listen: n.config.Broker.Workers, TLS: n.tls.config}
	for _, w := range n.config.Proving.Workers {
		l.Users = append(l.Users, n.workers[w.Name])
	}
	return l
}

// openQueue makes the queue of proofs, and writes a profile for each worker, sealed to it.
func (n *Node) openQueue(ctx context.Context) error {
	if len(n.config.Proving.Workers) == 0 {
		return n.forgetWorkers()
	}
	key, err := workqueue.DeriveKey(ctx, n.storage.Keys, proveQueue, n.config.Proving.Generation)
	if err != nil {
		return err
	}
	work, err := n.broker.Work()
	if err != nil {
		return err
	}
	n.closeWork = work.Close
	queue, err := workqueue.Open(ctx, work, workqueue.Options{Queue: proveQueue, Key: key, Logger: n.log, Metrics: n.env.Metrics})
	if err != nil {
		return err
	}
	o := prove.Options{Logger: n.log, Metrics: n.env.Metrics}
	if n.config.Proving.Local >= 0 { // else this process does not prove, whatever the workers do
		o.Here, o.HereAtOnce = zk.ProveHere(n.env.Proving), n.config.Proving.Local
	}
	if n.prover, err = prove.NewProver(queue, o); err != nil {
		return err
	}
	if err := n.writeProfiles(key); err != nil || n.config.Proving.Local < 0 {
		return err
	}
	// This process proves too, so that a request is answered when no worker is there.
	consumer, err := workqueue.Join(ctx, work, localWorker, workqueue.Options{Queue: proveQueue, Key: key, Logger: n.log})
	if err != nil {
		return err
	}
	n.local, err = prove.NewWorker(consumer, n.env.Proving, prove.WorkerOptions{Name: localWorker, Jobs: max(1, n.config.Proving.Local), Logger: n.log})
	return err
}

// localWorker is the name of this process among the workers.
const localWorker = "node"

// runLocal proves until the node is told to stop, and gives back what it is at.
func (n *Node) runLocal(ctx context.Context) error {
	if err := n.local.Run(ctx, ctx); ctx.Err() == nil {
		n.log.Error("this process does not prove any more: requests wait for workers", "error", err)
	}
	return nil
}

// accountsFile is what the servers of a cluster read of the workers.
const accountsFile = "accounts.conf"

// writeProfiles writes a profile for each worker, and the workers' accounts if the broker is a cluster. Those of workers that are not in the
// configuration any more are removed.
func (n *Node) writeProfiles(key workqueue.Key) error {
	dir := filepath.Join(n.config.Data, "workers")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	keep := map[string]bool{}
	var users []ingest.WorkerUser
	for _, w := range n.config.Proving.Workers {
		users = append(users, n.workers[w.Name])
		keep[w.Name+".json"] = true
		b, err := n.profile(w, key)
		if err == nil {
			err = durable.WriteFile(filepath.Join(dir, w.Name+".json"), b)
		}
		if err != nil {
			return fmt.Errorf("proving.workers: %s: %w", w.Name, err)
		}
	}
	if n.config.Broker.URL != "" {
		keep[accountsFile] = true
		b, err := ingest.WorkerAccounts(users)
		if err == nil {
			err = durable.WriteFile(filepath.Join(dir, accountsFile), b)
		}
		if err != nil {
			return fmt.Errorf("workers' accounts: %w", err)
		}
	}
	return n.removeProfiles(dir, keep)
}

// forgetWorkers leaves nothing of workers that were there once. Servers of a cluster are told that there are none.
func (n *Node) forgetWorkers() error {
	if _, err := os.Stat(filepath.Join(n.config.Data, "workers")); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return n.writeProfiles(workqueue.Key{})
}

func (n *Node) removeProfiles(dir string, keep map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if keep[name] || !e.Type().IsRegular() || filepath.Ext(name) != ".json" && name != accountsFile {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
		n.log.Info("file of a worker that is not in the configuration any more is removed", "file", filepath.Join(dir, name))
	}
	return nil
}

func (n *Node) profile(w Worker, key workqueue.Key) ([]byte, error) {
	at, err := reachable(n.workersAt, n.config.Broker.Name)
	if err != nil {
		return nil, err
	}
	p := prove.Profile{
		Version: prove.ProfileVersion, Broker: at, Roots: string(n.tls.roots), ServerName: n.config.Broker.Name,
		Queue: proveQueue, Worker: w.Name, SRS: n.env.SRS.Digest(),
	}
	if err := p.Seal(prove.Secrets{Credentials: n.workers[w.Name].Seed, Queue: key}, w.Recipient); err != nil {
		return nil, err
	}
	return p.Marshal()
}

// reachable is the broker's URL for other machines. One that listens on all of this machine's addresses is found by the name that its
// certificate is for.
func reachable(broker, name string) (string, error) {
	u, err := url.Parse(broker)
	if err != nil {
		return "", errors.New("the broker's address is not a URL")
	}
	if address := net.ParseIP(u.Hostname()); address != nil && address.IsUnspecified() || u.Hostname() == "" {
		u.Host = net.JoinHostPort(name, u.Port())
	}
	return u.String(), nil
}

// chunkProver is who proves chunks: this process, or the workers.
func (n *Node) chunkProver() (func(*verify.Keyring) zk.ChunkProver, int) {
	if n.prover == nil {
		return nil, n.config.Proving.Local
	}
	return n.prover.Chunks, n.prover.AtOnce()
}

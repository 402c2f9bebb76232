package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Network is a network in a folder, whether it runs or not.
type Network struct {
	layout layout
	state  *state
}

// Open finds the network in a folder.
func Open(dir string) (*Network, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s, err := readState(layout(dir))
	if err != nil {
		return nil, err
	}
	return &Network{layout(dir), s}, nil
}

// Dir is the network's folder.
func (n *Network) Dir() string { return string(n.layout) }

// Consensus is how the network's orderers agree.
func (n *Network) Consensus() Consensus { return n.state.Consensus }

// Ready reports whether the network has been set up completely. Whether it runs now, Status tells.
func (n *Network) Ready() bool { return n.state.Ready }

// Genesis reads what the consortium agreed on.
func (n *Network) Genesis() (*ledger.Genesis, error) { return readGenesis(n.layout) }

// Organisations lists the organisations' ids.
func (n *Network) Organisations() []string {
	var ids []string
	for _, o := range n.state.Organisations {
		ids = append(ids, o.ID)
	}
	return ids
}

// Profile is the path of an organisation's connection profile.
func (n *Network) Profile(org string) string { return n.layout.profile(org) }

// Log is the path of a process' log.
func (n *Network) Log(name string) (string, error) {
	if !slices.ContainsFunc(n.places(), func(p Process) bool { return p.Name == name }) {
		return "", n.unknown(name)
	}
	return n.layout.log(name), nil
}

func (n *Network) unknown(name string) error {
	var names []string
	for _, p := range n.places() {
		names = append(names, p.Name)
	}
	return fmt.Errorf("no process is named %q; there are %v", name, names)
}

// Down stops every process and returns when none is left. A context that ends makes it impatient: what still runs then is killed.
func (n *Network) Down(ctx context.Context) error {
	unlock, err := lock(ctx, n.layout)
	if err != nil {
		return err
	}
	defer unlock()
	return n.stopAll(ctx, n.names())
}

func (n *Network) names() []string {
	var names []string
	for _, p := range n.places() {
		names = append(names, p.Name)
	}
	return names
}

func (n *Network) stopAll(ctx context.Context, names []string) error {
	failures := make([]error, len(names))
	var g errgroup.Group
	for i, name := range names {
		g.Go(func() error { failures[i] = stop(ctx, n.layout, name); return nil })
	}
	g.Wait() //nolint:errcheck // failures are kept apart, so that all are seen
	return errors.Join(failures...)
}

// Destroy stops the network in a folder and removes the folder. It refuses one that is not a network's.
func Destroy(ctx context.Context, dir string) error {
	n, err := Open(dir)
	if err != nil {
		return fmt.Errorf("destroying a network: %w", err)
	}
	unlock, err := lock(ctx, n.layout)
	if err != nil {
		return err
	}
	defer unlock()
	if err := n.stopAll(ctx, n.names()); err != nil {
		return err
	}
	return os.RemoveAll(n.Dir())
}

// Kill ends a process at once, as a crash would. Up or Start bring it back.
func (n *Network) Kill(name string) error {
	r, err := readRecord(n.layout, name)
	if err != nil {
		return err
	}
	if !r.end(context.Background(), syscall.SIGKILL, killTimeout) {
		return fmt.Errorf("killing %s: process %d does not end", name, r.PID)
	}
	return nil
}

// Stop ends a process in an orderly way.
func (n *Network) Stop(ctx context.Context, name string) error { return stop(ctx, n.layout, name) }

// Start starts one process of a network that has been up, and returns when it serves. It leaves alone one that runs.
func (n *Network) Start(ctx context.Context, name string) error {
	unlock, err := lock(ctx, n.layout)
	if err != nil {
		return err
	}
	defer unlock()
	for _, p := range n.programs() {
		if p.name != name {
			continue
		}
		if p.runs(n.layout) {
			return nil
		}
		if err := p.start(ctx, n.layout); err != nil {
			return err
		}
		return p.await(ctx, n.layout)
	}
	return n.unknown(name)
}

// programs lists what can be started: contract services only once their package is installed.
func (n *Network) programs() []*program {
	f := fabric(n.state.Binaries)
	var all []*program
	for i := range n.state.Orderers {
		all = append(all, ordererProgram(f, n.layout, &n.state.Orderers[i]))
	}
	for i := range n.state.Organisations {
		all = append(all, peerProgram(f, n.layout, &n.state.Organisations[i]))
	}
	for i := range n.state.Organisations {
		if o := &n.state.Organisations[i]; o.PackageID != "" {
			all = append(all, serviceProgram(n.state, n.layout, o))
		}
	}
	return all
}

// lockPoll is how often a lock that another process holds is tried again.
const lockPoll = 100 * time.Millisecond

// lock keeps other processes from changing the network meanwhile.
func lock(ctx context.Context, l layout) (unlock func(), err error) {
	f := flock.New(l.lock())
	if _, err := f.TryLockContext(ctx, lockPoll); err != nil {
		return nil, fmt.Errorf("waiting for another command on %s: %w", string(l), err)
	}
	return func() { f.Unlock() }, nil //nolint:errcheck // the lock ends with the process at the latest
}

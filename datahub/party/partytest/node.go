package partytest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/party"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// home is what of a node outlives its process.
type home struct {
	dir  string
	keys keys.Store
}

// Node is an organisation's part in queries, as long as its process lives.
type Node struct {
	*party.Manager
	cancel context.CancelFunc
	ended  chan struct{}
}

// ErrGone is what a caller sees of a node that is not there, or is killed meanwhile.
var ErrGone = errors.New("the node is gone")

// Request is one node asking another.
type Request struct {
	Caller, From string
	Session      commit.Digest
	Item         string
	Size         int
}

// Call is a node about to change the ledger.
type Call struct {
	By   string
	Call ledger.Call
}

// Fault is what goes wrong with a call.
type Fault int

// The faults of a call. Those that kill end the caller's process, as far as it can tell: nothing that it does afterwards reaches anything.
const (
	NoFault    Fault = iota
	KillBefore       // nothing is recorded
	KillAfter        // it is recorded, and the caller never hears of it
)

// Home is where a node keeps what outlives its process.
func (w *World) Home(org string) string { return w.home(org).dir }

func (w *World) home(org string) *home {
	w.T.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if h := w.homes[org]; h != nil {
		return h
	}
	dir := w.T.TempDir()
	identity := filepath.Join(dir, "identity")
	w.OK(file.CreateIdentity(identity))
	store, err := file.Open(context.Background(), file.Config{Directory: filepath.Join(dir, "keys"), Identity: reference.Reference("file:" + identity), Create: true})
	w.OK(err)
	w.T.Cleanup(func() { _ = store.Close() })
	w.homes[org] = &home{dir: filepath.Join(dir, "party"), keys: store}
	return w.homes[org]
}

// Options are what a node of an organisation is started with.
func (w *World) Options(org string) party.Options {
	w.T.Helper()
	h := w.home(org)
	o := party.Options{
		Organisation: w.organisation(org), Directory: h.dir, Keys: h.keys, Peers: wire{w, org},
		ClipSteps: map[string]map[string]string{FleetOf(org): {"state_of_health": Step}},
		Patience:  time.Minute, Poll: 50 * time.Millisecond, Now: w.Now,
	}
	if slices.Contains(Owners(), org) {
		o.Fleets = []string{FleetOf(org)}
		o.Openings = func(context.Context, string, uint64, *verify.ChunkFacts) (*zk.Chunk, error) { return w.Chunk(org), nil }
	}
	return o
}

func (w *World) organisation(id string) ledger.Organisation {
	w.T.Helper()
	g, err := w.Book(id).Genesis(context.Background())
	w.OK(err)
	o, ok := g.Organisation(id)
	if !ok {
		w.T.Fatalf("no organisation %s", id)
	}
	return *o
}

// Start starts the nodes of some organisations, of all members if none is named.
func (w *World) Start(orgs ...string) {
	w.T.Helper()
	if len(orgs) == 0 {
		orgs = Members()
	}
	for _, org := range orgs {
		w.StartWith(org, w.Options(org))
	}
}

// StartWith starts a node with other options. Its access to the ledger is filled in.
func (w *World) StartWith(org string, o party.Options) *Node {
	w.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	if o.Book.Client == nil {
		o.Book = ledger.Book{Client: &access{Client: w.Book(org).Client, world: w, org: org, life: ctx, kill: cancel}}
	}
	m, err := party.New(o)
	w.OK(err)
	n := &Node{Manager: m, cancel: cancel, ended: make(chan struct{})}
	w.mu.Lock()
	w.nodes[org] = n
	w.mu.Unlock()
	go func() {
		defer close(n.ended)
		if err := m.Run(ctx); err != nil {
			w.T.Errorf("%s: %v", org, err)
		}
	}()
	return n
}

// Kill ends processes: only what is kept in their folders stays.
func (w *World) Kill(orgs ...string) {
	for _, org := range orgs {
		w.mu.Lock()
		n := w.nodes[org]
		delete(w.nodes, org)
		w.mu.Unlock()
		if n != nil {
			n.cancel()
			<-n.ended
			_ = n.Close()
		}
	}
}

// Killed reports whether a node was killed by a fault. Kill then clears it away.
func (w *World) Killed(org string) bool {
	n := w.Node(org)
	if n == nil {
		return true
	}
	select {
	case <-n.ended:
		return true
	default:
		return false
	}
}

// Node is one that runs, or nil.
func (w *World) Node(org string) *Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[org]
}

func (w *World) running() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Keys(w.nodes))
}

// Interpose has every request between nodes go through a function, which may ask for the true answer.
func (w *World) Interpose(through func(Request, func() ([]byte, error)) ([]byte, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetch = through
}

// SetFault asks before each call of a node what is to go wrong with it.
func (w *World) SetFault(fault func(Call) Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.call = fault
}

// Restore puts a copy of a node's folder in its place. The node must not run.
func (w *World) Restore(org, backup string) {
	w.T.Helper()
	dir := w.Home(org)
	w.OK(os.RemoveAll(dir))
	w.copy(backup, dir)
}

// Backup copies a node's folder as it is now, and says where to.
func (w *World) Backup(org string) string {
	w.T.Helper()
	to := filepath.Join(w.T.TempDir(), "backup")
	w.copy(w.Home(org), to)
	return to
}

func (w *World) copy(from, to string) {
	w.T.Helper()
	w.OK(os.CopyFS(to, os.DirFS(from)))
	w.OK(filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			err = os.Chmod(path, 0o700)
		}
		return err
	}))
}

// wire implements party.Peers.
type wire struct {
	world *World
	org   string
}

// Fetch implements party.Peers.
func (p wire) Fetch(ctx context.Context, from string, session commit.Digest, item string, size int) ([]byte, error) {
	p.world.mu.Lock()
	through := p.world.fetch
	p.world.mu.Unlock()
	answer := func() ([]byte, error) {
		n := p.world.Node(from)
		if n == nil || p.world.Killed(from) {
			return nil, ErrGone
		}
		return n.Item(ctx, p.org, session, item, size)
	}
	if through == nil {
		return answer()
	}
	return through(Request{p.org, from, session, item, size}, answer)
}

// access is a node's to the ledger, until the node is killed.
type access struct {
	ledger.Client
	world *World
	org   string
	life  context.Context
	kill  context.CancelFunc
}

// Submit implements ledger.Client.
func (a *access) Submit(ctx context.Context, call ledger.Call) (ledger.Receipt, error) {
	a.world.mu.Lock()
	ask := a.world.call
	a.world.mu.Unlock()
	fault := NoFault
	if ask != nil && a.life.Err() == nil {
		fault = ask(Call{a.org, call})
	}
	if fault == KillBefore {
		a.kill()
	}
	if a.life.Err() != nil {
		return ledger.Receipt{}, fmt.Errorf("%s: %w", a.org, ErrGone)
	}
	receipt, err := a.Client.Submit(ctx, call)
	if fault == KillAfter {
		a.kill()
		return ledger.Receipt{}, fmt.Errorf("%s: %w", a.org, ErrGone)
	}
	return receipt, err
}

package main

import (
	"context"
	"crypto"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// demoNetwork is the ledger that the demonstration is played on. The demonstration
// plays every organisation, so it has access in every name.
type demoNetwork interface {
	// Title introduces it, given the organisations' ids.
	Title(owner, lender, regulator string) string
	Genesis() *ledger.Genesis
	Book(org string) (ledger.Book, error)
	Signer(org string) (crypto.Signer, error)
	// Agree has every organisation agree to a key or a maker's CA.
	Agree(digest commit.Digest, note string) error
	Now() time.Time
	// Until lets time pass.
	Until(ctx context.Context, t time.Time, why string) error
	// Name makes a name that is new on the ledger.
	Name(of string) string
	// Place is where the ledger lies.
	Place() string
	Close()
}

// embeddedNetwork is a new ledger in a directory, whose clock is simulated.
type embeddedNetwork struct {
	*embedded.Ledger
	dir string
	now *atomic.Int64
}

func newEmbeddedNetwork(dir string, srs *commit.SRS) (*embeddedNetwork, error) {
	n := &embeddedNetwork{dir: dir, now: new(atomic.Int64)}
	n.now.Store(demoStart.Add(time.Hour).Unix())
	var err error
	n.Ledger, err = embedded.Create(dir, demoGenesis(), embedded.Options{Clock: n.Now, SRS: srs})
	return n, err
}

func (n *embeddedNetwork) Title(owner, lender, regulator string) string {
	return fmt.Sprintf("%s (owner), %s (financier) and %s found ledger %s.\nEach runs a peer that checks every transaction by itself.",
		owner, lender, regulator, short(n.ID()))
}

func (n *embeddedNetwork) Agree(commit.Digest, string) error { return nil } // its organisations sit in one directory
func (n *embeddedNetwork) Now() time.Time                    { return time.Unix(n.now.Load(), 0).UTC() }
func (n *embeddedNetwork) Name(of string) string             { return of }
func (n *embeddedNetwork) Place() string                     { return n.dir }
func (n *embeddedNetwork) Close()                            { n.Ledger.Close() } //nolint:errcheck // every acknowledged block is on disk already

func (n *embeddedNetwork) Until(_ context.Context, t time.Time, _ string) error {
	n.now.Store(max(n.now.Load(), t.Unix()))
	return nil
}

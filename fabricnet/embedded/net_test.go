package embedded

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const (
	operator  = contracttest.Operator
	rival     = contracttest.Rival
	lender    = contracttest.Lender
	regulator = contracttest.Regulator
	fleetID   = "fleet-a"
)

// network is a ledger in a temporary directory, on a clock of its own.
type network struct {
	*Ledger
	t     *testing.T
	clock atomic.Int64
	maker *contracttest.Maker
}

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{t: t, maker: contracttest.NewMaker("maker-a")}
	n.at(10, 12*time.Hour)
	l, err := Create(t.TempDir(), contracttest.Genesis(), n.options())
	if err != nil {
		t.Fatal(err)
	}
	n.Ledger = l
	t.Cleanup(func() { n.Ledger.Close() })
	return n
}

func (n *network) options() Options {
	return Options{Clock: func() time.Time { return time.Unix(n.clock.Load(), 0) }, SRS: contracttest.SRS()}
}

func (n *network) at(epoch uint64, after time.Duration) {
	g := contracttest.Genesis()
	n.clock.Store(g.EpochStart(epoch).Add(after).Unix())
}

// opened sets the clock and has the regulator open the epoch and, when it began, the one before: each makes a block.
func (n *network) opened(epoch uint64, after time.Duration) {
	n.t.Helper()
	n.at(epoch-1, 0)
	ok[uint64](n.t)(n.book(regulator).OpenEpoch(context.Background()))
	n.at(epoch, after)
	ok[uint64](n.t)(n.book(regulator).OpenEpoch(context.Background()))
}

// reopen closes the ledger and opens it again.
func (n *network) reopen() {
	n.t.Helper()
	if err := n.Close(); err != nil {
		n.t.Fatal(err)
	}
	var err error
	if n.Ledger, err = Open(n.dir, n.options()); err != nil {
		n.t.Fatal(err)
	}
}

func (n *network) book(org string) ledger.Book {
	n.t.Helper()
	b, err := n.Book(org)
	if err != nil {
		n.t.Fatal(err)
	}
	return b
}

func (n *network) endorsedBy(org string, endorsers ...string) ledger.Book {
	n.t.Helper()
	c, err := n.Client(org, endorsers...)
	if err != nil {
		n.t.Fatal(err)
	}
	return ledger.Book{Client: c}
}

func ok[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (n *network) done(_ ledger.Receipt, err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func fleetArgs(id string) ledger.RegisterFleet {
	return ledger.RegisterFleet{ID: id, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}
}

func (n *network) place(epoch uint64) commit.ChunkPlace {
	return commit.ChunkPlace{Ledger: n.id, SRS: n.srs.Digest(), Fleet: fleetID, Size: contracttest.ChunkSize, Epoch: epoch}
}

// enrolled registers everything and enrols twelve devices in epoch 10. It makes five blocks.
func (n *network) enrolled() []contracttest.Device {
	n.t.Helper()
	ctx := context.Background()
	n.done(n.book(regulator).RegisterMaker(ctx, ledger.RegisterMaker{ID: n.maker.ID, Name: "Maker", Certificate: n.maker.Cert.Raw}))
	n.done(n.book(regulator).PublishKey(ctx, contracttest.SRSKey(n.srs)))
	n.done(n.book(operator).RegisterFleet(ctx, fleetArgs(fleetID)))
	ok[uint64](n.t)(n.book(regulator).OpenEpoch(ctx))
	d := n.maker.Devices("pack", 12)
	n.done(n.book(operator).Enrol(ctx, contracttest.Enrolment(n.book(operator).ID(), fleetID, 0, 0, d)))
	return d
}

func (n *network) attested(epoch uint64, devices []contracttest.Device) [][]byte {
	out := make([][]byte, len(devices))
	for i, d := range devices {
		out[i] = contracttest.Attest(n.srs, n.place(epoch), uint32(i), d)
	}
	return out
}

// anchored goes on to anchor epoch 11, in the eighth block.
func (n *network) anchored() (attestations [][]byte, root commit.Digest) {
	n.t.Helper()
	d := n.enrolled()
	n.opened(12, time.Hour)
	attestations = n.attested(11, d)
	a := contracttest.Anchor(n.place(11), attestations)
	n.done(n.book(operator).Anchor(context.Background(), a, attestations))
	return attestations, a.Root
}

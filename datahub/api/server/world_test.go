package server_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const (
	operator  = contracttest.Operator
	lender    = contracttest.Lender
	regulator = contracttest.Regulator
	rival     = contracttest.Rival
	fleetID   = "fleet-a"
	patience  = 2 * time.Minute
)

// world is a consortium on an embedded ledger with a clock of its own, and a node's interface for whoever asks for one.
type world struct {
	t      *testing.T
	ledger *embedded.Ledger
	clock  atomic.Int64
	maker  *contracttest.Maker
	grant  bool // there is one
	srs    *commit.SRS
}

// newWorld has a fleet of the operator's, in epoch 12.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, contracttest.SRS())
}

func newWorldOn(t *testing.T, srs *commit.SRS) *world {
	t.Helper()
	w := &world{t: t, maker: contracttest.NewMaker("maker-a"), srs: srs}
	w.at(10, 12*time.Hour)
	l, err := embedded.Create(t.TempDir(), contracttest.Genesis(), embedded.Options{Clock: w.now, SRS: srs})
	if err != nil {
		t.Fatal(err)
	}
	w.ledger = l
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	ctx := t.Context()
	must(w.book(regulator).RegisterMaker(ctx, ledger.RegisterMaker{ID: w.maker.ID, Name: "Maker", Certificate: w.maker.Cert.Raw}))(t)
	must(w.book(operator).RegisterFleet(ctx, ledger.RegisterFleet{ID: fleetID, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}))(t)
	must(w.book(regulator).OpenEpoch(ctx))(t)
	return w
}

func (w *world) now() time.Time { return time.Unix(w.clock.Load(), 0) }

func (w *world) at(epoch uint64, after time.Duration) {
	g := contracttest.Genesis()
	w.clock.Store(g.EpochStart(epoch).Add(after).Unix())
}

func (w *world) book(org string) ledger.Book {
	w.t.Helper()
	return must(w.ledger.Book(org))(w.t)
}

// granted publishes the permissive policy and grants the lender everything, once.
func (w *world) granted() {
	w.t.Helper()
	if w.grant {
		return
	}
	w.grant = true
	ctx := w.t.Context()
	if _, _, err := w.book(operator).PublishPolicy(ctx, contracttest.PermissivePolicy()); err != nil {
		w.t.Fatal(err)
	}
	must(w.book(operator).Grant(ctx, contracttest.Terms(fleetID)))(w.t)
}

// statement asks about epoch 11 until the end of epoch 20.
func (w *world) statement() string {
	g := contracttest.Genesis()
	s := contracttest.Statement(fleetID, 11, 1, g.EpochStart(20))
	return string(s.Canonical())
}

// asked is a request of the lender's.
func (w *world) asked(nonce byte) commit.Digest {
	w.t.Helper()
	w.granted()
	g := contracttest.Genesis()
	id, _, err := w.book(lender).Request(w.t.Context(), contracttest.Statement(fleetID, 11, nonce, g.EpochStart(20)))
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// flaky is access to the ledger that can be cut.
type flaky struct {
	ledger.Client
	cut atomic.Bool
	// cutEvents is closed to break the streams of events.
	cutEvents atomic.Pointer[chan struct{}]
	submitted atomic.Int64
}

var errCut = errors.New("dial tcp 10.0.0.7:7051: connection refused")

func (f *flaky) Submit(ctx context.Context, c ledger.Call) (ledger.Receipt, error) {
	f.submitted.Add(1)
	if f.cut.Load() {
		return ledger.Receipt{}, errCut
	}
	return f.Client.Submit(ctx, c)
}

func (f *flaky) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	if f.cut.Load() {
		return nil, errCut
	}
	return f.Client.Evaluate(ctx, function, args)
}

func (f *flaky) Head(ctx context.Context) (ledger.Head, error) {
	if f.cut.Load() {
		return ledger.Head{}, errCut
	}
	return f.Client.Head(ctx)
}

func (f *flaky) Events(ctx context.Context, from, to uint64) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		broken := make(chan struct{})
		f.cutEvents.Store(&broken)
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go func() {
			select {
			case <-broken:
				cancel()
			case <-ctx.Done():
			}
		}()
		for e, err := range f.Client.Events(ctx, from, to) {
			if err != nil {
				err = fmt.Errorf("%w: %w", errCut, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// outage cuts the ledger, streams of events included, until the end is called.
func (f *flaky) outage() (end func()) {
	f.cut.Store(true)
	if broken := f.cutEvents.Load(); broken != nil {
		close(*broken)
	}
	return func() { f.cut.Store(false) }
}

// node is the interface of an organisation's node, and a way to call it.
type node struct {
	*grpc.ClientConn
	book *flaky
	org  string
}

func (n *node) requests() assayv1.RequestServiceClient { return assayv1.NewRequestServiceClient(n) }
func (n *node) grants() assayv1.GrantServiceClient     { return assayv1.NewGrantServiceClient(n) }
func (n *node) policies() assayv1.PolicyServiceClient  { return assayv1.NewPolicyServiceClient(n) }
func (n *node) fleets() assayv1.FleetServiceClient     { return assayv1.NewFleetServiceClient(n) }
func (n *node) proofs() assayv1.ProofServiceClient     { return assayv1.NewProofServiceClient(n) }
func (n *node) audit() assayv1.AuditServiceClient      { return assayv1.NewAuditServiceClient(n) }
func (n *node) status() assayv1.NodeServiceClient      { return assayv1.NewNodeServiceClient(n) }

// peerHeader says in tests which organisation's node calls; who calls is otherwise the business of another package.
const peerHeader = "x-test-peer"

func testCaller(ctx context.Context) (server.Caller, bool) {
	c := server.Caller{Name: "person"}
	if v := metadata.ValueFromIncomingContext(ctx, peerHeader); len(v) > 0 {
		c = server.Caller{Name: v[0], Peer: v[0]}
	}
	return c, true
}

// node serves an organisation.
func (w *world) node(org string, change func(*server.Options)) *node {
	w.t.Helper()
	n := &node{book: &flaky{Client: w.book(org).Client}, org: org}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	o := server.Options{Book: ledger.Book{Client: n.book}, Organisation: org, Genesis: w.ledger.Genesis(), Caller: testCaller, Clock: w.now, Logger: log}
	if change != nil {
		change(&o)
	}
	listener := bufconn.Listen(1 << 20)
	s := grpc.NewServer(grpc.MaxRecvMsgSize(ledger.MaxBundle + 4096))
	server.New(o).Register(s)
	go s.Serve(listener) //nolint:errcheck // it ends with the test
	var err error
	n.ClientConn, err = grpc.NewClient("passthrough:node", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry(),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { n.Close(); s.Stop() }) //nolint:errcheck // the test is over
	return n
}

// call is a context for one call.
func (w *world) call(headers ...string) context.Context {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	w.t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, headers...)
}

package prove_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/logger"
	"github.com/nats-io/nats.go"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func TestMain(m *testing.M) {
	logger.Disable()
	if run, ok := children[os.Getenv("ASSAY_PROVE_TEST")]; ok {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var queueKey = workqueue.Key{7}

// fleet is an owner's fleet with a statement about it, the same in every process.
type fleet struct {
	keys      *setup.Unsafe
	ring      *verify.Keyring
	statement *statement.Statement
	facts     *verify.Facts
	chunks    []*zk.Chunk
}

// cachedKeys are loaded once for each process.
var cachedKeys = sync.OnceValues(func() (*setup.Unsafe, error) {
	dir, err := setup.DefaultDir()
	if err != nil {
		return nil, err
	}
	return setup.UnsafeSingleParty(dir, nil)
})

func newFleet(devices, slots int) (*fleet, error) {
	keys, err := cachedKeys()
	if err != nil {
		return nil, err
	}
	f := &fleet{keys: keys, statement: asked(), facts: &verify.Facts{
		Ledger: commit.Digest{1}, Fleet: "fleet", Owner: "owner", Schema: "battery/v1", Epoch: 7, Enrolled: uint64(devices),
	}}
	published, err := f.keys.Published(slots)
	if err != nil {
		return nil, err
	}
	if f.ring, err = verify.NewKeyring(published); err != nil {
		return nil, err
	}
	for left := devices; left > 0; left -= slots {
		if err := f.add(slots, min(slots, left)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *fleet) add(slots, present int) error {
	index := uint32(len(f.chunks))
	rng := rand.New(rand.NewPCG(7, uint64(index)))
	c := &zk.Chunk{Index: index, Records: make([]record.Record, slots), R: make([]fr.Element, slots)}
	for s := range present {
		c.Records[s] = record.Record{1, uint32(6000 + rng.IntN(4000)), uint32(rng.IntN(9000)), uint32(rng.IntN(3000)), uint32(rng.IntN(200_000)), uint32(rng.IntN(100)), uint32(400 + rng.IntN(300)), 1}
		c.R[s].SetUint64(rng.Uint64())
	}
	point, err := c.Commitment(f.keys.SRS())
	if err != nil {
		return err
	}
	b := point.Bytes()
	f.chunks = append(f.chunks, c)
	f.facts.Chunks = append(f.facts.Chunks, verify.ChunkFacts{
		Index: index, Size: uint32(slots), Enrolled: uint32(present), Attested: uint32(present),
		Classes: map[string]uint32{"module": uint32(present)}, Anchored: true, Commitment: b[:],
	})
	return nil
}

func asked() *statement.Statement {
	return &statement.Statement{
		Version: statement.Version, Fleet: "fleet", Epoch: 7, Schema: "battery/v1",
		Cohort:   []statement.Range{{Lane: "state_of_health", Min: "70.00"}},
		Claims:   []statement.Claim{{Terms: []statement.Term{{Total: "count", Coefficient: "1"}}, AtLeast: "10"}},
		Disclose: []string{"count"}, MinimumCoverage: "50.00", Requester: "lender", Purpose: "test",
		Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (f *fleet) source(_ context.Context, c *verify.ChunkFacts) (*zk.Chunk, error) {
	return f.chunks[c.Index], nil
}

// prove answers the statement through the queue and verifies the bundle as anyone would.
func (f *fleet) prove(ctx context.Context, p *prove.Prover) error {
	b, err := zk.Prover{Keys: f.keys, Chunks: p.Chunks(f.ring), AtOnce: p.AtOnce()}.Prove(ctx, f.statement, f.facts, f.source, nil)
	if err != nil {
		return err
	}
	raw, err := b.Marshal()
	if err != nil {
		return err
	}
	_, err = verify.VerifyBundle(raw, f.facts, f.ring)
	return err
}

// scene is a fleet with a broker, the owner's prover and workers.
type scene struct {
	*fleet
	t      *testing.T
	broker *queuetest.Broker
	queue  *workqueue.Queue
	prover *prove.Prover

	mu     sync.Mutex
	events []named
}

// named is an event with its worker.
type named struct {
	worker string
	prove.Event
}

const (
	slots   = 64
	ackWait = time.Second
)

func newScene(t *testing.T, chunks int, change func(*workqueue.Options, *prove.Options)) *scene {
	t.Helper()
	return newSizedScene(t, chunks*slots, slots, change)
}

func newSizedScene(t *testing.T, devices, slots int, change func(*workqueue.Options, *prove.Options)) *scene {
	t.Helper()
	if testing.Short() {
		t.Skip("runs a NATS server and makes proofs")
	}
	f, err := newFleet(devices, slots)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{fleet: f, t: t, broker: queuetest.Start(t, "anna", "ben", "liar", "node")}
	o, po := workqueue.Options{Key: queueKey, AckWait: ackWait, Poll: 200 * time.Millisecond}, prove.Options{}
	if change != nil {
		change(&o, &po)
	}
	if s.queue, err = workqueue.Open(t.Context(), s.broker.Dial(queuetest.Owner), o); err != nil {
		t.Fatal(err)
	}
	if s.prover, err = prove.NewProver(s.queue, po); err != nil {
		t.Fatal(err)
	}
	return s
}

// working is a worker in this process.
type working struct {
	stop, hurry context.CancelFunc
	ended       chan error
}

// work starts a worker with one job at a time.
func (s *scene) work(name string, o prove.WorkerOptions, keys ...prove.Keys) *working {
	s.t.Helper()
	return s.workOn(s.broker.Dial(name), name, o, keys...)
}

func (s *scene) workOn(conn *nats.Conn, name string, o prove.WorkerOptions, keys ...prove.Keys) *working {
	s.t.Helper()
	c, err := workqueue.Join(s.t.Context(), conn, name, workqueue.Options{Key: queueKey})
	if err != nil {
		s.t.Fatal(err)
	}
	o.Name, o.Report = name, func(e prove.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.events = append(s.events, named{name, e})
	}
	if o.Jobs == 0 {
		o.Jobs = 1
	}
	w, err := prove.NewWorker(c, append(keys, s.keys)[0], o)
	if err != nil {
		s.t.Fatal(err)
	}
	out := &working{ended: make(chan error, 1)}
	var ctx, hurry context.Context
	ctx, out.stop = context.WithCancel(context.Background())
	hurry, out.hurry = context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		out.ended <- w.Run(ctx, hurry)
	}()
	s.t.Cleanup(func() {
		out.stop()
		out.hurry()
		<-done
	})
	return out
}

// count is how many events of the stage there were, of one worker or of all ("").
func (s *scene) count(worker string, stage prove.Stage) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, e := range s.events {
		if (worker == "" || e.worker == worker) && e.Stage == stage {
			n++
		}
	}
	return n
}

// start begins to prove; the result comes on the channel.
func (s *scene) start() chan error {
	done := make(chan error, 1)
	go func() { done <- s.fleet.prove(s.t.Context(), s.prover) }()
	return done
}

func (s *scene) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s: did not come about in time", what)
		}
	}
}

// empty checks that no job is left.
func (s *scene) empty() {
	s.t.Helper()
	s.until("the queue is empty", func() bool {
		d, err := s.queue.Depth(s.t.Context())
		return err == nil && d.Jobs == 0
	})
}

// stages of all events, sorted, for messages.
func (s *scene) stages() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.events {
		out = append(out, fmt.Sprintf("%s %s chunk %d attempt %d: %v", e.worker, e.Stage, e.Chunk, e.Attempt, e.Err))
	}
	slices.Sort(out)
	return out
}

package ledgertest

import (
	"context"
	"encoding/hex"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// patience is how long a peer may take to have a block that another has.
const patience = time.Minute

// transcript is what a run submitted, and all that the ledger said.
type transcript struct {
	t       *testing.T
	genesis *ledger.Genesis
	// start is the height before the run.
	start uint64
	// clients do not change while the run goes on.
	clients map[string]ledger.Client

	mu       sync.Mutex
	height   uint64 // the highest that a receipt had
	recorded []recorded
	said     [][]byte
}

// recorded is a call with its receipt.
type recorded struct {
	by, function string
	receipt      ledger.Receipt
}

func newTranscript(t *testing.T, g *ledger.Genesis) *transcript {
	return &transcript{t: t, genesis: g, clients: map[string]ledger.Client{}}
}

func (l *transcript) latest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.height
}

// heard keeps what the ledger said.
func (l *transcript) heard(said []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, said)
	if err != nil {
		l.said = append(l.said, []byte(err.Error()))
	}
}

// record checks a receipt and keeps it.
func (l *transcript) record(by, function string, r ledger.Receipt) {
	l.t.Helper()
	if id, err := hex.DecodeString(r.TxID); err != nil || len(id) != 32 || hex.EncodeToString(id) != r.TxID {
		l.t.Errorf("%s by %s: transaction id is %q", function, by, r.TxID)
	}
	if r.Height <= l.start || len(r.Result) == 0 {
		l.t.Errorf("%s by %s: height %d is not above %d, or the result has %d bytes", function, by, r.Height, l.start, len(r.Result))
	}
	if !slices.IsSorted(r.Endorsers) || len(slices.Compact(slices.Clone(r.Endorsers))) != len(r.Endorsers) {
		l.t.Errorf("%s by %s: endorsers %v are not sorted, or one comes twice", function, by, r.Endorsers)
	}
	if err := l.genesis.EndorsementRule().Check(l.genesis, r.Endorsers); err != nil {
		l.t.Errorf("%s by %s: %v", function, by, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.height = max(l.height, r.Height)
	l.recorded = append(l.recorded, recorded{by: by, function: function, receipt: r})
}

// witness is a client whose doings are written down. It looks at the ledger only when its peer has all that the run recorded, so that what one organisation did the
// next one sees.
type witness struct {
	ledger.Client
	org  string
	log  *transcript
	seen atomic.Uint64
}

// openClients opens all that the run uses.
func (s *suite) openClients(t *testing.T) {
	t.Helper()
	for _, org := range s.all {
		s.open(t, org, nil)
	}
	for _, set := range append(s.tooFew(), s.quorum()) {
		s.open(t, s.owner, set)
		s.open(t, s.regulator, set)
	}
}

func (s *suite) open(t *testing.T, org string, endorsers []string) {
	t.Helper()
	c, err := s.Client(t, org, endorsers...)
	if err != nil {
		t.Fatalf("opening the access of %s, endorsed by %v: %v", org, endorsers, err)
	}
	s.log.clients[access(org, endorsers)] = &witness{Client: c, org: org, log: s.log}
}

func access(org string, endorsers []string) string {
	return org + " by " + strings.Join(endorsers, " ")
}

// client is one that was opened.
func (s *suite) client(org string, endorsers []string) ledger.Client {
	c, ok := s.log.clients[access(org, endorsers)]
	if !ok {
		panic("ledgertest: no access was opened for " + access(org, endorsers))
	}
	return c
}

// as is typed access in an organisation's name.
func (s *suite) as(org string) ledger.Book { return ledger.Book{Client: s.client(org, nil)} }

func (w *witness) Submit(ctx context.Context, call ledger.Call) (ledger.Receipt, error) {
	if err := w.catchUp(ctx); err != nil {
		return ledger.Receipt{}, err
	}
	r, err := w.Client.Submit(ctx, call)
	w.log.heard(r.Result, err)
	if err == nil {
		w.log.record(w.org, call.Function, r)
	}
	return r, err
}

func (w *witness) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	if err := w.catchUp(ctx); err != nil {
		return nil, err
	}
	b, err := w.Client.Evaluate(ctx, function, args)
	w.log.heard(b, err)
	return b, err
}

func (w *witness) Recorded(ctx context.Context, txID string) (ledger.Recorded, error) {
	if err := w.catchUp(ctx); err != nil {
		return ledger.Recorded{}, err
	}
	return w.Client.Recorded(ctx, txID)
}

func (w *witness) Block(ctx context.Context, height uint64) ([]byte, error) {
	if err := w.catchUp(ctx); err != nil {
		return nil, err
	}
	return w.Client.Block(ctx, height)
}

func (w *witness) BlockHash(ctx context.Context, height uint64) (commit.Digest, error) {
	if err := w.catchUp(ctx); err != nil {
		return commit.Digest{}, err
	}
	return w.Client.BlockHash(ctx, height)
}

func (w *witness) Events(ctx context.Context, from, to uint64) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		for e, err := range w.Client.Events(ctx, from, to) {
			w.log.heard(ledger.Encode(e), err)
			if !yield(e, err) {
				return
			}
		}
	}
}

// catchUp waits until the client's peer has the last block that the run knows of.
func (w *witness) catchUp(ctx context.Context) error {
	height := w.log.latest()
	if w.seen.Load() >= height {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		head, err := w.Head(ctx)
		if err != nil {
			return err
		}
		if head.Height >= height {
			w.seen.Store(head.Height)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

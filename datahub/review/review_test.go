package review

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// reviewer is one of an organisation on a ledger that may lie.
func reviewer(w *desktest.World, org string, client ledger.Client, cursor string, change func(*Options)) *Reviewer {
	w.T.Helper()
	key, err := w.Signer(org)
	if err != nil {
		w.T.Fatal(err)
	}
	o := Options{
		Exporter: &evidence.Exporter{Book: ledger.Book{Client: client}, Blocks: embedded.Blocks{Genesis: w.Genesis()}, Organisation: org, Key: key, Clock: w.Now},
		Cursor:   ledger.FileCursor{Path: cursor}, Dir: filepath.Join(filepath.Dir(cursor), "kept"), Retry: 5 * time.Millisecond, Attempts: 3,
	}
	if testing.Verbose() {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if change != nil {
		change(&o)
	}
	r, err := New(o)
	if err != nil {
		w.T.Fatal(err)
	}
	return r
}

// run reviews until the position is behind everything that was on the ledger, and stops.
func run(w *desktest.World, r *Reviewer) {
	w.T.Helper()
	events := r.book
	head, err := w.Book(contracttest.Lender).Head(context.Background())
	if err != nil {
		w.T.Fatal(err)
	}
	var last ledger.Event
	for e, err := range events.Events(context.Background(), 1, head.Height) {
		if err != nil {
			w.T.Fatal(err)
		}
		if _, ok := reviewed(e); ok {
			last = e
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { r.Run(ctx) }) //nolint:errcheck // it returns nil
	w.Until("everything is reviewed", func() bool {
		at, err := r.Cursor.Load()
		return err == nil && at.Height >= last.Height
	})
	cancel()
	done.Wait()
}

func alerts(w *desktest.World) []ledger.AlertRecord {
	w.T.Helper()
	page, err := w.Book(contracttest.Lender).Alerts(context.Background(), ledger.AlertsQuery{Limit: ledger.MaxPage})
	if err != nil {
		w.T.Fatal(err)
	}
	return page.Entries
}

func populated(t *testing.T) (w *desktest.World, first, second commit.Digest) {
	t.Helper()
	w = desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	first, second = w.Answered(nil), w.Answered(desktest.Healthiest(20))
	w.Refused("not today")
	return w, first, second
}

// counting counts how often requests are read.
type counting struct {
	ledger.Client
	read atomic.Int64
}

func (c *counting) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	if function == ledger.QueryRequest {
		c.read.Add(1)
	}
	return c.Client.Evaluate(ctx, function, args)
}

// An honest ledger gives no reason for an alert, and what was reviewed is not reviewed again after a restart.
func TestHonestLedgerIsAgreedWith(t *testing.T) {
	w, _, _ := populated(t)
	c := &counting{Client: w.Book(contracttest.Regulator).Client}
	cursor := filepath.Join(t.TempDir(), "cursor")
	run(w, reviewer(w, contracttest.Regulator, c, cursor, nil))
	if got := alerts(w); len(got) != 0 {
		t.Errorf("alerts: %+v", got)
	}
	if c.read.Load() == 0 {
		t.Error("nothing was read")
	}
	c.read.Store(0)
	run(w, reviewer(w, contracttest.Regulator, c, cursor, nil))
	if n := c.read.Load(); n != 0 {
		t.Errorf("requests were read %d times again", n)
	}
	w.Answered(desktest.Healthiest(30))
	run(w, reviewer(w, contracttest.Regulator, c, cursor, nil))
	if c.read.Load() == 0 || len(alerts(w)) != 0 {
		t.Errorf("%d read, alerts: %+v", c.read.Load(), alerts(w))
	}
}

// Whoever is no regulator reviews as well, and raises no alert.
func TestLenderReviewsInSilence(t *testing.T) {
	w, first, _ := populated(t)
	f := &forger{Client: w.Book(contracttest.Lender).Client, query: map[string]func(args, result []byte) ([]byte, error){
		ledger.QueryRequest: replacing(first, `"holds":true,"verdict"`, `"holds":false,"verdict"`),
	}}
	dir := t.TempDir()
	run(w, reviewer(w, contracttest.Lender, f, filepath.Join(dir, "cursor"), nil))
	if len(alerts(w)) != 0 {
		t.Error("a lender raised an alert")
	}
	if kept, err := os.ReadDir(filepath.Join(dir, "kept")); err != nil || len(kept) == 0 {
		t.Errorf("nothing is kept: %v", err)
	}
}

// A ledger that is away is waited for, and no reason for an alert, however long.
func TestLedgerThatIsAwayIsNoDisagreement(t *testing.T) {
	w, _, _ := populated(t)
	f := &absent{Client: w.Book(contracttest.Regulator).Client}
	f.left.Store(12)
	run(w, reviewer(w, contracttest.Regulator, f, filepath.Join(t.TempDir(), "cursor"), func(o *Options) { o.Attempts = 2 }))
	if got := alerts(w); len(got) != 0 || f.left.Load() > 0 {
		t.Errorf("%d left, alerts: %+v", f.left.Load(), got)
	}
}

// absent cannot be reached so many times.
type absent struct {
	ledger.Client
	left atomic.Int64
	// contractAlone is away then, and the peer is there.
	contractAlone bool
}

var errAway = errors.New("the ledger is away")

func (a *absent) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	if a.left.Add(-1) >= 0 {
		return nil, errAway
	}
	return a.Client.Evaluate(ctx, function, args)
}

func (a *absent) Head(ctx context.Context) (ledger.Head, error) {
	if !a.contractAlone && a.left.Add(-1) >= 0 {
		return ledger.Head{}, errAway
	}
	return a.Client.Head(ctx)
}

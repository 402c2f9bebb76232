package node

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// An epoch is opened once, by whichever regulator's node is first, and the next is waited for by the ledger's clock.
func TestRegulatorOpensTheEpoch(t *testing.T) {
	l := must(embedded.Create(t.TempDir(), genesis(3600), embedded.Options{SRS: contracttest.SRS()}))(t)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	ctx := t.Context()
	book := must(l.Book(contracttest.Regulator))(t)
	var heights []uint64
	for range 2 {
		n := &Node{env: Environment{Book: book}, log: slog.New(slog.DiscardHandler), metrics: must(newMetrics(prometheus.NewRegistry()))(t)}
		if pause, err := n.openEpoch(ctx); err != nil || pause <= 0 || pause > epochLook {
			t.Fatalf("%s, %v", pause, err)
		}
		heights = append(heights, must(book.Head(ctx))(t).Height)
	}
	if e := must(book.Epoch(ctx))(t); e.Opened == nil || *e.Opened != e.Epoch || heights[0] != heights[1] {
		t.Errorf("epoch %+v, heights %v", e, heights)
	}
	lender := &Node{env: Environment{Book: must(l.Book(contracttest.Lender))(t)}, log: slog.New(slog.DiscardHandler), metrics: must(newMetrics(prometheus.NewRegistry()))(t)}
	if _, err := lender.openEpoch(ctx); err != nil {
		t.Errorf("an epoch that is open: %v", err)
	}
}

func TestPauseUntilTheNextEpoch(t *testing.T) {
	for _, test := range []struct {
		now, end int64
		want     time.Duration
	}{{0, 10, 10 * time.Second}, {0, 86_400, epochLook}, {10, 10, 100 * time.Millisecond}} {
		if got := untilNext(&ledger.EpochInfo{Now: test.now, End: test.end}); got != test.want {
			t.Errorf("at %d of %d: %s", test.now, test.end, got)
		}
	}
}

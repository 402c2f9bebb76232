package node

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/datahub/telemetry/ocmf"
	"github.com/assay-net/assay/datahub/telemetry/ocpp"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// transaction is an event of a charging session. Only the first names its charging place, as the standard allows.
func transaction(event, evse string, number, wattHours int) []byte {
	return fmt.Appendf(nil, `{"eventType":%q,"timestamp":"2026-03-01T08:00:0%dZ","triggerReason":"MeterValuePeriodic","seqNo":%d,"transactionInfo":{"transactionId":"tx"},`+
		`%s"meterValue":[{"timestamp":"2026-03-01T08:00:0%dZ","sampledValue":[{"value":%d,"measurand":"Energy.Active.Import.Register","unitOfMeasure":{"unit":"Wh"}}]}]}`,
		event, number, number, evse, number, wattHours)
}

// A session that was under way when the node was stopped goes on: what its first messages said is read from the store again.
func TestSessionGoesOnAfterARestart(t *testing.T) {
	keys := func(string) (ocmf.PublicKey, bool) { return ocmf.PublicKey{}, false }
	fleet := &Fleet{ID: "piles", Schema: "charger/v1", ChunkSize: 64}
	s := &sink{stations: &stations{keys: keys, byID: map[commit.DeviceID]*station{}}, decoders: decoders(keys), log: slog.New(slog.DiscardHandler)}
	d := must(newDerivation(fleet, 0, 3600))(t)
	m := &member{Device: store.Device{ID: commit.DeviceID{1}, Fleet: fleet.ID}}
	begun := frame.Frame{Device: m.ID, Sequence: 1, Oldest: 1, Kind: frame.KindOCPP, SentMicros: time.Now().UnixMicro(), Payload: transaction("Started", `"evse":{"id":1},`, 0, 1000),
		Signature: make([]byte, commit.SignatureBytes)}
	if err := s.count(m, d, &store.Frame{Sequence: 1, Payload: begun.Marshal()}); err != nil {
		t.Fatal(err)
	}
	next := &frame.Frame{Device: m.ID, Kind: frame.KindOCPP, Payload: transaction("Updated", "", 1, 1100)}
	alone, _, err := ocpp.Meterings(next.Payload, ocpp.Options{})
	if err != nil || len(alone) != 0 {
		t.Fatalf("alone it says %v, %v: the test shows nothing", alone, err)
	}
	got := must(s.stations.decode(m.ID, next, &telemetry.Decoded{}))(t)
	if len(got.Meterings) != 1 || got.Meterings[0].Meter != "evse/1" {
		t.Errorf("decoded %+v", got.Meterings)
	}
}

// An environment without metrics and a log is one.
func TestEnvironmentHasDefaults(t *testing.T) {
	e := Environment{}.withDefaults()
	if _, err := newMetrics(e.Metrics); err != nil || e.Logger == nil || e.Tracer == nil {
		t.Errorf("%+v, %v", e, err)
	}
	if r := prometheus.NewRegistry(); (Environment{Metrics: r}).withDefaults().Metrics != r {
		t.Error("what is there is replaced")
	}
}

// What a node notes at its first frames and its first start holds over a restart.
func TestNodeThatIsStartedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6, nil)
	if w.node.sink.epoch < 10 {
		t.Errorf("before any frame snapshots would be of epoch %d", w.node.sink.epoch)
	}
	devices := w.sending(2)
	st := w.node.storage.Store
	w.until("the first frame that counts has a snapshot", func() bool {
		n := 0
		for s, err := range st.Snapshots(t.Context(), fleetID) {
			if err != nil || s.Sequence >= snapshotEvery {
				t.Fatal(err, "the snapshot comes after ", s.Sequence, " frames")
			}
			n++
		}
		return n == 2
	})
	e := w.closedWith(2)
	w.until("the backlog is read", func() bool {
		oldest, newest, err := w.node.pipeline.Backlog(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return newest > 10 && oldest+2 > newest
	})
	w.wait(w.ledger.Genesis().SettledAfter(e.Epoch).Add(time.Second))
	w.end()
	w.reopen(e.Epoch)
	w.start()
	w.until("what became of a chunk is asked of the ledger, though its time is over", func() bool {
		for _, again := range w.status().Epochs {
			if again.Epoch == e.Epoch {
				return again.State == "closed" && again.Anchored == 1 && again.Transactions[0] == e.Transactions[0]
			}
		}
		return false
	})
	w.complete(devices)
	w.end()
	w.config.Store.KeyPeriod = time.Hour
	w.refused("epochs per key")
	w.config.Store.KeyPeriod = 24 * time.Hour
	other := newWorldLedger(t, w)
	w.book.Client = other
	w.refused("data: ")
}

// reopen makes the store look as if the node had been stopped before it heard that a chunk was anchored.
func (w *world) reopen(epoch uint64) {
	w.t.Helper()
	ctx := w.t.Context()
	storage := must(OpenStorage(ctx, w.config, StorageOptions{Existing: true}))(w.t)
	defer storage.Close() //nolint:errcheck // the test fails otherwise
	row := must(storage.Store.Closing(ctx, fleetID, epoch))(w.t)
	row.Ended = time.Time{}
	chunk := must(storage.Store.Chunk(ctx, fleetID, epoch, 0))(w.t)
	chunk.State, chunk.TxID, chunk.Height = store.Closed, "", 0
	if err := errors.Join(storage.Store.PutClosing(ctx, row), storage.Store.PutChunk(ctx, chunk)); err != nil {
		w.t.Fatal(err)
	}
	row.Epoch, row.Chunks = epoch+1000, 1 // begun, and no line drawn
	if err := storage.Store.PutClosing(ctx, row); err != nil {
		w.t.Fatal(err)
	}
	if drawn, any, err := lastDrawn(ctx, storage.Store, fleetID); err != nil || !any || drawn >= epoch+1000 {
		w.t.Errorf("the last line is under epoch %d, %v, %v", drawn, any, err)
	}
}

// refused opens the node, which fails.
func (w *world) refused(reason string) {
	w.t.Helper()
	n, err := Open(w.t.Context(), w.config, Environment{Book: ledger.Book{Client: &w.book}, Organisation: contracttest.Operator, SRS: w.srs})
	if err == nil {
		n.Close() //nolint:errcheck // it should not have been opened
	}
	if err == nil || !strings.Contains(err.Error(), reason) {
		w.t.Errorf("got %v, want %q", err, reason)
	}
}

// newWorldLedger is the owner's access to another consortium's ledger.
func newWorldLedger(t *testing.T, w *world) ledger.Client {
	t.Helper()
	g := genesis(6)
	g.Name = "another consortium"
	l := must(embedded.Create(t.TempDir()+"/ledger", g, embedded.Options{SRS: w.srs}))(t)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	return must(l.Book(contracttest.Operator))(t).Client
}

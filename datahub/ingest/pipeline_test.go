package ingest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/record"
)

func TestFramesAreStoredThenAcknowledged(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	n := newTestNode(t, func(o *Options) { o.Tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)) })
	l := n.link(n.device("1"))
	want := map[uint64][]byte{}
	for q := uint64(1); q <= 50; q++ {
		plain := l.signed(l.newFrame(q))
		want[q] = plain
		l.send(frame.Seal(l.transport, frame.Up, l.id, plain))
	}
	l.awaitThrough(50)
	frames := must(n.store.Frames(t.Context(), l.id, 0, 1000))
	if len(frames) != 50 {
		t.Fatalf("%d frames stored", len(frames))
	}
	for i, f := range frames {
		if f.Sequence != uint64(i+1) || f.Fleet != "fleet-a" || f.Readings != 10 || f.Kind != uint8(frame.KindReadings) || !bytes.Equal(f.Payload, want[f.Sequence]) {
			t.Errorf("frame %d is stored as %d of fleet %q with %d readings", i+1, f.Sequence, f.Fleet, f.Readings)
		}
	}
	n.sink.with(func() {
		if d := cmp.Diff(upTo(1, 50), n.sink.applied[l.id]); d != "" {
			t.Error(d)
		}
		if n.sink.heard[l.id] == 0 {
			t.Error("the sink was not told who was heard from")
		}
	})
	if q, ok := n.pipeline.Through(l.id); !ok || q != 50 {
		t.Errorf("through %d, %v", q, ok)
	}
	eventually(t, "the metrics count the frames", func() bool { return n.value("accepted_total", "") == 50 && n.value("readings_total", "") == 500 })
	for s, err := range n.store.Snapshots(t.Context(), "fleet-a") {
		if err != nil || s.Device != l.id {
			t.Errorf("snapshot of %s: %v", s.Device, err)
		}
	}
	eventually(t, "the broker has forgotten the frames", func() bool { return n.backlog() == 0 })
	n.stop()
	seen := map[string]bool{}
	for _, s := range spans.GetSpans() {
		seen[s.Name] = true
	}
	if d := cmp.Diff(map[string]bool{"ingest batch": true, "examine": true, "settle": true, "commit": true}, seen); d != "" {
		t.Error(d)
	}
}

func (n *testNode) backlog() uint64 {
	stream, err := n.pipeline.js.Stream(context.Background(), streamUp)
	if err != nil {
		n.t.Fatal(err)
	}
	return must(stream.Info(context.Background())).State.Msgs
}

func TestSequences(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	sent := map[uint64][]byte{}
	send := func(q, oldest uint64) {
		f := l.newFrame(q)
		f.Oldest = oldest
		sent[q] = l.signed(f)
		l.send(frame.Seal(l.transport, frame.Up, l.id, sent[q]))
	}
	send(1, 1)
	send(2, 1)
	l.awaitThrough(2)

	send(4, 3) // 3 will come
	eventually(t, "4 is early", func() bool { return n.value("dropped_total", "early") == 1 })
	send(3, 3)
	send(4, 3)
	l.awaitThrough(4)

	send(9, 9) // 5 to 8 are lost
	l.awaitThrough(9)
	if lost := n.value("lost_frames_total", ""); lost != 4 {
		t.Errorf("%v frames lost, want 4", lost)
	}
	for _, q := range []uint64{1, 4, 9} { // sent again: dropped, and acknowledged again
		l.send(frame.Seal(l.transport, frame.Up, l.id, sent[q]))
	}
	eventually(t, "duplicates are dropped", func() bool { return n.value("duplicates_total", "") == 3 })
	if rows := n.quarantined(l.testDevice); len(rows) != 0 {
		t.Errorf("quarantined: %q", rows[0].Detail)
	}
	send(4, 1) // another frame of a sequence that is stored
	eventually(t, "the conflict is seen", func() bool {
		rows := n.quarantined(l.testDevice)
		return len(rows) == 1 && rows[0].Reason == ReasonConflict && bytes.Equal(rows[0].Payload, sent[4])
	})
	if d := cmp.Diff([]uint64{1, 2, 3, 4, 9}, n.stored(l.testDevice)); d != "" {
		t.Error(d)
	}
}

// After a restart nothing is remembered of frames that were sent before, so the store is asked.
func TestDuplicatesAreComparedAfterARestart(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	first := l.sealed(l.newFrame(1))
	l.send(first)
	l.awaitThrough(1)
	n.stop()
	n.registry.seat(l.testDevice, 1)
	n.start(nil)
	l.send(first)
	l.send(l.sealed(l.newFrame(1)))
	eventually(t, "the conflict is seen, the duplicate is none", func() bool { return len(n.quarantined(l.testDevice)) == 1 })
	eventually(t, "both are duplicates", func() bool { return n.value("duplicates_total", "") == 2 })
	l.send(l.sealed(l.newFrame(2)))
	l.awaitThrough(2)
	if rows := n.quarantined(l.testDevice); len(rows) != 1 || rows[0].Reason != ReasonConflict {
		t.Errorf("%d rows in the quarantine", len(rows))
	}
}

func TestReportsAndAcceptances(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	accept := l.holding(frame.KindAccept, (&frame.Accept{Fleet: "fleet-a", Slot: 3, Possession: make([]byte, 64)}).Marshal())
	l.send(l.sealed(accept))
	report := l.holding(frame.KindReport, (&frame.Report{Epoch: 7, Record: record.Record{record.Presence: 1}, Attestation: []byte{1}}).Marshal())
	report.Sequence = 2
	l.send(l.sealed(report))
	l.awaitThrough(2)
	n.sink.with(func() {
		if d := cmp.Diff([]uint64{1}, n.sink.accepts); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]uint64{2}, n.sink.reports); d != "" {
			t.Error(d)
		}
	})
	if rows := must(n.store.Reports(t.Context(), "fleet-a", 7)); len(rows) != 1 || rows[0].Sequence != 2 {
		t.Errorf("reports: %v", rows)
	}
}

// What the sink cannot do now is not acknowledged, and what follows waits for it.
func TestTryAgain(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	n.sink.refuse = func(u *Upload) error {
		if u.Frame.Sequence == 2 {
			return fmt.Errorf("the key store sleeps: %w", ErrTryAgain)
		}
		return nil
	}
	var sent [][]byte
	for q := uint64(1); q <= 3; q++ {
		sent = append(sent, l.sealed(l.newFrame(q)))
		l.send(sent[q-1])
	}
	eventually(t, "2 is put off and 3 is early", func() bool {
		return n.value("dropped_total", "deferred") == 1 && n.value("dropped_total", "early") == 1
	})
	l.awaitThrough(1)
	n.sink.with(func() { n.sink.refuse = nil })
	l.send(sent[1])
	l.send(sent[2])
	l.awaitThrough(3)
	if rows := n.quarantined(l.testDevice); len(rows) != 0 {
		t.Errorf("quarantined: %q", rows[0].Detail)
	}
}

func TestStoreDownAndBack(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	l.send(l.sealed(l.newFrame(1)))
	l.awaitThrough(1)
	n.store.fail(fmt.Errorf("gone: %w", store.ErrUnavailable))
	for q := uint64(2); q <= 60; q++ {
		l.send(l.sealed(l.newFrame(q)))
	}
	eventually(t, "the store is seen to be down", func() bool { return n.value("store_up", "") == 0 })
	if q := l.through(); q != 1 {
		t.Errorf("acknowledged through %d while nothing could be stored", q)
	}
	n.store.fail(nil)
	l.awaitThrough(60)
	eventually(t, "the store is seen to be up", func() bool { return n.value("store_up", "") == 1 })
	if d := cmp.Diff(upTo(1, 60), n.stored(l.testDevice)); d != "" {
		t.Error(d)
	}
}

// A store that another node writes to keeps each frame once.
func TestAnotherNodeOnTheStore(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	one, two := l.signed(l.newFrame(1)), l.signed(l.newFrame(2))
	if err := n.store.Commit(t.Context(), &store.Batch{Frames: []store.Frame{{Fleet: "fleet-a", Device: l.id, Epoch: 1, Sequence: 1, Received: time.Now(), Kind: 1, Payload: one}}}); err != nil {
		t.Fatal(err)
	}
	l.send(frame.Seal(l.transport, frame.Up, l.id, one))
	l.send(frame.Seal(l.transport, frame.Up, l.id, two))
	l.awaitThrough(2)
	if d := cmp.Diff([]uint64{1, 2}, n.stored(l.testDevice)); d != "" {
		t.Error(d)
	}
}

func TestAFloodDoesNotStarveOthers(t *testing.T) {
	n := newTestNode(t, func(o *Options) { o.DeviceRate, o.DeviceBurst, o.BanAfter, o.BanFor = 10, 20, 300, time.Hour })
	flooder, good := n.link(n.device("1")), n.link(n.device("2"))
	message := flooder.sealed(flooder.newFrame(1))
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				flooder.client.Publish(flooder.topic(wordUp), 0, false, message)
			}
		}
	}()
	for q := uint64(1); q <= 20; q++ {
		good.send(good.sealed(good.newFrame(q)))
		good.awaitThrough(q)
	}
	eventually(t, "the flooder is disconnected", func() bool { return !flooder.client.IsConnectionOpen() })
	if n.value("banned_total", "") != 1 || n.value("dropped_total", "rate") < 300 {
		t.Errorf("%v banned, %v dropped", n.value("banned_total", ""), n.value("dropped_total", "rate"))
	}
	if c, err := connect(n.broker.Address(), flooder.id.String(), flooder.tls(n.broker.roots)); err == nil {
		c.Disconnect(0)
		t.Error("the flooder came back")
	}
	if d := cmp.Diff(upTo(1, 20), n.stored(good.testDevice)); d != "" {
		t.Error(d)
	}
}

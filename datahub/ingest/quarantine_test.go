package ingest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
)

func TestWhatIsWrongGoesIntoTheQuarantine(t *testing.T) {
	n := newTestNode(t, func(o *Options) {
		o.Decoders = map[frame.Kind]Decoder{200: func(*Known, *frame.Frame) (*telemetry.Decoded, error) { panic("a value") }}
	})
	n.sink.refuse = func(u *Upload) error {
		if len(u.Decoded.Readings) == 1 {
			return errors.New("no")
		}
		return nil
	}
	stranger := newTestDevice(n.maker, "stranger") // without a seat
	other := n.device("other")

	type result struct {
		reason string
		acked  bool
	}
	for name, c := range map[string]struct {
		message func(d *testDevice) []byte
		want    result
	}{
		"truncated":     {func(d *testDevice) []byte { return d.sealed(d.newFrame(1))[:100] }, result{ReasonEnvelope, false}},
		"a bit flipped": {func(d *testDevice) []byte { b := d.sealed(d.newFrame(1)); b[60] ^= 1; return b }, result{ReasonEnvelope, false}},
		"empty":         {func(*testDevice) []byte { return []byte{} }, result{ReasonEnvelope, false}},
		"not sealed":    {func(d *testDevice) []byte { return d.signed(d.newFrame(1)) }, result{ReasonEnvelope, false}},
		"sealed for the other": {func(d *testDevice) []byte {
			return frame.Seal(d.transport, frame.Up, other.id, d.signed(d.newFrame(1)))
		}, result{ReasonEnvelope, false}},
		"sealed downwards": {func(d *testDevice) []byte { return frame.Seal(d.transport, frame.Down, d.id, d.signed(d.newFrame(1))) }, result{ReasonEnvelope, false}},
		"oversize":         {func(*testDevice) []byte { return make([]byte, frame.MaxFrame+1) }, result{ReasonOversize, false}},
		"no frame":         {func(d *testDevice) []byte { return frame.Seal(d.transport, frame.Up, d.id, []byte("no frame")) }, result{ReasonMalformed, false}},
		"another's frame": {func(d *testDevice) []byte {
			return frame.Seal(d.transport, frame.Up, d.id, other.signed(other.newFrame(1)))
		}, result{ReasonDevice, false}},
		"signed by another": {func(d *testDevice) []byte {
			f := d.newFrame(1)
			_ = f.Sign(testLedger, other.key)
			return frame.Seal(d.transport, frame.Up, d.id, f.Marshal())
		}, result{ReasonSignature, false}},
		"for another ledger": {func(d *testDevice) []byte {
			f := d.newFrame(1)
			_ = f.Sign([32]byte{9}, d.key)
			return frame.Seal(d.transport, frame.Up, d.id, f.Marshal())
		}, result{ReasonSignature, false}},
		"changed after signing": {func(d *testDevice) []byte {
			f := d.newFrame(1)
			_ = f.Sign(testLedger, d.key)
			f.SentMicros++
			return frame.Seal(d.transport, frame.Up, d.id, f.Marshal())
		}, result{ReasonSignature, false}},
		"years ahead":     {func(d *testDevice) []byte { return d.sealed(d.sentAt(time.Now().AddDate(3, 0, 0))) }, result{ReasonClock, true}},
		"years behind":    {func(d *testDevice) []byte { return d.sealed(d.sentAt(time.Now().AddDate(-3, 0, 0))) }, result{ReasonClock, true}},
		"a reading ahead": {func(d *testDevice) []byte { return d.sealed(d.readAt(time.Now().Add(time.Hour), 2)) }, result{ReasonClock, true}},
		"garbage inside":  {func(d *testDevice) []byte { return d.sealed(d.holding(frame.KindReadings, []byte{1, 2, 3})) }, result{ReasonContent, true}},
		"unknown kind":    {func(d *testDevice) []byte { return d.sealed(d.holding(199, []byte{1})) }, result{ReasonContent, true}},
		"a bad report":    {func(d *testDevice) []byte { return d.sealed(d.holding(frame.KindReport, []byte{1})) }, result{ReasonContent, true}},
		"a bad accept":    {func(d *testDevice) []byte { return d.sealed(d.holding(frame.KindAccept, []byte{1})) }, result{ReasonContent, true}},
		"it panics":       {func(d *testDevice) []byte { return d.sealed(d.holding(200, []byte{1})) }, result{ReasonContent, true}},
		"refused":         {func(d *testDevice) []byte { return d.sealed(d.readAt(time.Now(), 1)) }, result{ReasonRefused, true}},
	} {
		t.Run(name, func(t *testing.T) {
			l := n.link(n.device(name))
			l.send(c.message(l.testDevice))
			var rows []store.Quarantined
			eventually(t, "it is in the quarantine", func() bool { rows = n.quarantined(l.testDevice); return len(rows) == 1 })
			if rows[0].Reason != c.want.reason || rows[0].Detail == "" || rows[0].Subject != subject(l.id, wordUp) {
				t.Errorf("quarantined as %q: %q, want %q", rows[0].Reason, rows[0].Detail, c.want.reason)
			}
			next := uint64(1)
			if c.want.acked {
				next = 2
			}
			l.send(l.sealed(l.newFrame(next)))
			l.awaitThrough(next)
			refusals := map[uint64]string{}
			if c.want.acked {
				refusals[1] = c.want.reason
			}
			if d := cmp.Diff(refusals, l.refusals()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]uint64{next}, n.stored(l.testDevice)); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("a device without a seat", func(t *testing.T) {
		l := n.link(stranger)
		l.send(l.sealed(l.newFrame(1)))
		eventually(t, "it is in the quarantine", func() bool {
			rows := n.quarantined(stranger)
			return len(rows) == 1 && rows[0].Reason == ReasonUnknown
		})
	})
}

func (d *testDevice) sentAt(t time.Time) *frame.Frame {
	f := d.newFrame(1)
	f.SentMicros = t.UnixMicro()
	return f
}

func (d *testDevice) readAt(t time.Time, n int) *frame.Frame {
	return d.holding(frame.KindReadings, must(frame.MarshalReadings(someReadings(n, t))))
}

func (d *testDevice) holding(kind frame.Kind, payload []byte) *frame.Frame {
	f := d.newFrame(1)
	f.Kind, f.Payload = kind, payload
	return f
}

// Garbage cannot fill the store.
func TestQuarantineIsBoundedForEachDevice(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	for range 3 * quarantineBurst {
		l.send([]byte("garbage"))
	}
	l.send(l.sealed(l.newFrame(1)))
	l.awaitThrough(1)
	if rows := len(n.quarantined(l.testDevice)); rows < quarantineBurst || rows > quarantineBurst+20 {
		t.Errorf("%d rows of garbage", rows)
	}
	if n.value("quarantined_total", ReasonEnvelope) != 3*quarantineBurst {
		t.Errorf("%v were counted", n.value("quarantined_total", ReasonEnvelope))
	}
}

func TestReplay(t *testing.T) {
	n := newTestNode(t, nil)
	l := n.link(n.device("1"))
	broken := func(*Upload) error { return errors.New("a rule that is wrong") }
	n.sink.with(func() { n.sink.refuse = broken })
	l.send(l.sealed(l.newFrame(1)))
	l.awaitThrough(1)
	n.sink.with(func() { n.sink.refuse = nil })
	l.send(l.sealed(l.newFrame(2)))
	l.awaitThrough(2)

	// Under a wrong transport key nothing opens; with the right one it does.
	right := l.transport
	l.transport = frame.TransportKey{1}
	wrong := l.sealed(l.newFrame(3))
	ahead := l.sealed(l.newFrame(7))
	l.transport = right
	l.send(wrong)
	l.send(ahead)
	l.send([]byte("garbage"))
	eventually(t, "four are put aside", func() bool { return len(n.quarantined(l.testDevice)) == 4 })
	n.registry.mu.Lock()
	k := n.registry.known[l.id]
	k.Transport = frame.TransportKey{1}
	n.registry.known[l.id] = k
	n.registry.mu.Unlock()

	if marked := must(n.store.QuarantineMark(t.Context(), store.Filter{Device: &l.id})); marked != 4 {
		t.Fatalf("%d marked", marked)
	}
	eventually(t, "1 and 3 are stored", func() bool { return cmp.Equal(n.stored(l.testDevice), []uint64{1, 2, 3}) })
	want := map[string]int{ReasonEarly: 1, ReasonEnvelope: 1}
	eventually(t, "two are put back", func() bool {
		got := map[string]int{}
		for _, q := range n.quarantined(l.testDevice) {
			if q.Replay || q.Detail[:11] != "tried again" {
				return false
			}
			got[q.Reason]++
		}
		return cmp.Equal(got, want)
	})
	n.sink.with(func() {
		if d := cmp.Diff([]uint64{1, 3}, n.sink.replays); d != "" {
			t.Error(d)
		}
	})
	// A frame that is stored by the time it is tried again is just taken out.
	for _, q := range must(n.store.Frames(t.Context(), l.id, 0, 1)) {
		row := store.Quarantined{Fleet: "fleet-a", Device: l.id, Subject: subject(l.id, wordUp), Received: time.Now(), Reason: ReasonRefused, Payload: q.Payload, Plain: true, Replay: true}
		if err := n.store.Commit(t.Context(), &store.Batch{Quarantine: []store.Quarantined{row}}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "it is taken out", func() bool {
		return n.value("replayed_total", "stored_before") == 1 && len(n.quarantined(l.testDevice)) == 2
	})
	if d := cmp.Diff([]uint64{1, 2, 3}, n.stored(l.testDevice)); d != "" {
		t.Error(d)
	}
}

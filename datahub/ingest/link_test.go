package ingest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
)

// link is a device's connection, with what it was told.
type link struct {
	*testDevice
	t      testing.TB
	client mqtt.Client
	mu     sync.Mutex
	acks   []frame.Ack
	other  []string
}

func (n *testNode) link(d *testDevice) *link {
	n.t.Helper()
	l := &link{testDevice: d, t: n.t, client: n.broker.connect(n.t, d)}
	if err := wait(l.client.Subscribe(d.topic(wordDown), 0, l.hear)); err != nil {
		n.t.Fatal(err)
	}
	return l
}

func (l *link) hear(_ mqtt.Client, m mqtt.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	plain, err := frame.Open(l.transport, frame.Down, l.id, m.Payload())
	if err != nil {
		l.other = append(l.other, string(m.Payload()))
		return
	}
	if ack, ok := must(frame.ParseDown(plain)).(*frame.Ack); ok {
		l.acks = append(l.acks, *ack)
	}
}

func (l *link) through() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	through := uint64(0)
	for _, a := range l.acks {
		through = max(through, a.Through)
	}
	return through
}

func (l *link) refusals() map[uint64]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[uint64]string{}
	for _, a := range l.acks {
		for _, r := range a.Refused {
			out[r.Sequence] = r.Reason
		}
	}
	return out
}

func (l *link) send(b []byte) {
	l.t.Helper()
	if err := wait(l.client.Publish(l.topic(wordUp), 1, false, b)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *link) awaitThrough(through uint64) {
	l.t.Helper()
	eventually(l.t, fmt.Sprintf("acknowledged through %d", through), func() bool { return l.through() == through })
}

func someReadings(n int, at time.Time) []telemetry.Reading {
	out := make([]telemetry.Reading, n)
	for i := range out {
		out[i] = telemetry.Reading{
			TimeMicros:    at.Add(time.Duration(i) * time.Second).UnixMicro(),
			VoltageMicroV: health.Known(350_000_000 + int64(i)), CurrentMicroA: health.Known(-20_000_000 + int64(i)*1000), StateOfCharge: health.Known(8000 - int64(i)),
			HottestMilliC: health.Known(31_000), ColdestMilliC: health.Known(28_000), LowestCellMicroV: health.Known(3_640_000), HighestCellMicroV: health.Known(3_660_000),
		}
	}
	return out
}

// newFrame is a good frame, before it is signed.
func (d *testDevice) newFrame(sequence uint64) *frame.Frame {
	now := time.Now()
	payload := must(frame.MarshalReadings(someReadings(10, now.Add(-10*time.Second))))
	return &frame.Frame{Device: d.id, Sequence: sequence, Oldest: 1, SentMicros: now.UnixMicro(), Kind: frame.KindReadings, Payload: payload}
}

// signed signs and encodes a frame, sealed also seals it.
func (d *testDevice) signed(f *frame.Frame) []byte {
	if err := f.Sign(testLedger, d.key); err != nil {
		panic(err)
	}
	return f.Marshal()
}

func (d *testDevice) sealed(f *frame.Frame) []byte {
	return frame.Seal(d.transport, frame.Up, d.id, d.signed(f))
}

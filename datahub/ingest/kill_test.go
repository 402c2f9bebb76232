package ingest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
)

// TestKilled kills a node under load, again and again: whatever a device was told is stored is stored, as it sent it, once.
func TestKilled(t *testing.T) {
	node := newNodeProcess(t, 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	more := make(chan struct{})
	senders, ended := node.send(ctx, more)
	for range 8 {
		node.start()
		sleep(ctx, time.Duration(100+rand.IntN(1200))*time.Millisecond) // not a wait for anything: the kill comes at any moment
		node.kill()
		node.checkAcknowledged(senders)
	}
	close(more)
	node.start()
	for _, s := range senders {
		eventually(t, "everything is acknowledged", func() bool { made, acked, _ := s.state(); return made == acked })
	}
	cancel()
	ended()
	node.stop()
	total := node.checkAcknowledged(senders)
	t.Logf("%d frames", total)
	node.checkNoQuarantine()
}

// send starts a sender for each device; ended waits until they have stopped.
func (p *nodeProcess) send(ctx context.Context, more <-chan struct{}) (senders []*sender, ended func()) {
	var wg sync.WaitGroup
	for _, d := range p.devices {
		s := newSender(p.t, d)
		senders = append(senders, s)
		wg.Go(func() { s.run(ctx, p.address, p.roots, more) })
	}
	return senders, wg.Wait
}

// checkAcknowledged compares what is stored with what was sent. The node must not be running.
func (p *nodeProcess) checkAcknowledged(senders []*sender) (total int) {
	p.t.Helper()
	s, closeStore, err := openNodeStore(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer closeStore()
	for _, d := range senders {
		d.mu.Lock()
		acked, sent := d.acked, slices.Clone(d.sent)
		d.mu.Unlock()
		frames, err := s.Frames(context.Background(), d.id, 0, 1_000_000)
		if err != nil {
			p.t.Fatal(err)
		}
		if uint64(len(frames)) < acked {
			p.t.Errorf("%d frames are stored, the device was told %d", len(frames), acked)
		}
		for i, f := range frames {
			if f.Sequence != uint64(i+1) || !bytes.Equal(f.Payload, sent[i]) {
				p.t.Fatalf("frame %d is stored as number %d, as sent: %v", f.Sequence, i+1, bytes.Equal(f.Payload, sent[i]))
			}
		}
		total += len(frames)
	}
	return total
}

func (p *nodeProcess) checkNoQuarantine() {
	p.t.Helper()
	s, closeStore, err := openNodeStore(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	defer closeStore()
	for _, q := range must(s.QuarantineList(context.Background(), store.Filter{})) {
		p.t.Errorf("in the quarantine: %s: %s", q.Reason, q.Detail)
	}
}

// TestKilledBeforeAnythingIsStored kills a node that takes frames and cannot store them. MQTT has acknowledged them; devices keep them
// until the node has, and so nothing is lost.
func TestKilledBeforeAnythingIsStored(t *testing.T) {
	node := newNodeProcess(t, 4)
	stall := filepath.Join(node.dir, "stall")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	more := make(chan struct{})
	senders, ended := node.send(ctx, more)
	for range 3 {
		if err := os.WriteFile(stall, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		node.start()
		for _, s := range senders {
			_, acked, _ := s.state()
			eventually(t, "MQTT acknowledges", func() bool { _, _, p := s.state(); return p >= acked+window/2 })
		}
		node.kill()
		if err := os.Remove(stall); err != nil {
			t.Fatal(err)
		}
		node.start()
		for _, s := range senders {
			_, _, puback := s.state()
			eventually(t, "what MQTT acknowledged is stored", func() bool { _, acked, _ := s.state(); return acked >= puback })
		}
		node.kill()
		node.checkAcknowledged(senders)
	}
	close(more)
	cancel()
	ended()
	node.checkNoQuarantine()
}

// TestPoison has a frame end every process that decodes it. It is put aside after some starts, and what is around it is
// stored.
func TestPoison(t *testing.T) {
	node := newNodeProcess(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	more := make(chan struct{})
	senders, ended := node.send(ctx, more)
	senders[0].mu.Lock()
	senders[0].kinds = func(q uint64) frame.Kind {
		if q == 20 {
			return killingKind
		}
		return frame.KindReadings
	}
	senders[0].mu.Unlock()
	starts := 0
	for alive := false; !alive; starts++ {
		if starts > 30 {
			t.Fatal("the frame is not put aside")
		}
		node.start()
		over := make(chan struct{})
		go func() { defer close(over); node.command.Wait() }() //nolint:errcheck // it ends itself
		eventually(t, "the process ends, or gets past the frame", func() bool {
			select {
			case <-over:
				return true
			default:
				_, acked, _ := senders[0].state()
				alive = acked > 30
				return alive
			}
		})
		node.command.Process.Kill() //nolint:errcheck // it may have ended
		<-over
		node.command = nil
	}
	t.Logf("%d starts", starts)
	close(more)
	cancel()
	ended()
	for i, want := range []int{1, 0} {
		st, closeStore, err := openNodeStore(node.dir)
		if err != nil {
			t.Fatal(err)
		}
		rows := must(st.QuarantineList(t.Context(), store.Filter{Device: &senders[i].id}))
		closeStore()
		if len(rows) != want || want == 1 && rows[0].Reason != ReasonPoison {
			t.Errorf("device %d: %d rows in the quarantine", i, len(rows))
		}
	}
}

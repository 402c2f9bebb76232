package agent

import (
	"testing"
	"time"
)

// windowed is an agent with frames on their way, all sent on the first connection.
func windowed(t *testing.T, frames int) *Agent {
	t.Helper()
	a := &Agent{device: newDevice(t), options: Options{ResendAfter: time.Second, ResendMost: time.Minute}, wake: make(chan struct{}, 1)}
	a.counters.connects.Store(1)
	for i := range frames {
		a.pending = append(a.pending, pending{sequence: uint64(i + 1), sent: time.Now(), session: 1})
	}
	a.unsent = frames
	return a
}

// acknowledge drops the first n frames.
func (a *Agent) acknowledge(n int) {
	a.pending = a.pending[n:]
	a.advance(n)
}

// send sends what may be sent, and returns how many.
func (a *Agent) send() (n int) {
	for a.unsent < len(a.pending) && a.pace.may() {
		a.pending[a.unsent].session = a.counters.connects.Load()
		a.unsent++
		n++
	}
	return n
}

// One frame is sent again. The node had all of them: nothing else is.
func TestSlowNodeIsSentOneFrameAgain(t *testing.T) {
	a := windowed(t, 40)
	a.goBack(oneFrame)
	if n := a.send(); n != 1 {
		t.Fatalf("%d frames are sent again, want 1", n)
	}
	a.acknowledge(20)
	if n := a.send(); n != 0 {
		t.Errorf("%d frames are sent again although the node has them", n)
	}
	a.pending = append(a.pending, pending{sequence: 41})
	if n := a.send(); n != 1 {
		t.Errorf("%d new frames are sent, want 1", n)
	}
}

// The frames were lost: they follow, twice as many each time.
func TestLostFramesFollow(t *testing.T) {
	a := windowed(t, 40)
	a.goBack(oneFrame)
	var counts []int
	for len(a.pending) > 0 {
		n := a.send()
		if n == 0 {
			t.Fatalf("stuck with %d frames after %v", len(a.pending), counts)
		}
		counts = append(counts, n)
		a.acknowledge(n)
	}
	if len(counts) > 7 {
		t.Errorf("it takes %v", counts)
	}
	if a.pace.limited {
		t.Error("still limited")
	}
}

// A new connection begins with a few frames. What the last one delivered is not sent again, what it did not deliver is.
func TestNewConnection(t *testing.T) {
	a := windowed(t, 40)
	a.counters.connects.Store(2)
	a.goBack(fewFrames)
	if n := a.send(); n != fewFrames {
		t.Fatalf("%d frames are sent, want %d", n, fewFrames)
	}
	a.acknowledge(30)
	if n := a.send(); n != 10 {
		t.Errorf("%d frames are sent, want the 10 that are left", n)
	}
}

func TestTimeToWait(t *testing.T) {
	a := windowed(t, 3)
	within := func(what string, least, most time.Duration) {
		t.Helper()
		if d := a.deadline().Sub(a.pending[0].sent); d < least || d > most {
			t.Errorf("%s: waits %s, want %s to %s", what, d, least, most)
		}
	}
	within("at first", time.Second, 1300*time.Millisecond)
	a.pace.quiet = 2
	within("after two times", 4*time.Second, 5200*time.Millisecond)
	a.pace.quiet = 20
	within("at last", time.Minute, 76*time.Second)
	a.pace.quiet = 0
	for range 50 {
		a.pace.took(5 * time.Second)
	}
	within("a slow node", 5*time.Second, 7*time.Second)
	a.pace.moved = a.pending[0].sent.Add(time.Minute)
	within("a node that goes on", 65*time.Second, 67*time.Second)
}

package party

import (
	"fmt"
	"testing"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// queue makes a manager with queries of some requesters that are due.
func queue(requesters, each int) *Manager {
	m := &Manager{tasks: map[commit.Digest]*task{}, seats: map[commit.Digest]*seat{}, wake: make(chan struct{}, 1)}
	for r := range requesters {
		for i := range each {
			id := commit.Digest{byte(r), byte(i)}
			m.tasks[id] = &task{id: id, requester: fmt.Sprint("requester-", r)}
		}
	}
	return m
}

func TestTake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ requesters, each, want int }{
		"one":        {1, 20, atOnceOfOne},
		"two":        {2, 20, atOnce},
		"many":       {9, 1, atOnce},
		"not enough": {2, 1, 2},
	} {
		if got := len(queue(c.requesters, c.each).take(time.Now())); got != c.want {
			t.Errorf("%s: took %d, want %d", name, got, c.want)
		}
	}
}

// TestTrapSilentPeers have those who wait for them take nobody's room, without an end to how many wait.
func TestTrapSilentPeers(t *testing.T) {
	t.Parallel()
	m := queue(2, 200)
	for {
		taken := m.take(time.Now())
		if len(taken) == 0 {
			break
		}
		for _, task := range taken { // each asks a node that does not answer
			s := &seat{id: task.id, query: task.id}
			m.seats[s.id] = s
			m.awaits(s.id, 1)
		}
	}
	busy := map[string]int{}
	for _, task := range m.tasks {
		if task.busy {
			busy[task.requester]++
		}
	}
	for r, n := range busy {
		if n != morePatient*atOnceOfOne {
			t.Errorf("%s has %d at once, want %d", r, n, morePatient*atOnceOfOne)
		}
	}
	m = queue(2, 20)
	m.take(time.Now())
	if again := m.take(time.Now()); len(again) != 0 {
		t.Errorf("took %d more", len(again))
	}
}

// TestPace is of a session that asks for what is not there yet, and then of one that is done with that.
func TestPace(t *testing.T) {
	t.Parallel()
	m := &Manager{Options: Options{Poll: 1600 * time.Millisecond}}
	s := &seat{}
	for i, c := range []struct {
		early bool
		want  time.Duration
	}{{true, 100}, {true, 200}, {true, 400}, {true, 800}, {true, 1600}, {true, 1600}, {false, 1600}, {true, 100}} {
		s.early = c.early
		if got := m.paceOf(s); got != c.want*time.Millisecond {
			t.Errorf("%d: %v, want %v", i, got, c.want*time.Millisecond)
		}
	}
}

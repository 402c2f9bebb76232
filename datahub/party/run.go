package party

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

const (
	// atOnce bounds the queries that are worked on at a time, atOnceOfOne those of one requester, without those that wait for other nodes: of these there may be so many times more. Who takes long to
	// answer holds up nothing but its own sessions.
	atOnce      = 8
	atOnceOfOne = atOnce / 2
	morePatient = 8
	// lookAgain is how often at least something is looked at that waits for a person, or for nothing but time.
	lookAgain = time.Minute
	maxPause  = time.Hour
	restPolls = 30
	// quickly is into how many looks a Poll is divided for what others are about to show.
	quickly = 16
	// maxForeign bounds what is remembered of other organisations' queries.
	maxForeign = 4096
)

// task is a query that this node is not done with. Its fields but id are the manager's to read and write under its lock.
type task struct {
	id        commit.Digest
	requester string // once it is known
	due       time.Time
	// pause is how long it was left alone after it last failed, 0 if it did not.
	pause time.Duration
	// busy says that it is worked on, again that there is a newer reason to look at it than when that began.
	busy, again bool
	// awaits counts what is being asked of other nodes for it.
	awaits int
	// person says that it waits for one, which is said once.
	person bool
}

// Run takes part until the context ends. It returns when nothing is under way any more.
func (m *Manager) Run(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { m.follow(ctx) })
	work.Go(func() { m.expire(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-m.wake:
		case <-timer.C:
		}
		for _, t := range m.take(time.Now()) {
			work.Go(func() { m.work(ctx, t) })
		}
		timer.Reset(m.pauseUntilDue(time.Now()))
	}
	work.Wait()
	return nil
}

// work takes a query one step further.
func (m *Manager) work(ctx context.Context, t *task) {
	next, over, err := m.look(ctx, t)
	m.mu.Lock()
	defer m.mu.Unlock()
	t.busy = false
	m.rouse() // somebody may wait for the room
	switch {
	case ctx.Err() != nil:
	case err != nil:
		m.setBack(t, err)
	case over && !t.again:
		m.forget(t)
	default:
		if t.pause = 0; !t.again {
			t.due = time.Now().Add(next)
		}
	}
}

// setBack leaves a query that failed alone for a while, longer each time: what others are about to show is looked for soon.
func (m *Manager) setBack(t *task, err error) {
	most := 8 * m.Poll
	if ledger.CodeOf(err) != "" {
		most = maxPause
	}
	t.pause = min(max(m.Poll/quickly, 2*t.pause), most)
	if !t.again {
		t.due = time.Now().Add(t.pause)
	}
	m.metrics.setbacks.Inc()
	m.Logger.Debug("a query could not be taken further: will try again", "query", t.id, "in", t.pause, "error", err)
}

// take lists what is to be done now and marks it: first what is due for longest.
func (m *Manager) take(now time.Time) []*task {
	m.mu.Lock()
	defer m.mu.Unlock()
	var due []*task
	all, working := occupancy{}, occupancy{}
	for _, t := range m.tasks {
		switch {
		case t.busy:
			all.add(t)
			if t.awaits == 0 {
				working.add(t)
			}
		case !t.due.After(now):
			due = append(due, t)
		}
	}
	slices.SortFunc(due, func(a, b *task) int { return cmp.Or(a.due.Compare(b.due), slices.Compare(a.id[:], b.id[:])) })
	var out []*task
	for _, t := range due {
		if !working.admits(t, 1) || !all.admits(t, morePatient) {
			continue
		}
		all.add(t)
		working.add(t)
		t.busy, t.again = true, false
		out = append(out, t)
	}
	return out
}

// occupancy counts queries that are worked on, by requester.
type occupancy map[string]int

func (o occupancy) add(t *task) {
	o[t.requester]++
	o[everyone]++
}

// everyone is in no organisation's place: a query's requester may not be known yet.
const everyone = "*"

// admits says whether there is room for a query, of so many times the bounds.
func (o occupancy) admits(t *task, times int) bool {
	return o[everyone] < times*atOnce && (t.requester == "" || o[t.requester] < times*atOnceOfOne)
}

// pauseUntilDue is how long nothing is due; what waits for room is woken by whoever leaves it.
func (m *Manager) pauseUntilDue(now time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := lookAgain
	for _, t := range m.tasks {
		if wait := t.due.Sub(now); !t.busy && wait > 0 {
			next = min(next, wait)
		}
	}
	return next
}

// add makes a query known, or has it looked at again, as something about it changed.
func (m *Manager) add(id commit.Digest, requester string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.foreign[id] {
		return
	}
	t := m.tasks[id]
	if t == nil {
		t = &task{id: id, requester: requester}
		m.tasks[id] = t
	}
	t.due, t.again = time.Time{}, true
	m.rouse()
}

func (m *Manager) rouse() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// forget is for queries that nothing is left to do for.
func (m *Manager) forget(t *task) {
	delete(m.tasks, t.id)
	m.leavePerson(t)
	for id, s := range m.seats {
		if s.query == t.id {
			delete(m.seats, id)
		}
	}
}

// disown remembers that a query is none of this node's.
func (m *Manager) disown(id commit.Digest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.foreign) >= maxForeign {
		clear(m.foreign)
	}
	m.foreign[id] = true
}

func (m *Manager) leavePerson(t *task) {
	if t.person {
		t.person = false
		m.metrics.waiting.Dec()
	}
}

// rest is between looks at what waits for a person, or for nothing but time.
func (m *Manager) rest() time.Duration { return min(lookAgain, restPolls*m.Poll) }

// look does what is next for a query, and says when to look again, or that nothing is left to do.
func (m *Manager) look(ctx context.Context, t *task) (next time.Duration, over bool, err error) {
	e, err := m.Book.QueryEntry(ctx, t.id)
	if ledger.CodeOf(err) == ledger.NotFound {
		over, err := m.neverAsked(ctx, t.id)
		return m.rest(), over, err
	}
	if err != nil {
		return 0, false, err
	}
	role, fleet := m.roleIn(&e)
	if role == "" {
		m.disown(t.id)
		return 0, true, nil
	}
	if unheld(&e, role) {
		return 0, true, nil
	}
	m.mu.Lock()
	t.requester = e.Record.Query.Requester
	m.mu.Unlock()
	next, err = m.further(ctx, t, &e, role, fleet)
	if err != nil {
		return 0, false, err
	}
	over, err = m.conclude(ctx, &e, role)
	return next, over, err
}

// unheld reports whether a query is nothing to a regulator's node: until a session begins, which is heard. So it has no work with what anybody asks, but with what owners approved.
func unheld(e *ledger.QueryEntry, role transcript.Role) bool {
	return role == transcript.Regulator && len(e.Sessions) == 0
}

// further is what this node does for a query by its role.
func (m *Manager) further(ctx context.Context, t *task, e *ledger.QueryEntry, role transcript.Role, fleet string) (next time.Duration, err error) {
	next = m.rest()
	if role == transcript.Owner {
		if next, err = m.decide(ctx, t, e, fleet); err != nil {
			return 0, err
		}
	}
	sat, seated := m.sit(ctx, e, role, fleet)
	if role != transcript.Receiver {
		return min(next, sat), seated
	}
	driven, err := m.drive(ctx, e) // also when a session does not get on
	return min(next, sat, driven), errors.Join(seated, err)
}

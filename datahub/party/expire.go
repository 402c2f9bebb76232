package party

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// expire destroys the keys of sessions that have expired, whether the ledger answers or not: who can cut a node off from it must not keep the node's keys alive with that. It goes by the folder, so that
// sessions from before the process began are among them, and those that can no longer be read.
func (m *Manager) expire(ctx context.Context) {
	known := map[transcript.ID]int64{}
	timer := time.NewTicker(m.rest())
	defer timer.Stop()
	for {
		if err := m.expireKeys(ctx, known); err != nil && ctx.Err() == nil {
			m.Logger.WarnContext(ctx, "destroying the keys of expired sessions: will try again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
	}
}

// expireKeys is given, and keeps, when the sessions in the folder expire: never again, if it was done.
func (m *Manager) expireKeys(ctx context.Context, known map[transcript.ID]int64) error {
	ids, err := m.sessions.Sessions(ctx)
	if err != nil {
		return err
	}
	now := m.Now().Unix()
	var failed []error
	var expired []*session.Party
	for _, id := range ids {
		at, err := m.expiryOf(ctx, known, id)
		if err == nil && now > at {
			err = session.DestroyKeys(ctx, m.sessions, id)
		}
		if err != nil || now <= at {
			failed = append(failed, err)
			continue
		}
		known[id] = done
		if p := m.partyOf(id); p != nil {
			expired = append(expired, p)
		}
	}
	for _, p := range expired { // after all that is on the disk: a step may be under way
		failed = append(failed, p.Expire(ctx))
	}
	return errors.Join(failed...)
}

// done is the expiry of a session of which there are no keys any more.
const done = math.MaxInt64

func (m *Manager) expiryOf(ctx context.Context, known map[transcript.ID]int64, id transcript.ID) (int64, error) {
	if at, ok := known[id]; ok {
		return at, nil
	}
	at, err := session.Expiry(ctx, m.sessions, id)
	switch {
	case errors.Is(err, session.ErrAbsent): // there are none yet
		return done, nil
	case errors.Is(err, session.ErrDestroyed):
		at, err = done, nil
	}
	if err == nil {
		known[id] = at
	}
	return at, err
}

// partyOf is the one that is awake, or nil.
func (m *Manager) partyOf(id transcript.ID) *session.Party {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.seats {
		if s.board != nil && s.board.id == id {
			return s.party
		}
	}
	return nil
}

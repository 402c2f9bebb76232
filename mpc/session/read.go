package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// maxEntries is one for each party and round.
const maxEntries = (transcript.MaxOwners + 2) * 8

// read gets the session as it is recorded. What was recorded once stays: an answer that is behind an earlier one is not believed to be all, and one that differs not at all.
func (p *Party) read(ctx context.Context) (*transcript.Transcript, error) {
	if err := p.readOpening(ctx); err != nil {
		return nil, fmt.Errorf("reading the opening: %w", err)
	}
	entries, err := p.cfg.Board.Entries(ctx, p.session)
	if err != nil {
		return nil, fmt.Errorf("reading the entries: %w", err)
	}
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("reading the entries: %d, at most %d", len(entries), maxEntries)
	}
	for i := range min(len(entries), len(p.seen)) {
		if !entries[i].Same(&p.seen[i]) || entries[i].At != p.seen[i].At {
			return nil, fmt.Errorf("reading the entries: number %d is another than before", i)
		}
	}
	if len(entries) < len(p.seen) {
		entries = p.seen
	}
	t, err := transcript.Read(p.session, p.opening, entries)
	if err != nil {
		return nil, err
	}
	p.seen = entries
	return t, nil
}

func (p *Party) readOpening(ctx context.Context) error {
	if p.opening != nil {
		return nil
	}
	o, record, err := p.cfg.Board.Opening(ctx, p.session)
	if err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return err
	}
	if o.ID(record) != p.session {
		return errors.New("it is another session's")
	}
	if err := p.cfg.checkRole(o.Roster.Role(p.cfg.Self)); err != nil {
		return err
	}
	p.opening = o
	return nil
}

// readBeacon gets the block that no one knew when the session was opened.
func (p *Party) readBeacon(ctx context.Context) ([32]byte, error) {
	if p.beacon == nil {
		b, err := p.cfg.Board.Beacon(ctx, p.session)
		if errors.Is(err, ErrNotYet) {
			return b, waiting{"the block after the opening's"}
		}
		if err != nil {
			return b, fmt.Errorf("reading the beacon: %w", err)
		}
		p.beacon = &b
	}
	return *p.beacon, nil
}

// crs is the common reference string: package collective derives a polynomial from it for each use, under the use's own label.
func (p *Party) crs(ctx context.Context) ([32]byte, error) {
	b, err := p.readBeacon(ctx)
	return transcript.Hash("assay/mpc/crs/1", p.session[:], b[:]), err
}

// see keeps what the transcript says for State.
func (p *Party) see(ctx context.Context, t *transcript.Transcript) {
	phase := t.Phase()
	if p.State().Phase != phase {
		p.log.InfoContext(ctx, "phase", "is", phase, "missing", t.Missing())
	}
	p.note(func(s *State) {
		*s = State{Session: p.session, Party: p.cfg.Self, Role: p.role(), Phase: phase, Entries: len(p.seen)}
		if end := t.End(); end != nil && end.Round == transcript.Abort {
			s.Reason = end.Party + ": " + string(end.Detail)
		}
	})
}

func (p *Party) note(change func(*State)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.state)
}

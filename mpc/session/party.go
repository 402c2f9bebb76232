package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// Party is one party's part of one session. Step and Run do what is next; Serve answers the others meanwhile. Any number of them may run at once. Whatever it knows
// it knows from its board and its store, so that a process that is killed loses nothing: join again, and go on.
type Party struct {
	cfg     Config
	session transcript.ID
	log     *slog.Logger

	stepping sync.Mutex // below: of the step that runs
	opening  *transcript.Opening
	seen     []transcript.Entry
	beacon   *[32]byte
	own      *ownKey
	keys     *keys
	dealt    map[string]*collective.SecretPart // by the other owners, checked, until they are stored
	shown    map[string][]byte                 // public parts of others, checked, until they are stored
	terms    map[string]*collective.Term       // inputs, checked
	honoured map[transcript.Round]bool         // recorded entries that were compared with the store

	mu     sync.Mutex
	offers map[Item]offer
	state  State
}

// offer is what Serve gives, and to whom.
type offer struct {
	to    []string
	bytes []byte
}

// Join makes a party of a session. It reads and writes nothing yet.
func Join(cfg Config, session transcript.ID) (*Party, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Party{cfg: cfg, session: session, log: cfg.Log.With("transcript", session.String()[:16], "party", cfg.Self)}
	p.forget()
	p.state = State{Session: session, Party: cfg.Self}
	return p, nil
}

// Resume joins the sessions that the store has anything of: what a node does when it starts, and from time to time, to step them, so that what is kept of sessions that
// have ended is destroyed when they expire.
func Resume(ctx context.Context, cfg Config) ([]*Party, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	sessions, err := cfg.Store.Sessions(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	var parties []*Party
	for _, id := range sessions {
		p, err := Join(cfg, id)
		if err != nil {
			return nil, err
		}
		parties = append(parties, p)
	}
	return parties, nil
}

// Session is the session's ID.
func (p *Party) Session() transcript.ID { return p.session }

// State is what the last step saw.
func (p *Party) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Run steps until the session is over, or ctx is. Errors are logged and tried again: it is the session that expires. What it has done when it returns nil is durable.
func (p *Party) Run(ctx context.Context) (State, error) {
	for {
		state, err := p.Step(ctx)
		if err == nil && state.Over() {
			return state, nil
		}
		if ctx.Err() != nil {
			return state, ctx.Err()
		}
		if err != nil {
			p.log.WarnContext(ctx, "step", "phase", state.Phase, "error", err)
		} else if state.posted {
			continue // what it did may be what it waits for
		}
		select {
		case <-ctx.Done():
			return state, ctx.Err()
		case <-time.After(p.cfg.Poll):
		}
	}
}

// Serve answers another party, whose name the transport knows: ErrNotYet before the item is recorded, as far as this party has seen, and ErrForbidden to those it is not for. It reads
// neither disk nor ledger, and answers from what the last step prepared.
func (p *Party) Serve(caller string, item Item) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Over() && item.Kind != InputItem {
		return nil, fmt.Errorf("session %s, %s: the session is over here, %s: %w", p.session, item, p.state.Phase, ErrForbidden)
	}
	if item.Kind == PartItem {
		item.Of = caller // one for each
	}
	o, ok := p.offers[item]
	switch {
	case !ok:
		return nil, fmt.Errorf("session %s, %s: %w", p.session, item, ErrNotYet)
	case !slices.Contains(o.to, caller):
		return nil, fmt.Errorf("session %s, %s: %w", p.session, item, ErrForbidden)
	}
	return slices.Clone(o.bytes), nil
}

func (p *Party) offer(item Item, to []string, bytes []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offers[item] = offer{to, bytes}
}

func (p *Party) offering(item Item) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.offers[item]
	return ok
}

// withdraw ends what Serve gives of these kinds.
func (p *Party) withdraw(kinds ...Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for item, o := range p.offers {
		if slices.Contains(kinds, item.Kind) {
			clear(o.bytes) // Serve gives copies
			delete(p.offers, item)
		}
	}
}

// forget drops what the party remembers, and wipes what of it is secret. All of it can be read again, unless it was destroyed.
func (p *Party) forget() {
	p.own.destroy()
	for _, part := range p.dealt {
		part.Destroy()
	}
	p.own, p.keys = nil, nil
	p.dealt, p.shown = map[string]*collective.SecretPart{}, map[string][]byte{}
	p.terms, p.honoured = map[string]*collective.Term{}, map[transcript.Round]bool{}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.offers == nil {
		p.offers = map[Item]offer{}
	}
}

func (p *Party) roster() *transcript.Roster { return &p.opening.Roster }
func (p *Party) role() transcript.Role      { return p.roster().Role(p.cfg.Self) }

func (p *Party) shape() collective.Shape {
	return collective.Shape{Used: p.opening.Used, Ciphertexts: p.opening.Ciphertexts}
}

func (p *Party) context(party string) collective.Context {
	return collective.Context{Session: p.session, Party: party}
}

// get reads a slot of the store.
func (p *Party) get(ctx context.Context, slot string) ([]byte, error) {
	b, err := p.cfg.Store.Get(ctx, p.session, slot)
	if err != nil && !errors.Is(err, ErrAbsent) {
		return nil, fmt.Errorf("reading %s of session %s: %w", slot, p.session, err)
	}
	return b, err
}

// put stores a slot; whether it, or another process, was first is for the reader not to care about.
func (p *Party) put(ctx context.Context, slot string, value []byte) error {
	if _, err := p.cfg.Store.Put(ctx, p.session, slot, value); err != nil {
		return fmt.Errorf("storing %s of session %s: %w", slot, p.session, err)
	}
	return nil
}

package party

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

// Errors that callers tell apart.
var (
	ErrNotYet    = session.ErrNotYet    // ask again
	ErrForbidden = session.ErrForbidden // do not
	ErrUnknown   = errors.New("this node has nothing of that session")
	ErrNoResult  = errors.New("there is no result of that query here")
	// ErrUnreadable is of a result that says nothing: what was opened is no sum of what honest owners give.
	ErrUnreadable = errors.New("what was opened is no answer")
)

// Peers asks the nodes of other organisations for what their Manager.Item gives.
type Peers interface {
	// Fetch reads exactly size bytes from the node of an organisation: it allocates and reads no more, whatever the other side sends, and more or less is an error. The other side is
	// known by its organisation's certificate, and so is this one to it. ErrNotYet, ErrForbidden and ErrUnknown of the other side are told from other errors.
	Fetch(ctx context.Context, organisation string, session commit.Digest, item string, size int) ([]byte, error)
}

// Options of a Manager.
type Options struct {
	// Book is the organisation's access to the ledger: its own peer, which is believed in everything.
	Book         ledger.Book
	Organisation ledger.Organisation
	// Directory keeps what must survive the process, sealed. It belongs in no backup.
	Directory string
	Keys      keys.Store
	// Fleets are those that this node answers for, Openings their records.
	Fleets   []string
	Openings desk.Openings
	// Approve is desk.ByPolicy if it is empty.
	Approve desk.Approval
	// ClipSteps are, of a fleet and a lane, the step that the bounds of a score's features are multiples of: see query.Lanes. New refuses those that the fleet's schema does not admit. Where the ledger does
	// not have the fleet yet, or does not answer, that is found out later, and nothing is taken part in until it is mended.
	ClipSteps map[string]map[string]string
	Peers     Peers
	// Patience is how long a requester waits, while nothing is recorded in a query's first session, before it gives the session up and begins another; in each further one twice as long.
	// Default 5 minutes.
	Patience time.Duration
	// Longest is how far ahead a query's expiry may be for this node to take part: until then it keeps what belongs to the sessions. Default 14 days.
	Longest time.Duration
	// Poll is how often a session is looked at when nothing is heard of it. Default 2 s.
	Poll time.Duration
	// Logger is told what this node does; nil discards. No line has a total, a record or a key.
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Manager takes part. It is safe for concurrent use.
type Manager struct {
	Options
	metrics *metrics
	// sessions keeps the parties of federated sessions, scores what package scoring keeps, queries what belongs to a query and no session of it.
	sessions, scores, queries *session.FileStore
	lender                    *scoring.Lender
	owner                     *scoring.Owner
	// wake has something when a query may be due.
	wake chan struct{}

	mu      sync.Mutex
	tasks   map[commit.Digest]*task
	seats   map[commit.Digest]*seat // by session
	known   map[commit.Digest]bool
	foreign map[commit.Digest]bool
	awake   []*seat // sessions that are over and still serve, the oldest first
}

const (
	defaultPatience = 5 * time.Minute
	defaultLongest  = 14 * 24 * time.Hour
	defaultPoll     = 2 * time.Second
)

// New makes a Manager, which does nothing before Run. Close gives the folder back.
func New(o Options) (*Manager, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Manager{
		Options: o, metrics: newMetrics(o.Metrics), wake: make(chan struct{}, 1),
		tasks: map[commit.Digest]*task{}, seats: map[commit.Digest]*seat{}, known: map[commit.Digest]bool{}, foreign: map[commit.Digest]bool{},
	}
	for _, s := range []struct {
		store    **session.FileStore
		name, of string
	}{{&m.sessions, "sessions", "s"}, {&m.scores, "scores", "c"}, {&m.queries, "queries", "q"}} {
		if *s.store, err = session.OpenFileStore(filepath.Join(o.Directory, s.name), o.Organisation.ID, &envelope{o.Keys, s.of}); err != nil {
			return nil, errors.Join(fmt.Errorf("opening the folder of %s: %w", s.name, err), m.Close())
		}
	}
	node := scoring.Node{Self: o.Organisation.ID, Book: o.Book, Store: m.scores, Peers: line{m}, Timeout: m.timeout(), Now: o.Now, Log: o.Logger}
	if m.lender, err = scoring.NewLender(node); err == nil {
		m.owner, err = scoring.NewOwner(node, m.scored, o.ClipSteps)
	}
	if err == nil {
		err = m.checkStepsNow()
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Book.Client == nil || o.Organisation.ID == "" || o.Directory == "" || o.Keys == nil || o.Peers == nil {
		return o, errors.New("party: book, organisation, directory, keys and peers must be given")
	}
	if len(o.Fleets) > 0 && o.Openings == nil {
		return o, errors.New("party: openings must be given with fleets")
	}
	if o.Approve == "" {
		o.Approve = desk.ByPolicy
	}
	if o.Approve != desk.ByPolicy && o.Approve != desk.ByPerson {
		return o, fmt.Errorf("party: approve is %q, must be %q or %q", string(o.Approve), desk.ByPolicy, desk.ByPerson)
	}
	for _, d := range []struct {
		is    *time.Duration
		other time.Duration
	}{{&o.Patience, defaultPatience}, {&o.Longest, defaultLongest}, {&o.Poll, defaultPoll}} {
		if *d.is <= 0 {
			*d.is = d.other
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o, nil
}

// Close gives the folder back. Nothing may be under way.
func (m *Manager) Close() error {
	var failed []error
	for _, s := range []*session.FileStore{m.sessions, m.scores, m.queries} {
		if s != nil {
			failed = append(failed, s.Close())
		}
	}
	return errors.Join(failed...)
}

func (m *Manager) answers(fleet string) bool { return slices.Contains(m.Fleets, fleet) }

// maxItem bounds what anybody may ask for, in bytes: the longest is an input of two ciphertexts.
const maxItem = 16 << 20

// Item is what a peer fetches: the caller is the organisation of its certificate. The item has exactly size bytes, or there is an error. To whoever is no member of a session it is
// ErrUnknown, as one that does not exist.
func (m *Manager) Item(ctx context.Context, caller string, session commit.Digest, item string, size int) ([]byte, error) {
	if size < 1 || size > maxItem {
		return nil, fmt.Errorf("%d bytes asked for, want 1 to %d: %w", size, maxItem, ErrForbidden)
	}
	m.mu.Lock()
	s := m.seats[session]
	m.mu.Unlock()
	if s == nil || caller == m.Organisation.ID || !slices.Contains(s.session.Members(), caller) {
		return nil, ErrUnknown
	}
	b, err := m.serve(ctx, s, caller, item)
	if err == nil && len(b) != size {
		return nil, fmt.Errorf("%d bytes asked for, it has another length: %w", size, ErrForbidden)
	}
	return b, err
}

func (m *Manager) serve(ctx context.Context, s *seat, caller, item string) ([]byte, error) {
	if s.session.Kind == ledger.QueryScore {
		if s.role == transcript.Receiver {
			return m.lender.Serve(ctx, caller, s.id, item)
		}
		return m.owner.Serve(ctx, caller, s.id, item)
	}
	parsed, err := session.ParseItem(item)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrForbidden)
	}
	m.mu.Lock()
	p := s.party
	m.mu.Unlock()
	if p == nil {
		return nil, fmt.Errorf("session %s rests: %w", s.id, ErrForbidden)
	}
	return p.Serve(caller, parsed)
}

// State is what this node sees of a session, if it takes part in it and is not done with it.
func (m *Manager) State(session commit.Digest) (State, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.seats[session]
	if s == nil {
		return State{}, false
	}
	out := s.state
	out.Waiting = slices.Clone(out.Waiting)
	return out, true
}

// State is a node's own view of a session: the ledger's is in its entries.
type State struct {
	Query   commit.Digest    `json:"query"`
	Session commit.Digest    `json:"session"`
	Kind    ledger.QueryKind `json:"kind"`
	// Role is owner, regulator or receiver.
	Role string `json:"role"`
	// Phase is what the session waits for: of package transcript, or of package session.
	Phase string    `json:"phase"`
	Since time.Time `json:"since"`
	// Waiting names for whom, or for what.
	Waiting []string `json:"waiting,omitempty"`
	// Reason is that of a session that is over without a result.
	Reason string `json:"reason,omitempty"`
	// Error is what the last step met, if it will be tried again.
	Error string `json:"error,omitempty"`
}

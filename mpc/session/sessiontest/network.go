package sessiontest

import (
	"context"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// Network is a session among owners, a regulator and a receiver, each with a store in a folder of its own. Everything exported may be changed before parties are started.
type Network struct {
	T       testing.TB
	Params  *collective.Params
	Opening transcript.Opening
	Session transcript.ID
	Board   *Board
	Mail    *Mail
	Values  map[string][]*big.Int // of owners: 1, then the totals
	Results []*session.Result     // delivered
	Change  func(*session.Config) // of each party that is started

	mu      sync.Mutex
	parties map[string]*session.Party
	stores  map[string]*Store
}

// Names of those who are no owners.
const (
	Regulator = "regulator"
	Receiver  = "lender"
)

// Start is where the clock stands.
var Start = time.Unix(1_800_000_000, 0)

// New opens a session among so many owners; change may alter its opening. Nobody takes part yet.
func New(t testing.TB, owners, threshold int, change ...func(*transcript.Opening)) *Network {
	t.Helper()
	params := collective.Standard()
	n := &Network{
		T: t, Params: params, Board: NewBoard(Start), Mail: NewMail(), Values: map[string][]*big.Int{},
		parties: map[string]*session.Party{}, stores: map[string]*Store{},
		Opening: transcript.Opening{
			Roster: transcript.Roster{Regulator: Regulator, Receiver: Receiver, Threshold: threshold},
			Params: params.ID(), Query: transcript.Hash("test query"), Used: 3, Ciphertexts: 1, Minimum: max(3, threshold),
			InputsUntil: Start.Add(time.Minute).Unix(), Expires: Start.Add(time.Hour).Unix(),
		},
	}
	for i := range owners {
		name := fmt.Sprintf("owner-%02d", i+1)
		n.Opening.Roster.Owners = append(n.Opening.Roster.Owners, name)
	}
	for _, f := range change {
		f(&n.Opening)
	}
	n.Reopen()
	return n
}

// Reopen records the opening once more: a fresh session, for which nobody has started. The owners' values are set anew.
func (n *Network) Reopen() {
	n.T.Helper()
	id, err := n.Board.Open(n.Opening)
	if err != nil {
		n.T.Fatal(err)
	}
	n.Board.Block()
	n.Session = id
	for _, name := range n.Names() {
		n.Kill(name)
	}
	for i, owner := range n.Opening.Roster.Owners {
		n.Values[owner] = []*big.Int{big.NewInt(1)}
		for j := 1; j < n.Opening.Used; j++ {
			n.Values[owner] = append(n.Values[owner], big.NewInt(int64(1000*(i+1)+j)))
		}
	}
}

// Names are all parties of the roster.
func (n *Network) Names() []string { return n.Opening.Roster.Parties() }

// Start starts parties that are not running, all if none are named: with what their stores have kept.
func (n *Network) Start(names ...string) {
	n.T.Helper()
	if len(names) == 0 {
		names = n.Names()
	}
	for _, name := range names {
		p, err := session.Join(n.Config(name), n.Session)
		if err != nil {
			n.T.Fatal(err)
		}
		n.parties[name] = p
		n.Mail.Attach(name, p)
	}
}

// Config is what a party of that name is started with.
func (n *Network) Config(name string) session.Config {
	cfg := session.Config{
		Self: name, Params: n.Params, Board: n.Board.As(name), Mail: n.Mail.As(name), Store: n.Store(name), Now: n.Board.Now, Log: n.log(),
		Admit: func(context.Context, transcript.ID, *transcript.Opening) error { return nil },
		Totals: func(context.Context, transcript.ID, *transcript.Opening) (*session.Totals, error) {
			return &session.Totals{Values: n.Values[name], Anchor: []byte("anchor of " + name)}, nil
		},
		Deliver: func(_ context.Context, r *session.Result) error {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.Results = append(n.Results, r)
			return nil
		},
	}
	if n.Change != nil {
		n.Change(&cfg)
	}
	return cfg
}

func (n *Network) log() *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(n.T.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// Party is a running party, or nil.
func (n *Network) Party(name string) *session.Party { return n.parties[name] }

// Kill ends a party's process: only its store stays.
func (n *Network) Kill(names ...string) {
	for _, name := range names {
		delete(n.parties, name)
		n.Mail.Attach(name, nil)
	}
}

// Step has a party that runs do one step.
func (n *Network) Step(name string) (session.State, error) {
	n.T.Helper()
	p := n.parties[name]
	if p == nil {
		n.T.Fatalf("%s does not run", name)
	}
	return p.Step(n.T.Context())
}

// Turn has each running party do a step, in the roster's order, and returns the first error.
func (n *Network) Turn() error {
	var first error
	for _, name := range n.Names() {
		if n.parties[name] == nil {
			continue
		}
		if _, err := n.Step(name); err != nil && first == nil {
			first = fmt.Errorf("%s: %w", name, err)
		}
	}
	return first
}

// turns are more than a session needs: a turn for each round, and some for what is fetched late.
const turns = 30

// Play has the running parties step in turn until the condition holds, and fails the test if it does not come to hold or a step fails.
func (n *Network) Play(until func() bool) {
	n.T.Helper()
	for range turns {
		if until() {
			return
		}
		if err := n.Turn(); err != nil {
			n.T.Fatal(err)
		}
	}
	if !until() {
		n.T.Fatalf("no end in %d turns:\n%s", turns, n.Describe())
	}
}

// Over says whether all running parties see the session's end.
func (n *Network) Over() bool {
	for _, p := range n.parties {
		if !p.State().Over() {
			return false
		}
	}
	return true
}

// In says whether the session has come to a round: an entry of it is recorded.
func (n *Network) In(round transcript.Round) func() bool {
	return func() bool { return n.Recorded(round) > 0 }
}

// Recorded counts the entries of a round.
func (n *Network) Recorded(round transcript.Round) int {
	return len(slices.DeleteFunc(n.Board.Entries(n.Session), func(e transcript.Entry) bool { return e.Round != round }))
}

// Describe is every running party's state.
func (n *Network) Describe() string {
	text := ""
	for _, name := range n.Names() {
		if p := n.parties[name]; p != nil {
			text += p.State().String() + "\n"
		}
	}
	return text
}

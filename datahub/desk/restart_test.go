package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func gone(context.Context, string, uint64, *verify.ChunkFacts) (*zk.Chunk, error) {
	return nil, fmt.Errorf("opening: %w", ErrGone)
}

// never fails the test when records are asked for.
func never(t *testing.T) Openings {
	return func(context.Context, string, uint64, *verify.ChunkFacts) (*zk.Chunk, error) {
		t.Error("records are asked for")
		return nil, errors.New("none")
	}
}

var errKilled = errors.New("the process is gone")

// mortal is access to the ledger for a process that dies at a call: before it is sent, or before its answer arrives. Behind that nothing is sent any more.
type mortal struct {
	ledger.Client
	at     string
	before bool
	dead   atomic.Bool
	died   chan struct{}
	once   sync.Once
}

func (m *mortal) die() error {
	m.dead.Store(true)
	m.once.Do(func() { close(m.died) })
	return errKilled
}

func (m *mortal) Submit(ctx context.Context, c ledger.Call) (ledger.Receipt, error) {
	if m.dead.Load() || c.Function == m.at && m.before {
		return ledger.Receipt{}, m.die()
	}
	r, err := m.Client.Submit(ctx, c)
	if c.Function == m.at {
		return ledger.Receipt{}, m.die()
	}
	return r, err
}

// A desk that is killed at any step, and started again, answers once: one decision, one spent answer, one verdict.
func TestRestartedAtEveryStepAnswersOnce(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	want := map[string]int{}
	for _, step := range []string{ledger.FnDecide, ledger.FnStartProof, ledger.FnSubmitProof} {
		for _, before := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/before=%t", step, before), func(t *testing.T) {
				id := w.Ask(nil)
				m := &mortal{Client: w.Book(contracttest.Operator).Client, at: step, before: before, died: make(chan struct{})}
				first := start(w, m, nil)
				<-m.died
				first.stop()
				second := start(w, w.Book(contracttest.Operator).Client, nil)
				becomes(w, id, ledger.StatusVerified)
				second.stop()
				for _, event := range []string{ledger.EventDecided, ledger.EventProving, ledger.EventVerified} {
					want[event]++
					if got := w.Calls()[event]; got != want[event] {
						t.Errorf("%d events %s, want %d", got, event, want[event])
					}
				}
				if got := spent(w); int(got) != want[ledger.EventVerified] {
					t.Errorf("%d answers are spent, want %d", got, want[ledger.EventVerified])
				}
			})
		}
	}
}

// A failure that was not told in time is told by the next desk.
func TestRestartedBeforeAFailureFails(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	id := w.Ask(desktest.Healthiest(5))
	m := &mortal{Client: w.Book(contracttest.Operator).Client, at: ledger.FnFail, before: true, died: make(chan struct{})}
	first := start(w, m, nil)
	<-m.died
	first.stop()
	start(w, w.Book(contracttest.Operator).Client, nil)
	becomes(w, id, ledger.StatusFailed)
}

// A node that was down while requests came, were withdrawn, and were approved by a person takes up what is left.
func TestNodeThatWasDownCatchesUp(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	open, approved, withdrawn := w.Ask(nil), w.Ask(nil), w.Ask(nil)
	expired := w.Ask(func(s *statement.Statement) { s.Expiry = w.Now().Add(time.Minute).UTC() })
	w.Pass(2 * time.Minute)
	ctx := t.Context()
	w.Done(w.Book(contracttest.Operator).Decide(ctx, ledger.Decide{Request: approved, Approve: true, Reasons: []string{}}))
	w.Done(w.Book(contracttest.Lender).Withdraw(ctx, withdrawn))
	start(w, w.Book(contracttest.Operator).Client, func(o *Options) { o.AtOnce = 2 })
	becomes(w, open, ledger.StatusVerified)
	becomes(w, approved, ledger.StatusVerified)
	if got := w.Entry(withdrawn).Status; got != ledger.StatusWithdrawn {
		t.Errorf("the withdrawn request is %s", got)
	}
	if e := w.Entry(expired); e.Status != ledger.StatusExpired || e.Decision != nil {
		t.Errorf("the expired request is %+v", e)
	}
}

// Two desks of one owner, with the last answer of the grant to give, give it once.
func TestTwoDesksAtOnceDoNotSpendTwice(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), func(terms *policy.Terms) { terms.Answers = 1 })
	start(w, w.Book(contracttest.Operator).Client, nil)
	start(w, w.Book(contracttest.Operator).Client, nil)
	first, second := w.Ask(nil), w.Ask(nil)
	w.Until("both are ended", func() bool {
		ended := 0
		for _, s := range []ledger.Status{w.Entry(first).Status, w.Entry(second).Status} {
			if s == ledger.StatusVerified || s == ledger.StatusRefused {
				ended++
			}
		}
		return ended == 2
	})
	calls := w.Calls()
	if calls[ledger.EventVerified] != 1 || calls[ledger.EventDecided] != 2 || spent(w) != 1 {
		t.Errorf("%v, %d answers spent", calls, spent(w))
	}
}

// A ledger that does not answer for a while is waited for.
func TestLedgerThatIsAwayIsWaitedFor(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	f := &away{Client: w.Book(contracttest.Operator).Client}
	f.left.Store(12)
	start(w, f, nil)
	becomes(w, w.Ask(nil), ledger.StatusVerified)
	if f.left.Load() > 0 {
		t.Error("the ledger was never away")
	}
}

// away fails every other query and call, so many times.
type away struct {
	ledger.Client
	left atomic.Int64
	n    atomic.Int64
}

func (a *away) fails() bool { return a.n.Add(1)%2 == 0 && a.left.Add(-1) >= 0 }

func (a *away) Submit(ctx context.Context, c ledger.Call) (ledger.Receipt, error) {
	r, err := a.Client.Submit(ctx, c)
	if a.fails() {
		return ledger.Receipt{}, errors.New("the answer was lost")
	}
	return r, err
}

func (a *away) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	if a.fails() {
		return nil, errors.New("the ledger is away")
	}
	return a.Client.Evaluate(ctx, function, args)
}

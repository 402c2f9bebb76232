package systemtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// loadClients is how many clients a load has, each with a connection of its own.
const loadClients = 16

// attempt is one call of a load. Its fleet is nobody else's.
type attempt struct {
	fleet string
	begun time.Time
	// txIDs are the transactions that were about to be sent for it.
	txIDs   []string
	receipt ledger.Receipt
	err     error
}

// load registers fleets as fast as it goes, until it is ended.
type load struct {
	stop  context.CancelFunc
	ctx   context.Context
	group sync.WaitGroup

	mu       sync.Mutex
	attempts []*attempt // that have ended
}

// load starts calls by clients of both owners.
func (n *faultNetwork) load(t *testing.T) *load {
	t.Helper()
	l := &load{}
	l.ctx, l.stop = context.WithCancel(t.Context())
	t.Cleanup(l.stop)
	owners := n.genesis.WithRole(ledger.RoleOwner)
	for i := range loadClients {
		w := &loadWorker{load: l, name: fmt.Sprintf("load-%d-%d", len(n.attempts), i)}
		w.client = open(t, gateway.Options{
			Profile: n.profiles[owners[i%len(owners)]], Genesis: n.genesis,
			Timeouts:   gateway.Timeouts{Endorse: 15 * time.Second, Submit: 15 * time.Second, Commit: 20 * time.Second},
			Submitting: func(txID string) { w.current.txIDs = append(w.current.txIDs, txID) },
		})
		l.group.Go(w.run)
	}
	return l
}

type loadWorker struct {
	load    *load
	client  *gateway.Client
	name    string
	current *attempt
}

// run lets the last call come to its end: only the load's own clients may say what became of it.
func (w *loadWorker) run() {
	for i := 0; w.load.ctx.Err() == nil; i++ {
		w.current = &attempt{fleet: fmt.Sprintf("%s-%d", w.name, i), begun: time.Now()}
		w.current.receipt, w.current.err = w.client.Book().RegisterFleet(context.Background(), plainFleet(w.current.fleet))
		w.load.mu.Lock()
		w.load.attempts = append(w.load.attempts, w.current)
		w.load.mu.Unlock()
	}
}

// count tells how many calls that began after a time were acknowledged, and how many failed.
func (l *load) count(after time.Time) (acknowledged, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.attempts {
		switch {
		case a.begun.Before(after):
		case a.err == nil:
			acknowledged++
		default:
			failed++
		}
	}
	return acknowledged, failed
}

// goesOn waits until calls that begin from now on were acknowledged.
func (l *load) goesOn(t *testing.T, calls int) {
	t.Helper()
	from := time.Now()
	eventually(t, "waiting for acknowledged calls", func(context.Context) error {
		if n, failed := l.count(from); n < calls {
			return fmt.Errorf("%d are acknowledged and %d failed, want %d", n, failed, calls)
		}
		return nil
	})
}

// fails waits until calls that began after a time failed.
func (l *load) fails(t *testing.T, after time.Time, calls int) {
	t.Helper()
	eventually(t, "waiting for calls that fail", func(context.Context) error {
		if n, failed := l.count(after); failed < calls {
			return fmt.Errorf("%d are acknowledged and %d failed, want %d", n, failed, calls)
		}
		return nil
	})
}

// end stops the load and keeps its calls.
func (n *faultNetwork) end(t *testing.T, l *load) []*attempt {
	t.Helper()
	l.stop()
	l.group.Wait()
	n.attempts = append(n.attempts, l.attempts...)
	acknowledged, failed := l.count(time.Time{})
	said := map[string]int{}
	for _, a := range l.attempts {
		if a.err != nil {
			said[hexadecimal.ReplaceAllString(a.err.Error(), "…")]++
		}
	}
	t.Logf("%d calls acknowledged, %d not", acknowledged, failed)
	for _, text := range slices.Sorted(maps.Keys(said)) {
		t.Logf("%d times: %s", said[text], text)
	}
	return l.attempts
}

// settled checks that the ledger holds what was acknowledged, once, and what was not acknowledged not more than once, and that a client says which. If
// something came late that nobody waited for any more, it looks again.
func (n *faultNetwork) settled(t *testing.T, attempts []*attempt) {
	t.Helper()
	eventually(t, "holding the calls against the ledger", func(context.Context) error {
		head := n.agreedHead(t)
		failures := n.compare(t, attempts)
		if now := n.agreedHead(t); now != head {
			return fmt.Errorf("block %d came after block %d", now.Height, head.Height)
		}
		for _, err := range failures {
			t.Error(err)
		}
		return nil
	})
}

// recordedFleets is what the blocks say: the transactions by id, and the valid ones that register each fleet.
type recordedFleets struct {
	byID    map[string][]recordedCall
	byFleet map[string][]string
}

func (n *faultNetwork) compare(t *testing.T, attempts []*attempt) (failures []error) {
	t.Helper()
	blocks, failures := n.walk(t)
	for org, c := range n.clients {
		fleets, err := c.Book().Fleets(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		shown := map[string]string{}
		for _, f := range fleets {
			shown[f.ID] = f.TxID
		}
		for _, a := range attempts {
			if in := blocks.byFleet[a.fleet]; len(in) > 1 || shown[a.fleet] != strings.Join(in, "") {
				failures = append(failures, fmt.Errorf("fleet %s is registered by %v, the peer of %s has it by %q", a.fleet, in, org, shown[a.fleet]))
			}
		}
	}
	for _, a := range attempts {
		check := n.checkFailed
		if a.err == nil {
			check = n.checkAcknowledged
		}
		if err := check(t.Context(), a, blocks); err != nil {
			failures = append(failures, fmt.Errorf("fleet %s: %w", a.fleet, err))
		}
	}
	return failures
}

// walk goes through all blocks. No transaction is valid but in its first copy.
func (n *faultNetwork) walk(t *testing.T) (r recordedFleets, failures []error) {
	t.Helper()
	r = recordedFleets{map[string][]recordedCall{}, map[string][]string{}}
	for _, call := range n.calls(t, n.clients[faultRegulator]) {
		r.byID[call.txID] = append(r.byID[call.txID], call)
		if !call.valid() || call.function() != ledger.FnRegisterFleet {
			continue
		}
		fleet, err := ledger.Decode[ledger.RegisterFleet]("arguments", call.args[2], ledger.MaxArgs)
		if err != nil {
			t.Fatal(err)
		}
		r.byFleet[fleet.ID] = append(r.byFleet[fleet.ID], call.txID)
	}
	for id, all := range r.byID {
		if slices.ContainsFunc(all[1:], recordedCall.valid) {
			failures = append(failures, fmt.Errorf("transaction %s is in %d blocks, and a copy is valid", id, len(all)))
		}
	}
	return r, failures
}

func (n *faultNetwork) checkAcknowledged(_ context.Context, a *attempt, blocks recordedFleets) error {
	if all := blocks.byFleet[a.fleet]; len(all) != 1 || all[0] != a.receipt.TxID {
		return fmt.Errorf("acknowledged as transaction %s, and registered by %v", a.receipt.TxID, all)
	}
	if r := blocks.byID[a.receipt.TxID][0]; r.height != a.receipt.Height {
		return fmt.Errorf("transaction %s was acknowledged at height %d and is in block %d", r.txID, a.receipt.Height, r.height)
	}
	return n.genesis.EndorsementRule().Check(n.genesis, a.receipt.Endorsers)
}

// checkFailed holds an error to what it says, and has another client find out what is not known.
func (n *faultNetwork) checkFailed(ctx context.Context, a *attempt, blocks recordedFleets) error {
	var failure *gateway.Error
	if !errors.As(a.err, &failure) || failure.Stage == "" || failure.TxID == "" || !strings.Contains(a.err.Error(), failure.TxID) || failure.Err == nil {
		return fmt.Errorf("the error has no stage, transaction id or reason: %w", a.err)
	}
	if ledger.CodeOf(a.err) != "" {
		return fmt.Errorf("a call that nothing speaks against was refused: %w", a.err)
	}
	var unknown *gateway.OutcomeUnknown
	if !errors.As(a.err, &unknown) && len(blocks.byFleet[a.fleet]) > 0 {
		return fmt.Errorf("registered by %v although its call failed: %w", blocks.byFleet[a.fleet], a.err)
	}
	if unknown != nil && (unknown.TxID != failure.TxID || !slices.Contains(a.txIDs, unknown.TxID)) {
		return fmt.Errorf("the outcome of %s is unknown, sent were %v: %w", unknown.TxID, a.txIDs, a.err)
	}
	for _, id := range a.txIDs {
		if err := n.checkOutcome(ctx, id, blocks.byID[id]); err != nil {
			return err
		}
	}
	return nil
}

// checkOutcome compares what a client says became of a transaction with the blocks.
func (n *faultNetwork) checkOutcome(ctx context.Context, id string, inBlocks []recordedCall) error {
	got, err := n.clients[faultLender].Outcome(ctx, id)
	if err != nil {
		return err
	}
	want := gateway.Unknown
	if len(inBlocks) > 0 {
		want = gateway.Invalid
		if inBlocks[0].valid() {
			want = gateway.Recorded
		}
	}
	if got.State != want {
		return fmt.Errorf("transaction %s is %s, by the blocks it is %s", id, got.State, want)
	}
	return nil
}

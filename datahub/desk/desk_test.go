package desk

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

const byPerson = `@id("people-first") @approval("person") permit (principal, action, resource);`

// running is a desk that runs until it is stopped.
type running struct {
	*Desk
	stop func()
	done chan struct{}
}

// start runs a desk on a book of the owner's.
func start(w *desktest.World, client ledger.Client, change func(*Options)) *running {
	w.T.Helper()
	o := Options{Owner: w.Owner(ledger.Book{Client: client}), Fleets: []string{desktest.Fleet}, Openings: w.Openings, Retry: 20 * time.Millisecond}
	if testing.Verbose() {
		o.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if change != nil {
		change(&o)
	}
	d, err := New(o)
	if err != nil {
		w.T.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Desk: d, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		d.Run(ctx) //nolint:errcheck // it returns nil
	}()
	r.stop = sync.OnceFunc(func() { cancel(); <-r.done })
	w.T.Cleanup(r.stop)
	return r
}

// becomes waits for a request's status.
func becomes(w *desktest.World, id commit.Digest, want ledger.Status) ledger.RequestEntry {
	w.T.Helper()
	w.Until("request "+id.String()+" is "+string(want), func() bool {
		switch got := w.Entry(id).Status; got {
		case want:
			return true
		case ledger.StatusVerified, ledger.StatusFailed, ledger.StatusRefused, ledger.StatusExpired, ledger.StatusWithdrawn:
			w.T.Fatalf("the request is %s, not %s: %+v", got, want, w.Entry(id))
		}
		return false
	})
	return w.Entry(id)
}

func spent(w *desktest.World) uint32 {
	w.T.Helper()
	g, err := w.Book(contracttest.Regulator).GrantEntry(context.Background(), contracttest.Operator, contracttest.GrantID)
	if err != nil {
		w.T.Fatal(err)
	}
	return g.Spent.Answers
}

// The owner's policy answers: a request within the grant is verified, one outside is refused with the reason.
func TestRequestsAreAnsweredByPolicy(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	inside := w.Ask(nil)
	r := start(w, w.Book(contracttest.Operator).Client, nil)
	updates, stop := r.Watch(inside)
	defer stop()
	entry := becomes(w, inside, ledger.StatusVerified)
	if entry.Proving == nil || entry.Decision.Approval != "" || !entry.Decision.Automatic || !entry.Verdict.Holds {
		t.Errorf("answered with %+v", entry)
	}
	seen := false
	for p := range updates { // it ends with the request
		seen = seen || p.Stage != ""
	}
	if !seen {
		t.Error("no progress was told")
	}
	outside := w.Ask(func(s *statement.Statement) { s.Purpose = "curiosity" })
	if e := becomes(w, outside, ledger.StatusRefused); len(e.Decision.Reasons) == 0 || !strings.Contains(strings.Join(e.Decision.Reasons, " "), "purpose") {
		t.Errorf("refused with %+v", e.Decision)
	}
	if n := spent(w); n != 1 {
		t.Errorf("%d answers are spent", n)
	}
}

// What a policy leaves to a person waits for one, whatever else goes on, and is answered once that person approved.
func TestPersonsApprovalIsWaitedFor(t *testing.T) {
	w := desktest.New(t)
	w.Permit([]byte(byPerson), nil)
	r := start(w, w.Book(contracttest.Operator).Client, nil)
	id := w.Ask(nil)
	waits := func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.tasks[id] != nil && r.tasks[id].person
	}
	w.Until("the desk leaves it to a person", waits)
	r.addAll() // whatever it looks at again
	refused := w.Ask(func(s *statement.Statement) { s.Purpose = "curiosity" })
	becomes(w, refused, ledger.StatusRefused)
	if got := w.Entry(id).Status; got != ledger.StatusOpen {
		t.Fatalf("the request is %s", got)
	}
	w.Done(w.Book(contracttest.Operator).Decide(t.Context(), ledger.Decide{Request: id, Approve: true, Reasons: []string{"agreed by Ms Lin"}}))
	if e := becomes(w, id, ledger.StatusVerified); e.Decision.Approval != policy.Person {
		t.Errorf("decided with %+v", e.Decision)
	}
	if waits() {
		t.Error("the desk still waits")
	}
}

// A node may be configured to leave everything to a person.
func TestEverythingIsLeftToAPerson(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	r := start(w, w.Book(contracttest.Operator).Client, func(o *Options) { o.Approve = ByPerson })
	id := w.Ask(nil)
	w.Until("the desk leaves it to a person", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.tasks[id] != nil && r.tasks[id].person
	})
	// When its grant ends, it is refused without one.
	w.Done(w.Book(contracttest.Operator).Revoke(t.Context(), ledger.Revoke{Grant: contracttest.GrantID, Reason: "over"}))
	if e := becomes(w, id, ledger.StatusRefused); !strings.Contains(strings.Join(e.Decision.Reasons, " "), "revoked") {
		t.Errorf("refused with %+v", e.Decision)
	}
}

// A cohort below the grant's minimum fails, the reason names no number, and no proof is on the ledger.
func TestSmallCohortFailsAndNothingIsReleased(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	start(w, w.Book(contracttest.Operator).Client, nil)
	const count = 7
	id := w.Ask(desktest.Healthiest(count))
	e := becomes(w, id, ledger.StatusFailed)
	if len(e.Failure.Reasons) != 1 || e.Failure.Reasons[0] != withheld || strings.Contains(withheld, "7") || e.Verdict != nil {
		t.Errorf("failed with %+v", e)
	}
	if e.Proving != nil {
		t.Error("a proof was begun of what must not be shown")
	}
	if n := w.Calls()[ledger.EventVerified]; n != 0 {
		t.Errorf("%d verdicts are on the ledger", n)
	}
	if n := spent(w); n != 1 {
		t.Errorf("%d answers are spent: that a cohort is too small is an answer too", n)
	}
}

// Two answers that differ by fewer batteries than the minimum: the second fails.
func TestDifferenceOfTwoAnswersFails(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	start(w, w.Book(contracttest.Operator).Client, nil)
	becomes(w, w.Ask(desktest.Healthiest(20)), ledger.StatusVerified)
	becomes(w, w.Ask(desktest.Healthiest(30)), ledger.StatusVerified)
	if e := becomes(w, w.Ask(desktest.Healthiest(25)), ledger.StatusFailed); e.Failure.Reasons[0] != withheld || e.Proving != nil {
		t.Errorf("failed with %+v", e)
	}
	becomes(w, w.Ask(desktest.Healthiest(20)), ledger.StatusVerified)
	// Nobody moves the bound between them until it fails no more.
	becomes(w, w.Ask(desktest.Healthiest(26)), ledger.StatusRefused)
}

// What needs the count of a request that is still being answered waits for it, and is neither refused nor failed.
func TestNestedRequestsWaitForOneAnother(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	outer, inner := w.Ask(nil), w.Ask(desktest.Healthiest(20))
	start(w, w.Book(contracttest.Operator).Client, func(o *Options) { o.AtOnce = 4 })
	becomes(w, outer, ledger.StatusVerified)
	becomes(w, inner, ledger.StatusVerified)
}

// A policy that asks for a person by now ends what was approved without one.
func TestPersonAskedForAfterApprovalFails(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	id := w.Ask(nil)
	w.Done(w.Book(contracttest.Operator).Decide(t.Context(), ledger.Decide{Request: id, Approve: true, Reasons: []string{}, Automatic: true}))
	if _, _, err := w.Book(contracttest.Operator).PublishPolicy(t.Context(), []byte(byPerson)); err != nil {
		t.Fatal(err)
	}
	start(w, w.Book(contracttest.Operator).Client, nil)
	if e := becomes(w, id, ledger.StatusFailed); !strings.Contains(strings.Join(e.Failure.Reasons, " "), "person") || e.Proving != nil {
		t.Errorf("failed with %+v", e)
	}
}

// Requesters take turns, whoever asks how much.
func TestRequestersTakeTurns(t *testing.T) {
	d := &Desk{wake: make(chan struct{}, 1), tasks: map[commit.Digest]*task{}, turn: map[string]uint64{}, metrics: newMetrics(nil)}
	d.AtOnce = 1
	for i := range 100 {
		d.find(commit.Digest{1, byte(i)}, "flood")
	}
	d.add(commit.Digest{2}, "lender")
	d.add(commit.Digest{3}, "regulator")
	var order []string
	for range 6 {
		due := d.due(time.Now())
		if len(due) > 3 {
			t.Fatalf("%d requests are taken in one go", len(due))
		}
		var answered *task
		for _, next := range due {
			if d.occupy(next) {
				answered = next
			}
		}
		if answered == nil {
			t.Fatal("nobody's turn")
		}
		order = append(order, answered.requester)
		d.release(answered)
		delete(d.tasks, answered.id)
		for _, other := range d.tasks { // what did not find room is due again
			other.due = time.Time{}
		}
	}
	if got := strings.Join(order, " "); got != "flood lender regulator flood flood flood" {
		t.Errorf("answered in turn: %s", got)
	}
}

// A grant that is revoked, or a policy that is narrowed, between approval and proof ends the request.
func TestWhatIsNoLongerAllowedFails(t *testing.T) {
	for name, end := range map[string]func(*desktest.World){
		"revoked": func(w *desktest.World) {
			w.Done(w.Book(contracttest.Operator).Revoke(context.Background(), ledger.Revoke{Grant: contracttest.GrantID, Reason: "over"}))
		},
		"policy changed": func(w *desktest.World) {
			if _, _, err := w.Book(contracttest.Operator).PublishPolicy(context.Background(), []byte(`@id("nothing") forbid (principal, action, resource);`)); err != nil {
				w.T.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := desktest.New(t)
			w.Permit(contracttest.PermissivePolicy(), nil)
			id := w.Ask(nil)
			w.Done(w.Book(contracttest.Operator).Decide(t.Context(), ledger.Decide{Request: id, Approve: true, Reasons: []string{}}))
			end(w)
			start(w, w.Book(contracttest.Operator).Client, nil)
			if e := becomes(w, id, ledger.StatusFailed); len(e.Failure.Reasons) == 0 || e.Failure.Reasons[0] == withheld {
				t.Errorf("failed with %+v", e.Failure)
			}
		})
	}
}

// Records that were destroyed cannot be proven about.
func TestDestroyedRecordsFail(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	start(w, w.Book(contracttest.Operator).Client, func(o *Options) { o.Openings = gone })
	id := w.Ask(nil)
	if e := becomes(w, id, ledger.StatusFailed); e.Failure.Reasons[0] != ErrGone.Error() {
		t.Errorf("failed with %+v", e.Failure)
	}
}

// Coverage below what the statement wants is known before anything is proven.
func TestCoverageBelowTheMinimumFails(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	start(w, w.Book(contracttest.Operator).Client, func(o *Options) { o.Openings = never(t) })
	id := w.Ask(func(s *statement.Statement) { s.KeyClasses = []string{"software"} })
	if e := becomes(w, id, ledger.StatusFailed); !strings.Contains(e.Failure.Reasons[0], "keys") {
		t.Errorf("failed with %+v", e.Failure)
	}
}

package desk

import (
	"context"
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

// A request whose time is over keeps nobody waiting, though its proof would go on for ever.
func TestExpiredRequestMakesRoom(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	endless := w.Ask(func(s *statement.Statement) { s.Expiry = w.Now().Add(2 * time.Second).UTC() })
	var asked atomic.Int64
	start(w, w.Book(contracttest.Operator).Client, func(o *Options) {
		o.Openings = func(ctx context.Context, fleet string, epoch uint64, f *verify.ChunkFacts) (*zk.Chunk, error) {
			if asked.Add(1) == 1 {
				<-ctx.Done()
				w.Pass(time.Minute) // the ledger's time passes as well
				return nil, ctx.Err()
			}
			return w.Openings(ctx, fleet, epoch, f)
		}
	})
	w.Until("the endless proof is begun", func() bool { return asked.Load() > 0 })
	becomes(w, w.Ask(nil), ledger.StatusVerified)
	if e := w.Entry(endless); e.Status != ledger.StatusExpired || e.Proving != nil {
		t.Errorf("the endless one is %+v", e)
	}
}

// A request that expires at the end of time is answered as well.
func TestRequestWithoutEndIsAnswered(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	id := w.Ask(func(s *statement.Statement) { s.Expiry = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) })
	start(w, w.Book(contracttest.Operator).Client, nil)
	becomes(w, id, ledger.StatusVerified)
}

// overtaken is a ledger on which something happens just before a call.
type overtaken struct {
	ledger.Client
	function string
	before   func()
}

func (o *overtaken) Submit(ctx context.Context, c ledger.Call) (ledger.Receipt, error) {
	if c.Function == o.function {
		o.before()
	}
	return o.Client.Submit(ctx, c)
}

// A policy that wants a person, and comes into force while the desk approves, has not got one by that: the request waits for a person.
func TestPolicyThatWantsAPersonOvertakesAnApproval(t *testing.T) {
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	o := &overtaken{Client: w.Book(contracttest.Operator).Client, function: ledger.FnDecide, before: sync.OnceFunc(func() {
		if _, _, err := w.Book(contracttest.Operator).PublishPolicy(context.Background(), []byte(byPerson)); err != nil {
			t.Error(err)
		}
	})}
	r := start(w, o, nil)
	id := w.Ask(nil)
	w.Until("the desk leaves it to a person", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.tasks[id] != nil && r.tasks[id].person
	})
	if e := w.Entry(id); e.Status != ledger.StatusOpen {
		t.Fatalf("it is %+v", e)
	}
	w.Done(w.Book(contracttest.Operator).Decide(t.Context(), ledger.Decide{Request: id, Approve: true, Reasons: []string{}}))
	if e := becomes(w, id, ledger.StatusVerified); e.Decision.Automatic || e.Decision.Approval != policy.Person {
		t.Errorf("decided with %+v", e.Decision)
	}
}

package audit

import (
	"bytes"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// notACall counts the valid transactions that are no call of the contract; there is none in a sound channel.
const notACall = "(none)"

// replayer runs the contract's calls again.
type replayer struct {
	*auditor
	env      *contract.Environment
	requests timeline
	ends     ends
	// latest is the latest epoch in which a valid call was proposed, and since the first block with one.
	latest uint64
	since  uint64
	// newest is the time of the newest call, newestBefore of the newest in a block before block.
	block                uint64
	newest, newestBefore time.Time
}

func newReplayer(a *auditor) *replayer {
	keep := func(commit.ChunkPlace, commit.Digest, []byte) error { return nil } // who audits has them from a store
	r := &replayer{auditor: a, env: &contract.Environment{Keep: keep, Keyrings: &contract.KeyringCache{}, Policies: &contract.PolicyCache{}}, ends: ends{}}
	r.requests = timeline{report: a.report, index: map[commit.Digest]int{}}
	return r
}

// call runs a valid transaction's call again and compares. What differs is a failure; an error ends the audit.
func (r *replayer) call(s *state, b *block, t *transaction) error {
	c, err := r.readCall(t)
	if err != nil {
		r.report.Counts.Calls[notACall]++
		r.fail(b, t, Identity, "%v", err)
		return nil
	}
	want, err := recorded(t)
	if err != nil && c.function != ledger.QueryAttestations {
		r.report.Counts.Calls[notACall]++
		r.fail(b, t, Foreign, "%.64q: %v", c.function, err)
		return nil
	}
	if err := r.run(s, b, t, c, want); err != nil {
		return err
	}
	r.checkHeldBack(b, t, c)
	r.checkLate(b, t, c)
	return nil
}

// run carries a call out by its kind.
func (r *replayer) run(s *state, b *block, t *transaction, c *call, want *outcome) error {
	got := &outcome{writes: map[string][]byte{}}
	v := &view{s, r.Chaincode, got}
	var err error
	switch {
	case c.function == ledger.FnAnchor:
		r.report.Counts.Calls[c.function]++
		return r.anchor(b, t, c, want, v)
	case c.function == ledger.FnPublishKey:
		return r.publish(b, t, c, want, v)
	case contract.IsQuery(c.function):
		got.result, err = guarded(func() ([]byte, error) { return contract.Query(r.env, c.tx, v, c.function, c.args) })
	case c.function == ledger.FnFound:
		got.result, err = r.found(v, c)
	case c.function == ledger.QueryAttestations:
		err = fmt.Errorf("a query that differs at every peer is recorded")
	default:
		got.result, err = execute(r.env, c.tx, v, ledger.Call{Function: c.function, Args: c.args})
	}
	if r.compare(b, t, c, want, got, err) {
		r.report.Counts.Calls[c.function]++
		r.requests.follow(b, t, c, want)
		r.ceremony(b, t, c)
	}
	return nil
}

// execute runs the contract.
func execute(env *contract.Environment, tx *contract.Tx, s contract.State, call ledger.Call) ([]byte, error) {
	return guarded(func() ([]byte, error) { return contract.Execute(env, tx, s, call) })
}

// guarded makes a panic a refusal. The state is what peers wrote, who together may have written what the contract never writes and does not expect; that must not keep the audit from
// saying so.
func guarded(run func() ([]byte, error)) (result []byte, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = ledger.Refuse(ledger.Invalid, "the contract breaks down on what is recorded: %.256s", fmt.Sprint(cause))
		}
	}()
	return run()
}

// compare reports whether the contract gives what is recorded.
func (r *replayer) compare(b *block, t *transaction, c *call, want, got *outcome, err error) bool {
	if err == nil {
		err = got.failure
	}
	if err != nil {
		r.fail(b, t, Replay, "%.64s is recorded, the contract refuses it: %v", c.function, err)
		return false
	}
	if err := want.differs(got); err != nil {
		r.fail(b, t, Replay, "%.64s: %v", c.function, err)
		return false
	}
	if c.function == ledger.FnSubmitProof {
		r.report.Counts.Proofs++
	}
	return true
}

// found records the consortium's genesis, which must be the auditor's.
func (r *replayer) found(v *view, c *call) ([]byte, error) {
	canonical := r.Genesis.Canonical()
	if !bytes.Equal(c.args, canonical) {
		return nil, fmt.Errorf("the channel is founded on another genesis than the auditor's")
	}
	if there, err := v.Get(ledger.GenesisKey); err != nil || there != nil {
		return nil, fmt.Errorf("the channel is founded already")
	}
	if err := v.Put(ledger.GenesisKey, canonical); err != nil {
		return nil, err
	}
	v.Event(ledger.EventFounded, ledger.Encode(ledger.EventPayload{Organisation: c.tx.Caller.Org}))
	return canonical, nil
}

// checkHeldBack reports a change of enrolment that was committed in a later block than a call proposed in a later epoch. The contract makes it void once the
// later epoch is opened, so it does no harm; it shows somebody's clock or patience.
func (r *replayer) checkHeldBack(b *block, t *transaction, c *call) {
	epoch, err := r.Genesis.EpochAt(c.tx.Time)
	if err != nil {
		return
	}
	if epoch > r.latest {
		r.latest, r.since = epoch, b.number
		return
	}
	if epoch < r.latest && b.number > r.since && (c.function == ledger.FnEnrol || c.function == ledger.FnRetire) {
		r.notice(b, t, HeldBack, "%s was proposed in epoch %d and committed after block %d, which holds a call of epoch %d", c.function, epoch, r.since, r.latest)
	}
}

// checkLate reports a call that came to its block long after a newer one came to a block before: longer than a proposal may be on its way.
func (r *replayer) checkLate(b *block, t *transaction, c *call) {
	if b.number > r.block {
		r.block, r.newestBefore = b.number, r.newest
	}
	if allowed := r.Genesis.ProposalAge() + 2*r.Genesis.ClockSkew(); c.tx.Time.Add(allowed).Before(r.newestBefore) {
		r.notice(b, t, Late, "%.64s was proposed at %s, %v before a call in an earlier block", c.function, c.tx.Time.Format(timeForm), r.newestBefore.Sub(c.tx.Time))
	}
	if c.tx.Time.After(r.newest) {
		r.newest = c.tx.Time
	}
}

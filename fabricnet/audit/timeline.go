package audit

import (
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// timeline follows requests to their end, by calls that the contract was shown to agree to.
type timeline struct {
	report *Report
	index  map[commit.Digest]int
}

func (l *timeline) follow(b *block, t *transaction, c *call, recorded *outcome) {
	at := Step{Height: b.number, TxID: t.id, Time: c.tx.Time.Unix()}
	switch c.function {
	case ledger.FnRequest:
		l.asked(at, recorded)
	case ledger.FnDecide:
		if a := arguments[ledger.Decide](c); a != nil {
			l.decided(at, a, recorded)
		}
	case ledger.FnStartProof:
		if a := arguments[ledger.RequestRef](c); a != nil {
			l.change(a.Request, func(r *Request) { r.Proving = &at })
		}
	case ledger.FnFail:
		if a := arguments[ledger.Fail](c); a != nil {
			l.change(a.Request, func(r *Request) { r.Failed = &FailureStep{at, beginnings(a.Reasons)} })
		}
	case ledger.FnWithdraw:
		if a := arguments[ledger.RequestRef](c); a != nil {
			l.change(a.Request, func(r *Request) { r.Withdrawn = &at })
		}
	case ledger.FnSubmitProof:
		if a := arguments[ledger.SubmitProof](c); a != nil {
			l.verified(at, a.Request, recorded)
		}
	}
}

func beginnings(reasons []string) []string {
	out := make([]string, len(reasons))
	for i, reason := range reasons {
		out[i] = clean(reason, maxReason)
	}
	return out
}

// arguments decodes a call's arguments, or gives nil. The contract ran on them, so they decode.
func arguments[T any](c *call) *T {
	a, err := ledger.Decode[T]("arguments", c.args, ledger.MaxArgs)
	if err != nil {
		return nil
	}
	return a
}

func (l *timeline) change(id commit.Digest, fn func(*Request)) {
	if i, ok := l.index[id]; ok {
		fn(&l.report.Requests[i])
	}
}

// asked finds the request among what was written: its key is the statement's digest.
func (l *timeline) asked(at Step, recorded *outcome) {
	for key, value := range recorded.writes {
		rest, ok := strings.CutPrefix(key, ledger.RequestPrefix)
		var id commit.Digest
		if !ok || id.UnmarshalText([]byte(rest)) != nil {
			continue
		}
		q, err := ledger.Decode[ledger.Request]("request", value, ledger.MaxRecord)
		if err != nil {
			continue
		}
		if l.report.Counts.Requests++; len(l.report.Requests) >= maxRequests {
			continue
		}
		l.index[id] = len(l.report.Requests)
		l.report.Requests = append(l.report.Requests, Request{
			ID: id, Requester: q.Requester, Owner: q.Owner, Fleet: q.Fleet, Epoch: q.Epoch, Grant: grantIn(recorded), Asked: at,
		})
	}
}

// grantIn is the grant that a request names, which its event tells.
func grantIn(recorded *outcome) string {
	e, err := ledger.Decode[ledger.EventPayload]("event", recorded.event, ledger.MaxEventPayload)
	if err != nil {
		return ""
	}
	return e.Grant
}

func (l *timeline) decided(at Step, a *ledger.Decide, recorded *outcome) {
	step := &DecisionStep{Step: at, Approved: a.Approve, Reasons: beginnings(a.Reasons)}
	if d, err := ledger.Decode[ledger.Decision]("decision", recorded.writes[ledger.DecisionKey(a.Request)], ledger.MaxRecord); err == nil {
		step.Policies, step.Cost = d.Policies, d.Cost
	}
	l.change(a.Request, func(r *Request) { r.Decided = step })
}

func (l *timeline) verified(at Step, id commit.Digest, recorded *outcome) {
	v, err := ledger.Decode[ledger.ProofVerdict]("verdict", recorded.writes[ledger.VerdictKey(id)], ledger.MaxRecord)
	if err == nil {
		l.change(id, func(r *Request) { r.Verified = &VerdictStep{at, v.Holds, v.Bundle} })
	}
}

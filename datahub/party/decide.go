package party

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/policy"
)

// decide refuses or approves this owner's part of an open query, or leaves it to a person.
func (m *Manager) decide(ctx context.Context, t *task, e *ledger.QueryEntry, fleet string) (next time.Duration, err error) {
	if e.Status != ledger.QueryOpen || decided(e, fleet) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.leavePerson(t)
		return m.rest(), nil
	}
	a, err := m.assess(ctx, t, e, fleet)
	if err != nil {
		return 0, err
	}
	log := m.Logger.With("query", e.ID, "requester", e.Record.Query.Requester, "fleet", fleet, "epoch", e.Record.Query.Epoch, "grant", a.Grant)
	switch {
	case a.Wait: // another answer is on its way
		return m.rest(), nil
	case a.Allowed && (a.Approval == policy.Person || m.Approve == desk.ByPerson):
		if m.leaveToPerson(t) {
			log.InfoContext(ctx, "a query waits for a person to approve it", "policies", a.PolicyIDs)
		}
		return m.rest(), nil
	}
	args := ledger.Answer{Query: e.ID, Fleet: fleet, Approve: a.Allowed, Reasons: []string{}, Automatic: true}
	if !a.Allowed {
		args.Reasons = desk.Told(a.Reasons)
	}
	receipt, err := m.Book.Answer(ctx, args)
	if err != nil {
		return 0, err
	}
	m.metrics.decisions.WithLabelValues(map[bool]string{true: "approved", false: "refused"}[a.Allowed]).Inc()
	if a.Allowed {
		log.InfoContext(ctx, "a part of a query is approved", "policies", a.PolicyIDs, "cost", a.Cost, "tx", receipt.TxID)
	} else {
		log.InfoContext(ctx, "a part of a query is refused", "reasons", args.Reasons, "tx", receipt.TxID)
	}
	return m.rest(), nil
}

// assess is what the contract would say to an approval, and then this node. What a person has before him was looked at.
func (m *Manager) assess(ctx context.Context, t *task, e *ledger.QueryEntry, fleet string) (ledger.Assessment, error) {
	a, err := m.Book.AssessQuery(ctx, e.ID, fleet)
	if err != nil || !a.Allowed || t.person {
		return a, err
	}
	reasons, err := m.unanswerable(ctx, e, fleet)
	if len(reasons) > 0 {
		a.Allowed, a.Reasons = false, reasons
	}
	return a, err
}

func decided(e *ledger.QueryEntry, fleet string) bool {
	for i := range e.Answers {
		if e.Answers[i].Fleet == fleet {
			return true
		}
	}
	return false
}

// unanswerable says why this node would give nothing to a query that grant and policies allow. It looks at what is on the ledger alone, so that it tells nothing.
func (m *Manager) unanswerable(ctx context.Context, e *ledger.QueryEntry, fleet string) ([]string, error) {
	q := &e.Record.Query
	if most := int64(m.Longest / time.Second); q.Expiry-m.Now().Unix() > most {
		return []string{fmt.Sprintf("it expires in more than the %d s for which this node keeps what belongs to a query", most)}, nil
	}
	facts, err := m.facts(ctx, fleet, q.Epoch)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, reason := range query.Unanswerable(e, facts.Facts.Enrolled, facts.Facts.Attested()) {
		out = append(out, "this node cannot answer it: "+reason)
	}
	if len(out) > 0 || q.Kind == ledger.QueryFederated {
		return out, nil
	}
	shape, err := query.Shape(q)
	if err != nil {
		return []string{fmt.Sprintf("this node cannot answer it: %v", err)}, nil
	}
	lanes, err := query.Lanes(q.Schema, m.ClipSteps[fleet])
	if err == nil {
		err = (&score.Owner{Lanes: lanes, Least: int(q.MinimumCohort)}).Admit(shape)
	}
	if err != nil {
		return []string{fmt.Sprintf("this node does not answer it: %v", err)}, nil
	}
	return nil, nil
}

// leaveToPerson reports whether a query is newly a person's.
func (m *Manager) leaveToPerson(t *task) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if t.person {
		return false
	}
	t.person = true
	m.metrics.waiting.Inc()
	return true
}

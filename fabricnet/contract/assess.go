package contract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// subject is what is judged: a request, or an owner's part of a query.
type subject struct {
	what         string // "request" or "query"
	id           commit.Digest
	fleet, owner string
	epoch        uint64
	grant        string
	expiry       int64
}

// judgement is what the contract thinks of a subject: whether it may be approved or, once it is, answered. There is one for both, so that what would not be
// approved now is not answered now.
type judgement struct {
	ledger.Assessment
	subject
	asked *statement.Statement // of a request
	// question is what was asked and the ledger come to; terms are of the grant it is under, nil if there is none.
	question *policy.Question
	terms    *ledger.GrantRecord
	spent    ledger.Spent
	units    uint64
	// earlier are the other cohorts of the fleet's epoch, next is this one's.
	earlier []policy.Answered
	next    policy.Answered
}

// judge looks at a request in every way that a grant, its policy, the policy in force and earlier answers limit it. With an approval, which has spent already, it also
// looks at whether that still suffices. Everything that it rests on is read from the state, so a change of any of it voids what was endorsed on it.
func (r *run) judge(id commit.Digest, q *ledger.Request, approval *ledger.Decision) (*judgement, error) {
	j := newJudgement(subject{"request", id, q.Fleet, q.Owner, q.Epoch, "", q.Expiry})
	if err := r.pose(j, q); err != nil {
		return nil, err
	}
	if err := r.limit(j, approval); err != nil || j.terms == nil {
		return j, err
	}
	if err := r.compare(j, j.question.Count == policy.CountExact, nil); err != nil {
		return nil, err
	}
	j.Allowed = len(j.Reasons) == 0
	return j, nil
}

func newJudgement(of subject) *judgement {
	return &judgement{subject: of, Assessment: ledger.Assessment{Request: of.id, Grant: of.grant, Reasons: []string{}, Policies: []commit.Digest{}, PolicyIDs: []string{}}}
}

// limit holds the question against the grant, its policy and the one in force. Without a grant there is nothing else to look at.
func (r *run) limit(j *judgement, approval *ledger.Decision) error {
	if err := r.findGrant(j); err != nil || j.terms == nil {
		return err
	}
	var spent policy.Spent
	if approval == nil {
		spent = j.spent.Of(j.fleet)
	}
	j.refuse(j.terms.Terms.Limits(j.question, spent)...)
	var err error
	if j.units, err = j.terms.Terms.Cost(j.question); err != nil && len(j.Reasons) == 0 {
		j.refuse(fmt.Sprintf("cost: %v", err)) // which is a limit, too
	}
	j.Cost = policy.FormatUnits(j.units)
	if err := r.askPolicies(j); err != nil {
		return err
	}
	if approval != nil && j.Approval == policy.Person && approval.Automatic {
		j.refuse("a policy wants a person to approve it by now, and it was approved without one")
	}
	return nil
}

// weigh adds what only a verdict shows to the judgement of a request that is allowed so far: how large the cohort is, and what sets it apart from the others.
func (j *judgement) weigh(shown *ledger.Shown) error {
	if !j.Allowed {
		return nil
	}
	if j.next.Shown {
		j.next.Count = shown.CountOf(j.question)
	}
	if err := j.large(shown); err != nil {
		return err
	}
	j.refuse(policy.Isolates(j.earlier, j.next)...)
	j.refuse(policy.Outside(j.earlier, j.next, shown.Population)...)
	return nil
}

func (j *judgement) refuse(reasons ...string) {
	j.Reasons = append(j.Reasons, reasons...)
	j.Allowed = j.Allowed && len(reasons) == 0
}

// pose derives the question.
func (r *run) pose(j *judgement, q *ledger.Request) error {
	var err error
	if j.asked, err = statement.Parse(q.Statement); err != nil {
		return fmt.Errorf("statement of request %s: %w", j.id, err)
	}
	j.grant, j.Grant = j.asked.Grant, j.asked.Grant
	by, err := r.asker(j.fleet, q.Requester, q.Attributes)
	if err != nil {
		return err
	}
	j.question, err = ledger.QuestionOf(j.asked, *by)
	return err
}

// asker is what the ledger knows about a question besides what it says itself.
func (r *run) asker(about, requester string, attributes map[string]string) (*ledger.Asker, error) {
	f, err := fleet(r.state, about)
	if err != nil {
		return nil, err
	}
	by := &ledger.Asker{Attributes: attributes, Fleet: *f, Epoch: r.epoch, Time: r.tx.Time}
	if o, ok := r.tx.Genesis.Organisation(requester); ok {
		by.Roles = o.Roles
	}
	return by, nil
}

// findGrant reads the grant that is named among those of the fleet's owner. The name is the requester's text.
func (r *run) findGrant(j *judgement) error {
	if j.grant == "" {
		j.refuse("the request names no grant")
		return nil
	}
	g, err := r.grantOf(j.owner, j.grant)
	switch ledger.CodeOf(err) {
	case ledger.NotFound, ledger.Invalid:
		j.refuse(fmt.Sprintf("%s has made no grant %q", j.owner, j.grant))
		return nil
	}
	if err != nil {
		return err
	}
	e, err := r.grantEntry(g)
	if err != nil {
		return err
	}
	j.terms, j.spent, j.GrantStatus = g, e.Spent, e.Status
	if e.Revocation != nil {
		j.refuse(fmt.Sprintf("grant %s was revoked at %s: %s", g.Terms.ID, stamp(e.Revocation.Time), e.Revocation.Reason))
	}
	return nil
}

// askPolicies evaluates the grant's text and the one in force. Both have to allow, and if either wants a person, a person has to approve.
func (r *run) askPolicies(j *judgement) error {
	var own commit.Digest
	if err := own.UnmarshalText([]byte(j.terms.Terms.Policy)); err != nil {
		return fmt.Errorf("policy of grant %s: %w", j.terms.Terms.ID, err)
	}
	head, err := r.inForce(j.terms.Owner)
	if err != nil {
		return err
	}
	if head == nil {
		j.refuse(fmt.Sprintf("%s has no policy in force", j.terms.Owner))
		return nil
	}
	j.Policies = append(j.Policies, own)
	if head.Digest != own {
		j.Policies = append(j.Policies, head.Digest)
	}
	for i, digest := range j.Policies {
		which := "the policy in force"
		if i == 0 && len(j.Policies) == 2 {
			which = "the grant's policy"
		}
		if err := r.askPolicy(j, which, digest); err != nil {
			return err
		}
	}
	slices.Sort(j.PolicyIDs)
	j.PolicyIDs = slices.Compact(j.PolicyIDs)
	return nil
}

func (r *run) askPolicy(j *judgement, which string, digest commit.Digest) error {
	p, err := r.policyOf(j.terms.Owner, digest)
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("state of grant %s of %s names policy %s, which is not there", j.terms.Terms.ID, j.terms.Owner, digest)
	}
	set, err := r.env.Policies.parse(p)
	if err != nil {
		j.refuse(fmt.Sprintf("%s: %v", which, err))
		return nil
	}
	d := set.Decide(j.question)
	j.PolicyIDs = append(j.PolicyIDs, d.Policies...)
	if d.Approval != "" {
		j.Approval = d.Approval
	}
	if d.Allowed {
		return nil
	}
	if len(d.Reasons) == 0 {
		d.Reasons = []string{"does not allow it"}
	}
	for _, reason := range d.Reasons {
		j.refuse(which + ": " + reason)
	}
	return nil
}

// refusal is the no to what is not allowed.
func (j *judgement) refusal() *ledger.Refusal {
	return ledger.Refuse(ledger.Forbidden, "%s %s is not allowed: %s", j.what, j.id, strings.Join(told(j.Reasons), "; "))
}

// told makes reasons fit for a decision: few, short and printable.
func told(reasons []string) []string {
	out := make([]string, 0, len(reasons))
	for i, reason := range reasons {
		if i == ledger.MaxReasons-1 && len(reasons) > ledger.MaxReasons {
			return append(out, fmt.Sprintf("and for %d other reasons", len(reasons)-i))
		}
		out = append(out, ledger.Printable(reason, ledger.MaxReason))
	}
	return out
}

// queryAssess says what an approval, or the answer to an approved request, would meet.
func queryAssess(r *run, a *ledger.Assess) (*ledger.Assessment, error) {
	q, err := requestOf(r.state, a.Request)
	if err != nil {
		return nil, err
	}
	d, err := get[ledger.Decision](r.state, ledger.DecisionKey(a.Request))
	if err != nil {
		return nil, err
	}
	if d != nil && !d.Approved {
		d = nil
	}
	j, err := r.judge(a.Request, q, d)
	if err != nil {
		return nil, err
	}
	if a.Shown != nil {
		if err := j.weigh(a.Shown); err != nil {
			return nil, err
		}
	}
	if r.now >= q.Expiry {
		j.refuse("the request expired at " + stamp(q.Expiry))
		j.Wait = false
	}
	j.Reasons = told(j.Reasons)
	return &j.Assessment, nil
}

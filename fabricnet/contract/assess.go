package contract

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// judgement is what the contract thinks of a request: whether it may be approved or, once it is, answered. There is one for both, so that a request which would not be
// approved now is not answered now.
type judgement struct {
	ledger.Assessment
	id      commit.Digest
	request *ledger.Request
	asked   *statement.Statement
	// question is what the statement and the ledger come to; grant the one it is under, nil if there is none.
	question *policy.Question
	grant    *ledger.GrantRecord
	spent    ledger.Spent
	units    uint64
	// earlier are the other cohorts of the fleet's epoch, next is this request's.
	earlier []policy.Answered
	next    policy.Answered
}

// judge looks at a request in every way that a grant, its policy, the policy in force and earlier answers limit it. With an approval, which has spent already, it also
// looks at whether that still suffices. Everything that it rests on is read from the state, so a change of any of it voids what was endorsed on it.
func (r *run) judge(id commit.Digest, q *ledger.Request, approval *ledger.Decision) (*judgement, error) {
	j := &judgement{id: id, request: q, Assessment: ledger.Assessment{Request: id, Reasons: []string{}, Policies: []commit.Digest{}, PolicyIDs: []string{}}}
	if err := r.pose(j); err != nil {
		return nil, err
	}
	if err := r.findGrant(j); err != nil || j.grant == nil {
		return j, err
	}
	var spent policy.Spent
	if approval == nil {
		spent = j.spent.Of(q.Fleet)
	}
	j.refuse(j.grant.Terms.Limits(j.question, spent)...)
	var err error
	if j.units, err = j.grant.Terms.Cost(j.question); err != nil && len(j.Reasons) == 0 {
		j.refuse(fmt.Sprintf("cost: %v", err)) // which is a limit, too
	}
	j.Cost = units(j.units)
	if err := r.askPolicies(j); err != nil {
		return nil, err
	}
	if approval != nil && j.Approval == policy.Person && approval.Approval != policy.Person {
		j.refuse("a policy wants a person to approve it by now, and it was approved without one")
	}
	if err := r.compare(j); err != nil {
		return nil, err
	}
	j.Allowed = len(j.Reasons) == 0
	return j, nil
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
func (r *run) pose(j *judgement) error {
	var err error
	if j.asked, err = statement.Parse(j.request.Statement); err != nil {
		return fmt.Errorf("statement of request %s: %w", j.id, err)
	}
	f, err := fleet(r.state, j.request.Fleet)
	if err != nil {
		return err
	}
	by := ledger.Asker{Attributes: j.request.Attributes, Fleet: *f, Epoch: r.epoch, Time: r.tx.Time}
	if o, ok := r.tx.Genesis.Organisation(j.request.Requester); ok {
		by.Roles = o.Roles
	}
	j.question, err = ledger.QuestionOf(j.asked, by)
	return err
}

// findGrant reads the grant that the request names among those of the fleet's owner. The name is the requester's text.
func (r *run) findGrant(j *judgement) error {
	j.Grant = j.asked.Grant
	if j.Grant == "" {
		j.refuse("the request names no grant")
		return nil
	}
	g, err := r.grantOf(j.request.Owner, j.Grant)
	switch ledger.CodeOf(err) {
	case ledger.NotFound, ledger.Invalid:
		j.refuse(fmt.Sprintf("%s has made no grant %q", j.request.Owner, j.Grant))
		return nil
	}
	if err != nil {
		return err
	}
	e, err := r.grantEntry(g)
	if err != nil {
		return err
	}
	j.grant, j.spent, j.GrantStatus = g, e.Spent, e.Status
	if e.Revocation != nil {
		j.refuse(fmt.Sprintf("grant %s was revoked at %s: %s", g.Terms.ID, stamp(e.Revocation.Time), e.Revocation.Reason))
	}
	return nil
}

// askPolicies evaluates the grant's text and the one in force. Both have to allow, and if either wants a person, a person has to approve.
func (r *run) askPolicies(j *judgement) error {
	var own commit.Digest
	if err := own.UnmarshalText([]byte(j.grant.Terms.Policy)); err != nil {
		return fmt.Errorf("policy of grant %s: %w", j.grant.Terms.ID, err)
	}
	head, err := r.inForce(j.grant.Owner)
	if err != nil {
		return err
	}
	if head == nil {
		j.refuse(fmt.Sprintf("%s has no policy in force", j.grant.Owner))
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
	p, err := r.policyOf(j.grant.Owner, digest)
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("state of grant %s of %s names policy %s, which is not there", j.grant.Terms.ID, j.grant.Owner, digest)
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

// refusal is the no to a request that is not allowed.
func (j *judgement) refusal() *ledger.Refusal {
	return ledger.Refuse(ledger.Forbidden, "request %s is not allowed: %s", j.id, strings.Join(told(j.Reasons), "; "))
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

// units are millionths as decimal text.
func units(millionths uint64) string {
	text := record.FormatDecimal(new(big.Int).SetUint64(millionths), 6)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
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

// hexDigest reads a digest that is part of a key.
func hexDigest(text string) (commit.Digest, error) {
	var d commit.Digest
	if len(text) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("%.80q is no digest", text)
	}
	return d, d.UnmarshalText([]byte(text))
}

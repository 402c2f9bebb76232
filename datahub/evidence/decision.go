package evidence

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// decision makes an approval again.
func (v *verification) decision() {
	r := &v.Evidence.Request
	d := r.Decision
	if d == nil || !d.Approved {
		if r.Verdict != nil || r.Proving != nil || r.Failure != nil {
			v.add(Wrong, "decision", "the request was answered, or was to be, and no approval of it is here")
		}
		return
	}
	if !v.grant(d) {
		return
	}
	q, err := v.question(d.Time)
	if err != nil {
		v.add(Wrong, "decision", "%v", err)
		return
	}
	v.approved = q
	v.limits(d, q)
	v.policies(d, q)
}

// grant wants the one that the statement names, made by the fleet's owner to the requester.
func (v *verification) grant(d *ledger.Decision) bool {
	q := &v.Evidence.Request.Request
	g := v.Grant
	switch {
	case g == nil:
		v.add(Wrong, "grant", "the request was approved, and the grant %.64q that the decision names is not here", d.Grant)
	case g.Terms.ID != d.Grant || g.Terms.ID != v.asked.Grant:
		v.add(Wrong, "grant", "is %s, the request names %.64q, the decision %.64q", g.Terms.ID, v.asked.Grant, d.Grant)
	case g.Owner != q.Owner:
		v.add(Wrong, "grant", "is by %s, the fleet is of %s", g.Owner, q.Owner)
	case g.Terms.Check() != nil:
		v.add(Wrong, "grant", "%v", g.Terms.Check())
	default:
		return true
	}
	return false
}

// limits holds the question against the grant, with what had been spent before as the approval's own block has it.
func (v *verification) limits(d *ledger.Decision, q *policy.Question) {
	t := &v.Grant.Terms
	price, err := t.Cost(q)
	if err != nil {
		v.add(Wrong, "decision", "cost: %v", err)
		return
	}
	if cost := policy.FormatUnits(price); d.Cost != cost {
		v.add(Wrong, "decision", "says that it cost %.64q, the grant's price is %s", d.Cost, cost)
	}
	var before policy.Spent
	spent := v.spent(d)
	if spent != nil {
		after := spent.Of(q.Fleet.ID)
		if after.Answers == 0 || after.Units < price {
			v.add(Wrong, "decision", "its block spends nothing of the grant")
			return
		}
		before = policy.Spent{Answers: after.Answers - 1, Units: after.Units - price}
	}
	if reasons := t.Limits(q, before); len(reasons) > 0 {
		v.add(Wrong, "decision", "the grant does not cover the request: %s", strings.Join(reasons, "; "))
		return
	}
	if spent != nil {
		v.add(Shown, "grant", "%s covers the request, as answer %d of %d, for %s of %s units", t.ID, spent.Answers, t.Answers, d.Cost, t.Budget)
	}
}

// spent is what the grant had spent behind the approval, as its endorsers signed it.
func (v *verification) spent(d *ledger.Decision) *ledger.Spent {
	f := v.found[d.TxID]
	if f == nil {
		return nil // said already
	}
	value := f.Writes[ledger.SpentKey(v.Grant.Owner, v.Grant.Terms.ID)]
	s, err := ledger.DecodeRecord[ledger.Spent]("spent", value)
	if err != nil {
		v.add(Wrong, "decision", "its block spends nothing of the grant")
		return nil
	}
	return s
}

// policies evaluates the texts again.
func (v *verification) policies(d *ledger.Decision, q *policy.Question) {
	if len(v.Policies) != len(d.Policies) || len(d.Policies) == 0 {
		v.add(Wrong, "policy", "the decision names %d texts, %d are here", len(d.Policies), len(v.Policies))
		return
	}
	if d.Policies[0].String() != v.Grant.Terms.Policy {
		v.add(Wrong, "policy", "the decision rests on %s, the grant on %.64s", d.Policies[0], v.Grant.Terms.Policy)
	}
	var ids []string
	approval := ""
	for i := range v.Policies {
		said := v.policy(&v.Policies[i], d.Policies[i], q)
		if said == nil {
			return
		}
		ids = append(ids, said.Policies...)
		if said.Approval != "" {
			approval = said.Approval
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); !slices.Equal(ids, d.PolicyIDs) {
		v.add(Wrong, "policy", "%q decide, the decision names %q", ids, d.PolicyIDs)
		return
	}
	if approval != d.Approval {
		v.add(Wrong, "policy", "they leave the approval to %q, the decision says %q", approval, d.Approval)
		return
	}
	if approval == policy.Person && d.Automatic {
		v.add(Wrong, "policy", "they leave the approval to a person, and no person made the decision")
		return
	}
	v.add(Shown, "policy", "%d texts of the owner allow the request, by %s", len(v.Policies), strings.Join(ids, ", "))
	if approval == policy.Person {
		v.add(Assumed, "decision", "that a person approved: %s says so", v.Evidence.Request.Request.Owner)
	}
}

// policy evaluates one text, and gives nil if it does not allow.
func (v *verification) policy(p *ledger.PolicyRecord, want commit.Digest, q *policy.Question) *policy.Decision {
	digest := commit.Digest(sha256.Sum256(p.Text))
	if p.Digest != digest || digest != want || p.Owner != v.Evidence.Request.Request.Owner {
		v.add(Wrong, "policy", "the text has digest %s and is by %.64s; the decision names %s", digest, p.Owner, want)
		return nil
	}
	set, err := policy.Parse(p.Text)
	if err != nil {
		v.add(Wrong, "policy", "%s: %v", want, err)
		return nil
	}
	said := set.Decide(q)
	if !said.Allowed {
		v.add(Wrong, "policy", "%s does not allow the request: %s", want, strings.Join(said.Reasons, "; "))
		return nil
	}
	return &said
}

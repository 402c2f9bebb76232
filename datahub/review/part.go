package review

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// maxFacts bounds what the ledger says of an epoch.
const maxFacts = 256 << 20

// parts makes the decision about every part again.
func (i *inquiry) parts(ctx context.Context) error {
	for n := range i.d.Query.Answers {
		a := &i.d.Query.Answers[n]
		owner, part := i.d.ownerOf(a.Fleet), i.q.Part(a.Fleet)
		if part == nil {
			i.add("answer: %.64q is no fleet of the query", a.Fleet)
			continue
		}
		d := &a.Decision
		args := ledger.Answer{Query: i.d.Query.ID, Fleet: a.Fleet, Approve: d.Approved, Reasons: d.Reasons, Automatic: d.Automatic}
		i.holds(i.Found, record{"answer of " + owner, d.TxID, owner, ledger.FnAnswer, args, ledger.QueryAnswerKey(i.d.Query.ID, a.Fleet), a, d.Time})
		if !d.Approved {
			continue
		}
		if err := i.settled(ctx, owner, a); err != nil {
			return err
		}
		i.approval(part, owner, a, i.d.Grants[n])
	}
	return nil
}

// settled holds what the approval says of the fleet and its closed epoch, which cannot change, against what the ledger says now.
func (i *inquiry) settled(ctx context.Context, owner string, a *ledger.QueryAnswer) error {
	of := ledger.EpochRef{Fleet: a.Fleet, Epoch: i.q.Epoch}
	fleet, err := i.book.Fleet(ctx, a.Fleet)
	if err != nil {
		return err
	}
	b, err := i.book.Evaluate(ctx, ledger.QueryFacts, ledger.Encode(of))
	if err != nil {
		return err
	}
	facts, err := ledger.Decode[ledger.FactsEntry](ledger.QueryFacts, b, maxFacts)
	if err != nil {
		return err
	}
	anchors, err := i.book.AnchorReference(ctx, of)
	if err != nil {
		return err
	}
	want := ledger.SettledEpoch{Anchors: anchors, Attested: facts.Facts.Attested(), Enrolled: facts.Facts.Enrolled}
	switch {
	case fleet.Owner != owner || fleet.Schema != i.q.Schema:
		i.add("answer of %s: fleet %s is of %s, with schema %s", owner, a.Fleet, fleet.Owner, fleet.Schema)
	case a.Settled == nil || *a.Settled != want || !facts.Final:
		i.add("answer of %s: it is about another state of epoch %d than the ledger has, or the epoch is not closed", owner, i.q.Epoch)
	case want.Anchors.Chunks == 0:
		i.add("answer of %s: the epoch has no anchor to answer from", owner)
	}
	return nil
}

// approval makes an approval again: the grant, its limits and its price, and the policies.
func (i *inquiry) approval(part *ledger.QueryPart, owner string, a *ledger.QueryAnswer, g *ledger.GrantEntry) {
	d, what := &a.Decision, "answer of "+owner
	if i.behind(i.d.Query.Record.TxID, d.TxID) {
		i.add("%s: is in a block before the query's", what)
	}
	if g == nil || a.Settled == nil {
		i.add("%s: the grant %.64q that it names, or the epoch that it is about, is not there", what, d.Grant)
		return
	}
	terms := &g.Grant.Terms
	i.holds(i.Found, record{"grant of " + owner, g.Grant.TxID, owner, ledger.FnGrant, ledger.Grant{Terms: *terms}, ledger.GrantKey(owner, terms.ID), &g.Grant, g.Grant.Time})
	if v := g.Revocation; v != nil {
		i.holds(i.Found, record{"revocation by " + owner, v.TxID, owner, ledger.FnRevoke, ledger.Revoke{Grant: terms.ID, Reason: v.Reason}, ledger.RevokedKey(owner, terms.ID), v, v.Time})
	}
	if terms.ID != d.Grant || part.Grant != d.Grant || g.Grant.Owner != owner || terms.Check() != nil {
		i.add("%s: is under grant %.64q of %s, the query names %q", what, d.Grant, g.Grant.Owner, part.Grant)
		return
	}
	if i.behind(g.Grant.TxID, d.TxID) || g.Revocation != nil && i.behind(d.TxID, g.Revocation.TxID) {
		i.add("%s: is in a block before the grant's, or behind its revocation's", what)
	}
	question, err := i.question(part, owner, a.Settled, d.Time)
	if err != nil {
		i.add("%s: %v", what, err)
		return
	}
	i.limits(what, terms, question, d)
	i.policies(what, owner, terms, question, d)
}

// question is a part as policies and grants look at it, at a time.
func (i *inquiry) question(part *ledger.QueryPart, owner string, settled *ledger.SettledEpoch, at int64) (*policy.Question, error) {
	when := time.Unix(at, 0).UTC()
	epoch, err := i.d.Genesis.EpochAt(when)
	if err != nil {
		return nil, err
	}
	by := ledger.Asker{Attributes: i.d.Query.Record.Attributes, Epoch: epoch, Time: when, Fleet: ledger.Fleet{ID: part.Fleet, Owner: owner, Schema: i.q.Schema}}
	if o, ok := i.d.Genesis.Organisation(i.q.Requester); ok {
		by.Roles = o.Roles
	}
	return i.q.Question(*part, by, settled)
}

// limits holds the question against the grant, with what had been spent before as the approval's own block has it.
func (i *inquiry) limits(what string, terms *policy.Terms, q *policy.Question, d *ledger.Decision) {
	price, err := terms.Cost(q)
	if err != nil || d.Cost != policy.FormatUnits(price) {
		i.add("%s: cost %.64q, the grant's price is %s", what, d.Cost, policy.FormatUnits(price))
		return
	}
	in := i.found[d.TxID]
	if in == nil {
		return // said already
	}
	spent, err := ledger.DecodeRecord[ledger.Spent]("spent", in.Writes[ledger.SpentKey(q.Fleet.Owner, terms.ID)])
	if err != nil {
		i.add("%s: its block spends nothing of the grant", what)
		return
	}
	after := spent.Of(q.Fleet.ID)
	if after.Answers == 0 || after.Units < price || after.Delta < q.Delta {
		i.add("%s: its block spends less of the grant than it costs", what)
		return
	}
	before := policy.Spent{Answers: after.Answers - 1, Units: after.Units - price, Delta: after.Delta - q.Delta}
	if reasons := terms.Limits(q, before); len(reasons) > 0 {
		i.add("%s: the grant does not cover it: %s", what, strings.Join(reasons, "; "))
	}
}

// policies evaluates the texts again that the approval names.
func (i *inquiry) policies(what, owner string, terms *policy.Terms, q *policy.Question, d *ledger.Decision) {
	if n := len(d.Policies); n < 1 || n > 2 || d.Policies[0].String() != terms.Policy {
		i.add("%s: it rests on the policies %v, the grant on %s", what, d.Policies, terms.Policy)
		return
	}
	var ids []string
	approval := ""
	for _, digest := range d.Policies {
		said := i.decide(what, owner, digest, q)
		if said == nil {
			return
		}
		if i.behind(i.d.policy(owner, digest).TxID, d.TxID) {
			i.add("%s: is in a block before that of policy %s", what, digest)
		}
		ids = append(ids, said.Policies...)
		if said.Approval != "" {
			approval = said.Approval
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); !slices.Equal(ids, d.PolicyIDs) || approval != d.Approval {
		i.add("%s: %q decide and leave it to %q, it names %q and %q", what, ids, approval, d.PolicyIDs, d.Approval)
	}
	if approval == policy.Person && d.Automatic {
		i.add("%s: a policy leaves it to a person, and none made it", what)
	}
}

// decide evaluates one text, and gives nil if it does not allow.
func (i *inquiry) decide(what, owner string, digest commit.Digest, q *policy.Question) *policy.Decision {
	p := i.d.policy(owner, digest)
	if p == nil || commit.Digest(sha256.Sum256(p.Text)) != digest {
		i.add("%s: policy %s is not there", what, digest)
		return nil
	}
	i.holds(i.Found, record{"policy of " + owner, p.TxID, owner, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: p.Text}, ledger.PolicyKey(owner, digest), p, p.Time})
	set, err := policy.Parse(p.Text)
	if err != nil {
		i.add("%s: policy %s: %v", what, digest, err)
		return nil
	}
	said := set.Decide(q)
	if !said.Allowed {
		i.add("%s: policy %s does not allow it: %s", what, digest, strings.Join(said.Reasons, "; "))
		return nil
	}
	return &said
}

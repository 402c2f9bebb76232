package evidence

import (
	"bytes"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/verify"
)

// inclusions has the driver verify the blocks and find every transaction that the file names.
func (v *verification) inclusions() {
	if v.options.Blocks == nil || v.options.Blocks.Format() != v.Format {
		v.add(Wrong, "blocks", "are in format %.64q, which cannot be read here", v.Format)
		return
	}
	blocks := make(map[uint64][]byte, len(v.Evidence.Blocks))
	for _, b := range v.Evidence.Blocks {
		blocks[b.Height] = b.Data
	}
	wanted := make([]ledger.Located, len(v.Transactions))
	for i, t := range v.Transactions {
		wanted[i] = ledger.Located(t)
	}
	found, err := v.options.Blocks.Inclusions(blocks, wanted)
	if err != nil {
		v.add(Wrong, "blocks", "%v", err)
		return
	}
	var assumed []string
	holding := map[uint64]bool{} // what else is in the file is looked at only as far as these rest on it
	for i, f := range found {
		v.found[wanted[i].TxID], holding[f.Height] = f, true
		assumed = f.Assumed
	}
	v.add(Shown, "blocks", "%d transactions are in %d blocks that were sealed and endorsed as the consortium's genesis asks for", len(found), len(holding))
	for _, text := range assumed {
		v.add(Assumed, "blocks", "%s", text)
	}
}

// record is one that the file has, and what recorded it.
type record struct {
	subject, txID    string
	caller, function string
	args             any
	key              string
	value            any
	time             int64
}

// records holds every record against the block that recorded it.
func (v *verification) records() {
	q, id := &v.Evidence.Request, v.Evidence.Request.ID
	owner := q.Request.Owner
	list := []record{{
		"request", q.Request.TxID, q.Request.Requester, ledger.FnRequest, ledger.Ask{Statement: q.Request.Statement}, ledger.RequestKey(id), &q.Request, q.Request.Time,
	}}
	if g := v.Grant; g != nil {
		list = append(list, record{"grant", g.TxID, g.Owner, ledger.FnGrant, ledger.Grant{Terms: g.Terms}, ledger.GrantKey(g.Owner, g.Terms.ID), g, g.Time})
		if r := v.Revocation; r != nil {
			list = append(list, record{
				"revocation", r.TxID, g.Owner, ledger.FnRevoke, ledger.Revoke{Grant: g.Terms.ID, Reason: r.Reason}, ledger.RevokedKey(g.Owner, g.Terms.ID), r, r.Time,
			})
		}
	}
	for i := range v.Policies {
		p := &v.Policies[i]
		list = append(list, record{"policy", p.TxID, p.Owner, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: p.Text}, ledger.PolicyKey(p.Owner, p.Digest), p, p.Time})
	}
	if d := q.Decision; d != nil {
		list = append(list, record{"decision", d.TxID, owner, ledger.FnDecide, ledger.Decide{Request: id, Approve: d.Approved, Reasons: d.Reasons, Automatic: d.Automatic}, ledger.DecisionKey(id), d, d.Time})
	}
	if w := q.Withdrawal; w != nil {
		list = append(list, record{"withdrawal", w.TxID, q.Request.Requester, ledger.FnWithdraw, ledger.RequestRef{Request: id}, ledger.WithdrawalKey(id), w, w.Time})
	}
	if p := q.Proving; p != nil {
		list = append(list, record{"proving", p.TxID, owner, ledger.FnStartProof, ledger.RequestRef{Request: id}, ledger.ProvingKey(id), p, p.Time})
	}
	if f := q.Failure; f != nil {
		list = append(list, record{"failure", f.TxID, owner, ledger.FnFail, ledger.Fail{Request: id, Reasons: f.Reasons}, ledger.FailureKey(id), f, f.Time})
	}
	if p := q.Verdict; p != nil {
		list = append(list, record{"proof", p.TxID, owner, ledger.FnSubmitProof, ledger.SubmitProof{Request: id, Bundle: v.Bundle}, ledger.VerdictKey(id), p, p.Time})
	}
	for i := range list {
		v.record(&list[i])
	}
	v.anchors()
}

// record wants the call with its arguments by whose business it is, and what the endorsers signed that the state became.
func (v *verification) record(r *record) {
	f := v.found[r.txID]
	switch {
	case f == nil:
		v.add(Wrong, r.subject, "no block in the evidence holds transaction %.64s, which it names", r.txID)
	case f.Call.Function != r.function:
		v.add(Wrong, r.subject, "transaction %s called %.64s, not %s", r.txID, f.Call.Function, r.function)
	case f.Organisation != r.caller:
		v.add(Wrong, r.subject, "transaction %s is by %s, not by %.64s", r.txID, f.Organisation, r.caller)
	case !bytes.Equal(f.Call.Args, ledger.Encode(r.args)):
		v.add(Wrong, r.subject, "transaction %s was called with other arguments", r.txID)
	case !bytes.Equal(f.Writes[r.key], ledger.Encode(r.value)):
		v.add(Wrong, r.subject, "the record is not the one that the endorsers of transaction %s signed", r.txID)
	case f.Time.Unix() != r.time:
		v.add(Wrong, r.subject, "transaction %s is of %s, the record of %s", r.txID, stamp(f.Time.Unix()), stamp(r.time))
	default:
		v.add(Shown, r.subject, "in block %d, by %s at %s, endorsed by %s", f.Height, f.Organisation, stamp(r.time), strings.Join(f.Endorsers, " and "))
	}
}

// anchors holds the facts against the blocks of the anchors.
func (v *verification) anchors() {
	if v.Facts == nil {
		return
	}
	ids := anchored(v.Facts)
	missing := 0
	for _, id := range ids {
		if v.found[id] == nil {
			missing++
		}
	}
	if missing > 0 {
		v.add(Assumed, "facts", "the commitments of %d chunks: the blocks of %d of their anchors are not in the evidence, they are the word of who exported it and, with the verdict, of its endorsers",
			len(ids), missing)
	}
	shown, other := 0, []*verify.ChunkFacts{}
	for i := range v.Facts.Chunks {
		c := &v.Facts.Chunks[i]
		f := v.found[c.TxID]
		switch {
		case !c.Anchored || f == nil:
		case v.anchor(c, f):
			shown++
		default:
			other = append(other, c)
		}
	}
	if len(other) > 0 {
		v.add(Wrong, "facts", "those of %d chunks, first chunk %d, are not what their transactions anchored", len(other), other[0].Index)
	}
	if shown > 0 {
		v.add(Shown, "facts", "%d chunks are as their anchors have them in the blocks", shown)
	}
}

func (v *verification) anchor(c *verify.ChunkFacts, f *ledger.Inclusion) bool {
	value := f.Writes[ledger.AnchorKey(v.Facts.Fleet, v.Facts.Epoch, c.Index)]
	if f.Call.Function != ledger.FnAnchor || f.Organisation != v.Facts.Owner || value == nil || len(value) > ledger.MaxAnchor || f.Height != c.Height {
		return false
	}
	a, err := ledger.DecodeRecord[ledger.Anchor]("anchor", value)
	if err != nil || a.TxID != c.TxID || a.Attested != c.Attested || a.Enrolled != c.Enrolled || a.Root != c.Root || !bytes.Equal(a.Commitment, c.Commitment) {
		return false
	}
	for i, class := range ledger.Classes {
		if a.Classes[i] != c.Classes[class] {
			return false
		}
	}
	return true
}

// order wants everything to have come before what rests on it. Within a block it is not known here.
func (v *verification) order() {
	r := &v.Evidence.Request
	at := func(txID string) (uint64, bool) {
		f := v.found[txID]
		if f == nil {
			return 0, false
		}
		return f.Height, true
	}
	before := func(what, first, then, second string) {
		a, known := at(first)
		b, both := at(second)
		if known && both && a > b {
			v.add(Wrong, "order", "%s is in block %d, behind %s in block %d", what, a, then, b)
		}
	}
	end := ""
	if r.Verdict != nil {
		end = r.Verdict.TxID
	}
	if r.Failure != nil {
		end = r.Failure.TxID
	}
	if p := r.Proving; p != nil {
		before("the start of the proof", p.TxID, "the end", end)
		if r.Decision != nil {
			before("the decision", r.Decision.TxID, "the start of the proof", p.TxID)
		}
	}
	if d := r.Decision; d != nil {
		before("the request", r.Request.TxID, "the decision", d.TxID)
		before("the decision", d.TxID, "the end", end)
		if d.Approved && v.Grant != nil {
			before("the grant", v.Grant.TxID, "the request", r.Request.TxID)
		}
		for i := range v.Policies {
			before("a policy", v.Policies[i].TxID, "the decision", d.TxID)
		}
		if v.Revocation != nil && d.Approved {
			before("the decision", d.TxID, "the grant's revocation", v.Revocation.TxID)
		}
	}
	if v.Revocation != nil && r.Verdict != nil {
		before("the proof", r.Verdict.TxID, "the grant's revocation", v.Revocation.TxID)
	}
}

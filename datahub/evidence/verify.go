package evidence

import (
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// Options of Verify.
type Options struct {
	// Blocks reads the ledger's blocks. It is made with the evidence's genesis, or better with one from elsewhere.
	Blocks Blocks
	// Ledger is the id that the evidence must be of; zero takes any, and the report says so.
	Ledger commit.Digest
}

// Verify makes every check that the package's manual names, and does not stop at the first fault. Evidence that names no exporter, as it was collected, needs no signature.
func Verify(e *Evidence, o Options) *Report {
	v := &verification{Evidence: e, options: o, found: map[string]*ledger.Inclusion{}, Report: &Report{
		Ledger: e.Ledger, Request: e.Request.ID, Status: e.Request.Status, ExportedBy: e.ExportedBy, ExportedAt: e.ExportedAt, Sound: true, Lines: []Line{},
	}}
	if err := e.check(); err != nil {
		v.add(Wrong, "file", "%v", err)
		return v.Report
	}
	v.ledger()
	if !v.request() {
		return v.Report
	}
	v.inclusions()
	v.records()
	v.status()
	v.order()
	v.decision()
	v.proof()
	return v.Report
}

// verification is evidence being verified.
type verification struct {
	*Evidence
	*Report
	options Options
	asked   *statement.Statement
	// found are the transactions in the blocks, by id.
	found map[string]*ledger.Inclusion
	// approved is the question as it was when it was approved.
	approved *policy.Question
}

func (v *verification) ledger() {
	switch {
	case v.options.Ledger.IsZero():
		v.add(Assumed, "ledger", "that %s is the consortium's ledger: compare it with an id that you have from elsewhere", v.Evidence.Ledger)
	case v.options.Ledger != v.Evidence.Ledger:
		v.add(Wrong, "ledger", "the evidence is of ledger %s, not of %s", v.Evidence.Ledger, v.options.Ledger)
	default:
		v.add(Shown, "ledger", "the evidence is of ledger %s, %s", v.Evidence.Ledger, v.Genesis.Name)
	}
	if v.Evidence.ExportedBy != "" {
		v.exporter()
	}
}

// exporter says who answers for the file, and for what nothing in it shows.
func (v *verification) exporter() {
	by := v.Evidence.ExportedBy
	if err := v.checkSignature(); err != nil {
		v.add(Wrong, "file", "%v", err)
		return
	}
	role := "which is no regulator"
	if v.Genesis.HasRole(by, ledger.RoleRegulator) {
		role = "a regulator"
	}
	v.add(Shown, "file", "signed by %s, %s", by, role)
	stands := "that nothing else concerns it, such as a revocation of the grant or a regulator's alert"
	if !final(v.Evidence.Request.Status) {
		stands = fmt.Sprintf("that it is %s and nothing followed, an answer for one", v.Evidence.Request.Status)
	}
	v.add(Assumed, "request", "%s: %s says so, who says to have seen the ledger up to block %d, %s", stands, by, v.Height, v.BlockHash)
}

// final reports whether the blocks that show where a request stands show that it stands there for ever.
func final(s ledger.Status) bool {
	return s == ledger.StatusVerified || s == ledger.StatusRefused || s == ledger.StatusWithdrawn || s == ledger.StatusFailed
}

// request holds the request's record against its statement. Without that nothing else can be looked at.
func (v *verification) request() bool {
	r := &v.Evidence.Request
	s, err := statement.Parse(r.Request.Statement)
	if err != nil {
		v.add(Wrong, "request", "%v", err)
		return false
	}
	v.asked = s
	q := &r.Request
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"id", r.ID, commit.Digest(s.Digest(v.Evidence.Ledger))}, {"requester", q.Requester, s.Requester}, {"fleet", q.Fleet, s.Fleet}, {"epoch", q.Epoch, s.Epoch},
		{"expiry", q.Expiry, s.Expiry.Unix()},
	} {
		if c.got != c.want {
			v.add(Wrong, "request", "its %s is %v, its statement's is %v", c.what, c.got, c.want)
		}
	}
	return true
}

// status holds where the request is said to stand against what followed. Expired, open and approved differ by a time alone, which is the exporter's.
func (v *verification) status() {
	r := &v.Evidence.Request
	want := r.Status
	switch {
	case r.Verdict != nil:
		want = ledger.StatusVerified
	case r.Withdrawal != nil:
		want = ledger.StatusWithdrawn
	case r.Decision != nil && !r.Decision.Approved:
		want = ledger.StatusRefused
	case r.Failure != nil:
		want = ledger.StatusFailed
	case r.Status == ledger.StatusExpired:
	case r.Proving != nil:
		want = ledger.StatusProving
	case r.Decision != nil:
		want = ledger.StatusApproved
	default:
		want = ledger.StatusOpen
	}
	if r.Status != want {
		v.add(Wrong, "request", "it is said to be %s, and is %s", r.Status, want)
	}
	if at := v.Evidence.ExportedAt + v.Genesis.ClockSkewSeconds; r.Status == ledger.StatusExpired && v.Evidence.ExportedBy != "" && at < r.Request.Expiry {
		v.add(Wrong, "request", "it is said to be expired at %s, and expires at %s", stamp(v.Evidence.ExportedAt), stamp(r.Request.Expiry))
	}
	if done := r.Verdict; done != nil && done.Time >= r.Request.Expiry {
		v.add(Wrong, "proof", "was recorded at %s, after the request had expired", stamp(done.Time))
	}
}

// question is the statement as policies and grants look at it, at a time.
func (v *verification) question(at int64) (*policy.Question, error) {
	q := &v.Evidence.Request.Request
	when := time.Unix(at, 0).UTC()
	epoch, err := v.Genesis.EpochAt(when)
	if err != nil {
		return nil, err
	}
	by := ledger.Asker{
		Attributes: q.Attributes, Epoch: epoch, Time: when, Fleet: ledger.Fleet{ID: q.Fleet, Owner: q.Owner, Schema: v.asked.Schema},
	}
	o, ok := v.Genesis.Organisation(q.Requester)
	if !ok {
		return nil, fmt.Errorf("%.64q is not an organisation of the ledger", q.Requester)
	}
	by.Roles = o.Roles
	return ledger.QuestionOf(v.asked, by)
}

func stamp(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

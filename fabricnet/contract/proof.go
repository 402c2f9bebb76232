package contract

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// submitProof verifies the answer to an approved request and records the verdict. Keys and facts are the ledger's; of the caller's there is the bundle alone. A
// proof that does not verify is refused and leaves no trace, one that verifies is recorded whether the claims hold or not, if the grant still allows it and the verdict shows no
// smaller cohort than the grant does.
func submitProof(r *run, a *ledger.SubmitProof) (*ledger.ProofVerdict, error) {
	q, d, err := r.approvedRequest(a.Request)
	if err != nil {
		return nil, err
	}
	if err := r.checkAnswers(a); err != nil {
		return nil, err
	}
	j, err := r.answerable(a.Request, q, d)
	if err != nil {
		return nil, err
	}
	answered, err := r.answered(a.Request, q)
	if err != nil {
		return nil, err
	}
	if !answered.Started {
		return nil, ledger.Refuse(ledger.Conflict, "nobody said that a proof of request %s was begun", a.Request)
	}
	facts, err := r.finalFacts(q)
	if err != nil {
		return nil, err
	}
	verdict, err := r.verify(a.Bundle, facts)
	if err != nil {
		return nil, err
	}
	if err := r.release(j, verdict); err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(verdict)
	if err != nil {
		return nil, fmt.Errorf("encoding verdict: %w", err)
	}
	v := &ledger.ProofVerdict{Bundle: sha256.Sum256(a.Bundle), Holds: verdict.Holds(), Verdict: encoded, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.VerdictKey(a.Request), v); err != nil {
		return nil, err
	}
	if err := r.closeEpoch(q); err != nil {
		return nil, err
	}
	r.event(ledger.EventVerified, ledger.EventPayload{
		Fleet: q.Fleet, Owner: q.Owner, Requester: q.Requester, Epoch: &q.Epoch, Request: &a.Request, Holds: &v.Holds, Grant: d.Grant,
	})
	return v, nil
}

// answerable judges an approved request again, as things are now.
func (r *run) answerable(id commit.Digest, q *ledger.Request, d *ledger.Decision) (*judgement, error) {
	j, err := r.judge(id, q, d)
	if err != nil {
		return nil, err
	}
	if !j.Allowed {
		return nil, j.refusal()
	}
	return j, nil
}

// release holds the verdict against the grant and the other answers, and notes what it shows of the cohort.
func (r *run) release(j *judgement, verdict *verify.Verdict) error {
	shown, err := ledger.ShownBy(verdict)
	if err != nil {
		return err
	}
	if err := j.weigh(&shown); err != nil {
		return err
	}
	if !j.Allowed {
		return j.refusal()
	}
	answered := j.record()
	answered.Started, answered.Verified = true, true
	return put(r.state, ledger.AnsweredKey(j.fleet, j.epoch, j.id), answered)
}

// checkAnswers compares what the bundle is about with what was asked, before the expensive part.
func (r *run) checkAnswers(a *ledger.SubmitProof) error {
	if len(a.Bundle) > ledger.MaxBundle {
		return ledger.Refuse(ledger.Invalid, "bundle: has %d bytes, at most %d", len(a.Bundle), ledger.MaxBundle)
	}
	s, err := verify.BundleStatement(a.Bundle)
	if err != nil {
		return ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if got := commit.Digest(s.Digest(r.tx.Ledger)); got != a.Request {
		return ledger.Refuse(ledger.Invalid, "the bundle answers %s, not request %s", got, a.Request)
	}
	return nil
}

// finalFacts refuses as long as an anchor may come in: a verdict given earlier would be about other facts than an offline verifier's, and the owner could choose which.
func (r *run) finalFacts(q *ledger.Request) (*verify.Facts, error) {
	f, err := fleet(r.state, q.Fleet)
	if err != nil {
		return nil, err
	}
	entry, err := r.facts(f, q.Epoch)
	if err != nil {
		return nil, err
	}
	if !entry.Final {
		return nil, r.tooEarly(q.Fleet, q.Epoch)
	}
	return &entry.Facts, nil
}

// closeEpoch settles the epoch's anchors with the first verdict about them.
func (r *run) closeEpoch(q *ledger.Request) error {
	key := ledger.ClosingKey(q.Fleet, q.Epoch)
	closed, err := exists(r.state, key)
	if err != nil || closed {
		return err
	}
	return put(r.state, key, ledger.Closing{Time: r.now, TxID: r.tx.ID})
}

func (r *run) verify(bundle []byte, facts *verify.Facts) (*verify.Verdict, error) {
	published, err := publishedKeys(r.state)
	if err != nil {
		return nil, err
	}
	keys, err := r.env.Keyrings.keyring(published)
	if err != nil {
		return nil, err
	}
	verdict, err := verify.VerifyBundle(bundle, facts, keys)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	for _, k := range verdict.Keys {
		if err := checkActive(k.CircuitID, k.Status); err != nil {
			return nil, err
		}
	}
	return verdict, nil
}

package audit

import (
	"errors"
	"fmt"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// publish runs the pinning of a key again. For the SRS's key that takes the SRS, which the audit has from then on; but only once the contract was shown to agree to the key.
func (r *replayer) publish(b *block, t *transaction, c *call, want *outcome, v *view) error {
	env := *r.env
	srs, k, missing := r.srsFor(c)
	if srs != nil {
		env.SRS = srs
	}
	var err error
	if missing != nil {
		r.fail(b, t, SRS, "the SRS that is pinned here is not to be had, and no anchor is re-checked: %v", missing)
		v.out.result, err = r.publishForm(c, k, v)
	} else {
		v.out.result, err = execute(&env, c.tx, v, ledger.Call{Function: c.function, Args: c.args})
	}
	if r.compare(b, t, c, want, v.out, err) {
		r.report.Counts.Calls[c.function]++
		r.env.SRS = env.SRS
	}
	return nil
}

// srsFor gets the SRS that a call pins. Both are nil if it pins none, or none that has a form.
func (r *replayer) srsFor(c *call) (srs *commit.SRS, k *verify.PublishedKey, missing error) {
	k, err := ledger.Decode[verify.PublishedKey]("key", c.args, ledger.MaxArgs)
	if err != nil || k.CircuitID != verify.SRSKey || verify.CheckKey(*k) != nil || r.env.SRS != nil {
		return nil, nil, nil // what is wrong with it is for the contract to say
	}
	digest := commit.Digest(k.Key[:len(commit.Digest{})])
	if r.SRS == nil {
		return nil, k, fmt.Errorf("its digest is %s: the auditor has none", digest)
	}
	if srs, err = r.SRS(digest); err != nil {
		return nil, k, fmt.Errorf("its digest is %s: %w", digest, err)
	}
	return srs, k, nil
}

// publishForm writes what the contract would if the SRS were at hand and had this key. A refusal for another reason is a refusal here too.
func (r *replayer) publishForm(c *call, k *verify.PublishedKey, v *view) ([]byte, error) {
	if _, err := execute(&contract.Environment{}, c.tx, v, ledger.Call{Function: c.function, Args: c.args}); ledger.CodeOf(err) != "" {
		return nil, err
	}
	key := ledger.PublishedKeyKey(k.CircuitID)
	if there, err := v.Get(key); err != nil || there != nil {
		return nil, errors.Join(err, errors.New("a key is pinned already"))
	}
	result := ledger.Encode(k)
	v.Event(ledger.EventKeyPublished, ledger.Encode(ledger.EventPayload{Organisation: c.tx.Caller.Org, CircuitID: k.CircuitID, Digest: &k.Digest}))
	return result, v.Put(key, result)
}

package contract

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// publishPolicy puts a policy text of the caller's in force. Every text stays on the ledger under its digest; one that was published before is put in force again.
func publishPolicy(r *run, a *ledger.PublishPolicy) (*ledger.PolicyRecord, error) {
	set, err := policy.Parse(a.Text)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "policy: %v", err)
	}
	digest := commit.Digest(set.Digest())
	head, err := get[ledger.PolicyHead](r.state, ledger.PolicyHeadKey(r.caller()))
	if err != nil {
		return nil, err
	}
	version := uint64(1)
	if head != nil {
		if head.Digest == digest {
			return nil, ledger.Refuse(ledger.Conflict, "policy %s of %s is in force", digest, r.caller())
		}
		version = head.Version + 1
	}
	p := &ledger.PolicyRecord{Owner: r.caller(), Digest: digest, Text: a.Text, Version: version, Time: r.now, TxID: r.tx.ID}
	if err := r.keepPolicy(p); err != nil {
		return nil, err
	}
	if err := put(r.state, ledger.PolicyHeadKey(r.caller()), ledger.PolicyHead{Digest: digest, Version: version, Time: r.now, TxID: r.tx.ID}); err != nil {
		return nil, err
	}
	r.event(ledger.EventPolicyPublished, ledger.EventPayload{Owner: r.caller(), Digest: &digest})
	return p, nil
}

// keepPolicy writes a text that is new. When a text was first published is part of what its grants rest on.
func (r *run) keepPolicy(p *ledger.PolicyRecord) error {
	key := ledger.PolicyKey(p.Owner, p.Digest)
	kept, err := exists(r.state, key)
	if err != nil || kept {
		return err
	}
	return put(r.state, key, p)
}

// policyOf reads a text that an owner published, or nil.
func (r *run) policyOf(owner string, digest commit.Digest) (*ledger.PolicyRecord, error) {
	p, err := get[ledger.PolicyRecord](r.state, ledger.PolicyKey(owner, digest))
	if err == nil && p != nil && commit.Digest(sha256.Sum256(p.Text)) != digest {
		return nil, fmt.Errorf("state of policy %s of %s holds another text", digest, owner)
	}
	return p, err
}

// inForce reads the digest of the text that an owner published last, or nil.
func (r *run) inForce(owner string) (*ledger.PolicyHead, error) {
	return get[ledger.PolicyHead](r.state, ledger.PolicyHeadKey(owner))
}

// maxPolicySets is how many texts a PolicyCache keeps: as many as a busy ledger has in use, in some hundred megabytes if all are of the largest.
const maxPolicySets = 256

// PolicyCache keeps policy texts parsed between calls. What it gives depends on the text alone. A nil one parses them every time.
type PolicyCache struct {
	mu   sync.Mutex
	sets map[commit.Digest]*policy.Set
}

func (c *PolicyCache) parse(p *ledger.PolicyRecord) (*policy.Set, error) {
	if c == nil {
		return policy.Parse(p.Text)
	}
	c.mu.Lock()
	set := c.sets[p.Digest]
	c.mu.Unlock()
	if set != nil {
		return set, nil
	}
	set, err := policy.Parse(p.Text)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sets == nil || len(c.sets) >= maxPolicySets {
		c.sets = map[commit.Digest]*policy.Set{}
	}
	c.sets[p.Digest] = set
	return set, nil
}

// queryPolicies lists an owner's texts without them.
func queryPolicies(r *run, a *ledger.PoliciesOf) ([]ledger.PolicyEntry, error) {
	if err := r.checkOrganisation(a.Owner); err != nil {
		return nil, err
	}
	head, err := r.inForce(a.Owner)
	if err != nil {
		return nil, err
	}
	out := []ledger.PolicyEntry{}
	err = scan(r.state, ledger.PolicyPrefix(a.Owner), func(_ string, p *ledger.PolicyRecord) error {
		out = append(out, ledger.PolicyEntry{Digest: p.Digest, Version: p.Version, Time: p.Time, TxID: p.TxID, InForce: head != nil && head.Digest == p.Digest})
		return nil
	})
	return out, err
}

// queryPolicy gives the text in force as of when it was put in force last, any other as of when it was first published.
func queryPolicy(r *run, a *ledger.PolicyRef) (*ledger.PolicyRecord, error) {
	if err := r.checkOrganisation(a.Owner); err != nil {
		return nil, err
	}
	var head *ledger.PolicyHead
	if a.Digest == nil {
		var err error
		if head, err = r.inForce(a.Owner); err != nil {
			return nil, err
		}
		if head == nil {
			return nil, ledger.Refuse(ledger.NotFound, "%s has published no policy", a.Owner)
		}
		a.Digest = &head.Digest
	}
	p, err := r.policyOf(a.Owner, *a.Digest)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, ledger.Refuse(ledger.NotFound, "%s has published no policy %s", a.Owner, a.Digest)
	}
	if head != nil {
		p.Version, p.Time, p.TxID = head.Version, head.Time, head.TxID
	}
	return p, nil
}

// checkOrganisation wants an organisation of the ledger, whose id may be part of a key.
func (r *run) checkOrganisation(id string) error {
	if _, ok := r.tx.Genesis.Organisation(id); !ok {
		return ledger.Refuse(ledger.NotFound, "%.80q is not an organisation of this ledger", id)
	}
	return nil
}

package contract

import (
	"strings"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// grant records an owner's permission, once and for ever under its id. It rests on a policy text that the owner itself published.
func grant(r *run, a *ledger.Grant) (*ledger.GrantRecord, error) {
	t := &a.Terms
	if err := t.Check(); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if err := ledger.CheckID("terms: id", t.ID); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if err := r.checkGrantable(t); err != nil {
		return nil, err
	}
	key := ledger.GrantKey(r.caller(), t.ID)
	taken, err := exists(r.state, key)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, ledger.Refuse(ledger.Conflict, "grant %s of %s exists", t.ID, r.caller())
	}
	g := &ledger.GrantRecord{Owner: r.caller(), Terms: *t, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, key, g); err != nil {
		return nil, err
	}
	r.event(ledger.EventGranted, ledger.EventPayload{Owner: r.caller(), Requester: t.Grantee, Grant: t.ID})
	return g, nil
}

// checkGrantable wants a grantee that may ask, fleets of the caller's, a policy of the caller's, and a time that is not over.
func (r *run) checkGrantable(t *policy.Terms) error {
	g := r.tx.Genesis
	if err := r.checkOrganisation(t.Grantee); err != nil {
		return err
	}
	if !g.HasRole(t.Grantee, ledger.RoleFinancier) && !g.HasRole(t.Grantee, ledger.RoleRegulator) {
		return ledger.Refuse(ledger.Invalid, "grantee %s is neither a financier nor a regulator, and cannot ask", t.Grantee)
	}
	for _, id := range t.Fleets {
		if _, err := r.ownFleet(id); err != nil {
			return err
		}
	}
	if r.now > t.NotAfter {
		return ledger.Refuse(ledger.Expired, "the grant would have ended at %s", stamp(t.NotAfter))
	}
	var digest commit.Digest
	if err := digest.UnmarshalText([]byte(t.Policy)); err != nil {
		return ledger.Refuse(ledger.Invalid, "terms: policy: %v", err)
	}
	p, err := r.policyOf(r.caller(), digest)
	if err == nil && p == nil {
		return ledger.Refuse(ledger.NotFound, "%s has published no policy %s", r.caller(), digest)
	}
	return err
}

func stamp(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// revoke ends a grant. Approvals and proofs read the key that it writes, so whatever was endorsed before and is not recorded yet is void.
func revoke(r *run, a *ledger.Revoke) (*ledger.Revocation, error) {
	if err := ledger.CheckText("reason", a.Reason, ledger.MaxReason, true); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	g, err := r.grantOf(r.caller(), a.Grant)
	if err != nil {
		return nil, err
	}
	key := ledger.RevokedKey(g.Owner, g.Terms.ID)
	revoked, err := exists(r.state, key)
	if err != nil {
		return nil, err
	}
	if revoked {
		return nil, ledger.Refuse(ledger.Conflict, "grant %s of %s is revoked", g.Terms.ID, g.Owner)
	}
	v := &ledger.Revocation{Reason: a.Reason, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, key, v); err != nil {
		return nil, err
	}
	r.event(ledger.EventRevoked, ledger.EventPayload{Owner: g.Owner, Requester: g.Terms.Grantee, Grant: g.Terms.ID})
	return v, nil
}

// grantOf reads a grant that must exist.
func (r *run) grantOf(owner, id string) (*ledger.GrantRecord, error) {
	if err := r.checkOrganisation(owner); err != nil {
		return nil, err
	}
	if err := ledger.CheckID("grant", id); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	g, err := get[ledger.GrantRecord](r.state, ledger.GrantKey(owner, id))
	if err == nil && g == nil {
		return nil, ledger.Refuse(ledger.NotFound, "%s has made no grant %s", owner, id)
	}
	return g, err
}

func queryGrant(r *run, a *ledger.GrantRef) (*ledger.GrantEntry, error) {
	g, err := r.grantOf(a.Owner, a.Grant)
	if err != nil {
		return nil, err
	}
	return r.grantEntry(g)
}

// grantEntry adds to a grant what became of it.
func (r *run) grantEntry(g *ledger.GrantRecord) (*ledger.GrantEntry, error) {
	e := &ledger.GrantEntry{Grant: *g}
	var err error
	if e.Revocation, err = get[ledger.Revocation](r.state, ledger.RevokedKey(g.Owner, g.Terms.ID)); err != nil {
		return nil, err
	}
	spent, err := get[ledger.Spent](r.state, ledger.SpentKey(g.Owner, g.Terms.ID))
	if err != nil {
		return nil, err
	}
	if spent != nil {
		e.Spent = *spent
	}
	e.Status = g.StatusAt(r.now, e.Revocation != nil, e.Spent)
	return e, nil
}

// queryGrants pages through the grants of an owner, or of all.
func queryGrants(r *run, a *ledger.GrantsQuery) (*ledger.GrantsPage, error) {
	p, err := newPage(a.Limit)
	if err != nil {
		return nil, err
	}
	if owner, id, _ := strings.Cut(a.After, "/"); a.After != "" && (ledger.CheckID("after", owner) != nil || ledger.CheckID("after", id) != nil) {
		return nil, ledger.Refuse(ledger.Invalid, "after: %.80q is no position among grants", a.After)
	}
	prefix := ledger.GrantPrefix
	if a.Owner != "" {
		if err := r.checkOrganisation(a.Owner); err != nil {
			return nil, err
		}
		prefix += a.Owner + "/"
	}
	out := &ledger.GrantsPage{Entries: []ledger.GrantEntry{}}
	out.Next, err = pageOf(r, p, prefix, ledger.GrantPrefix, a.After, func(_ string, g *ledger.GrantRecord) (bool, error) {
		if a.Grantee != "" && g.Terms.Grantee != a.Grantee {
			return false, nil
		}
		e, err := r.grantEntry(g)
		if err == nil {
			out.Entries = append(out.Entries, *e)
		}
		return true, err
	})
	return out, err
}

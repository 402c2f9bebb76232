package contract

import (
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// request records a statement that the caller asks a fleet's owner to prove. Its id is the statement's digest on this ledger, which
// every proof of it is bound to. Who asks must have the grant that the statement names, or anybody could fill the ledger with requests that an owner has to refuse. Whether it
// covers the request, and whether it is revoked or used up, is looked at when the request is to be approved: what was asked in vain stays on the ledger too.
func request(r *run, a *ledger.Ask) (*ledger.Request, error) {
	s, err := parseStatement(a.Statement)
	if err != nil {
		return nil, err
	}
	if err := r.checkAsker(s); err != nil {
		return nil, err
	}
	f, err := fleet(r.state, s.Fleet)
	if err != nil {
		return nil, err
	}
	if err := r.checkAskable(s, f); err != nil {
		return nil, err
	}
	if err := r.checkGranted(s.Grant, f); err != nil {
		return nil, err
	}
	id := commit.Digest(s.Digest(r.tx.Ledger))
	if err := r.checkUnused(s.Requester, s.Nonce, ledger.RequestKey(id)); err != nil {
		return nil, err
	}
	q := &ledger.Request{
		Statement: a.Statement, Requester: s.Requester, Owner: f.Owner, Fleet: f.ID, Epoch: s.Epoch,
		Expiry: s.Expiry.Unix(), Attributes: r.tx.Caller.Attributes, Time: r.now, TxID: r.tx.ID,
	}
	if err := put(r.state, ledger.RequestKey(id), q); err != nil {
		return nil, err
	}
	if err := put(r.state, ledger.NonceKey(s.Requester, s.Nonce), ledger.NonceUse{Request: id.String()}); err != nil {
		return nil, err
	}
	if err := put(r.state, ledger.AskedKey(f.ID, s.Epoch, id), ledger.Asked{Requester: s.Requester}); err != nil {
		return nil, err
	}
	r.event(ledger.EventRequested, ledger.EventPayload{Fleet: f.ID, Owner: f.Owner, Requester: s.Requester, Epoch: &s.Epoch, Request: &id, Grant: s.Grant})
	return q, nil
}

// checkUnused refuses a nonce that the requester used, and what is there already.
func (r *run) checkUnused(requester, nonce, key string) error {
	for _, key := range []string{key, ledger.NonceKey(requester, nonce)} {
		used, err := exists(r.state, key)
		if err != nil {
			return err
		}
		if used {
			return ledger.Refuse(ledger.Conflict, "nonce %s was used by %s", nonce, requester)
		}
	}
	return nil
}

func parseStatement(b []byte) (*statement.Statement, error) {
	s, err := statement.Parse(b)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	return s, nil
}

// checkAsker lets nobody ask in another's name.
func (r *run) checkAsker(s *statement.Statement) error {
	g := r.tx.Genesis
	if !g.HasRole(r.caller(), ledger.RoleFinancier) && !g.HasRole(r.caller(), ledger.RoleRegulator) {
		return ledger.Refuse(ledger.Forbidden, "%s is neither a financier nor a regulator", r.caller())
	}
	if s.Requester != r.caller() {
		return ledger.Refuse(ledger.Forbidden, "the statement's requester is %q, the caller is %s", s.Requester, r.caller())
	}
	return nil
}

func (r *run) checkAskable(s *statement.Statement, f *ledger.Fleet) error {
	switch {
	case s.Schema != f.Schema:
		return ledger.Refuse(ledger.Invalid, "fleet %s has schema %s, the statement has %s", f.ID, f.Schema, s.Schema)
	case s.Epoch >= r.epoch:
		return ledger.Refuse(ledger.Invalid, "epoch %d is not over: it is epoch %d", s.Epoch, r.epoch)
	case r.now >= s.Expiry.Unix():
		return ledger.Refuse(ledger.Expired, "the statement expired at %s", stamp(s.Expiry.Unix()))
	}
	return nil
}

// checkGranted wants a grant by the fleet's owner to the caller.
func (r *run) checkGranted(grant string, f *ledger.Fleet) error {
	if grant == "" {
		return ledger.Refuse(ledger.Invalid, "the statement names no grant")
	}
	g, err := r.grantOf(f.Owner, grant)
	if err != nil {
		return err
	}
	if g.Terms.Grantee != r.caller() {
		return ledger.Refuse(ledger.Forbidden, "grant %s of %s is %s's, not %s's", grant, f.Owner, g.Terms.Grantee, r.caller())
	}
	return nil
}

// openRequest reads a request on which something may still be done: it exists, has not expired, is not withdrawn, and has neither verdict nor failure.
func (r *run) openRequest(id commit.Digest) (*ledger.Request, error) {
	q, err := requestOf(r.state, id)
	if err != nil {
		return nil, err
	}
	if r.now >= q.Expiry {
		return nil, ledger.Refuse(ledger.Expired, "request %s expired at %s", id, stamp(q.Expiry))
	}
	for _, done := range []struct{ what, key string }{
		{"is withdrawn", ledger.WithdrawalKey(id)},
		{"is verified", ledger.VerdictKey(id)},
		{"has failed", ledger.FailureKey(id)},
	} {
		is, err := exists(r.state, done.key)
		if err != nil {
			return nil, err
		}
		if is {
			return nil, ledger.Refuse(ledger.Conflict, "request %s %s", id, done.what)
		}
	}
	return q, nil
}

// ownRequest reads an open request about a fleet of the caller's.
func (r *run) ownRequest(id commit.Digest) (*ledger.Request, error) {
	q, err := r.openRequest(id)
	if err != nil {
		return nil, err
	}
	if q.Owner != r.caller() {
		return nil, ledger.Refuse(ledger.Forbidden, "request %s is about a fleet of %s, not of %s", id, q.Owner, r.caller())
	}
	return q, nil
}

func requestOf(s State, id commit.Digest) (*ledger.Request, error) {
	q, err := get[ledger.Request](s, ledger.RequestKey(id))
	if err == nil && q == nil {
		return nil, ledger.Refuse(ledger.NotFound, "request %s is not known", id)
	}
	return q, err
}

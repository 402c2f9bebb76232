package contract

import (
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// ask records a query over several owners' fleets, or a score over one, that the caller wants answered from encrypted totals. As with a request, whether grants cover it is
// looked at when each owner approves its part; that there is a grant to the caller for each, now. Every fleet's epoch must be closed: what is answered is then about records that no
// longer change, and two answers about them differ by nothing but what was asked.
func ask(r *run, a *ledger.AskQuery) (*ledger.QueryRecord, error) {
	q := &a.Query
	if err := q.Check(); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if q.Requester != r.caller() {
		return nil, ledger.Refuse(ledger.Forbidden, "the query's requester is %.80q, the caller is %s", q.Requester, r.caller())
	}
	if r.now >= q.Expiry {
		return nil, ledger.Refuse(ledger.Expired, "the query expired at %s", stamp(q.Expiry))
	}
	if r.now+q.InputSeconds >= q.Expiry {
		return nil, ledger.Refuse(ledger.Invalid, "inputs may come for %d s, and the query expires at %s", q.InputSeconds, stamp(q.Expiry))
	}
	if q.Epoch >= r.epoch {
		return nil, ledger.Refuse(ledger.Invalid, "epoch %d is not over: it is epoch %d", q.Epoch, r.epoch)
	}
	record := &ledger.QueryRecord{Query: *q, Attributes: r.tx.Caller.Attributes, Time: r.now, TxID: r.tx.ID}
	for _, p := range q.Parts {
		f, err := r.askable(q, p)
		if err != nil {
			return nil, err
		}
		record.Owners = append(record.Owners, f.Owner)
	}
	if err := r.checkParties(record); err != nil {
		return nil, err
	}
	id := q.ID(r.tx.Ledger)
	if err := r.checkUnused(q.Requester, q.Nonce, ledger.QueryKey(id)); err != nil {
		return nil, err
	}
	if err := put(r.state, ledger.QueryKey(id), record); err != nil {
		return nil, err
	}
	if err := put(r.state, ledger.NonceKey(q.Requester, q.Nonce), ledger.NonceUse{Request: id.String()}); err != nil {
		return nil, err
	}
	r.event(ledger.EventQueryAsked, ledger.EventPayload{Requester: q.Requester, Epoch: &q.Epoch, Query: &id})
	return record, nil
}

// askable reads the fleet of a part that may be asked about.
func (r *run) askable(q *ledger.Query, p ledger.QueryPart) (*ledger.Fleet, error) {
	f, err := fleet(r.state, p.Fleet)
	if err != nil {
		return nil, err
	}
	if f.Schema != q.Schema {
		return nil, ledger.Refuse(ledger.Invalid, "fleet %s has schema %s, the query has %s", f.ID, f.Schema, q.Schema)
	}
	if err := r.checkGranted(p.Grant, f); err != nil {
		return nil, err
	}
	closed, err := exists(r.state, ledger.ClosingKey(f.ID, q.Epoch))
	if err == nil && !closed {
		return nil, ledger.Refuse(ledger.Expired, "epoch %d of fleet %s is not closed: it has to be settled first", q.Epoch, f.ID)
	}
	return f, err
}

// checkParties gives nobody two places: who held two would hold two keys.
func (r *run) checkParties(record *ledger.QueryRecord) error {
	owners := slices.Clone(record.Owners)
	slices.Sort(owners)
	if len(slices.Compact(owners)) != len(record.Owners) {
		return ledger.Refuse(ledger.Invalid, "two of the fleets belong to one owner: %v", record.Owners)
	}
	q := &record.Query
	if slices.Contains(record.Owners, q.Requester) {
		return ledger.Refuse(ledger.Invalid, "%s asks, and owns one of the fleets", q.Requester)
	}
	if q.Kind != ledger.QueryFederated {
		return nil
	}
	if err := r.checkOrganisation(q.Regulator); err != nil {
		return err
	}
	if !r.tx.Genesis.HasRole(q.Regulator, ledger.RoleRegulator) {
		return ledger.Refuse(ledger.Invalid, "%s is no regulator", q.Regulator)
	}
	if q.Regulator == q.Requester { // an owner it cannot be, by the genesis
		return ledger.Refuse(ledger.Invalid, "%s asks, and is to be the regulator", q.Requester)
	}
	return nil
}

// queryOf reads a query that must exist.
func queryOf(s State, id commit.Digest) (*ledger.QueryRecord, error) {
	q, err := get[ledger.QueryRecord](s, ledger.QueryKey(id))
	if err == nil && q == nil {
		return nil, ledger.Refuse(ledger.NotFound, "query %s is not known", id)
	}
	return q, err
}

// openQuery reads a query that has not expired.
func (r *run) openQuery(id commit.Digest) (*ledger.QueryRecord, error) {
	q, err := queryOf(r.state, id)
	if err == nil && r.now >= q.Query.Expiry {
		return nil, ledger.Refuse(ledger.Expired, "query %s expired at %s", id, stamp(q.Query.Expiry))
	}
	return q, err
}

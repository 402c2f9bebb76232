package review

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// inquiry is a query under review.
type inquiry struct {
	*gathering
	*Found
	d *Dossier
	q *ledger.Query
}

// ReviewQuery verifies what the ledger has of a query, its approvals and its sessions. An error means that it could not be read. Where the ledger does not have it, there is no
// dossier.
func (r *Reviewer) ReviewQuery(ctx context.Context, id commit.Digest) (*Found, error) {
	f := &Found{subject: subject{Query: id}}
	d, err := r.collect(ctx, id)
	if ledger.CodeOf(err) == ledger.NotFound {
		f.add("the ledger told of it and does not have it: %v", err)
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	g, err := r.gather(ctx, d.named())
	if err != nil {
		return nil, err
	}
	d.Transactions, d.Blocks = g.transactions(), g.kept
	f.Dossier, f.Status, f.Faults = d, string(d.Query.Status), g.faults
	i := &inquiry{gathering: g, Found: f, d: d, q: &d.Query.Record.Query}
	if !i.asked(id) {
		return f, nil // nothing else can be looked at
	}
	if err := i.parts(ctx); err != nil {
		return nil, err
	}
	i.sessions()
	return f, i.opened(ctx)
}

// readings is how often a query is read until it did not change meanwhile.
const readings = 8

// collect takes what the ledger has of a query.
func (r *Reviewer) collect(ctx context.Context, id commit.Digest) (*Dossier, error) {
	head, err := r.book.Head(ctx)
	if err != nil {
		return nil, err
	}
	genesis, err := r.book.Genesis(ctx)
	if err != nil {
		return nil, err
	}
	d := &Dossier{
		Version: DossierVersion, Ledger: r.book.ID(), Genesis: &genesis, Height: head.Height, BlockHash: head.Hash, Format: r.Exporter.Blocks.Format(), Policies: []ledger.PolicyRecord{},
	}
	// Entry and sessions must be of one moment. An entry that is the same before and behind the sessions is: what names a sum, or ends a session, is in both.
	for range readings {
		if d.Query, err = r.book.QueryEntry(ctx, id); err != nil {
			return nil, err
		}
		d.Sessions = []ledger.SessionState{}
		for _, s := range d.Query.Sessions {
			state, err := r.book.SessionState(ctx, s.ID)
			if err != nil {
				return nil, fmt.Errorf("session %s: %w", s.ID, errors.New(err.Error())) // one that is not there is no missing query
			}
			d.Sessions = append(d.Sessions, state)
		}
		again, err := r.book.QueryEntry(ctx, id)
		if err != nil {
			return nil, err
		}
		if again.Status = d.Query.Status; bytes.Equal(ledger.Encode(again), ledger.Encode(d.Query)) { // what follows from the time alone may differ
			return d, r.permissions(ctx, d)
		}
	}
	return nil, fmt.Errorf("query %s changed whenever it was read", id)
}

// permissions takes what the approvals rest on. That something is missing is found later.
func (r *Reviewer) permissions(ctx context.Context, d *Dossier) error {
	for i := range d.Query.Answers {
		a := &d.Query.Answers[i]
		d.Grants = append(d.Grants, nil)
		owner := d.ownerOf(a.Fleet)
		if !a.Decision.Approved || owner == "" {
			continue
		}
		g, err := r.book.GrantEntry(ctx, owner, a.Decision.Grant)
		if notThere(err) {
			continue
		}
		if err != nil {
			return err
		}
		d.Grants[i] = &g
		for _, digest := range a.Decision.Policies[:min(len(a.Decision.Policies), 2)] {
			if d.policy(owner, digest) != nil {
				continue
			}
			p, err := r.book.Policy(ctx, owner, &digest)
			if notThere(err) {
				continue
			}
			if err != nil {
				return err
			}
			d.Policies = append(d.Policies, p)
		}
	}
	return nil
}

func notThere(err error) bool {
	code := ledger.CodeOf(err)
	return code == ledger.NotFound || code == ledger.Invalid
}

// ownerOf is who owns the fleet of a part; "" if there is none such.
func (d *Dossier) ownerOf(fleet string) string {
	for i, p := range d.Query.Record.Query.Parts {
		if p.Fleet == fleet && i < len(d.Query.Record.Owners) {
			return d.Query.Record.Owners[i]
		}
	}
	return ""
}

func (d *Dossier) policy(owner string, digest commit.Digest) *ledger.PolicyRecord {
	i := slices.IndexFunc(d.Policies, func(p ledger.PolicyRecord) bool { return p.Owner == owner && p.Digest == digest })
	if i < 0 {
		return nil
	}
	return &d.Policies[i]
}

// named are the transactions of all records.
func (d *Dossier) named() []string {
	ids := []string{d.Query.Record.TxID}
	for i := range d.Query.Answers {
		ids = append(ids, d.Query.Answers[i].Decision.TxID)
		if g := d.Grants[i]; g != nil {
			ids = append(ids, g.Grant.TxID)
			if g.Revocation != nil {
				ids = append(ids, g.Revocation.TxID)
			}
		}
	}
	for i := range d.Policies {
		ids = append(ids, d.Policies[i].TxID)
	}
	for i := range d.Sessions {
		ids = append(ids, d.Sessions[i].Session.TxID)
		for j := range d.Sessions[i].Entries {
			ids = append(ids, d.Sessions[i].Entries[j].TxID)
		}
	}
	if a := d.Query.Activated; a != nil {
		ids = append(ids, a.TxID)
	}
	return ids
}

// asked holds the query against its block and the form of queries.
func (i *inquiry) asked(id commit.Digest) bool {
	r := &i.d.Query.Record
	if i.d.Query.ID != id {
		i.add("the ledger gives query %s in its place", i.d.Query.ID)
	}
	if got := i.q.ID(i.d.Ledger); got != id {
		i.add("query: its digest is %s", got)
	}
	if err := i.q.Check(); err != nil {
		i.add("%v", err)
		return false
	}
	i.holds(i.Found, record{"query", r.TxID, i.q.Requester, ledger.FnAsk, ledger.AskQuery{Query: *i.q}, ledger.QueryKey(id), r, r.Time})
	if got := i.d.Genesis.ID(); got != i.d.Ledger {
		i.add("ledger: its id is %s, its genesis' digest %s", i.d.Ledger, got)
		return false
	}
	if !i.d.Genesis.HasRole(i.q.Requester, ledger.RoleFinancier) || i.q.Regulator != "" && !i.d.Genesis.HasRole(i.q.Regulator, ledger.RoleRegulator) {
		i.add("query: %s is no financier, or %q no regulator", i.q.Requester, i.q.Regulator)
	}
	members := append(slices.Clone(r.Owners), i.q.Requester)
	if i.q.Regulator != "" {
		members = append(members, i.q.Regulator)
	}
	slices.Sort(members)
	if len(r.Owners) != len(i.q.Parts) || len(slices.Compact(members)) != len(members) {
		i.add("query: the members %v of %d parts are too few, or one has two places", members, len(i.q.Parts))
		return false
	}
	if r.Time+i.q.InputSeconds >= i.q.Expiry {
		i.add("query: was asked at %d, and expires at %d", r.Time, i.q.Expiry)
	}
	return true
}

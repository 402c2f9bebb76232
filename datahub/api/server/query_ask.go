package server

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
)

// CreateQuery fills in what a query leaves out and asks. The model of a score is kept before: a query that nobody can carry on with must not cost the owner's grant.
func (s *queryService) CreateQuery(ctx context.Context, in *assayv1.CreateQueryRequest) (*assayv1.CreateQueryResponse, error) {
	if _, err := s.person(ctx); err != nil {
		return nil, err
	}
	if s.Queries == nil {
		return nil, refuse(codes.FailedPrecondition, reasonNoPart, "this node takes no part in queries: nobody would follow what is asked here")
	}
	key, err := keyOf(ctx)
	if err != nil {
		return nil, err
	}
	asked, model, err := readDraft(in)
	if err != nil {
		return nil, err
	}
	given := asked.Expiry
	if asked, err = s.draft(ctx, asked, model, key); err != nil {
		return nil, err
	}
	if err := s.settle(ctx, asked); err != nil {
		return nil, err
	}
	m, err := s.ask(ctx, asked, given, model)
	return &assayv1.CreateQueryResponse{Query: m}, err
}

// ask asks a query that is complete, or finds it if it was asked before.
func (s *Server) ask(ctx context.Context, asked *ledger.Query, given int64, model *score.Model) (*assayv1.Query, error) {
	id := asked.ID(s.Book.ID())
	entry, err := s.keepModel(ctx, id, model)
	if err != nil {
		return nil, err
	}
	if entry != nil {
		return s.queryMessage(entry)
	}
	_, receipt, refused := s.Book.Ask(ctx, asked)
	if refused == nil {
		return s.afterQuery(ctx, receipt, id)
	}
	if code := ledger.CodeOf(refused); code != ledger.Conflict && code != ledger.Expired {
		return nil, refused
	}
	entry, err = s.queryByNonce(ctx, asked, id)
	switch {
	case err != nil:
		return nil, err
	case entry == nil:
		return nil, refused
	case !sameQuery(asked, given, entry):
		return nil, exists("query " + entry.ID.String() + " has this nonce or idempotency key and asks something else")
	}
	// Of the earlier call, nothing is known but what the ledger has: with another model it was another, and its own model may not be there.
	if _, err := s.keepModel(ctx, entry.ID, model); err != nil {
		return nil, err
	}
	return s.queryMessage(entry)
}

// reasonNoPart is that of a node that takes no part in queries.
const reasonNoPart = "no_part"

// readDraft reads what a call asks. What is wrong with a model is told without a word of it.
func readDraft(in *assayv1.CreateQueryRequest) (*ledger.Query, *score.Model, error) {
	asked, err := query.ParseDraft([]byte(in.GetQuery()))
	if err != nil {
		return nil, nil, invalid("query", err)
	}
	if in.GetModel() == "" {
		return asked, nil, nil
	}
	model, err := score.ParseModel([]byte(in.GetModel()))
	if err != nil {
		return nil, nil, invalid("model", err)
	}
	return asked, model, nil
}

// draft fills in what is missing, and checks the whole.
func (s *Server) draft(ctx context.Context, q *ledger.Query, model *score.Model, key string) (*ledger.Query, error) {
	if q.Nonce == "" {
		q.Nonce = s.nonce(key)
	}
	if err := s.fillFromLedger(ctx, q); err != nil {
		return nil, err
	}
	out, err := query.Draft(q, model, s.Organisation, s.Clock())
	if err != nil {
		return nil, invalid("query", err)
	}
	return out, nil
}

// fillFromLedger gives a query the schema of its fleets, and an expiry with which it does not outlive the grants that it is asked under, if it does not say. That there is no such grant is
// for the ledger to say when it is asked.
func (s *Server) fillFromLedger(ctx context.Context, q *ledger.Query) error {
	if q.Schema != "" && q.Expiry != 0 || len(q.Parts) > ledger.MaxQueryOwners {
		return nil
	}
	now := s.Clock().Unix()
	end := now + int64(lifetime/time.Second)
	for _, p := range q.Parts {
		f, err := s.Book.Fleet(ctx, p.Fleet)
		if err != nil {
			return err
		}
		q.Schema = cmp.Or(q.Schema, f.Schema)
		g, err := s.Book.GrantEntry(ctx, f.Owner, p.Grant)
		if err != nil && unanswered(err) {
			return err
		}
		if last := g.Grant.Terms.NotAfter; err == nil && last < end && last > now {
			end = last
		}
	}
	q.Expiry = cmp.Or(q.Expiry, end)
	return nil
}

// keepModel has the node keep the model of a query, if it has one, and returns the query if it is on the ledger already. One that is over needs no model any more.
func (s *Server) keepModel(ctx context.Context, id commit.Digest, model *score.Model) (*ledger.QueryEntry, error) {
	if model == nil {
		return nil, nil
	}
	var known *ledger.QueryEntry
	switch entry, err := s.Book.QueryEntry(ctx, id); {
	case err == nil:
		if known = &entry; entry.Status != ledger.QueryOpen && entry.Status != ledger.QueryApproved && entry.Status != ledger.QueryRunning {
			return known, nil
		}
	case ledger.CodeOf(err) != ledger.NotFound:
		return nil, err
	}
	b, err := score.MarshalModel(model)
	if err != nil {
		return nil, errFault // without what is in it
	}
	defer clear(b)
	switch err := s.Queries.KeepModel(ctx, id, b); {
	case err == nil, known != nil && errors.Is(err, session.ErrDestroyed): // the node is done with it, before the ledger is
		return known, nil
	default:
		return nil, s.noModel(ctx, err)
	}
}

// queryByNonce finds the query of the organisation's that used a nonce, as byNonce does for requests.
func (s *Server) queryByNonce(ctx context.Context, asked *ledger.Query, id commit.Digest) (*ledger.QueryEntry, error) {
	entry, err := s.Book.QueryEntry(ctx, id)
	if err == nil {
		return &entry, nil
	}
	if ledger.CodeOf(err) != ledger.NotFound {
		return nil, err
	}
	q := ledger.QueriesQuery{Limit: ledger.MaxPage, Requester: s.Organisation}
	for {
		page, err := s.Book.QueriesPage(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Entries {
			if page.Entries[i].Record.Query.Nonce == asked.Nonce {
				return &page.Entries[i], nil
			}
		}
		if page.Next == "" {
			return nil, nil
		}
		q.After = page.Next
	}
}

// sameQuery compares what was asked with what stands on the ledger. An expiry that was not given is not compared.
func sameQuery(asked *ledger.Query, given int64, entry *ledger.QueryEntry) bool {
	again := *asked
	if given == 0 {
		again.Expiry = entry.Record.Query.Expiry
	}
	return bytes.Equal(ledger.Encode(again), ledger.Encode(entry.Record.Query))
}

package ledger

import (
	"context"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// Ask asks a query in the caller's own name, and returns its id.
func (b Book) Ask(ctx context.Context, q *Query) (commit.Digest, Receipt, error) {
	receipt, err := b.submit(ctx, FnAsk, AskQuery{Query: *q}, nil)
	return q.ID(b.ID()), receipt, err
}

// Answer approves or refuses the part of a query that is about a fleet of the caller's.
func (b Book) Answer(ctx context.Context, args Answer) (Receipt, error) {
	return b.submit(ctx, FnAnswer, args, nil)
}

// Begin begins a session of the caller's own query, and returns its id.
func (b Book) Begin(ctx context.Context, query commit.Digest) (commit.Digest, Receipt, error) {
	receipt, err := b.submit(ctx, FnBegin, QueryRef{Query: query}, nil)
	if err != nil {
		return commit.Digest{}, Receipt{}, err
	}
	return SessionID(query, receipt.TxID), receipt, nil
}

// Post records an entry of the caller's in a session and returns what the ledger has of it: from an earlier call, if that said the same. An AlreadyRecorded refusal says
// that the ledger has another for the round, and will never take this one.
func (b Book) Post(ctx context.Context, args Post) (*SessionEntry, error) {
	receipt, err := b.submit(ctx, FnPost, args, nil)
	if err != nil {
		return nil, err
	}
	return Decode[SessionEntry]("entry", receipt.Result, MaxRecord)
}

// AssessQuery asks the contract what it would say to the approval of a part of a query, or to its answer once it is approved.
func (b Book) AssessQuery(ctx context.Context, of commit.Digest, fleet string) (Assessment, error) {
	return query[Assessment](ctx, b, QueryAssessQuery, AssessQuery{Query: of, Fleet: fleet})
}

// QueryEntry finds a query with what followed.
func (b Book) QueryEntry(ctx context.Context, id commit.Digest) (QueryEntry, error) {
	return query[QueryEntry](ctx, b, QueryQuery, QueryRef{Query: id})
}

// QueriesPage gives some of the queries with what followed.
func (b Book) QueriesPage(ctx context.Context, q QueriesQuery) (QueriesPage, error) {
	return query[QueriesPage](ctx, b, QueryQueries, q)
}

// Queries lists all queries that are asked for. They are of different moments if there are several pages.
func (b Book) Queries(ctx context.Context, q QueriesQuery) ([]QueryEntry, error) {
	all := []QueryEntry{}
	for {
		page, err := b.QueriesPage(ctx, q)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Entries...); page.Next == "" {
			return all, nil
		}
		q.After = page.Next
	}
}

// SessionState finds a session with its entries.
func (b Book) SessionState(ctx context.Context, id commit.Digest) (SessionState, error) {
	return query[SessionState](ctx, b, QuerySession, SessionRef{Session: id})
}

// AnchorReference names a fleet's anchors for an epoch, as an owner's input to a session has to.
func (b Book) AnchorReference(ctx context.Context, of EpochRef) (AnchorReference, error) {
	anchors, err := b.Anchors(ctx, of.Fleet, of.Epoch)
	if err != nil {
		return AnchorReference{}, fmt.Errorf("referring to anchors: %w", err)
	}
	return ReferTo(of.Fleet, of.Epoch, anchors), nil
}

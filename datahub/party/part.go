package party

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"

	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/record"
)

// Slots of what is kept under a query's id.
const (
	knownSlot  = "known"  // that this node takes part, and since when: what is to be seen to its end
	partSlot   = "part"   // an owner's answer
	resultSlot = "result" // what the requester learned
)

// part is an owner's answer to a federated query: one for all its sessions.
type part struct {
	Declined bool       `json:"declined"`
	Totals   []*big.Int `json:"totals,omitempty"`
}

// totals gives a party the kept part, or makes it.
func (m *Manager) totals(ctx context.Context, e *ledger.QueryEntry, s *seat) (*session.Totals, error) {
	fleet := s.fleet
	answer := answerOf(e, fleet)
	if answer == nil || answer.Settled == nil {
		return nil, fmt.Errorf("%w: the part about fleet %s is not approved", session.ErrDeclined, fleet)
	}
	if err := m.stands(ctx, s, fleet); err != nil {
		return nil, err
	}
	gave, refused, err := m.said(ctx, e)
	if err != nil {
		return nil, err
	}
	if refused { // the ledger takes no other answer
		return nil, fmt.Errorf("%w: as in an earlier session of the query", session.ErrDeclined)
	}
	p, err := m.part(ctx, e, fleet, answer.Settled, gave)
	if errors.Is(err, session.ErrDestroyed) {
		return nil, fmt.Errorf("%w: the part is destroyed", session.ErrDeclined)
	}
	if err != nil {
		return nil, err
	}
	if p.Declined {
		return nil, fmt.Errorf("%w: as kept for the query", session.ErrDeclined)
	}
	return &session.Totals{Values: p.Totals, Anchor: ledger.Encode(answer.Settled.Anchors)}, nil
}

func answerOf(e *ledger.QueryEntry, fleet string) *ledger.QueryAnswer {
	i := slices.IndexFunc(e.Answers, func(a ledger.QueryAnswer) bool { return a.Fleet == fleet })
	if i < 0 || !e.Answers[i].Decision.Approved {
		return nil
	}
	return &e.Answers[i]
}

// part reads what is kept, or computes it and keeps it. Where two are computed at once the first to be kept is it.
func (m *Manager) part(ctx context.Context, e *ledger.QueryEntry, fleet string, settled *ledger.SettledEpoch, gave bool) (*part, error) {
	kept, err := m.queries.Get(ctx, transcript.ID(e.ID), partSlot)
	if errors.Is(err, session.ErrAbsent) {
		var p *part
		if p, err = m.makePart(ctx, e, fleet, settled, gave); err != nil {
			return nil, err
		}
		var value []byte
		if value, err = json.Marshal(p); err != nil {
			return nil, err
		}
		kept, err = m.queries.Put(ctx, transcript.ID(e.ID), partSlot, value)
	}
	if err != nil {
		return nil, fmt.Errorf("part of query %s: %w", e.ID, err)
	}
	p := &part{}
	if err := json.Unmarshal(kept, p); err != nil {
		return nil, fmt.Errorf("part of query %s: not as it is kept", e.ID) // the error might quote totals
	}
	return p, nil
}

// makePart computes a part that nothing was ever said of. Noise is drawn here, and that the cohort is too small is found out here: neither a second time.
func (m *Manager) makePart(ctx context.Context, e *ledger.QueryEntry, fleet string, settled *ledger.SettledEpoch, gave bool) (*part, error) {
	if gave {
		m.Logger.ErrorContext(ctx, "the part of a query is recorded in a session and not kept here: a restored backup. No other is made", "query", e.ID, "fleet", fleet)
		return &part{Declined: true}, nil
	}
	plan, err := query.Plan(e)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", session.ErrDeclined, err)
	}
	chunks, err := m.chunks(ctx, fleet, e.Record.Query.Epoch, settled)
	if err != nil {
		return nil, err
	}
	var unread error // of the records, and not about one: an error of a plan says which it is about
	totals, err := plan.Totals(func(yield func(federated.Record, error) bool) {
		for r, err := range query.Records(e, chunks) {
			if unread = err; !yield(r, err) {
				return
			}
		}
	})
	switch {
	case errors.Is(err, federated.ErrTooFew):
		m.Logger.InfoContext(ctx, "no part of a query: the cohort is too small here", "query", e.ID, "fleet", fleet)
		return &part{Declined: true}, nil
	case errors.Is(err, desk.ErrGone):
		m.Logger.WarnContext(ctx, "no part of a query", "query", e.ID, "fleet", fleet, "error", err)
		return &part{Declined: true}, nil
	case unread != nil:
		return nil, fmt.Errorf("adding up fleet %s: %w", fleet, unread)
	case err != nil:
		return nil, fmt.Errorf("adding up fleet %s: its records are not what the query is laid out for", fleet)
	}
	return &part{Totals: totals}, nil
}

// said is what the ledger has of this owner's about the query, in whatever session: an input, whose totals were made, and kept, before that; or that it gives none.
func (m *Manager) said(ctx context.Context, e *ledger.QueryEntry) (gave, refused bool, err error) {
	for i := range e.Sessions {
		s, err := m.Book.SessionState(ctx, e.Sessions[i].ID)
		if err != nil {
			return false, false, err
		}
		if said := s.Entry(m.Organisation.ID, ledger.RoundInput); said != nil {
			gave, refused = gave || !said.Declined(), refused || said.Declined()
		}
	}
	return gave, refused, nil
}

// maxFacts bounds the encoded facts of a fleet's epoch.
const maxFacts = 256 << 20

// facts are what Book.Facts gives but for the heights of anchors, each of which it would have to look for.
func (m *Manager) facts(ctx context.Context, fleet string, epoch uint64) (*ledger.FactsEntry, error) {
	b, err := m.Book.Evaluate(ctx, ledger.QueryFacts, ledger.Encode(ledger.EpochRef{Fleet: fleet, Epoch: epoch}))
	if err != nil {
		return nil, fmt.Errorf("reading the facts of fleet %s: %w", fleet, err)
	}
	return ledger.Decode[ledger.FactsEntry]("facts", b, maxFacts)
}

// chunks gives the records of a fleet's closed epoch, if they are those that its anchors on the ledger are of.
func (m *Manager) chunks(ctx context.Context, fleet string, epoch uint64, settled *ledger.SettledEpoch) (iter.Seq2[[]record.Record, error], error) {
	facts, err := m.facts(ctx, fleet, epoch)
	if err != nil {
		return nil, err
	}
	anchors, err := m.Book.AnchorReference(ctx, ledger.EpochRef{Fleet: fleet, Epoch: epoch})
	if err != nil {
		return nil, err
	}
	if !facts.Closed || anchors != settled.Anchors || facts.Facts.Attested() != settled.Attested || facts.Facts.Enrolled != settled.Enrolled {
		return nil, fmt.Errorf("epoch %d of fleet %s is not as it was when the part was approved", epoch, fleet)
	}
	return func(yield func([]record.Record, error) bool) {
		for _, f := range facts.Facts.Proven() {
			chunk, err := m.Openings(ctx, fleet, epoch, f)
			if err == nil && present(chunk.Records) != uint64(f.Attested) {
				err = errors.New("not as many records as the ledger has attestations of it")
			}
			if err != nil {
				yield(nil, fmt.Errorf("chunk %d: %w", f.Index, err))
				return
			}
			if !yield(chunk.Records, nil) {
				return
			}
		}
	}, nil
}

func present(records []record.Record) (n uint64) {
	for i := range records {
		n += uint64(records[i][record.Presence])
	}
	return n
}

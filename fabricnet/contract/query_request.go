package contract

import (
	"fmt"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// found is a request of a page, before what followed is read.
type found struct {
	id      commit.Digest
	request *ledger.Request
}

// queryRequests pages through the requests. Those of which a filter by what was asked leaves nothing are passed over first; the status takes reading what followed.
func queryRequests(r *run, a *ledger.RequestsQuery) (*ledger.RequestsPage, error) {
	p, err := newPageOf(a.Limit, a.After, a.Status, a.Status == "")
	if err != nil {
		return nil, err
	}
	var candidates []found
	next, err := pageOf(r, p, ledger.RequestPrefix, ledger.RequestPrefix, a.After, func(rest string, q *ledger.Request) (bool, error) {
		id, err := hexDigest(rest)
		if err != nil {
			return false, fmt.Errorf("state key of a request: %w", err)
		}
		if a.Owner != "" && q.Owner != a.Owner || a.Requester != "" && q.Requester != a.Requester || a.Fleet != "" && q.Fleet != a.Fleet {
			return false, nil
		}
		candidates = append(candidates, found{id, q})
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return r.entries(candidates, a.Status, next)
}

// entries adds to the requests of a page what followed. Verdicts may be long, so the page may end before they do.
func (r *run) entries(candidates []found, status ledger.Status, next string) (*ledger.RequestsPage, error) {
	out := &ledger.RequestsPage{Entries: []ledger.RequestEntry{}, Next: next}
	var keys []string
	for _, c := range candidates {
		keys = append(keys, keysBefore(c.id)...)
	}
	if err := prefetch(r.state, keys); err != nil {
		return nil, err
	}
	left := maxPageBytes
	for i, c := range candidates {
		entry, err := r.entry(c.id, c.request)
		if err != nil {
			return nil, err
		}
		if status != "" && entry.Status != status {
			continue
		}
		out.Entries = append(out.Entries, *entry)
		if entry.Verdict != nil {
			left -= len(entry.Verdict.Verdict)
		}
		if left <= 0 && i < len(candidates)-1 {
			out.Next = c.id.String()
			break
		}
	}
	return out, nil
}

// prefetch reads keys at once where that is possible.
func prefetch(s State, keys []string) error {
	if p, ok := s.(Prefetcher); ok && len(keys) > 0 {
		return p.Prefetch(keys...)
	}
	return nil
}

// queryAsked reads no verdicts: they are long, and an export needs none of them. Which requests have one is noted with their cohorts.
func queryAsked(r *run, a *ledger.EpochRef) ([]ledger.TrustRequest, error) {
	f, err := fleet(r.state, a.Fleet)
	if err != nil {
		return nil, err
	}
	var ids []commit.Digest
	err = scan(r.state, ledger.AskedPrefix(f.ID, a.Epoch), func(rest string, _ *ledger.Asked) error {
		id, err := hexDigest(rest)
		if err != nil {
			return fmt.Errorf("state key of a request: %w", err)
		}
		ids = append(ids, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	verified := map[string]bool{}
	err = scan(r.state, ledger.AnsweredPrefix(f.ID, a.Epoch), func(rest string, c *ledger.Answered) error {
		verified[rest] = c.Verified
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := []ledger.TrustRequest{}
	for part := range slices.Chunk(ids, ledger.MaxPage) {
		if out, err = r.trustRequests(out, part, verified); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// trustRequests appends requests in short.
func (r *run) trustRequests(out []ledger.TrustRequest, ids []commit.Digest, verified map[string]bool) ([]ledger.TrustRequest, error) {
	var keys []string
	for _, id := range ids {
		keys = append(append(keys, ledger.RequestKey(id)), keysBefore(id)...)
	}
	if err := prefetch(r.state, keys); err != nil {
		return nil, err
	}
	for _, id := range ids {
		q, err := requestOf(r.state, id)
		if err != nil {
			return nil, err
		}
		e, err := r.entryBefore(id, q)
		if err != nil {
			return nil, err
		}
		status := r.status(e)
		if verified[id.String()] {
			status = ledger.StatusVerified
		}
		out = append(out, ledger.TrustRequest{ID: id, Fleet: q.Fleet, Epoch: q.Epoch, Requester: q.Requester, Status: status, Time: q.Time})
	}
	return out, nil
}

// keysBefore are what follows a request but for its verdict.
func keysBefore(id commit.Digest) []string {
	return []string{ledger.DecisionKey(id), ledger.WithdrawalKey(id), ledger.ProvingKey(id), ledger.FailureKey(id)}
}

func queryRequest(r *run, a *ledger.RequestRef) (*ledger.RequestEntry, error) {
	q, err := requestOf(r.state, a.Request)
	if err != nil {
		return nil, err
	}
	return r.entry(a.Request, q)
}

func (r *run) entry(id commit.Digest, q *ledger.Request) (*ledger.RequestEntry, error) {
	e, err := r.entryBefore(id, q)
	if err != nil {
		return nil, err
	}
	if e.Verdict, err = get[ledger.ProofVerdict](r.state, ledger.VerdictKey(id)); err != nil {
		return nil, err
	}
	e.Status = r.status(e)
	return e, nil
}

// entryBefore is an entry without verdict and status.
func (r *run) entryBefore(id commit.Digest, q *ledger.Request) (*ledger.RequestEntry, error) {
	e := &ledger.RequestEntry{ID: id, Request: *q}
	var err error
	if e.Decision, err = get[ledger.Decision](r.state, ledger.DecisionKey(id)); err != nil {
		return nil, err
	}
	if e.Withdrawal, err = get[ledger.Withdrawal](r.state, ledger.WithdrawalKey(id)); err != nil {
		return nil, err
	}
	if e.Proving, err = get[ledger.Proving](r.state, ledger.ProvingKey(id)); err != nil {
		return nil, err
	}
	if e.Failure, err = get[ledger.Failure](r.state, ledger.FailureKey(id)); err != nil {
		return nil, err
	}
	return e, nil
}

func (r *run) status(e *ledger.RequestEntry) ledger.Status {
	switch {
	case e.Verdict != nil:
		return ledger.StatusVerified
	case e.Withdrawal != nil:
		return ledger.StatusWithdrawn
	case e.Decision != nil && !e.Decision.Approved:
		return ledger.StatusRefused
	case e.Failure != nil:
		return ledger.StatusFailed
	case r.now >= e.Request.Expiry:
		return ledger.StatusExpired
	case e.Proving != nil:
		return ledger.StatusProving
	case e.Decision != nil:
		return ledger.StatusApproved
	}
	return ledger.StatusOpen
}

package scoring

import (
	"context"
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

// checkSession refuses what is no session of the query.
func checkSession(e *ledger.QueryEntry, s *ledger.SessionState) error {
	switch {
	case s.Session.Kind != ledger.QueryScore || e.Record.Query.Kind != ledger.QueryScore || len(s.Session.Seats) != 1 || len(e.Record.Query.Parts) != 1:
		return fmt.Errorf("session %s is no score's", s.ID)
	case s.Session.Query != e.ID || s.ID != s.Session.ID():
		return fmt.Errorf("session %s is not one of query %s", s.ID, e.ID)
	}
	if err := query.CheckSession(e, &s.Session); err != nil {
		return fmt.Errorf("session %s is not as query %s has it: %w", s.ID, e.ID, err)
	}
	return nil
}

func ownerOf(s *ledger.SessionState) string { return s.Session.Seats[0].Owner }

func aborted(s *ledger.SessionState) bool {
	return slices.ContainsFunc(s.Entries, func(e ledger.SessionEntry) bool { return e.Round == ledger.RoundAbort })
}

// Why a session is over without a result.
const (
	unanswered = "the session ended without an answer"
	elsewhere  = "the query was answered in another session"
)

// answeredIn reports whether the query was answered in this session. What was read of the session may be older than what was read of the query.
func answeredIn(e *ledger.QueryEntry, s *ledger.SessionState) bool {
	return e.Activated != nil && e.Activated.Session == s.ID
}

// unsettled reports whether an answer that was on its way when the session expired may yet be recorded. Nothing is destroyed before that.
func (n *Node) unsettled(s *ledger.SessionState) bool {
	return s.Status == ledger.SessionExpired && n.Now().Unix() < s.Session.Expires+int64(settling.Seconds())
}

// pastLate reports whether an answer is no longer to be had.
func (n *Node) pastLate(s *ledger.SessionState) bool {
	return n.Now().Unix() >= s.Session.Expires+int64(late.Seconds())
}

func (n *Node) post(ctx context.Context, s *ledger.SessionState, round ledger.Round, digest commit.Digest) error {
	if _, err := n.Book.Post(ctx, ledger.Post{Session: s.ID, Round: round, Digest: digest}); err != nil {
		return fmt.Errorf("recording the %s: %w", round, err) // the next step sees what is recorded
	}
	n.Log.InfoContext(ctx, "recorded", "session", s.ID, "round", round, "digest", digest)
	return nil
}

// abort ends the session for everybody.
func (n *Node) abort(ctx context.Context, s *ledger.SessionState, reason string) error {
	_, err := n.Book.Post(ctx, ledger.Post{Session: s.ID, Round: ledger.RoundAbort, Detail: transcript.Reason(reason)})
	if err != nil {
		return fmt.Errorf("ending it (%s): %w", reason, err)
	}
	return nil
}

func storeID(id commit.Digest) transcript.ID { return transcript.ID(id) }

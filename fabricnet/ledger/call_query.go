package ledger

import "github.com/assay-net/assay/zk/commit"

// Functions about queries that are answered from encrypted totals, and what each takes as arguments.
const (
	FnAsk    = "ask"    // AskQuery
	FnAnswer = "answer" // Answer
	FnBegin  = "begin"  // QueryRef
	FnPost   = "post"   // Post
)

// Queries about these, and what each takes as arguments and gives.
const (
	QueryQuery       = "query_state"  // QueryRef → QueryEntry
	QueryQueries     = "queries"      // QueriesQuery → QueriesPage
	QuerySession     = "session"      // SessionRef → SessionState
	QueryAssessQuery = "assess_query" // AssessQuery → Assessment
)

// AskQuery asks in the caller's own name. Financiers only.
type AskQuery struct {
	Query Query `json:"query"`
}

// Answer approves or refuses the part of a query that is about a fleet of the caller's. A refusal has at least one reason.
type Answer struct {
	Query   commit.Digest `json:"query"`
	Fleet   string        `json:"fleet"`
	Approve bool          `json:"approve"`
	Reasons []string      `json:"reasons"`
	// Automatic says that no person made the decision. Such an approval is refused where a policy wants a person.
	Automatic bool `json:"automatic,omitempty"`
}

// AssessQuery asks whether the part of a query may be approved or, once it is approved, still answered.
type AssessQuery struct {
	Query commit.Digest `json:"query"`
	Fleet string        `json:"fleet"`
}

// QueryRef names a query.
type QueryRef struct {
	Query commit.Digest `json:"query"`
}

// SessionRef names a session.
type SessionRef struct {
	Session commit.Digest `json:"session"`
}

// Post records an entry of the caller's in a session.
type Post struct {
	Session commit.Digest `json:"session"`
	Round   Round         `json:"round"`
	Digest  commit.Digest `json:"digest"`
	Detail  []byte        `json:"detail,omitempty"`
}

// QueriesQuery asks for queries in the order of their ids. An empty filter takes all.
type QueriesQuery struct {
	After     string      `json:"after"`
	Limit     int         `json:"limit"`
	Requester string      `json:"requester"`
	Fleet     string      `json:"fleet"`
	Status    QueryStatus `json:"status"`
}

// QueriesPage is a part of the queries, as a RequestsPage is of requests.
type QueriesPage struct {
	Entries []QueryEntry `json:"entries"`
	Next    string       `json:"next"`
}

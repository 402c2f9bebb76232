package ledger

import (
	"crypto/sha256"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// QueryVersion is the version of a Query.
const QueryVersion = "assay-query/v1"

// QueryKind is what a query asks for.
type QueryKind string

// The kinds of queries.
const (
	// QueryFederated asks for totals over several owners' fleets, of which nobody learns a part.
	QueryFederated QueryKind = "federated"
	// QueryScore asks for the mean of the requester's own, encrypted score over one fleet.
	QueryScore QueryKind = "score"
)

// Bounds of a query.
const (
	MinQueryOwners   = 3  // with fewer, an owner knows the other's part from the sum
	MaxQueryOwners   = 16 // of a federated query
	MinThreshold     = 2  // with one, a single owner and the regulator would open everybody's part
	MaxQueryBands    = 128
	MaxQueryFeatures = 16
	MaxQueryDegree   = 7
	MaxParameters    = 64
	// MaxInputSeconds bounds how long a session waits for every owner's input.
	MaxInputSeconds = 30 * 24 * 3600
	// MaxSessions bounds how often a query may begin.
	MaxSessions = 8

	maxEpsilon = 10_000_000  // millionths
	minEpsilon = 1_000       // millionths
	maxDelta   = 100_000_000 // 10^-12
	// maxEdge bounds an edge among values, in 0.01 of the currency.
	maxEdge = 1<<47 - 1
)

// Query is a question about fleets that is answered from encrypted totals. Everything in it is public. A list that has nothing is left out.
type Query struct {
	Version   string    `json:"version"`
	Kind      QueryKind `json:"kind"`
	Requester string    `json:"requester"`
	// Parts are sorted by fleet. A federated query has MinQueryOwners to MaxQueryOwners of different owners, a score has one.
	Parts  []QueryPart `json:"parts"`
	Schema string      `json:"schema"` // of all fleets
	// Epoch must be closed for every fleet: all then answer about records that no longer change.
	Epoch uint64 `json:"epoch"`
	// Cohort restricts which batteries count, as a statement's does.
	Cohort []statement.Range `json:"cohort,omitempty"`

	// Of a federated query: Totals are some of policy.TotalCount, TotalSum, TotalSquares and TotalHistogram, in this order, all but the count of Subject, which is a lane
	// or "value". Edges are the histogram's, ascending, as text in the subject's unit: n of them make n+1 bands. Valuation is what values are under.
	Totals    []string             `json:"totals,omitempty"`
	Subject   string               `json:"subject,omitempty"`
	Edges     []string             `json:"edges,omitempty"`
	Valuation *statement.Valuation `json:"valuation,omitempty"`
	// Of a score: the lanes that it is made of, each clipped to an interval, the degree of the polynomial, and whether the mean of its square is asked for, too.
	Features []Feature `json:"features,omitempty"`
	Degree   uint32    `json:"degree,omitempty"`
	Spread   bool      `json:"spread,omitempty"`

	Purpose string `json:"purpose"`
	// MinimumCohort is the fewest batteries of the cohort with which an owner takes part. Nothing on the ledger shows whether it does: its own node sees to that.
	MinimumCohort uint64 `json:"minimum_cohort"`
	// Epsilon and Delta are decimal text, of at most 6 and 12 places. Without Epsilon the totals are exact, without Delta the noise is Laplace's.
	Epsilon string `json:"epsilon,omitempty"`
	Delta   string `json:"delta,omitempty"`
	// Of a federated query: without the regulator, and as many owners as the threshold, nothing is opened. InputSeconds is how long after its beginning a session waits for the
	// input of every owner.
	Regulator    string `json:"regulator,omitempty"`
	Threshold    uint32 `json:"threshold,omitempty"`
	InputSeconds int64  `json:"input_seconds,omitempty"`
	// Parameters name those of the encryption.
	Parameters string `json:"parameters"`
	// Nonce is as a statement's, of which the requester has not used it either.
	Nonce string `json:"nonce"`
	// Expiry is the first second at which nothing is recorded any more but the result of a score.
	Expiry int64 `json:"expiry"`
}

// QueryPart is a fleet, and the grant of its owner's that it is asked under.
type QueryPart struct {
	Fleet string `json:"fleet"`
	Grant string `json:"grant"`
}

// Feature is one input of a score: a lane between two bounds, decimal text in the lane's unit.
type Feature struct {
	Lane string `json:"lane"`
	Lo   string `json:"lo"`
	Hi   string `json:"hi"`
}

// ID names the query on a ledger.
func (q *Query) ID(on commit.Digest) commit.Digest {
	return sha256.Sum256(Tagged("assay/v1/query", on[:], Encode(q)))
}

// Part is that of a fleet, or nil.
func (q *Query) Part(fleet string) *QueryPart {
	for i := range q.Parts {
		if q.Parts[i].Fleet == fleet {
			return &q.Parts[i]
		}
	}
	return nil
}

// Fleets are those asked about, sorted.
func (q *Query) Fleets() []string {
	out := make([]string, len(q.Parts))
	for i := range q.Parts {
		out[i] = q.Parts[i].Fleet
	}
	return out
}

// MinimumInputs is of how many owners' parts a federated query's sum is at least: as many as open it, and three.
func (q *Query) MinimumInputs() uint32 { return max(MinQueryOwners, q.Threshold) }

// QueryRecord is a query that was asked.
type QueryRecord struct {
	Query Query `json:"query"`
	// Owners are those of the parts, in their order.
	Owners []string `json:"owners"`
	// Attributes are those of the certificate under which it was asked, as far as policies may look at them.
	Attributes map[string]string `json:"attributes,omitempty"`
	Time       int64             `json:"time"`
	TxID       string            `json:"tx_id"`
}

// QueryAnswer is an owner's approval or refusal of its part of a query.
type QueryAnswer struct {
	Fleet    string   `json:"fleet"`
	Decision Decision `json:"decision"`
	// Of an approval: what the fleet's epoch has on the ledger, for good.
	Settled *SettledEpoch `json:"settled,omitempty"`
}

// SettledEpoch is a fleet's closed epoch in numbers.
type SettledEpoch struct {
	Anchors  AnchorReference `json:"anchors"`
	Attested uint64          `json:"attested"`
	Enrolled uint64          `json:"enrolled"`
}

// Coverage is in 0.01 %, rounded down; 0 where nothing was enrolled.
func (s *SettledEpoch) Coverage() uint64 {
	if s.Enrolled == 0 {
		return 0
	}
	return min(s.Attested, s.Enrolled) * statement.CoverageFull / s.Enrolled
}

// AnchorReference names all anchors of a fleet for an epoch. An owner's input to a session says so what it was computed from.
type AnchorReference struct {
	Epoch  uint64 `json:"epoch"`
	Chunks uint64 `json:"chunks"`
	// Digest is over the anchors as they are recorded, in the order of their chunks.
	Digest commit.Digest `json:"digest"`
}

// ReferTo makes the reference to a fleet's anchors for an epoch, which are in the order of their chunks.
func ReferTo(fleet string, epoch uint64, anchors []AnchorEntry) AnchorReference {
	parts := [][]byte{Encode(EpochRef{Fleet: fleet, Epoch: epoch})}
	for i := range anchors {
		parts = append(parts, Encode(anchors[i]))
	}
	return AnchorReference{Epoch: epoch, Chunks: uint64(len(anchors)), Digest: sha256.Sum256(Tagged("assay/v1/anchors", parts...))}
}

// QueryStatus is where a query stands.
type QueryStatus string

// The statuses of a query, in the order in which the first that applies is given.
const (
	// QueryAnswered: a result is recorded, or all that the requester needs for one.
	QueryAnswered QueryStatus = "answered"
	QueryRefused  QueryStatus = "refused" // by an owner
	// QueryFailed: the session that opened its sum ended without all shares, or as many sessions ended as there may be.
	QueryFailed   QueryStatus = "failed"
	QueryExpired  QueryStatus = "expired"
	QueryRunning  QueryStatus = "running"  // in a session
	QueryApproved QueryStatus = "approved" // by all owners
	QueryOpen     QueryStatus = "open"
)

var queryStatuses = []QueryStatus{QueryAnswered, QueryRefused, QueryFailed, QueryExpired, QueryRunning, QueryApproved, QueryOpen}

// QueryEntry is a query with what followed.
type QueryEntry struct {
	ID     commit.Digest `json:"id"`
	Status QueryStatus   `json:"status"`
	Record QueryRecord   `json:"record"`
	// Answers are those given, in the order of the parts, Sessions in the order in which they began.
	Answers   []QueryAnswer `json:"answers"`
	Sessions  []SessionHead `json:"sessions"`
	Activated *Activation   `json:"activated,omitempty"`
}

// Known reports whether it is one of the statuses.
func (s QueryStatus) Known() bool {
	for _, known := range queryStatuses {
		if s == known {
			return true
		}
	}
	return false
}

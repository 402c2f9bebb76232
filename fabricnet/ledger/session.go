package ledger

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// Session is one attempt to answer a query, with keys of its own.
type Session struct {
	Query commit.Digest `json:"query"`
	Kind  QueryKind     `json:"kind"`
	// Seats are the owners in ascending order, each with its fleet.
	Seats     []Seat `json:"seats"`
	Regulator string `json:"regulator,omitempty"` // none of a score
	Receiver  string `json:"receiver"`            // the requester
	// Threshold and Minimum are how many owners open the sum, and of how many inputs it is at least. InputsUntil is until when the receiver waits for every owner's. All are 0
	// of a score.
	Threshold   uint32 `json:"threshold,omitempty"`
	Minimum     uint32 `json:"minimum,omitempty"`
	InputsUntil int64  `json:"inputs_until,omitempty"`
	Parameters  string `json:"parameters"`
	// Expires is the first second at which nothing is recorded any more but the result of a score.
	Expires int64  `json:"expires"`
	Time    int64  `json:"time"`
	TxID    string `json:"tx_id"`
}

// Seat is an owner's place in a session.
type Seat struct {
	Owner string `json:"owner"`
	Fleet string `json:"fleet"`
}

// SessionID names the session of a query that a transaction began.
func SessionID(query commit.Digest, txID string) commit.Digest {
	return sha256.Sum256(Tagged("assay/v1/session", query[:], []byte(txID)))
}

// ID names the session.
func (s *Session) ID() commit.Digest { return SessionID(s.Query, s.TxID) }

// Owners are those of the seats, in ascending order.
func (s *Session) Owners() []string {
	out := make([]string, len(s.Seats))
	for i := range s.Seats {
		out[i] = s.Seats[i].Owner
	}
	return out
}

// Members are the owners, the regulator, if there is one, and the receiver.
func (s *Session) Members() []string {
	out := s.Owners()
	if s.Regulator != "" {
		out = append(out, s.Regulator)
	}
	return append(out, s.Receiver)
}

// FleetOf is the fleet with which an owner takes part, or "".
func (s *Session) FleetOf(owner string) string {
	i := slices.IndexFunc(s.Seats, func(seat Seat) bool { return seat.Owner == owner })
	if i < 0 {
		return ""
	}
	return s.Seats[i].Fleet
}

// Round is a step of a session. A member writes at most one entry for each.
type Round string

// The rounds of a federated session, and who may record what in each when. What a digest is of is the members' concern, not the ledger's.
const (
	RoundKey      Round = "key"      // every member, from the beginning: a commitment to its keys
	RoundReady    Round = "ready"    // every member, after all keys
	RoundInput    Round = "input"    // owners, after all are ready, until it is closed: a commitment, and in detail the AnchorReference; without a digest and a detail the owner declines, and so in all sessions of the query from then on
	RoundClose    Round = "close"    // the receiver, without a digest: after enough inputs, and all owners' answers or the time for them
	RoundActivate Round = "activate" // the receiver, once of all sessions of a query: the sum of all inputs; in detail who opens it: as many owners with an input as the threshold, each as its seat from 1, ascending, a byte each
	RoundShare    Round = "share"    // those owners and the regulator, after that
	RoundResult   Round = "result"   // the receiver, after all shares: a salted digest
	RoundAbort    Round = "abort"    // every member, before a result: in detail why, printable ASCII of 1 to MaxAbort bytes, without a digest. It ends the session.
)

// The rounds of a score besides RoundResult, which follows the answer, however late, and RoundAbort.
const (
	RoundRequest Round = "request" // the receiver, from the beginning: its encrypted model
	RoundAnswer  Round = "answer"  // the owner, after that, once of all sessions of a query
)

// Bounds of what an entry says beside its digest.
const (
	MaxAbort       = 256
	MaxEntryDetail = 512
)

// rounds are in the order of a session.
var rounds = map[QueryKind][]Round{
	QueryFederated: {RoundKey, RoundReady, RoundInput, RoundClose, RoundActivate, RoundShare, RoundResult, RoundAbort},
	QueryScore:     {RoundRequest, RoundAnswer, RoundResult, RoundAbort},
}

// RoundsOf are the rounds of a kind of session, in order.
func RoundsOf(kind QueryKind) []Round { return slices.Clone(rounds[kind]) }

// SessionEntry is what a member recorded in a round.
type SessionEntry struct {
	Party  string        `json:"party"`
	Round  Round         `json:"round"`
	Digest commit.Digest `json:"digest"`
	Detail []byte        `json:"detail,omitempty"`
	Time   int64         `json:"time"`
	TxID   string        `json:"tx_id"`
}

// Same reports whether two entries say the same, whenever they were recorded.
func (e *SessionEntry) Same(o *SessionEntry) bool {
	return e.Party == o.Party && e.Round == o.Round && e.Digest == o.Digest && bytes.Equal(e.Detail, o.Detail)
}

// Declined reports whether an owner gives no input.
func (e *SessionEntry) Declined() bool {
	return e.Round == RoundInput && e.Digest == commit.Digest{}
}

// EntryRepeat notes the last transaction in which a member recorded an entry again that it had recorded.
type EntryRepeat struct {
	TxID string `json:"tx_id"`
}

// SessionEnd is what ended a session: a result or an abort.
type SessionEnd struct {
	Round Round  `json:"round"`
	Party string `json:"party"`
	Time  int64  `json:"time"`
	TxID  string `json:"tx_id"`
}

// Activation says that one session of a query named the sum to be opened, or that the owner answered in it. From then on the query counts for ever.
type Activation struct {
	Session commit.Digest `json:"session"`
	// Fleets are those in the sum.
	Fleets []string `json:"fleets"`
	Time   int64    `json:"time"`
	TxID   string   `json:"tx_id"`
}

// Pooled notes on a fleet's epoch, for ever, that the sum of a federated query was named: see policy.Pooled.
type Pooled struct {
	Fleets []string      `json:"fleets"`
	Cohort policy.Cohort `json:"cohort"`
	Opened []string      `json:"opened"`
}

// SessionStatus is where a session stands.
type SessionStatus string

// The statuses of a session, in the order in which the first that applies is given.
const (
	SessionAnswered SessionStatus = "answered" // a result is recorded, or all that the receiver needs for one
	SessionAborted  SessionStatus = "aborted"
	SessionExpired  SessionStatus = "expired"
	SessionOpen     SessionStatus = "open"
)

// SessionHead is a session in short.
type SessionHead struct {
	ID      commit.Digest `json:"id"`
	Session Session       `json:"session"`
	End     *SessionEnd   `json:"end,omitempty"`
}

// SessionState is a session with its entries, in the order of rounds and, within a round, of times and parties. This is an order in which the ledger can have recorded them: what
// an entry needs stands before it, and an end last. Entries of one round do not depend on one another, so that blocks may hold them in another order,
// and what is recorded later may come to stand before what was read earlier. Following is for those who want what they read to stay in its place.
type SessionState struct {
	ID      commit.Digest  `json:"id"`
	Status  SessionStatus  `json:"status"`
	Session Session        `json:"session"`
	Entries []SessionEntry `json:"entries"`
}

// Entry is a party's for a round, or nil.
func (s *SessionState) Entry(party string, round Round) *SessionEntry {
	for i := range s.Entries {
		if s.Entries[i].Party == party && s.Entries[i].Round == round {
			return &s.Entries[i]
		}
	}
	return nil
}

// Following are the entries in an order that begins with those seen, which are of an earlier reading of the session: what was recorded since stands behind them. This, too, is an order in
// which the ledger can have recorded them. Of a reading that is behind the earlier one, it is those seen.
func (s *SessionState) Following(seen []SessionEntry) []SessionEntry {
	out := slices.Clone(seen)
	for _, e := range s.Entries {
		if !slices.ContainsFunc(seen, func(o SessionEntry) bool { return o.Party == e.Party && o.Round == e.Round }) {
			out = append(out, e)
		}
	}
	return out
}

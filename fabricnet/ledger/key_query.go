package ledger

import (
	"fmt"

	"github.com/assay-net/assay/zk/commit"
)

// QueryPrefix is the prefix of queries.
const QueryPrefix = "query/"

// QueryKey holds a QueryRecord.
func QueryKey(id commit.Digest) string { return QueryPrefix + id.String() }

// QueryAnswerKey holds a QueryAnswer.
func QueryAnswerKey(query commit.Digest, fleet string) string {
	return "part/" + query.String() + "/" + fleet
}

// SessionKey holds a Session.
func SessionKey(id commit.Digest) string { return "session/" + id.String() }

// SessionsPrefix is the prefix of a query's sessions, in the order in which they began.
func SessionsPrefix(query commit.Digest) string { return "sessions/" + query.String() + "/" }

// SessionsKey holds the SessionRef of a query's n-th session.
func SessionsKey(query commit.Digest, n int) string {
	return SessionsPrefix(query) + hex32(uint32(n))
}

// EntryPrefix is the prefix of a session's entries.
func EntryPrefix(session commit.Digest) string { return "entry/" + session.String() + "/" }

// EntryKey holds a SessionEntry. Rounds are letters.
func EntryKey(session commit.Digest, round Round, party string) string {
	return EntryPrefix(session) + string(round) + "/" + party
}

// RepeatKey holds an EntryRepeat. No call reads it.
func RepeatKey(session commit.Digest, round Round, party string) string {
	return "repeat/" + session.String() + "/" + string(round) + "/" + party
}

// SessionEndKey holds a SessionEnd.
func SessionEndKey(session commit.Digest) string { return "ended/" + session.String() }

// ActivationKey holds a query's Activation.
func ActivationKey(query commit.Digest) string { return "activated/" + query.String() }

// PooledPrefix is the prefix of the federated queries that began about a fleet at an epoch.
func PooledPrefix(fleet string, epoch uint64) string {
	return "pooled/" + fleet + "/" + fmt.Sprintf("%016x", epoch) + "/"
}

// PooledKey holds a Pooled.
func PooledKey(fleet string, epoch uint64, query commit.Digest) string {
	return PooledPrefix(fleet, epoch) + query.String()
}

package session

import (
	"fmt"
	"strings"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// Phases that a party is in by itself, beside those of the transcript.
const (
	Expired transcript.Phase = "expired" // by the party's own clock, and not answered
	Refused transcript.Phase = "refused" // the store does not hold what the ledger says this party has said, or was told to destroy it
)

// State is what a party sees of its session.
type State struct {
	Session transcript.ID
	Party   string
	Role    transcript.Role // empty before the first step
	Phase   transcript.Phase
	Entries int      // recorded
	Waiting []string // for whom, or for what
	Reason  string   // of a session that is over without a result

	posted bool // something in this step
}

// Over says whether nothing more can happen in the session. A step that returned an error has something left to do all the same: a result to deliver, a key to destroy.
func (s State) Over() bool {
	switch s.Phase {
	case transcript.Answered, transcript.Aborted, Expired, Refused:
		return true
	}
	return false
}

// String is a line for people.
func (s State) String() string {
	text := fmt.Sprintf("session %s: %s %s: %s", s.Session.String()[:16], s.Role, s.Party, s.Phase)
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	if len(s.Waiting) > 0 {
		text += ", waiting for " + strings.Join(s.Waiting, "; ")
	}
	return text
}

// waiting is not a failure: something that others will do, or bring, is not there yet.
type waiting []string

func (w waiting) Error() string { return "waiting for " + strings.Join(w, "; ") }

// violation ends the session: what a party committed to is not what it has to be, or this party does not take part. The text is recorded for all to read.
type violation struct{ reason string }

func (v *violation) Error() string { return v.reason }

func violated(format string, args ...any) error { return &violation{fmt.Sprintf(format, args...)} }

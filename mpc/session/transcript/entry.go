package transcript

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Round is one step of a session: see the package comment.
type Round string

// The rounds, in order; any party may abort in each.
const (
	Key      Round = "key"
	Ready    Round = "ready"
	Input    Round = "input"
	Close    Round = "close"
	Activate Round = "activate"
	Share    Round = "share"
	Result   Round = "result"
	Abort    Round = "abort"
)

// Rounds are all rounds, in order.
func Rounds() []Round { return []Round{Key, Ready, Input, Close, Activate, Share, Result, Abort} }

// MaxDetail bounds what an entry says beside its digest.
const MaxDetail = 4096

const (
	maxAnchor = 512
	maxReason = 256
)

// Entry is what a party says in a round. There is one for each party and round of a session: the first that the ledger recorded.
type Entry struct {
	Session ID     `json:"session"`
	Party   string `json:"party"`
	Round   Round  `json:"round"`
	Digest  Digest `json:"digest"`
	Detail  []byte `json:"detail,omitempty"`
	At      int64  `json:"at"` // Unix seconds, set by the ledger: what a party writes here is not read
}

// Same says whether two entries say the same, whenever they were recorded.
func (e *Entry) Same(o *Entry) bool {
	return e.Session == o.Session && e.Party == o.Party && e.Round == o.Round && e.Digest == o.Digest && bytes.Equal(e.Detail, o.Detail)
}

// Declined says whether an owner gives no input to the session.
func (e *Entry) Declined() bool { return e.Round == Input && e.Digest.IsZero() }

// CheckForm checks what can be checked of an entry without those before it.
func (e *Entry) CheckForm() error {
	if len(e.Detail) > MaxDetail {
		return fmt.Errorf("detail: %d bytes, at most %d", len(e.Detail), MaxDetail)
	}
	if empty := e.Digest.IsZero(); e.Round != Input && empty != (e.Round == Close || e.Round == Abort) {
		return fmt.Errorf("digest: is it zero? %t", empty)
	}
	switch e.Round {
	case Activate: // its detail is read where the inputs are known
		return nil
	case Input:
		return e.checkAnchor()
	case Abort:
		return checkReason(e.Detail)
	case Key, Ready, Close, Share, Result:
		if len(e.Detail) != 0 {
			return fmt.Errorf("detail: %d bytes, want none", len(e.Detail))
		}
		return nil
	}
	return fmt.Errorf("round: none of %v", Rounds())
}

func (e *Entry) checkAnchor() error {
	most := maxAnchor
	if e.Declined() {
		most = 0
	}
	if len(e.Detail) > most {
		return fmt.Errorf("anchor: %d bytes, at most %d", len(e.Detail), most)
	}
	return nil
}

// checkReason takes text that can be printed as it is.
func checkReason(b []byte) error {
	if len(b) == 0 || len(b) > maxReason {
		return fmt.Errorf("reason: %d bytes, want 1 to %d", len(b), maxReason)
	}
	if !utf8.Valid(b) || slices.ContainsFunc([]rune(string(b)), unprintable) {
		return fmt.Errorf("reason: not printable text")
	}
	return nil
}

func unprintable(r rune) bool { return r < ' ' || r > '~' }

// Reason makes any text one that an abort may give.
func Reason(text string) []byte {
	text = strings.Map(func(r rune) rune {
		if unprintable(r) {
			return '?'
		}
		return r
	}, text)
	if text == "" {
		text = "no reason given"
	}
	return []byte(text[:min(len(text), maxReason)])
}

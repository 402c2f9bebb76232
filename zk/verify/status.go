package verify

import (
	"errors"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"
)

// KeyState says what a pinned key is still good for.
type KeyState string

// States of a key. It goes from active to retired or revoked and from retired to revoked, never back.
const (
	StateActive  KeyState = "active"  // proofs are made and taken under it
	StateRetired KeyState = "retired" // no new proof is taken; what was proven under it stays proven
	StateRevoked KeyState = "revoked" // nothing that was proven under it is believed any more
)

// MaxStatusReason bounds the reason of a status, in bytes.
const MaxStatusReason = 512

// KeyStatus is what became of a key, as the ledger says. The zero value is an active key's: a status is written only once
// a key is no longer active.
type KeyStatus struct {
	State  KeyState `json:"state"`
	Reason string   `json:"reason"`
	// Time is the ledger's, in Unix seconds.
	Time int64 `json:"time"`
}

// Current is the state, also where none is written.
func (s KeyStatus) Current() KeyState {
	if s == (KeyStatus{}) {
		return StateActive
	}
	return s.State
}

// May reports whether a key in this state may go to another.
func (s KeyState) May(next KeyState) bool {
	return s == StateActive && (next == StateRetired || next == StateRevoked) || s == StateRetired && next == StateRevoked
}

// String is for people: the state and, unless it is active, since when and why.
func (s KeyStatus) String() string {
	if s.Current() == StateActive {
		return string(StateActive)
	}
	return fmt.Sprintf("%s since %s: %s", s.State, time.Unix(s.Time, 0).UTC().Format(time.RFC3339), s.Reason)
}

const lastSecond = 253_402_300_799 // of the year 9999

// Check refuses a status that no ledger writes.
func (s KeyStatus) Check() error {
	switch {
	case s == (KeyStatus{}):
		return nil
	case s.State != StateRetired && s.State != StateRevoked:
		return fmt.Errorf("state %.32q is not %q or %q", s.State, StateRetired, StateRevoked)
	case s.Time < 0 || s.Time > lastSecond:
		return fmt.Errorf("time must be from 0 to %d", lastSecond)
	case s.Reason == "" || len(s.Reason) > MaxStatusReason:
		return fmt.Errorf("reason has %d bytes, at most %d and not none", len(s.Reason), MaxStatusReason)
	case !utf8.ValidString(s.Reason):
		return errors.New("reason is not valid UTF-8")
	}
	for _, r := range s.Reason {
		if !unicode.IsPrint(r) {
			return errors.New("reason holds an unprintable character")
		}
	}
	return nil
}

// usable refuses what a revoked key would show.
func (r *Keyring) usable(id string) error {
	if s := r.keys[id].Status; s.Current() == StateRevoked {
		return KeyRevoked.errorf("the key for %q is %s", id, s)
	}
	return nil
}

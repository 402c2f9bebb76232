package transcript

import (
	"errors"
	"fmt"
	"slices"
)

// Errors that a caller tells apart from a broken rule.
var (
	ErrRecorded = errors.New("another entry of this party is recorded for the round") // for ever: the first wins
	ErrRepeated = errors.New("the entry is recorded already")                         // and says the same: nothing is left to do
)

// Transcript is a session as far as the ledger has recorded it.
type Transcript struct {
	Session ID
	Opening *Opening

	entries []Entry
	place   map[Round]map[string]int // of an entry, in the ledger's order
	active  []string
	end     *Entry // a result, or an abort
}

// New is a session that is open, with nothing recorded.
func New(session ID, o *Opening) (*Transcript, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("opening of session %s: %w", session, err)
	}
	t := &Transcript{Session: session, Opening: o, place: map[Round]map[string]int{}}
	for _, r := range Rounds() {
		t.place[r] = map[string]int{}
	}
	return t, nil
}

// Read is a session with these entries, in the ledger's order. An entry against the rules is an error: a ledger that recorded it does not keep them.
func Read(session ID, o *Opening, entries []Entry) (*Transcript, error) {
	t, err := New(session, o)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if err := t.Add(entries[i]); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Add records an entry, if the rules allow it after those before.
func (t *Transcript) Add(e Entry) error {
	if err := t.Check(&e); err != nil {
		return fmt.Errorf("session %s: round %.16q of %.64q: %w", t.Session, e.Round, e.Party, err)
	}
	e.Detail = slices.Clone(e.Detail)
	t.place[e.Round][e.Party] = len(t.entries)
	t.entries = append(t.entries, e)
	switch e.Round {
	case Activate:
		t.active, _ = ParseActive(&t.Opening.Roster, e.Detail)
	case Result, Abort:
		t.end = &e
	}
	return nil
}

// Recorded is a party's entry for a round, or nil.
func (t *Transcript) Recorded(party string, r Round) *Entry {
	i, ok := t.place[r][party]
	if !ok {
		return nil
	}
	return &t.entries[i]
}

// all says whether each of the parties has an entry for the round.
func (t *Transcript) all(r Round, parties []string) bool { return len(t.missing(r, parties)) == 0 }

func (t *Transcript) missing(r Round, parties []string) []string {
	return slices.DeleteFunc(slices.Clone(parties), func(p string) bool { return t.Recorded(p, r) != nil })
}

// Inputs are the owners whose inputs are in the sum, in the roster's order: once closed they do not change.
func (t *Transcript) Inputs() []string {
	return slices.DeleteFunc(slices.Clone(t.Opening.Roster.Owners), func(owner string) bool {
		e := t.Recorded(owner, Input)
		return e == nil || e.Declined()
	})
}

// Active are the owners who open the sum; none before the activation.
func (t *Transcript) Active() []string { return slices.Clone(t.active) }

// Openers are the active owners and the regulator: those whose shares make the result.
func (t *Transcript) Openers() []string {
	if t.active == nil {
		return nil
	}
	return append(t.Active(), t.Opening.Roster.Regulator)
}

// End is the result or the abort that ended the session, or nil.
func (t *Transcript) End() *Entry { return t.end }

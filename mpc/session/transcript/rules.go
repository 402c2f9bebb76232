package transcript

import (
	"errors"
	"fmt"
	"slices"
)

// Check says whether an entry may be recorded next, at the time that it says. It changes nothing.
func (t *Transcript) Check(e *Entry) error {
	if e.Session != t.Session {
		return errors.New("session: another's")
	}
	if err := e.CheckForm(); err != nil {
		return err
	}
	if first := t.Recorded(e.Party, e.Round); first != nil && first.Same(e) {
		return ErrRepeated
	} else if first != nil {
		return ErrRecorded
	}
	if t.end != nil {
		return fmt.Errorf("the session has ended: %s of %s", t.end.Round, t.end.Party)
	}
	if e.At <= 0 || e.At > t.Opening.Expires {
		return fmt.Errorf("at %d: the session expires at %d", e.At, t.Opening.Expires)
	}
	if err := t.checkRole(e); err != nil {
		return err
	}
	return t.checkOrder(e)
}

func (t *Transcript) checkRole(e *Entry) error {
	var wanted Role
	switch e.Round {
	case Key, Ready, Abort, Share: // shares are for the openers
		if t.Opening.Roster.Role(e.Party) == "" {
			return errors.New("party: not in the roster")
		}
		return nil
	case Input:
		wanted = Owner
	case Close, Activate, Result:
		wanted = Receiver
	}
	if t.Opening.Roster.Role(e.Party) != wanted {
		return fmt.Errorf("party: not the session's %s", wanted)
	}
	return nil
}

// checkOrder is the middle column of the table in the package comment.
func (t *Transcript) checkOrder(e *Entry) error {
	phase := t.Phase()
	var wanted Phase
	switch e.Round {
	case Abort:
		return nil
	case Key:
		wanted = Keys
	case Ready:
		wanted = Preparation
	case Input, Close:
		wanted = Collection
	case Activate:
		wanted = Activation
	case Share:
		wanted = Switching
	case Result:
		wanted = Answer
	}
	if phase != wanted {
		return fmt.Errorf("the session is in phase %s, this is for %s", phase, wanted)
	}
	switch e.Round {
	case Close:
		return t.Closable(e.At)
	case Activate:
		return t.checkActivation(e)
	case Share:
		if !slices.Contains(t.Openers(), e.Party) {
			return errors.New("party: not one of those who open the sum")
		}
	}
	return nil
}

// Closable says what the receiver must wait for before it closes the inputs: enough of them; and an answer from every owner, or the time for inputs to be over, so that
// a receiver cannot shut owners out to have a sum of those it chooses: see [Transcript.SilentUntil].
func (t *Transcript) Closable(now int64) error {
	if n := len(t.Inputs()); n < t.Opening.Minimum {
		return fmt.Errorf("inputs: %d, at least %d", n, t.Opening.Minimum)
	}
	if silent, until := t.missing(Input, t.Opening.Roster.Owners), t.SilentUntil(); len(silent) > 0 && now <= until {
		return fmt.Errorf("inputs: %v have not answered, and may until %d", silent, until)
	}
	return nil
}

// SilentUntil is until when every owner is waited for: the opening's time for inputs, later by as long as it took from the first key until the last was ready. Without that,
// a party that is ready when the time is over has inputs closed as soon as the first of them are enough: a receiver among few honest owners chooses whose. A time
// that was over before the first key is none: then all answer, or there is no close.
func (t *Transcript) SilentUntil() int64 {
	first, last := t.Opening.Expires, int64(0)
	for _, i := range t.place[Key] {
		first = min(first, t.entries[i].At)
	}
	for _, i := range t.place[Ready] {
		last = max(last, t.entries[i].At)
	}
	if first > t.Opening.InputsUntil {
		return t.Opening.Expires
	}
	return t.Opening.InputsUntil + max(0, last-first)
}

func (t *Transcript) checkActivation(e *Entry) error {
	active, err := ParseActive(&t.Opening.Roster, e.Detail)
	if err != nil {
		return err
	}
	inputs := t.Inputs()
	for _, owner := range active {
		if !slices.Contains(inputs, owner) {
			return fmt.Errorf("active: %s has no input in the sum", owner)
		}
	}
	return nil
}

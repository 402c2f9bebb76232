package transcript

// Phase is what a session waits for.
type Phase string

// The phases, in order.
const (
	Keys        Phase = "keys"        // commitments to keys
	Preparation Phase = "preparation" // everyone to hold what the others dealt it
	Collection  Phase = "collection"  // owners' inputs
	Activation  Phase = "activation"  // the receiver to name the sum and who opens it
	Switching   Phase = "switching"   // shares
	Answer      Phase = "answer"      // the receiver to record the result
	Answered    Phase = "answered"    // nothing: a result is recorded
	Aborted     Phase = "aborted"     // nothing: a party ended it
)

// Phase of the session, as far as it is recorded.
func (t *Transcript) Phase() Phase {
	r := &t.Opening.Roster
	switch {
	case t.end != nil && t.end.Round == Abort:
		return Aborted
	case t.end != nil:
		return Answered
	case t.active != nil && t.all(Share, t.Openers()):
		return Answer
	case t.active != nil:
		return Switching
	case t.Recorded(r.Receiver, Close) != nil:
		return Activation
	case t.all(Ready, r.Parties()):
		return Collection
	case t.all(Key, r.Parties()):
		return Preparation
	}
	return Keys
}

// Missing are those whose entries the phase waits for.
func (t *Transcript) Missing() []string {
	r := &t.Opening.Roster
	switch t.Phase() {
	case Keys:
		return t.missing(Key, r.Parties())
	case Preparation:
		return t.missing(Ready, r.Parties())
	case Collection:
		if owners := t.missing(Input, r.Owners); len(owners) > 0 {
			return owners
		}
		return []string{r.Receiver}
	case Activation, Answer:
		return []string{r.Receiver}
	case Switching:
		return t.missing(Share, t.Openers())
	}
	return nil
}

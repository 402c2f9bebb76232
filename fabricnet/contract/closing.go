package contract

import "github.com/assay-net/assay/fabricnet/ledger"

// close ends the inputs: those recorded are all in the sum. The receiver waits for every owner, or until the time for inputs is over, so that it cannot choose among them.
func (p *posting) close() error {
	if err := p.only(p.entry.Party == p.session.Receiver); err != nil {
		return err
	}
	if err := p.after(ledger.RoundReady, p.session.Members()...); err != nil {
		return err
	}
	given, silent, err := p.inputs()
	if err != nil {
		return err
	}
	if len(given) < int(p.session.Minimum) {
		return ledger.Refuse(ledger.Conflict, "session %s has %d inputs, at least %d are needed", p.id, len(given), p.session.Minimum)
	}
	until, err := p.silentUntil()
	if err == nil && len(silent) > 0 && p.now <= until {
		err = ledger.Refuse(ledger.Expired, "too early: %v may yet give an input to session %s, until %s", silent, p.id, stamp(until))
	}
	return err
}

// silentUntil is until when every owner is waited for: the session's time for inputs, later by as long as it took from the first key until the last member was ready. Without that a
// member that is ready when the time is over has inputs closed as soon as the first of them are enough, and the receiver chooses whose. A time that was over before the first key is none.
func (p *posting) silentUntil() (int64, error) {
	first, last := p.session.Expires, int64(0)
	for _, member := range p.session.Members() {
		key, err := p.recorded(ledger.RoundKey, member)
		if err != nil {
			return 0, err
		}
		ready, err := p.recorded(ledger.RoundReady, member)
		if err != nil {
			return 0, err
		}
		if key != nil {
			first = min(first, key.Time)
		}
		if ready != nil {
			last = max(last, ready.Time)
		}
	}
	if first > p.session.InputsUntil {
		return p.session.Expires, nil
	}
	return p.session.InputsUntil + max(0, last-first), nil
}

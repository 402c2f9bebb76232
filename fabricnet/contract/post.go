package contract

import (
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// post records an entry of the caller's in a session: the first for its round, for ever. The same again changes nothing and is answered with what is recorded, at any time; anything else is
// refused with a code of its own, by which a node that was restored from a backup learns that it spoke before. What an entry needs, it reads, so that
// what was endorsed before something else changed the session is void. So an entry is written once: a member that could write its own again would void whatever of others stands on
// it, and a receiver keep out the inputs that it does not like. That it said the same again is noted where nothing is read.
func post(r *run, a *ledger.Post) (*ledger.SessionEntry, error) {
	s, err := sessionOf(r.state, a.Session)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.Members(), r.caller()) {
		return nil, ledger.Refuse(ledger.Forbidden, "%s is no member of session %s", r.caller(), a.Session)
	}
	p := &posting{run: r, id: a.Session, session: s, entry: &ledger.SessionEntry{
		Party: r.caller(), Round: a.Round, Digest: a.Digest, Detail: a.Detail, Time: r.now, TxID: r.tx.ID,
	}}
	if err := p.checkForm(); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	first, err := p.recorded(a.Round, r.caller())
	if err != nil {
		return nil, err
	}
	switch {
	case first == nil:
		if err := p.record(); err != nil {
			return nil, err
		}
		first = p.entry
	case !first.Same(p.entry):
		return nil, ledger.Refuse(ledger.AlreadyRecorded, "%s has another entry for round %s of session %s, recorded by transaction %s", r.caller(), a.Round, a.Session, first.TxID)
	default: // a ledger takes no call that writes nothing
		if err := put(r.state, ledger.RepeatKey(a.Session, a.Round, r.caller()), ledger.EntryRepeat{TxID: r.tx.ID}); err != nil {
			return nil, err
		}
	}
	r.event(ledger.EventPosted, ledger.EventPayload{
		Fleet: s.FleetOf(r.caller()), Requester: s.Receiver, Query: &s.Query, Session: &a.Session, Round: a.Round, Digest: &a.Digest,
	})
	return first, nil
}

// sessionOf reads a session that must exist.
func sessionOf(s State, id commit.Digest) (*ledger.Session, error) {
	out, err := get[ledger.Session](s, ledger.SessionKey(id))
	if err == nil && out == nil {
		return nil, ledger.Refuse(ledger.NotFound, "session %s is not known", id)
	}
	return out, err
}

// posting is an entry on its way into a session.
type posting struct {
	*run
	id      commit.Digest
	session *ledger.Session
	entry   *ledger.SessionEntry
}

func (p *posting) recorded(round ledger.Round, party string) (*ledger.SessionEntry, error) {
	return get[ledger.SessionEntry](p.state, ledger.EntryKey(p.id, round, party))
}

// record writes the entry, and what follows from it, if it is its turn.
func (p *posting) record() error {
	ended, err := get[ledger.SessionEnd](p.state, ledger.SessionEndKey(p.id))
	if err != nil {
		return err
	}
	if ended != nil {
		return ledger.Refuse(ledger.Conflict, "session %s ended with the %s of %s", p.id, ended.Round, ended.Party)
	}
	late := p.now >= p.session.Expires
	if p.entry.Round == ledger.RoundResult && p.session.Kind == ledger.QueryScore {
		late = false // it is the receiver's to record, and nobody else's secrets wait for it
	}
	if late {
		return ledger.Refuse(ledger.Expired, "session %s expired at %s", p.id, stamp(p.session.Expires))
	}
	follow, err := p.turn()
	if err != nil {
		return err
	}
	if err := put(p.state, ledger.EntryKey(p.id, p.entry.Round, p.entry.Party), p.entry); err != nil {
		return err
	}
	if follow == nil {
		return nil
	}
	return follow()
}

// turn looks at whether the caller may post in this round now, and returns what else is to be written, if anything.
func (p *posting) turn() (follow func() error, err error) {
	s := p.session
	switch p.entry.Round {
	case ledger.RoundKey, ledger.RoundRequest:
		return nil, p.only(p.entry.Round == ledger.RoundKey || p.entry.Party == s.Receiver)
	case ledger.RoundReady:
		return nil, p.after(ledger.RoundKey, s.Members()...)
	case ledger.RoundInput:
		return nil, p.input()
	case ledger.RoundClose:
		return nil, p.close()
	case ledger.RoundActivate:
		return p.activate()
	case ledger.RoundShare:
		return nil, p.share()
	case ledger.RoundAnswer:
		return p.answered()
	case ledger.RoundResult:
		return p.end, p.result()
	}
	return p.end, nil // an abort
}

// end writes what ended the session.
func (p *posting) end() error {
	return put(p.state, ledger.SessionEndKey(p.id), ledger.SessionEnd{Round: p.entry.Round, Party: p.entry.Party, Time: p.now, TxID: p.tx.ID})
}

func (p *posting) only(allowed bool) error {
	if !allowed {
		return ledger.Refuse(ledger.Forbidden, "round %s of session %s is not for %s", p.entry.Round, p.id, p.entry.Party)
	}
	return nil
}

// after wants the entries of others for an earlier round.
func (p *posting) after(round ledger.Round, parties ...string) error {
	missing, err := p.missing(round, parties)
	if err == nil && len(missing) > 0 {
		return ledger.Refuse(ledger.Conflict, "round %s of session %s is not due: %v have no entry for round %s", p.entry.Round, p.id, missing, round)
	}
	return err
}

func (p *posting) missing(round ledger.Round, parties []string) (out []string, err error) {
	for _, party := range parties {
		there, err := exists(p.state, ledger.EntryKey(p.id, round, party))
		if err != nil {
			return nil, err
		}
		if !there {
			out = append(out, party)
		}
	}
	return out, nil
}

package review

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// sessions reads every session again by the rules that its members go by.
func (i *inquiry) sessions() {
	if n := len(i.d.Sessions); n > ledger.MaxSessions {
		i.add("query: has %d sessions, at most %d", n, ledger.MaxSessions)
	}
	declined := map[string]string{} // in which transaction
	for n := range i.d.Sessions {
		s, head := &i.d.Sessions[n], &i.d.Query.Sessions[n]
		what := fmt.Sprintf("session %s", s.ID)
		if s.ID != head.ID || s.Session.ID() != s.ID || !bytes.Equal(ledger.Encode(s.Session), ledger.Encode(head.Session)) {
			i.add("%s: is not the one that the query names", what)
			continue
		}
		if err := query.CheckSession(&i.d.Query, &s.Session); err != nil {
			i.add("%s: %v", what, err)
			continue
		}
		i.began(what, s)
		i.order(s)
		if err := i.rules(s); err != nil {
			i.add("%s: %v", what, err)
		}
		for j := range s.Entries {
			i.entry(what, s, &s.Entries[j], declined)
		}
	}
}

// began wants all parts to have been approved before.
func (i *inquiry) began(what string, s *ledger.SessionState) {
	b := &s.Session
	i.holds(i.Found, record{what, b.TxID, b.Receiver, ledger.FnBegin, ledger.QueryRef{Query: b.Query}, ledger.SessionKey(s.ID), b, b.Time})
	if b.Time >= b.Expires || b.InputsUntil >= b.Expires {
		i.add("%s: began at %d, with inputs until %d, and expires at %d", what, b.Time, b.InputsUntil, b.Expires)
	}
	if len(i.d.Query.Answers) != len(i.q.Parts) {
		i.add("%s: %d of %d parts are answered", what, len(i.d.Query.Answers), len(i.q.Parts))
	}
	for n := range i.d.Query.Answers {
		a := &i.d.Query.Answers[n]
		if !a.Decision.Approved || i.behind(a.Decision.TxID, b.TxID) {
			i.add("%s: the part about fleet %s was not approved when it began", what, a.Fleet)
		}
		if g := i.d.Grants[n]; g != nil && g.Revocation != nil && i.behind(b.TxID, g.Revocation.TxID) {
			i.add("%s: grant %s was revoked when it began", what, g.Grant.Terms.ID)
		}
	}
	if a := i.d.Query.Activated; a != nil && i.behind(b.TxID, a.TxID) {
		i.add("%s: began when another had named the sum", what)
	}
}

// order puts the entries into that of their blocks. Within a block none stands on another.
func (i *inquiry) order(s *ledger.SessionState) {
	slices.SortStableFunc(s.Entries, func(a, b ledger.SessionEntry) int {
		first, _ := i.height(a.TxID)
		second, _ := i.height(b.TxID)
		return cmp.Compare(first, second)
	})
}

// entry holds an entry against its block, and an input against the anchors that it must be from.
func (i *inquiry) entry(what string, s *ledger.SessionState, e *ledger.SessionEntry, declined map[string]string) {
	what = fmt.Sprintf("%s: %s of %s", what, e.Round, e.Party)
	post := ledger.Post{Session: s.ID, Round: e.Round, Digest: e.Digest, Detail: e.Detail}
	i.holds(i.Found, record{what, e.TxID, e.Party, ledger.FnPost, post, ledger.EntryKey(s.ID, e.Round, e.Party), e, e.Time})
	switch {
	case e.Round != ledger.RoundInput:
	case e.Declined():
		if declined[e.Party] == "" {
			declined[e.Party] = e.TxID
		}
	default:
		if at := declined[e.Party]; at != "" && i.behind(e.TxID, at) {
			i.add("%s: it had declined the query in transaction %s", what, at)
		}
		fleet := s.Session.FleetOf(e.Party)
		n := slices.IndexFunc(i.d.Query.Answers, func(a ledger.QueryAnswer) bool { return a.Fleet == fleet })
		if n < 0 || i.d.Query.Answers[n].Settled == nil || !bytes.Equal(e.Detail, ledger.Encode(i.d.Query.Answers[n].Settled.Anchors)) {
			i.add("%s: is from other anchors than those of the approved part", what)
		}
	}
}

// rules goes through the entries by those of the session's kind.
func (i *inquiry) rules(s *ledger.SessionState) error {
	if s.Session.Kind == ledger.QueryScore {
		return readScore(s)
	}
	o := &transcript.Opening{ // of which the rules look at the roster, the minimum and the times
		Roster: transcript.Roster{Owners: s.Session.Owners(), Regulator: s.Session.Regulator, Receiver: s.Session.Receiver, Threshold: int(s.Session.Threshold)},
		Params: s.Session.Parameters, Query: transcript.Digest(i.d.Query.ID), Used: 2, Ciphertexts: 1,
		Minimum: int(s.Session.Minimum), InputsUntil: s.Session.InputsUntil, Expires: s.Session.Expires - 1,
	}
	id := transcript.ID(s.ID)
	t, err := transcript.New(id, o)
	if err != nil {
		return err
	}
	for _, e := range s.Entries {
		err := t.Add(transcript.Entry{Session: id, Party: e.Party, Round: transcript.Round(e.Round), Digest: transcript.Digest(e.Digest), Detail: e.Detail, At: e.Time})
		if err != nil {
			return err
		}
	}
	return nil
}

// readScore wants the request of the receiver, the owner's answer and then a result, or an abort by either that ends it.
func readScore(s *ledger.SessionState) error {
	owner, receiver := s.Session.Seats[0].Owner, s.Session.Receiver
	steps := []struct {
		round ledger.Round
		party string
	}{{ledger.RoundRequest, receiver}, {ledger.RoundAnswer, owner}, {ledger.RoundResult, receiver}}
	ended := false
	for n := range s.Entries {
		e := &s.Entries[n]
		wrong := fmt.Errorf("entry %d: %s of %s is out of turn", n, e.Round, e.Party)
		if ended || e.Time >= s.Session.Expires && e.Round != ledger.RoundResult {
			return wrong
		}
		if e.Round == ledger.RoundAbort {
			if ended = true; e.Party != owner && e.Party != receiver || !e.Digest.IsZero() || len(e.Detail) == 0 {
				return wrong
			}
			continue
		}
		if n >= len(steps) || e.Round != steps[n].round || e.Party != steps[n].party || e.Digest.IsZero() || len(e.Detail) > 0 {
			return wrong
		}
		ended = e.Round == ledger.RoundResult
	}
	return nil
}

// given are the fleets whose owners' parts a session answers with: those with an input, or a score's only one.
func given(s *ledger.SessionState) (fleets []string) {
	for n := range s.Entries {
		if e := &s.Entries[n]; e.Round == ledger.RoundAnswer || e.Round == ledger.RoundInput && !e.Declined() {
			fleets = append(fleets, s.Session.FleetOf(e.Party))
		}
	}
	slices.Sort(fleets)
	return fleets
}

// naming is the entry from which on something of the query is told; nil if there is none.
func naming(s *ledger.SessionState) *ledger.SessionEntry {
	if s.Session.Kind == ledger.QueryScore {
		return s.Entry(s.Session.Seats[0].Owner, ledger.RoundAnswer)
	}
	return s.Entry(s.Session.Receiver, ledger.RoundActivate)
}

// activation is the session that answers the query and the entry that named the sum or gave the answer; nil if there is none. It wants the ledger to have noted just that.
func (i *inquiry) activation() (*ledger.SessionState, *ledger.SessionEntry) {
	var in *ledger.SessionState
	var named *ledger.SessionEntry
	for n := range i.d.Sessions {
		s := &i.d.Sessions[n]
		if s.Session.Kind != i.q.Kind || len(s.Session.Seats) == 0 {
			continue // said already
		}
		if e := naming(s); e != nil {
			if named != nil {
				i.add("query: sessions %s and %s both answer it", in.ID, s.ID)
			}
			in, named = s, e
		}
	}
	a := i.d.Query.Activated
	switch {
	case (a == nil) != (named == nil) || a != nil && (a.Session != in.ID || a.TxID != named.TxID || !slices.Equal(a.Fleets, given(in))):
		i.add("query: the ledger says that it is answered by %+v, its sessions say otherwise", a)
		return nil, nil
	case a != nil:
		if w := i.found[a.TxID]; w != nil && !bytes.Equal(w.Writes[ledger.ActivationKey(i.d.Query.ID)], ledger.Encode(a)) {
			i.add("query: which session answers it is not what the endorsers of transaction %s signed", a.TxID)
		}
	}
	return in, named
}

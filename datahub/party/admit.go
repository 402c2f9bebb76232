package party

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// admit decides whether this node makes a key for a session: nothing of it was said before.
func (m *Manager) admit(ctx context.Context, s *seat, o *transcript.Opening) error {
	e, err := m.Book.QueryEntry(ctx, s.query)
	if err != nil {
		return err
	}
	role, fleet := m.roleIn(&e)
	if role == "" {
		return declined("this node has no part in the query")
	}
	derived, err := query.Opening(&e, &s.session)
	if err != nil {
		return declined("%v", err)
	}
	if !bytes.Equal(derived.Encode(), o.Encode()) {
		return declined("the session is not as its query has it")
	}
	if err := m.admitTimes(s, &e.Record.Query); err != nil {
		return err
	}
	if role == transcript.Owner {
		if err := m.stands(ctx, s, fleet); err != nil {
			return err
		}
	}
	return m.admitPopulation(ctx, &e)
}

func declined(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{session.ErrDeclined}, args...)...)
}

// doubts is for how many Polls a no of the ledger's to what it approved must stand.
const doubts = 3

// stands asks the ledger whether this owner's approval still does. A no is believed if it is said again a while later: of several peers behind an address one may be behind, and what is declined is
// declined for good.
func (m *Manager) stands(ctx context.Context, s *seat, fleet string) error {
	a, err := m.Book.AssessQuery(ctx, s.query, fleet)
	if err != nil {
		return err
	}
	if a.Allowed || a.Wait {
		s.doubted = time.Time{}
		return nil
	}
	if s.doubted.IsZero() {
		s.doubted = time.Now()
	}
	if time.Since(s.doubted) < doubts*m.Poll {
		return fmt.Errorf("the ledger allows it no more, and will be asked again: %q", a.Reasons)
	}
	return declined("the ledger allows it no more: %q", a.Reasons)
}

// admitTimes refuses a session that was held back, so that owners who are slower than the receiver's friends would be shut out; and one that would have secrets kept for too long. That this node
// is slow is nobody else's fault: it is when the session was first seen that counts.
func (m *Manager) admitTimes(s *seat, q *ledger.Query) error {
	in := &s.session
	if least := (q.InputSeconds + 1) / 2; in.InputsUntil-s.seen.Unix() < least {
		return declined("inputs may come until %s, which was less than %d s away when it was first seen", stamp(in.InputsUntil), least)
	}
	if most := int64(m.Longest / time.Second); in.Expires-m.Now().Unix() > most {
		return declined("it expires at %s, which is more than %d s away", stamp(in.Expires), most)
	}
	return nil
}

// admitPopulation holds the numbers that the encryption is laid out for against what the ledger has of every fleet.
func (m *Manager) admitPopulation(ctx context.Context, e *ledger.QueryEntry) error {
	for _, p := range e.Record.Query.Parts {
		answer := answerOf(e, p.Fleet)
		if answer == nil || answer.Settled == nil {
			return declined("the part about fleet %s is not approved", p.Fleet)
		}
		facts, err := m.facts(ctx, p.Fleet, e.Record.Query.Epoch)
		if err != nil {
			return err
		}
		anchors, err := m.Book.AnchorReference(ctx, ledger.EpochRef{Fleet: p.Fleet, Epoch: e.Record.Query.Epoch})
		if err != nil {
			return err
		}
		if s := answer.Settled; !facts.Closed || s.Enrolled != facts.Facts.Enrolled || s.Attested != facts.Facts.Attested() || s.Anchors != anchors {
			return declined("epoch %d of fleet %s is not as its approved part says", e.Record.Query.Epoch, p.Fleet)
		}
	}
	return nil
}

func stamp(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// roleIn is this node's place in a query, and of an owner its fleet; "" if it has none.
func (m *Manager) roleIn(e *ledger.QueryEntry) (role transcript.Role, fleet string) {
	q := &e.Record.Query
	switch m.Organisation.ID {
	case q.Requester:
		return transcript.Receiver, ""
	case q.Regulator:
		return transcript.Regulator, ""
	}
	for i, p := range q.Parts {
		if i < len(e.Record.Owners) && e.Record.Owners[i] == m.Organisation.ID && m.answers(p.Fleet) {
			return transcript.Owner, p.Fleet
		}
	}
	return "", ""
}

package contract

import (
	"fmt"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// checkForm is all of an entry that can be checked without those before it.
func (p *posting) checkForm() error {
	e := p.entry
	if !slices.Contains(ledger.RoundsOf(p.session.Kind), e.Round) {
		return fmt.Errorf("round: a %s session has no round %.40q", p.session.Kind, e.Round)
	}
	none := e.Digest == commit.Digest{}
	if wants := e.Round == ledger.RoundClose || e.Round == ledger.RoundAbort; e.Round != ledger.RoundInput && none != wants {
		return fmt.Errorf("digest: round %s has one: %t, this entry: %t", e.Round, !wants, !none)
	}
	switch {
	case e.Round == ledger.RoundAbort:
		if n := len(e.Detail); n == 0 || n > ledger.MaxAbort || slices.ContainsFunc(e.Detail, func(c byte) bool { return c < ' ' || c > '~' }) {
			return fmt.Errorf("detail: an abort says why in 1 to %d printable characters of ASCII", ledger.MaxAbort)
		}
	case e.Round == ledger.RoundActivate, e.Round == ledger.RoundInput && !none: // read where it is known what it should be
	case len(e.Detail) != 0:
		return fmt.Errorf("detail: has %d bytes, want none", len(e.Detail))
	}
	return nil
}

// input takes an owner's commitment to what it encrypted, from the anchors that the ledger has of its fleet, or that it declines.
func (p *posting) input() error {
	fleet := p.session.FleetOf(p.entry.Party)
	if err := p.only(fleet != ""); err != nil {
		return err
	}
	if err := p.after(ledger.RoundReady, p.session.Members()...); err != nil {
		return err
	}
	closed, err := exists(p.state, ledger.EntryKey(p.id, ledger.RoundClose, p.session.Receiver))
	if err != nil {
		return err
	}
	if closed {
		return ledger.Refuse(ledger.Conflict, "the inputs of session %s are closed", p.id)
	}
	if p.entry.Declined() {
		return nil
	}
	if err := p.undeclined(); err != nil {
		return err
	}
	said, err := ledger.Decode[ledger.AnchorReference]("detail", p.entry.Detail, ledger.MaxEntryDetail)
	if err != nil {
		return ledger.Refuse(ledger.Invalid, "%v", err)
	}
	approved, err := get[ledger.QueryAnswer](p.state, ledger.QueryAnswerKey(p.session.Query, fleet))
	if err != nil {
		return err
	}
	if approved == nil || approved.Settled == nil {
		return fmt.Errorf("state of session %s: the part about fleet %s is not approved", p.id, fleet)
	}
	if is := approved.Settled.Anchors; *said != is || is.Chunks == 0 {
		return ledger.Refuse(ledger.Invalid, "the input is from %d anchors of epoch %d with digest %s, fleet %s has %d of epoch %d with digest %s",
			said.Chunks, said.Epoch, said.Digest, fleet, is.Chunks, is.Epoch, is.Digest)
	}
	return nil
}

// undeclined refuses the input of an owner that declined in another session of the query. Its part is made once for a query, and where the totals are noised, that there is none was made from
// one draw of the noise, which the approval paid for. An input after that is of another draw, which nobody paid for.
func (p *posting) undeclined() error {
	sessions, err := p.sessionsOf(p.session.Query)
	if err != nil {
		return err
	}
	for _, id := range sessions {
		e, err := get[ledger.SessionEntry](p.state, ledger.EntryKey(id, ledger.RoundInput, p.entry.Party))
		if err != nil {
			return err
		}
		if e != nil && e.Declined() {
			return ledger.Refuse(ledger.Forbidden, "%s declined to give an input to query %s in session %s", p.entry.Party, p.session.Query, id)
		}
	}
	return nil
}

// inputs lists the owners with an input, and those who have not said anything.
func (p *posting) inputs() (given, silent []string, err error) {
	for _, owner := range p.session.Owners() {
		e, err := p.recorded(ledger.RoundInput, owner)
		switch {
		case err != nil:
			return nil, nil, err
		case e == nil:
			silent = append(silent, owner)
		case !e.Declined():
			given = append(given, owner)
		}
	}
	return given, silent, nil
}

// activate names the sum and who opens it: as many owners with an input as the threshold. It happens in one session of a query, if the approvals of all whose inputs are in the sum
// still suffice, and from then on counts for ever.
func (p *posting) activate() (func() error, error) {
	if err := p.only(p.entry.Party == p.session.Receiver); err != nil {
		return nil, err
	}
	if err := p.after(ledger.RoundClose, p.session.Receiver); err != nil {
		return nil, err
	}
	given, _, err := p.inputs()
	if err != nil {
		return nil, err
	}
	active, err := p.active(p.entry.Detail)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	for _, owner := range active {
		if !slices.Contains(given, owner) {
			return nil, ledger.Refuse(ledger.Invalid, "detail: %s is to open the sum and has no input in it", owner)
		}
	}
	var opened []string
	for _, owner := range given {
		opened = append(opened, p.session.FleetOf(owner))
	}
	slices.Sort(opened)
	return p.open(opened)
}

// open is what follows when the sum over some fleets is named.
func (p *posting) open(opened []string) (func() error, error) {
	id := p.session.Query
	q, judged, err := p.judgedAgain(opened)
	if err != nil {
		return nil, err
	}
	for _, fleet := range q.Query.Fleets() {
		earlier, err := p.pooledAt(fleet, q.Query.Epoch, id)
		if err != nil {
			return nil, err
		}
		if reasons := policy.Pools(earlier, pooled(id, q, judged[0].question.Cohort, opened)); len(reasons) > 0 {
			judged[0].refuse(reasons...)
			return nil, judged[0].refusal()
		}
	}
	return func() error {
		if err := p.putActivation(opened); err != nil {
			return err
		}
		return p.putPooled(id, q, judged[0], opened)
	}, nil
}

// judgedAgain judges the approved parts about some fleets as things are now, if no other session of the query has come as far.
func (p *posting) judgedAgain(fleets []string) (*ledger.QueryRecord, []*judgement, error) {
	q, err := queryOf(p.state, p.session.Query)
	if err != nil {
		return nil, nil, err
	}
	if err := p.first(); err != nil {
		return nil, nil, err
	}
	answers, err := p.approvals(p.session.Query, q)
	if err != nil {
		return nil, nil, err
	}
	judged, err := p.judgeParts(p.session.Query, q, answers, fleets)
	return q, judged, err
}

// first wants no other session of the query to have come this far.
func (p *posting) first() error {
	activated, err := get[ledger.Activation](p.state, ledger.ActivationKey(p.session.Query))
	if err == nil && activated != nil {
		return ledger.Refuse(ledger.Conflict, "query %s is answered in session %s", p.session.Query, activated.Session)
	}
	return err
}

func (p *posting) putActivation(fleets []string) error {
	return put(p.state, ledger.ActivationKey(p.session.Query), ledger.Activation{Session: p.id, Fleets: fleets, Time: p.now, TxID: p.tx.ID})
}

// active reads who opens the sum: the threshold's number of owners' seats, ascending.
func (p *posting) active(detail []byte) ([]string, error) { return activeIn(p.session, detail) }

func activeIn(s *ledger.Session, detail []byte) ([]string, error) {
	if len(detail) != int(s.Threshold) {
		return nil, fmt.Errorf("detail: names %d owners, want the threshold, %d", len(detail), s.Threshold)
	}
	var out []string
	for i, seat := range detail {
		if seat < 1 || int(seat) > len(s.Seats) || i > 0 && detail[i-1] >= seat {
			return nil, fmt.Errorf("detail: seat %d in place %d, want ascending seats of 1 to %d", seat, i, len(s.Seats))
		}
		out = append(out, s.Seats[seat-1].Owner)
	}
	return out, nil
}

// openers are the active owners and the regulator, once the sum is named.
func (p *posting) openers() ([]string, error) {
	e, err := p.recorded(ledger.RoundActivate, p.session.Receiver)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, ledger.Refuse(ledger.Conflict, "round %s of session %s is not due: no sum is named", p.entry.Round, p.id)
	}
	active, err := p.active(e.Detail)
	if err != nil {
		return nil, fmt.Errorf("state of session %s: %w", p.id, err)
	}
	return append(active, p.session.Regulator), nil
}

func (p *posting) share() error {
	openers, err := p.openers()
	if err != nil {
		return err
	}
	return p.only(slices.Contains(openers, p.entry.Party))
}

// answered takes the owner's answer to a score, if its approval still suffices: from then on the requester may have it.
func (p *posting) answered() (func() error, error) {
	if err := p.only(p.session.FleetOf(p.entry.Party) != ""); err != nil {
		return nil, err
	}
	if err := p.after(ledger.RoundRequest, p.session.Receiver); err != nil {
		return nil, err
	}
	fleets := []string{p.session.FleetOf(p.entry.Party)} // a score's only one
	_, judged, err := p.judgedAgain(fleets)
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := p.putActivation(fleets); err != nil {
			return err
		}
		a := judged[0].record()
		a.Started = true
		return put(p.state, ledger.AnsweredKey(judged[0].fleet, judged[0].epoch, p.session.Query), a)
	}, nil
}

// result takes what the receiver makes of the answer.
func (p *posting) result() error {
	if err := p.only(p.entry.Party == p.session.Receiver); err != nil {
		return err
	}
	if p.session.Kind == ledger.QueryScore {
		return p.after(ledger.RoundAnswer, p.session.Owners()...)
	}
	openers, err := p.openers()
	if err != nil {
		return err
	}
	return p.after(ledger.RoundShare, openers...)
}

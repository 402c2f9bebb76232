package contract

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// endCeremonyStage takes no more contributions to a stage. The hash of the block that this comes into closes the stage: nobody knew it when the last contribution was recorded.
func endCeremonyStage(r *run, a *ledger.EndCeremonyStage) (*ledger.CeremonyEnd, error) {
	if err := checkStage(a.Stage); err != nil {
		return nil, err
	}
	plan, _, err := ceremonyOf(r.state, a.Ceremony)
	if err != nil {
		return nil, err
	}
	there, err := endOf(r.state, a.Ceremony, a.Stage)
	if err != nil {
		return nil, err
	}
	if there != nil {
		return nil, ledger.Refuse(ledger.Conflict, "stage %d of ceremony %s has ended", a.Stage, a.Ceremony)
	}
	if _, err := r.standsOn(a.Ceremony, a.Stage); err != nil {
		return nil, err
	}
	for _, part := range plan.Parts(a.Stage) {
		headers, err := headersOf(r.state, a.Ceremony, part)
		if err != nil {
			return nil, err
		}
		if len(headers) < plan.Minimum {
			return nil, ledger.Refuse(ledger.Expired, "%s has %d contributions, the plan wants %d before its stage ends", part, len(headers), plan.Minimum)
		}
	}
	end := &ledger.CeremonyEnd{Stage: a.Stage, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.CeremonyEndKey(a.Ceremony, a.Stage), end); err != nil {
		return nil, err
	}
	r.event(ledger.EventStageEnded, ledger.EventPayload{Ceremony: &a.Ceremony, Stage: a.Stage})
	return end, nil
}

// closeCeremonyStage closes a stage at the heads that the ledger has. The contract sees no block's hash: that the closing value is the one of the block which holds the end is for
// those to look at who read blocks, as an audit does, and everybody who consents to a key.
func closeCeremonyStage(r *run, a *ledger.CloseCeremonyStage) (*ledger.CeremonyClosing, error) {
	closing, err := transcript.ParseClosing(a.Closing)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "closing: %v", err)
	}
	if err := checkStage(closing.Stage); err != nil {
		return nil, err
	}
	plan, _, err := ceremonyOf(r.state, closing.Ceremony)
	if err != nil {
		return nil, err
	}
	if err := plan.CheckClosing(closing.Stage, closing); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "closing: %v", err)
	}
	if err := r.checkOpen(closing); err != nil {
		return nil, err
	}
	if err := r.checkHeads(closing); err != nil {
		return nil, err
	}
	if _, err := ledger.ParseBlockSource(r.tx.Ledger, closing.Source); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "closing: source: %v", err)
	}
	record := &ledger.CeremonyClosing{Closing: ledger.Encode(closing), Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.CeremonyClosingKey(closing.Ceremony, closing.Stage), record); err != nil {
		return nil, err
	}
	payload := ledger.EventPayload{Ceremony: &closing.Ceremony, Stage: closing.Stage}
	if payload.Digest, err = r.finished(plan, closing); err != nil {
		return nil, err
	}
	r.event(ledger.EventStageClosed, payload)
	return record, nil
}

// checkOpen wants a stage that has ended and is not closed.
func (r *run) checkOpen(closing *transcript.Closing) error {
	end, err := endOf(r.state, closing.Ceremony, closing.Stage)
	if err != nil {
		return err
	}
	if end == nil {
		return ledger.Refuse(ledger.Expired, "stage %d of ceremony %s has not ended", closing.Stage, closing.Ceremony)
	}
	there, err := exists(r.state, ledger.CeremonyClosingKey(closing.Ceremony, closing.Stage))
	if err == nil && there {
		err = ledger.Refuse(ledger.Conflict, "stage %d of ceremony %s is closed", closing.Stage, closing.Ceremony)
	}
	return err
}

// checkHeads compares a closing's parts with what was recorded.
func (r *run) checkHeads(closing *transcript.Closing) error {
	for _, p := range closing.Parts {
		headers, err := headersOf(r.state, closing.Ceremony, p.Part)
		if err != nil {
			return err
		}
		if len(headers) == 0 { // its stage was not ended by this contract; an audit goes on after what was forged
			return fmt.Errorf("%s has no contributions, and its stage has ended", p.Part)
		}
		last, err := transcript.ParseHeader(headers[len(headers)-1])
		if err != nil {
			return err
		}
		if p.Contributions != len(headers) || p.Last != last.Digest() {
			return ledger.Refuse(ledger.Invalid, "closing: %s ends with contribution %d, %s; recorded are %d, up to %s", p.Part, p.Contributions, p.Last, len(headers), last.Digest())
		}
	}
	return nil
}

// finished gives the transcript's digest once the second stage is closed, and has keys be taken that name it.
func (r *run) finished(plan *transcript.Plan, second *transcript.Closing) (*commit.Digest, error) {
	if second.Stage != transcript.SecondStage {
		return nil, nil
	}
	first, _, err := closingOf(r.state, second.Ceremony, transcript.FirstStage)
	if err != nil {
		return nil, err
	}
	if err := plan.CheckClosings(first, second); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	digest := transcript.Digest(plan, first, second)
	return &digest, put(r.state, ledger.TranscriptKey(digest), second.Ceremony)
}

func queryCeremony(r *run, a *ledger.CeremonyRef) (*ledger.Ceremony, error) {
	plan, record, err := ceremonyOf(r.state, a.Ceremony)
	if err != nil {
		return nil, err
	}
	return r.ceremony(a.Ceremony, plan, record)
}

// ceremony gathers what the ledger has of one.
func (r *run) ceremony(id commit.Digest, plan *transcript.Plan, record *ledger.CeremonyPlan) (*ledger.Ceremony, error) {
	out := &ledger.Ceremony{ID: id, CeremonyPlan: *record, Parts: []ledger.CeremonyPart{}, Ends: []ledger.CeremonyEnd{}, Closings: []ledger.CeremonyClosing{}}
	var closings []*transcript.Closing
	for _, stage := range stages {
		for _, part := range plan.Parts(stage) {
			headers, err := headersOf(r.state, id, part)
			if err != nil {
				return nil, err
			}
			out.Parts = append(out.Parts, ledger.CeremonyPart{Part: part, Headers: headers})
		}
		end, err := endOf(r.state, id, stage)
		if err != nil {
			return nil, err
		}
		if end != nil {
			out.Ends = append(out.Ends, *end)
		}
		closing, closed, err := closingOf(r.state, id, stage)
		if err != nil {
			return nil, err
		}
		if closing != nil {
			out.Closings, closings = append(out.Closings, *closed), append(closings, closing)
		}
	}
	if len(closings) == len(stages) {
		out.Transcript = transcript.Digest(plan, closings[0], closings[1])
	}
	return out, nil
}

func queryCeremonies(r *run, a *ledger.CeremoniesQuery) (*ledger.CeremoniesPage, error) {
	p, err := newPageOf(a.Limit, a.After, nil, true)
	if err != nil {
		return nil, err
	}
	out := &ledger.CeremoniesPage{Entries: []ledger.Ceremony{}}
	out.Next, err = pageOf(r, p, ledger.CeremonyPrefix, ledger.CeremonyPrefix, a.After, func(rest string, record *ledger.CeremonyPlan) (bool, error) {
		id, err := hexDigest(rest)
		if err != nil {
			return false, err
		}
		plan, err := transcript.ParsePlan(record.Plan)
		if err != nil {
			return false, err
		}
		c, err := r.ceremony(id, plan, record)
		if err != nil {
			return false, err
		}
		out.Entries = append(out.Entries, *c)
		p.bytes -= len(ledger.Encode(c))
		return true, nil
	})
	return out, err
}

package contract

import (
	"bytes"
	"errors"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// planCeremony puts a plan on the ledger that this ledger can record: it names this ledger and its organisations under their own keys, wants more contributions than owners of fleets
// can make among themselves, and takes closing values from its blocks.
// The record has the plan in one encoding, whatever it was brought in.
func planCeremony(r *run, a *ledger.PlanCeremony) (*ledger.CeremonyPlan, error) {
	plan, err := transcript.ParsePlan(a.Plan)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if err := r.checkPlan(plan); err != nil {
		return nil, err
	}
	id := plan.Digest()
	key := ledger.CeremonyKey(id)
	taken, err := exists(r.state, key)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, ledger.Refuse(ledger.Conflict, "ceremony %s is planned", id)
	}
	record := &ledger.CeremonyPlan{Plan: ledger.Encode(plan), Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, key, record); err != nil {
		return nil, err
	}
	r.event(ledger.EventCeremonyPlanned, ledger.EventPayload{Ceremony: &id})
	return record, nil
}

func (r *run) checkPlan(plan *transcript.Plan) error {
	if plan.Ledger != r.tx.Ledger {
		return ledger.Refuse(ledger.Invalid, "plan: ledger is %s, this is %s", plan.Ledger, r.tx.Ledger)
	}
	if plan.Beacon != transcript.LedgerBeacon {
		return ledger.Refuse(ledger.Invalid, "plan: beacon is %.128q, must be %q", plan.Beacon, transcript.LedgerBeacon)
	}
	owners := 0
	for i := range plan.Contributors {
		c := &plan.Contributors[i]
		o, ok := r.tx.Genesis.Organisation(c.ID)
		if !ok {
			return ledger.Refuse(ledger.Invalid, "plan: contributor %.64q is not an organisation of this ledger", c.ID)
		}
		if !bytes.Equal(o.Key, c.Key) {
			return ledger.Refuse(ledger.Invalid, "plan: contributor %s: the key is not the organisation's", c.ID)
		}
		if o.Has(ledger.RoleOwner) {
			owners++
		}
	}
	if plan.Minimum <= owners {
		return ledger.Refuse(ledger.Invalid, "plan: minimum is %d contributions, must be at least %d: %d contributors own fleets, and somebody who owns none is to be in every part",
			plan.Minimum, owners+1, owners)
	}
	return nil
}

// ceremonyOf reads a plan that must be on the ledger.
func ceremonyOf(s State, id commit.Digest) (*transcript.Plan, *ledger.CeremonyPlan, error) {
	record, err := get[ledger.CeremonyPlan](s, ledger.CeremonyKey(id))
	if err == nil && record == nil {
		err = ledger.Refuse(ledger.NotFound, "ceremony %s is not planned on this ledger", id)
	}
	if err != nil {
		return nil, nil, err
	}
	plan, err := transcript.ParsePlan(record.Plan)
	return plan, record, err
}

// headersOf are those of a part, of which there may be none.
func headersOf(s State, id commit.Digest, part string) ([][]byte, error) {
	record, err := get[ledger.CeremonyPart](s, ledger.CeremonyPartKey(id, part))
	if err != nil || record == nil {
		return [][]byte{}, err
	}
	return record.Headers, nil
}

// endOf is nil while the stage is open.
func endOf(s State, id commit.Digest, stage int) (*ledger.CeremonyEnd, error) {
	return get[ledger.CeremonyEnd](s, ledger.CeremonyEndKey(id, stage))
}

// closingOf gives nil while the stage is not closed.
func closingOf(s State, id commit.Digest, stage int) (*transcript.Closing, *ledger.CeremonyClosing, error) {
	record, err := get[ledger.CeremonyClosing](s, ledger.CeremonyClosingKey(id, stage))
	if err != nil || record == nil {
		return nil, nil, err
	}
	closing, err := transcript.ParseClosing(record.Closing)
	return closing, record, err
}

// recordContribution adds a header to the chain of its part. Who brings it does not matter: the signature is the contributor's. What was contributed is not seen here.
func recordContribution(r *run, a *ledger.RecordContribution) (*ledger.CeremonyPart, error) {
	h, err := transcript.ParseHeader(a.Header)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "header: %v", err)
	}
	plan, _, err := ceremonyOf(r.state, h.Ceremony)
	if err != nil {
		return nil, err
	}
	first, err := r.openPart(plan, h)
	if err != nil {
		return nil, err
	}
	headers, err := headersOf(r.state, h.Ceremony, h.Part)
	if err != nil {
		return nil, err
	}
	if err := follows(plan, first, h, headers); err != nil {
		return nil, err
	}
	record := &ledger.CeremonyPart{Part: h.Part, Headers: append(headers, a.Header)}
	if err := put(r.state, ledger.CeremonyPartKey(h.Ceremony, h.Part), record); err != nil {
		return nil, err
	}
	digest := h.Digest()
	r.event(ledger.EventContributed, ledger.EventPayload{Ceremony: &h.Ceremony, Part: h.Part, Digest: &digest})
	return record, nil
}

// openPart refuses a part whose stage is not open, and gives the first stage's closing to one of the second.
func (r *run) openPart(plan *transcript.Plan, h *transcript.Header) (first *transcript.Closing, err error) {
	stage := stageOf(plan, h.Part)
	if stage == 0 {
		return nil, ledger.Refuse(ledger.Invalid, "header: ceremony %s has no part %q", h.Ceremony, h.Part)
	}
	end, err := endOf(r.state, h.Ceremony, stage)
	if err != nil {
		return nil, err
	}
	if end != nil {
		return nil, ledger.Refuse(ledger.Expired, "stage %d of ceremony %s has ended: nothing is contributed to %s any more", stage, h.Ceremony, h.Part)
	}
	return r.standsOn(h.Ceremony, stage)
}

// standsOn is the first stage's closing, without which the second does not begin; nil for the first.
func (r *run) standsOn(id commit.Digest, stage int) (*transcript.Closing, error) {
	if stage == transcript.FirstStage {
		return nil, nil
	}
	first, _, err := closingOf(r.state, id, transcript.FirstStage)
	if err == nil && first == nil {
		err = ledger.Refuse(ledger.Expired, "stage %d of ceremony %s is not closed, which comes first", transcript.FirstStage, id)
	}
	return first, err
}

var stages = []int{transcript.FirstStage, transcript.SecondStage}

// checkStage comes before a stage's number is used for anything else.
func checkStage(stage int) error {
	if !slices.Contains(stages, stage) {
		return ledger.Refuse(ledger.Invalid, "stage: is %d, must be %d or %d", stage, transcript.FirstStage, transcript.SecondStage)
	}
	return nil
}

// stageOf is 0 for a part that the plan does not have.
func stageOf(plan *transcript.Plan, part string) int {
	for _, stage := range stages {
		if slices.Contains(plan.Parts(stage), part) {
			return stage
		}
	}
	return 0
}

// follows refuses a contribution that is not the next of its part. Another that came first is a conflict.
func follows(plan *transcript.Plan, first *transcript.Closing, h *transcript.Header, recorded [][]byte) error {
	chain := plan.NewChain(h.Part, first)
	for _, b := range recorded {
		before, err := transcript.ParseHeader(b)
		if err != nil {
			return err
		}
		if err := chain.Add(before); err != nil {
			return err
		}
	}
	err := chain.Add(h)
	if err == nil {
		return nil
	}
	var refusal *transcript.Refusal
	if errors.As(err, &refusal) && refusal.Fault == transcript.Order {
		return ledger.Refuse(ledger.Conflict, "header: %v", err)
	}
	return ledger.Refuse(ledger.Invalid, "header: %v", err)
}

// checkCeremony refuses a key that names a ceremony other than one that was closed on this ledger, about this very circuit, and that made the SRS which is pinned: a ceremony's keys
// come with an SRS of its own. That the key came out of it is for those who consent to say.
func (r *run) checkCeremony(k, srs *verify.PublishedKey) error {
	if k.Setup == verify.SetupUnsafe {
		return nil
	}
	digest, ok := ledger.SetupTranscript(k.Setup)
	if !ok {
		return ledger.Refuse(ledger.Invalid, "setup: %.128q is no ceremony", k.Setup)
	}
	id, err := get[commit.Digest](r.state, ledger.TranscriptKey(digest))
	if err == nil && id == nil {
		err = ledger.Refuse(ledger.NotFound, "setup: no ceremony with transcript %s was closed on this ledger", digest)
	}
	if err != nil {
		return err
	}
	plan, _, err := ceremonyOf(r.state, *id)
	if err != nil || k.CircuitID == verify.SRSKey {
		return err // every ceremony has made an SRS
	}
	switch c := plan.Circuit(k.CircuitID); {
	case c == nil:
		return ledger.Refuse(ledger.Invalid, "setup: ceremony %s made no key for %q", *id, k.CircuitID)
	case c.Constraints != k.Circuit:
		return ledger.Refuse(ledger.Invalid, "circuit: is %s, ceremony %s was about %s", k.Circuit, *id, c.Constraints)
	case srs.Setup != k.Setup:
		return ledger.Refuse(ledger.Invalid, "setup: is %s, the pinned SRS is of %s", k.Setup, srs.Setup)
	}
	return nil
}

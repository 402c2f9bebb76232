package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// ceremony is one on the ledger of a world, by the owner, the lender and the regulator.
type ceremony struct {
	*world
	*contracttest.Ceremony
}

func (w *world) plan() *transcript.Plan {
	return contracttest.CeremonyPlan(w.genesis, "keys of the year", operator, lender, regulator)
}

func (w *world) planned() *ceremony { return w.plannedAs("keys of the year") }

func (w *world) plannedAs(name string) *ceremony {
	w.t.Helper()
	plan := w.plan()
	plan.Name = name
	w.must(regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(plan)})
	return &ceremony{w, contracttest.NewCeremony(plan, w.signers)}
}

func header(h *transcript.Header) ledger.RecordContribution {
	return ledger.RecordContribution{Header: h.Encode()}
}

// contributes has organisations contribute to every part of a stage, in this order. The lender brings it.
func (c *ceremony) contributes(stage int, organisations ...string) {
	c.t.Helper()
	for _, part := range c.Plan.Parts(stage) {
		for _, org := range organisations {
			c.must(lender, ledger.FnRecordContribution, ledger.RecordContribution{Header: c.Contribute(c.Next(part, org))})
		}
	}
}

func (c *ceremony) ends(stage int) {
	c.t.Helper()
	c.must(regulator, ledger.FnEndCeremonyStage, ledger.EndCeremonyStage{Ceremony: c.ID(), Stage: stage})
}

// hash is what blocks have for one here.
func hash(block uint64) commit.Digest { return commit.Digest{0xb1, byte(block)} }

func closing(c *transcript.Closing) ledger.CloseCeremonyStage {
	return ledger.CloseCeremonyStage{Closing: ledger.Encode(c)}
}

func (c *ceremony) closes(stage int, block uint64) {
	c.t.Helper()
	made := c.Closing(stage, block, hash(block))
	c.must(regulator, ledger.FnCloseCeremonyStage, closing(made))
	c.Close(made)
}

// closed is a ceremony from its plan to its transcript.
func (w *world) closed() *ceremony { return w.closedAs("keys of the year") }

func (w *world) closedAs(name string) *ceremony {
	w.t.Helper()
	c := w.plannedAs(name)
	c.contributes(1, operator, lender, regulator)
	c.ends(1)
	c.closes(1, 7)
	c.contributes(2, regulator, operator)
	c.ends(2)
	c.closes(2, 9)
	return c
}

// TestCeremonyOfOwners: somebody who owns no fleet is to be in every part.
func TestCeremonyOfOwners(t *testing.T) {
	w := newWorld(t)
	plan := w.plan()
	plan.Contributors = contracttest.CeremonyPlan(w.genesis, plan.Name, operator, rival, lender).Contributors
	w.refused(ledger.Invalid, "minimum is 2 contributions, must be at least 3", regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(plan)})
	plan.Minimum = 3
	w.must(regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(plan)})
}

func TestCeremony(t *testing.T) {
	w := newWorld(t)
	c := w.closed()
	got := query[ledger.Ceremony](w, ledger.QueryCeremony, ledger.CeremonyRef{Ceremony: c.ID()})
	if got.ID != c.ID() || got.Transcript != c.Transcript() || len(got.Ends) != 2 || len(got.Closings) != 2 || len(got.Parts) != 4 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []int{3, 3, 2, 2} {
		if n := len(got.Parts[i].Headers); n != want {
			t.Errorf("%s has %d contributions, must have %d", got.Parts[i].Part, n, want)
		}
	}
	plan, err := transcript.ParsePlan(got.Plan)
	if err != nil || plan.Digest() != c.ID() {
		t.Error(plan, err)
	}
	last := got.Headers(verify.FleetCircuit)[1]
	if h, err := transcript.ParseHeader(last); err != nil || h.Digest() != c.Second.Of(verify.FleetCircuit).Last {
		t.Error(h, err)
	}
	if got.End(0) != nil || got.End(3) != nil || got.Closing(3) != nil || got.End(2).Stage != 2 || got.Headers("none") != nil {
		t.Errorf("%+v", got)
	}
	for i, want := range []*transcript.Closing{c.First, c.Second} {
		if diff := cmp.Diff(string(ledger.Encode(want)), string(got.Closing(i+1).Closing)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestPlans(t *testing.T) {
	w := newWorld(t)
	stranger := committest.NewDevice(commit.Ed25519)
	for name, test := range map[string]struct {
		want   string
		change func(*transcript.Plan)
	}{
		"another ledger": {"ledger", func(p *transcript.Plan) { p.Ledger[0] ^= 1 }},
		"another beacon": {"beacon", func(p *transcript.Plan) { p.Beacon = "the hash of some block" }},
		"a stranger": {"not an organisation", func(p *transcript.Plan) {
			p.Contributors[0].ID, p.Contributors[0].Key = "stranger", stranger.Public.DER()
		}},
		"another's key":        {"not the organisation's", func(p *transcript.Plan) { p.Contributors[0].Key = stranger.Public.DER() }},
		"keys swapped":         {"not the organisation's", swapKeys},
		"twice":                {"twice", func(p *transcript.Plan) { p.Contributors[1] = p.Contributors[0] }},
		"one is enough":        {"minimum", func(p *transcript.Plan) { p.Minimum = 1 }},
		"one contributor":      {"contributors", func(p *transcript.Plan) { p.Contributors = p.Contributors[:1] }},
		"no circuits":          {"circuits", func(p *transcript.Plan) { p.Circuits = nil }},
		"another version":      {"version", func(p *transcript.Plan) { p.Version = "x" }},
		"a circuit called SRS": {"called as", func(p *transcript.Plan) { p.Circuits[0].ID = transcript.SRSPart }},
	} {
		plan := w.plan()
		test.change(plan)
		t.Run(name, func(t *testing.T) {
			w.refused(ledger.Invalid, test.want, regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(plan)})
		})
	}
	long := ledger.PlanCeremony{Plan: []byte(strings.Repeat(" ", transcript.MaxPlan+1))}
	w.refused(ledger.Invalid, "at most", regulator, ledger.FnPlanCeremony, long)
	good := ledger.PlanCeremony{Plan: ledger.Encode(w.plan())}
	for _, org := range []string{operator, lender} {
		w.refused(ledger.Forbidden, "regulator", org, ledger.FnPlanCeremony, good)
	}
	w.must(regulator, ledger.FnPlanCeremony, good)
	indented := append([]byte("\n "), good.Plan...) // the same, however it is spelt
	w.refused(ledger.Conflict, "is planned", regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: indented})
}

func swapKeys(p *transcript.Plan) {
	p.Contributors[0].Key, p.Contributors[1].Key = p.Contributors[1].Key, p.Contributors[0].Key
}

func TestContributions(t *testing.T) {
	w := newWorld(t)
	c := w.planned()
	other := w.plan()
	other.Name = "another"
	elsewhere := contracttest.NewCeremony(other, w.signers)
	first := c.Next(transcript.SRSPart, operator)
	changed := func(by string, change func(*transcript.Header)) *transcript.Header {
		h := *c.Next(transcript.SRSPart, operator)
		change(&h)
		return c.Sign(&h, by)
	}
	forged := *first
	forged.Body[0] ^= 1
	for name, test := range map[string]struct {
		code   ledger.Code
		want   string
		header *transcript.Header
	}{
		"no such ceremony":          {ledger.NotFound, "not planned", elsewhere.Next(transcript.SRSPart, operator)},
		"no such part":              {ledger.Invalid, "no part", changed(operator, func(h *transcript.Header) { h.Part = "chunk-256/v1" })},
		"too early":                 {ledger.Expired, "comes first", changed(operator, func(h *transcript.Header) { h.Part = verify.FleetCircuit })},
		"by nobody in the plan":     {ledger.Invalid, "nobody's", c.Next(transcript.SRSPart, rival)},
		"in another's name":         {ledger.Invalid, "signature", changed(lender, func(*transcript.Header) {})},
		"changed after signing":     {ledger.Invalid, "signature", &forged},
		"out of order":              {ledger.Conflict, "must be 1", changed(operator, func(h *transcript.Header) { h.Number = 2 })},
		"after something else":      {ledger.Conflict, "must be 1", changed(operator, func(h *transcript.Header) { h.Previous[0] ^= 1 })},
		"number zero":               {ledger.Conflict, "must be 1", changed(operator, func(h *transcript.Header) { h.Number = 0 })},
		"the start of another part": {ledger.Conflict, "must be 1", changed(operator, func(h *transcript.Header) { h.Part = transcript.PowersPart })},
	} {
		t.Run(name, func(t *testing.T) {
			w.refused(test.code, test.want, lender, ledger.FnRecordContribution, header(test.header))
		})
	}
	for _, b := range [][]byte{{}, first.Encode()[1:], append(first.Encode(), 0)} {
		w.refused(ledger.Invalid, "a header has", lender, ledger.FnRecordContribution, ledger.RecordContribution{Header: b})
	}
	rivals := c.Next(transcript.SRSPart, lender) // made for the same place
	w.must(rival, ledger.FnRecordContribution, ledger.RecordContribution{Header: c.Contribute(first)})
	w.refused(ledger.Conflict, "must be 2", rival, ledger.FnRecordContribution, header(first))
	w.refused(ledger.Conflict, "must be 2", lender, ledger.FnRecordContribution, header(rivals))
	w.refused(ledger.Invalid, "already", operator, ledger.FnRecordContribution, header(c.Next(transcript.SRSPart, operator)))
	w.must(lender, ledger.FnRecordContribution, ledger.RecordContribution{Header: c.Contribute(c.Next(transcript.SRSPart, lender))})
}

// Contributions to different parts stand on no key that the other writes, those to one part do.
func TestContributionsThatConflict(t *testing.T) {
	w := newWorld(t)
	c := w.planned()
	key := ledger.CeremonyPartKey(c.ID(), transcript.SRSPart)
	for part, want := range map[string]bool{transcript.SRSPart: true, transcript.PowersPart: false} {
		reads := w.reads(lender, ledger.FnRecordContribution, header(c.Next(part, operator)))
		if reads[key] != want || !reads[ledger.CeremonyEndKey(c.ID(), 1)] {
			t.Errorf("a contribution to %s reads %v", part, reads)
		}
	}
	c.contributes(1, operator, lender)
	if reads := w.reads(regulator, ledger.FnEndCeremonyStage, ledger.EndCeremonyStage{Ceremony: c.ID(), Stage: 1}); !reads[key] {
		t.Errorf("the end of a stage reads %v", reads)
	}
}

// What a ceremony's files may hold fits into the calls that bring it.
func TestCeremonyArguments(t *testing.T) {
	for function, args := range map[string]any{
		ledger.FnPlanCeremony:       ledger.PlanCeremony{Plan: make([]byte, transcript.MaxPlan)},
		ledger.FnRecordContribution: ledger.RecordContribution{Header: make([]byte, transcript.HeaderBytes)},
		ledger.FnCloseCeremonyStage: ledger.CloseCeremonyStage{Closing: make([]byte, transcript.MaxClosing)},
	} {
		if n, most := len(ledger.Encode(args)), ledger.MaxArgsOf(function); n > most {
			t.Errorf("%s takes %d bytes, its arguments may have %d", function, n, most)
		}
	}
}

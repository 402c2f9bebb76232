package contract_test

import (
	"testing"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

func TestEndsOfStages(t *testing.T) {
	w := newWorld(t)
	c := w.planned()
	end := func(stage int) ledger.EndCeremonyStage {
		return ledger.EndCeremonyStage{Ceremony: c.ID(), Stage: stage}
	}
	for _, stage := range []int{-1, 0, 3, 1<<32 + 1} {
		w.refused(ledger.Invalid, "stage", regulator, ledger.FnEndCeremonyStage, end(stage))
	}
	w.refused(ledger.NotFound, "not planned", regulator, ledger.FnEndCeremonyStage, ledger.EndCeremonyStage{Stage: 1})
	w.refused(ledger.Expired, "has 0 contributions", regulator, ledger.FnEndCeremonyStage, end(1))
	w.refused(ledger.Expired, "comes first", regulator, ledger.FnEndCeremonyStage, end(2))
	c.contributes(1, operator)
	w.refused(ledger.Expired, "has 1 contributions", regulator, ledger.FnEndCeremonyStage, end(1))
	c.contributes(1, lender)
	for _, org := range []string{operator, lender} {
		w.refused(ledger.Forbidden, "regulator", org, ledger.FnEndCeremonyStage, end(1))
	}
	w.refused(ledger.Expired, "has not ended", regulator, ledger.FnCloseCeremonyStage, closing(c.Closing(1, 7, hash(7))))
	c.ends(1)
	w.refused(ledger.Conflict, "has ended", regulator, ledger.FnEndCeremonyStage, end(1))
	for _, part := range c.Plan.Parts(1) {
		w.refused(ledger.Expired, "has ended", lender, ledger.FnRecordContribution, header(c.Next(part, regulator)))
	}
	w.refused(ledger.Expired, "comes first", regulator, ledger.FnEndCeremonyStage, end(2)) // ended is not closed
	c.closes(1, 7)
	w.refused(ledger.Expired, "has 0 contributions", regulator, ledger.FnEndCeremonyStage, end(2))
}

func TestClosings(t *testing.T) {
	w := newWorld(t)
	c := w.planned()
	c.contributes(1, operator, lender, regulator)
	c.ends(1)
	for name, test := range map[string]struct {
		code   ledger.Code
		want   string
		change func(*transcript.Closing)
	}{
		"another ceremony":  {ledger.NotFound, "not planned", func(x *transcript.Closing) { x.Ceremony[0] ^= 1 }},
		"the other stage":   {ledger.Invalid, "stage", func(x *transcript.Closing) { x.Stage = 2 }},
		"no stage":          {ledger.Invalid, "stage", func(x *transcript.Closing) { x.Stage, x.Parts = 3, nil }},
		"a stage modulo":    {ledger.Invalid, "stage", func(x *transcript.Closing) { x.Stage, x.Parts = 1<<32+1, nil }},
		"another head":      {ledger.Invalid, "recorded are 3", func(x *transcript.Closing) { x.Parts[1].Last[0] ^= 1 }},
		"one left out":      {ledger.Invalid, "recorded are 3", func(x *transcript.Closing) { x.Parts[0].Contributions-- }},
		"a part left out":   {ledger.Invalid, "parts", func(x *transcript.Closing) { x.Parts = x.Parts[:1] }},
		"parts swapped":     {ledger.Invalid, "must be", func(x *transcript.Closing) { x.Parts[0], x.Parts[1] = x.Parts[1], x.Parts[0] }},
		"no closing value":  {ledger.Invalid, "zero", func(x *transcript.Closing) { x.Beacon = commit.Digest{} }},
		"from elsewhere":    {ledger.Invalid, "source", func(x *transcript.Closing) { x.Source = "a lottery" }},
		"of another ledger": {ledger.Invalid, "source", func(x *transcript.Closing) { x.Source = ledger.BlockSource(commit.Digest{1}, 7) }},
		"spelt otherwise":   {ledger.Invalid, "source", func(x *transcript.Closing) { x.Source = "block 07 of ledger " + w.id.String() }},
		"without a number":  {ledger.Invalid, "source", func(x *transcript.Closing) { x.Source = "block  of ledger " + w.id.String() }},
	} {
		made := c.Closing(1, 7, hash(7))
		test.change(made)
		t.Run(name, func(t *testing.T) {
			w.refused(test.code, test.want, regulator, ledger.FnCloseCeremonyStage, closing(made))
		})
	}
	good := c.Closing(1, 7, hash(7))
	for _, org := range []string{operator, lender} {
		w.refused(ledger.Forbidden, "regulator", org, ledger.FnCloseCeremonyStage, closing(good))
	}
	w.refused(ledger.Invalid, "closing", regulator, ledger.FnCloseCeremonyStage, ledger.CloseCeremonyStage{Closing: []byte("{}x")})
	c.closes(1, 7)
	w.refused(ledger.Conflict, "is closed", regulator, ledger.FnCloseCeremonyStage, closing(good))
	w.refused(ledger.Conflict, "is closed", regulator, ledger.FnCloseCeremonyStage, closing(c.Closing(1, 8, hash(8))))
	c.contributes(2, operator, regulator)
	c.ends(2)
	w.refused(ledger.Invalid, "the first stage's", regulator, ledger.FnCloseCeremonyStage, closing(c.Closing(2, 9, hash(7))))
	c.closes(2, 9)
}

func TestCeremoniesPage(t *testing.T) {
	w := newWorld(t)
	want := map[commit.Digest]bool{}
	for _, name := range []string{"a", "b", "c"} {
		plan := w.plan()
		plan.Name = name
		w.must(regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(plan)})
		want[plan.Digest()] = true
	}
	q, before := ledger.CeremoniesQuery{Limit: 2}, ""
	for pages := 1; ; pages++ {
		page := query[ledger.CeremoniesPage](w, ledger.QueryCeremonies, q)
		for _, c := range page.Entries {
			if !want[c.ID] || c.ID.String() <= before || len(c.Parts) != 4 || !c.Transcript.IsZero() {
				t.Errorf("%+v", c)
			}
			before = c.ID.String()
			delete(want, c.ID)
		}
		if q.After = page.Next; q.After == "" {
			if pages != 2 || len(want) != 0 {
				t.Errorf("%d pages, %d are missing", pages, len(want))
			}
			break
		}
	}
	for _, bad := range []ledger.CeremoniesQuery{{Limit: -1}, {Limit: ledger.MaxPage + 1}, {After: "x"}} {
		if _, err := contract.Query(w.environment(), w.tx(lender), w.state.Begin(), ledger.QueryCeremonies, ledger.Encode(bad)); ledger.CodeOf(err) != ledger.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	unknown := ledger.Encode(ledger.CeremonyRef{Ceremony: commit.Digest{1}})
	if _, err := contract.Query(w.environment(), w.tx(lender), w.state.Begin(), ledger.QueryCeremony, unknown); ledger.CodeOf(err) != ledger.NotFound {
		t.Error(err)
	}
}

// A key that names a ceremony is one of a ceremony that was closed on this ledger, and of a circuit that it was about.
func TestKeysOfCeremonies(t *testing.T) {
	w := bareWorld(t)
	srs := contracttest.SRSKey(w.srs)
	fleet, chunk, large := contracttest.FleetKey(w.srs), contracttest.ChunkKey(w.srs, contracttest.ChunkSize), contracttest.ChunkKey(w.srs, commit.MaxSize)
	early := w.planned()
	early.contributes(1, operator, lender)
	early.ends(1)
	early.closes(1, 3)
	early.contributes(2, operator, lender)
	early.ends(2)
	made := early.Closing(2, 5, hash(5))
	of := transcript.Digest(early.Plan, early.First, made) // known before it is closed
	w.refused(ledger.NotFound, "no ceremony", regulator, ledger.FnPublishKey, contracttest.FromCeremony(srs, of))
	w.must(regulator, ledger.FnCloseCeremonyStage, closing(made))
	for _, elsewhere := range []commit.Digest{{1}, early.ID()} {
		w.refused(ledger.NotFound, "no ceremony", regulator, ledger.FnPublishKey, contracttest.FromCeremony(srs, elsewhere))
	}
	w.must(regulator, ledger.FnPublishKey, contracttest.FromCeremony(srs, of))
	w.refused(ledger.NotFound, "no ceremony", regulator, ledger.FnPublishKey, contracttest.FromCeremony(fleet, commit.Digest{1}))
	w.refused(ledger.Invalid, "made no key", regulator, ledger.FnPublishKey, contracttest.FromCeremony(large, of))
	other := contracttest.FromCeremony(fleet, of)
	other.Circuit = contracttest.Circuit(verify.ChunkCircuit(contracttest.ChunkSize))
	w.refused(ledger.Invalid, "was about", regulator, ledger.FnPublishKey, other)
	renamed := contracttest.FromCeremony(chunk, of)
	renamed.Setup = verify.CeremonySetup(commit.Digest{1})
	w.refused(ledger.Invalid, "digest", regulator, ledger.FnPublishKey, renamed)
	w.must(regulator, ledger.FnPublishKey, contracttest.FromCeremony(chunk, of))
	w.must(regulator, ledger.FnPublishKey, contracttest.FromCeremony(fleet, of))
	for _, org := range []string{operator, lender} {
		w.refused(ledger.Forbidden, "regulator", org, ledger.FnPublishKey, contracttest.FromCeremony(fleet, of))
	}
}

// A key under the right transcript that did not come out of it is for each organisation to refuse: the contract cannot tell.
func TestNoConsentToAKeyThatTheCeremonyDidNotMake(t *testing.T) {
	w := bareWorld(t)
	of := w.closed().Transcript()
	w.must(regulator, ledger.FnPublishKey, contracttest.FromCeremony(contracttest.SRSKey(w.srs), of))
	good, forged := contracttest.FromCeremony(contracttest.FleetKey(w.srs), of), contracttest.FromCeremony(contracttest.FleetKey(w.srs), of)
	env := w.environment()
	env.Agree = func(d commit.Digest) error {
		if d == good.Pin() {
			return nil
		}
		return ledger.Refuse(ledger.NotEndorsed, "%s is not what the own folder gives", d)
	}
	for _, k := range []verify.PublishedKey{good, forged} {
		_, err := contract.Execute(env, w.tx(regulator), w.state.Begin(), ledger.Call{Function: ledger.FnPublishKey, Args: ledger.Encode(k)})
		if want := k.Digest == good.Digest; (err == nil) != want || !want && ledger.CodeOf(err) != ledger.NotEndorsed {
			t.Errorf("%s: %v", k.Digest, err)
		}
	}
}

// A ceremony makes an SRS, and keys for it: under an SRS of one party, or of another ceremony, they are not what its verdict would say.
func TestKeysOfACeremonyUnderAnotherSRS(t *testing.T) {
	for name, change := range map[string]func(*world) verify.PublishedKey{
		"of one party": func(w *world) verify.PublishedKey { return contracttest.SRSKey(w.srs) },
		"of another ceremony": func(w *world) verify.PublishedKey {
			return contracttest.FromCeremony(contracttest.SRSKey(w.srs), w.closedAs("another").Transcript())
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := bareWorld(t)
			of := w.closed().Transcript()
			w.must(regulator, ledger.FnPublishKey, change(w))
			w.refused(ledger.Invalid, "the pinned SRS is of", regulator, ledger.FnPublishKey, contracttest.FromCeremony(contracttest.FleetKey(w.srs), of))
		})
	}
}

// Who audits runs calls again on a state in which there may be what endorsers forged. What was never written by the contract is an error there, and nothing worse.
func TestCeremoniesOnAForgedState(t *testing.T) {
	w := newWorld(t)
	c := w.planned()
	made := &transcript.Closing{Ceremony: c.ID(), Stage: transcript.FirstStage, Beacon: hash(7), Source: ledger.BlockSource(w.id, 7)}
	for _, part := range c.Plan.Parts(transcript.FirstStage) {
		made.Parts = append(made.Parts, transcript.ClosedPart{Part: part, Contributions: 2})
	}
	srs := contracttest.SRSKey(w.srs)
	srs.Key = srs.Key[:3]
	for name, test := range map[string]struct {
		key      string
		record   any
		function string
		args     any
	}{
		"an end before contributions": {ledger.CeremonyEndKey(c.ID(), 1), ledger.CeremonyEnd{Stage: 1}, ledger.FnCloseCeremonyStage, closing(made)},
		"an SRS's key that is short":  {ledger.PublishedKeyKey(srs.CircuitID), srs, ledger.FnPublishKey, withCircuit(contracttest.FleetKey(w.srs))},
	} {
		t.Run(name, func(t *testing.T) {
			forged := w.state.Begin()
			if err := forged.Put(test.key, ledger.Encode(test.record)); err != nil {
				t.Fatal(err)
			}
			forged.Commit()
			if _, err := w.do(regulator, test.function, test.args); err == nil || ledger.CodeOf(err) != "" {
				t.Errorf("got %v, want an error that is no refusal", err)
			}
		})
	}
}

func withCircuit(k verify.PublishedKey) verify.PublishedKey {
	k.Circuit = contracttest.Circuit(k.CircuitID)
	return k
}

package ledgertest

import (
	"crypto"
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	files "github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// ceremony is one that a run records, by the owner, the financier and the regulator.
type ceremony struct {
	*suite
	*contracttest.Ceremony
}

// recordsCeremonies takes a ceremony from its plan to its transcript. No key is pinned under it: it would stay for ever.
func (s *suite) recordsCeremonies(t *testing.T) {
	signers := map[string]crypto.Signer{}
	for _, org := range s.all {
		signers[org] = s.Signer(t, org)
	}
	plan := contracttest.CeremonyPlan(s.Genesis, "keys of run "+s.run, s.owner, s.financier, s.regulator)
	c := &ceremony{s, contracttest.NewCeremony(plan, signers)}
	c.plans(t)
	c.contributes(t, files.FirstStage)
	c.ends(t, files.FirstStage)
	c.contributes(t, files.SecondStage)
	c.ends(t, files.SecondStage)
	c.isTold(t)
	c.pinsNothing(t)
}

func (c *ceremony) plans(t *testing.T) {
	plan := func(by string, p *files.Plan) call {
		return call{by: by, function: ledger.FnPlanCeremony, args: ledger.PlanCeremony{Plan: ledger.Encode(p)}}
	}
	other, swapped := *c.Plan, *c.Plan
	other.Ledger[0] ^= 1
	swapped.Contributors = append([]files.Contributor{}, c.Plan.Contributors...)
	swapped.Contributors[0].Key, swapped.Contributors[1].Key = swapped.Contributors[1].Key, swapped.Contributors[0].Key
	var all checks
	for _, org := range c.withoutRole(ledger.RoleRegulator) {
		all.add(org+" is no regulator", func() error { return c.refused(ledger.Forbidden, plan(org, c.Plan)) })
	}
	all.add("another ledger", func() error { return c.refused(ledger.Invalid, plan(c.regulator, &other)) })
	all.add("keys swapped", func() error { return c.refused(ledger.Invalid, plan(c.regulator, &swapped)) })
	all.add("a contribution before it", func() error {
		return c.refused(ledger.NotFound, c.brings(c.owner, c.Next(files.SRSPart, c.owner)))
	})
	all.must(t)
	c.mustSubmit(t, plan(c.regulator, c.Plan))
	checks{{"twice", func() error { return c.refused(ledger.Conflict, plan(c.regulator, c.Plan)) }}}.must(t)
}

func (c *ceremony) brings(by string, h *files.Header) call {
	return call{by: by, function: ledger.FnRecordContribution, args: ledger.RecordContribution{Header: h.Encode()}}
}

// contributes has two organisations want the same place, of which one gets it, and then the others have theirs; to all parts at the same time.
func (c *ceremony) contributes(t *testing.T, stage int) {
	parts := c.Plan.Parts(stage)
	failures := make([]error, len(parts))
	var mu sync.Mutex // of the ceremony, not of the ledger
	var wait sync.WaitGroup
	for i, part := range parts {
		wait.Go(func() { failures[i] = c.contributesTo(part, &mu) })
	}
	wait.Wait()
	for i, err := range failures {
		if err != nil {
			t.Errorf("%s: %v", parts[i], err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	var all checks
	all.add("again", func() error { return c.refused(ledger.Invalid, c.brings(c.owner, c.Next(parts[0], c.owner))) })
	if c.rival != "" {
		all.add("by nobody in the plan", func() error { return c.refused(ledger.Invalid, c.brings(c.rival, c.Next(parts[0], c.rival))) })
	}
	forged := c.Next(parts[0], c.regulator)
	forged.Body[0] ^= 1
	all.add("forged", func() error { return c.refused(ledger.Invalid, c.brings(c.regulator, forged)) })
	all.must(t)
}

func (c *ceremony) contributesTo(part string, mu *sync.Mutex) error {
	mu.Lock()
	wanted := map[string]*files.Header{c.owner: c.Next(part, c.owner), c.financier: c.Next(part, c.financier)}
	mu.Unlock()
	var errs [2]error
	var wait sync.WaitGroup
	for i, org := range []string{c.owner, c.financier} {
		wait.Go(func() { _, errs[i] = c.submit(c.brings(c.regulator, wanted[org])) })
	}
	wait.Wait()
	first, second := c.owner, c.financier
	if errs[0] != nil {
		first, second = second, first
		errs[0], errs[1] = errs[1], errs[0]
	}
	if errs[0] != nil || ledger.CodeOf(errs[1]) != ledger.Conflict {
		return errors.Join(errors.New("of two contributions for one place one must be taken and one conflict"), errs[0], errs[1])
	}
	mu.Lock()
	c.Contribute(wanted[first])
	next := c.Next(part, second)
	c.Contribute(next)
	mu.Unlock()
	return c.done(c.brings(c.owner, next))
}

func (c *ceremony) end(by string, stage int) call {
	return call{by: by, function: ledger.FnEndCeremonyStage, args: ledger.EndCeremonyStage{Ceremony: c.ID(), Stage: stage}}
}

func (c *ceremony) closing(by string, closing *files.Closing) call {
	return call{by: by, function: ledger.FnCloseCeremonyStage, args: ledger.CloseCeremonyStage{Closing: ledger.Encode(closing)}}
}

// ends closes a stage with the hash of the block that holds its end, which is the same for everybody.
func (c *ceremony) ends(t *testing.T, stage int) {
	var all checks
	for _, org := range c.withoutRole(ledger.RoleRegulator) {
		all.add(org+" is no regulator", func() error { return c.refused(ledger.Forbidden, c.end(org, stage)) })
	}
	all.add("closed before the end", func() error {
		return c.refused(ledger.Expired, c.closing(c.regulator, c.Closing(stage, 1, commit.Digest{1})))
	})
	all.must(t)
	receipt := c.mustSubmit(t, c.end(c.regulator, stage))
	closing := c.closingAt(t, stage, receipt)
	late := c.Next(c.Plan.Parts(stage)[0], c.regulator)
	otherHead, elsewhere := c.closingAt(t, stage, receipt), c.closingAt(t, stage, receipt)
	otherHead.Parts[0].Last[0] ^= 1
	elsewhere.Source = "block 1 of another ledger"
	all = checks{
		{"ended again", func() error { return c.refused(ledger.Conflict, c.end(c.regulator, stage)) }},
		{"a contribution after the end", func() error { return c.refused(ledger.Expired, c.brings(c.regulator, late)) }},
		{"another head", func() error { return c.refused(ledger.Invalid, c.closing(c.regulator, otherHead)) }},
		{"another source", func() error { return c.refused(ledger.Invalid, c.closing(c.regulator, elsewhere)) }},
		{"closed by the owner", func() error { return c.refused(ledger.Forbidden, c.closing(c.owner, closing)) }},
	}
	all.must(t)
	c.mustSubmit(t, c.closing(c.regulator, closing))
	c.Close(closing)
	checks{{"closed again", func() error { return c.refused(ledger.Conflict, c.closing(c.regulator, closing)) }}}.must(t)
}

// closingAt closes a stage as it stands with the block that a receipt is about, for which all organisations' peers give one hash.
func (c *ceremony) closingAt(t *testing.T, stage int, receipt ledger.Receipt) *files.Closing {
	t.Helper()
	var hash commit.Digest
	for i, org := range c.all {
		number, got, err := c.as(org).BlockOf(c.ctx, receipt.TxID)
		if err != nil || number != receipt.Height {
			t.Fatalf("%s has the end in block %d, its receipt says %d: %v", org, number, receipt.Height, err)
		}
		if i > 0 && got != hash {
			t.Errorf("for %s the block of the end has hash %s, for %s %s", org, got, c.all[0], hash)
		}
		hash = got
	}
	return c.Closing(stage, receipt.Height, hash)
}

// isTold compares what everybody is told with what was recorded.
func (c *ceremony) isTold(t *testing.T) {
	want := must[ledger.Ceremony](t)(c.as(c.owner).Ceremony(c.ctx, c.ID()))
	if want.ID != c.ID() || want.Transcript != c.Transcript() || len(want.Parts) != 4 || len(want.Ends) != 2 || len(want.Closings) != 2 {
		t.Fatalf("the ceremony is %+v", want)
	}
	for stage, closing := range map[int]*files.Closing{files.FirstStage: c.First, files.SecondStage: c.Second} {
		if diff := cmp.Diff(string(ledger.Encode(closing)), string(want.Closing(stage).Closing)); diff != "" {
			t.Errorf("the closing of stage %d: %s", stage, diff)
		}
	}
	for _, org := range c.but(c.owner) {
		found := false
		for _, one := range must[[]ledger.Ceremony](t)(c.as(org).Ceremonies(c.ctx)) {
			if one.ID == want.ID {
				found = true
				if diff := cmp.Diff(want, one); diff != "" {
					t.Errorf("%s is told: %s", org, diff)
				}
			}
		}
		if !found {
			t.Errorf("%s is not told of the ceremony", org)
		}
	}
	checks{{"one that is not there", func() error {
		return c.queryRefused(ledger.NotFound, c.owner, ledger.QueryCeremony, ledger.CeremonyRef{Ceremony: commit.Digest{1}})
	}}}.must(t)
}

// pinsNothing has keys refused that this ceremony did not make, and those that it did, as the SRS that is pinned is not its own.
func (c *ceremony) pinsNothing(t *testing.T) {
	publish := func(k verify.PublishedKey) call {
		return call{by: c.regulator, function: ledger.FnPublishKey, args: k}
	}
	fleet, large := contracttest.FleetKey(c.SRS), contracttest.ChunkKey(c.SRS, commit.MaxSize)
	other := contracttest.FromCeremony(fleet, c.Transcript())
	other.Circuit[0] ^= 1
	all := checks{
		{"of another transcript", func() error { return c.refused(ledger.NotFound, publish(contracttest.FromCeremony(fleet, c.ID()))) }},
		{"of a circuit that it was not about", func() error {
			return c.refused(ledger.Invalid, publish(contracttest.FromCeremony(large, c.Transcript())))
		}},
		{"of another constraint system", func() error { return c.refused(ledger.Invalid, publish(other)) }},
		{"under another SRS", func() error {
			return c.refused(ledger.Invalid, publish(contracttest.FromCeremony(fleet, c.Transcript())))
		}},
	}
	all.must(t)
}

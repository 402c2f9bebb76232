package audit

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// stage has two organisations contribute to a stage, ends it, and closes it with a value and a block that may be others than the end's.
func (c *channel) stage(of *contracttest.Ceremony, stage int, change func(*channel, *transcript.Closing)) {
	for _, part := range of.Plan.Parts(stage) {
		for _, org := range []string{contracttest.Operator, contracttest.Lender} {
			c.submit(contracttest.Lender, ledger.FnRecordContribution, ledger.RecordContribution{Header: of.Contribute(of.Next(part, org))}, nil)
		}
	}
	c.submit(contracttest.Regulator, ledger.FnEndCeremonyStage, ledger.EndCeremonyStage{Ceremony: of.ID(), Stage: stage}, nil)
	end := c.blocks[len(c.blocks)-1].Header
	closing := of.Closing(stage, end.GetNumber(), sha256.Sum256(headerBytes(end)))
	change(c, closing)
	c.submit(contracttest.Regulator, ledger.FnCloseCeremonyStage, ledger.CloseCeremonyStage{Closing: of.Close(closing)}, nil)
}

func TestCeremonies(t *testing.T) {
	honest := func(*channel, *transcript.Closing) {}
	for name, test := range map[string]struct {
		first, second func(*channel, *transcript.Closing)
		stage, faults int
	}{
		"as it should be":      {honest, honest, 0, 0},
		"a value of one's own": {func(_ *channel, x *transcript.Closing) { x.Beacon = commit.Digest{1} }, honest, 1, 1},
		"another block":        {honest, func(c *channel, x *transcript.Closing) { x.Source = ledger.BlockSource(c.id, 3) }, 2, 1},
		"an earlier block": {honest, func(c *channel, x *transcript.Closing) {
			x.Source, x.Beacon = ledger.BlockSource(c.id, 3), commit.Digest{2}
		}, 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			c := founded(t)
			of := contracttest.NewCeremony(contracttest.CeremonyPlan(c.genesis, "audited", contracttest.Operator, contracttest.Lender, contracttest.Regulator), c.signers)
			c.submit(contracttest.Regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(of.Plan)}, nil)
			c.stage(of, transcript.FirstStage, test.first)
			at := len(c.blocks) - 1
			c.stage(of, transcript.SecondStage, test.second)
			if test.stage == transcript.SecondStage {
				at = len(c.blocks) - 1
			}
			c.submit(contracttest.Regulator, ledger.FnPublishKey, contracttest.FromCeremony(contracttest.SRSKey(c.srs), of.Transcript()), nil)
			want := []string{}
			for range test.faults {
				want = append(want, fmt.Sprintf("%d %s", at, Beacon))
			}
			r := c.audit()
			if diff := cmp.Diff(want, failures(r)); diff != "" {
				t.Errorf("(-want +got):\n%s%v", diff, r.Findings)
			}
			if n := r.Counts.Calls[ledger.FnRecordContribution]; n != 8 {
				t.Errorf("%d contributions were run again, must be 8", n)
			}
		})
	}
}

// contributed puts a ceremony's plan on the channel, and its first stage's contributions.
func (c *channel) contributed(name string) *contracttest.Ceremony {
	c.t.Helper()
	of := contracttest.NewCeremony(contracttest.CeremonyPlan(c.genesis, name, contracttest.Operator, contracttest.Lender), c.signers)
	c.submit(contracttest.Regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(of.Plan)}, nil)
	for _, part := range of.Plan.Parts(transcript.FirstStage) {
		for _, org := range []string{contracttest.Operator, contracttest.Lender} {
			c.submit(contracttest.Lender, ledger.FnRecordContribution, ledger.RecordContribution{Header: of.Contribute(of.Next(part, org))}, nil)
		}
	}
	return of
}

func (c *channel) end(of *contracttest.Ceremony) *proposal {
	return c.call(contracttest.Regulator, ledger.FnEndCeremonyStage, ledger.EndCeremonyStage{Ceremony: of.ID(), Stage: transcript.FirstStage}, nil)
}

func (c *channel) closing(of *contracttest.Ceremony, number uint64, hash commit.Digest) *proposal {
	closing := of.Closing(transcript.FirstStage, number, hash)
	return c.call(contracttest.Regulator, ledger.FnCloseCeremonyStage, ledger.CloseCeremonyStage{Closing: ledger.Encode(closing)}, nil)
}

// Stages of several ceremonies end in one block, and are closed in one, in another order: each is held against its own end.
func TestCeremoniesAtOnce(t *testing.T) {
	c := founded(t)
	honest, early, lying := c.contributed("honest"), c.contributed("early"), c.contributed("lying")
	c.order(c.end(early), valid)
	before := c.cut().Header
	c.order(c.end(lying), valid)
	c.order(c.end(honest), valid)
	block := c.cut().Header
	was, is := commit.Digest(sha256.Sum256(headerBytes(before))), commit.Digest(sha256.Sum256(headerBytes(block)))
	c.order(c.closing(honest, block.GetNumber(), is), valid)
	wrong := c.order(c.closing(lying, before.GetNumber(), was), valid) // another's
	c.order(c.closing(early, before.GetNumber(), was), valid)
	at := c.cut().Header.GetNumber()
	r := c.audit()
	if diff := cmp.Diff([]string{fmt.Sprintf("%d %s", at, Beacon), fmt.Sprintf("%d %s", at, Beacon)}, failures(r)); diff != "" {
		t.Errorf("(-want +got):\n%s%v", diff, r.Findings)
	}
	for _, f := range r.Findings {
		if f.TxID != wrong.txID {
			t.Errorf("%s is found, want %s", f.TxID, wrong.txID)
		}
	}
}

// Endorsers that leave out what they read get a closing into the block of the end, or before it. Nobody knows that block's hash.
func TestClosingInTheBlockOfTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		first bool
		want  Kind
	}{"after the end": {false, Beacon}, "before the end": {true, Replay}} {
		t.Run(name, func(t *testing.T) {
			c := founded(t)
			of := c.contributed("hasty")
			end := c.end(of)
			c.order(end, valid) // so that the closing can be simulated
			closing := c.closing(of, uint64(len(c.blocks)), commit.Digest{1})
			closing.public(func(s *kvrwset.KVRWSet) { s.Reads = nil })
			c.order(closing, valid)
			if test.first {
				c.pending[0], c.pending[1] = c.pending[1], c.pending[0]
			}
			at := c.cut().Header.GetNumber()
			r := c.audit()
			if diff := cmp.Diff([]string{fmt.Sprintf("%d %s", at, test.want)}, failures(r)); diff != "" {
				t.Errorf("(-want +got):\n%s%v", diff, r.Findings)
			}
		})
	}
}

// The audit goes on after the end of a stage that endorsers wrote into the state without a contribution, and finds what is built on it.
func TestForgedEnd(t *testing.T) {
	c := founded(t)
	of := contracttest.NewCeremony(contracttest.CeremonyPlan(c.genesis, "forged", contracttest.Operator, contracttest.Lender), c.signers)
	c.submit(contracttest.Regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(of.Plan)}, nil)
	closing := &transcript.Closing{Ceremony: of.ID(), Stage: transcript.FirstStage, Beacon: commit.Digest{1}, Source: ledger.BlockSource(c.id, 1)}
	for _, part := range of.Plan.Parts(transcript.FirstStage) {
		closing.Parts = append(closing.Parts, transcript.ClosedPart{Part: part, Contributions: 2})
	}
	want := []string{}
	forge := func(change func(*proposal)) {
		p := c.fleet(fmt.Sprintf("f-%d", len(want)))
		c.as(contracttest.Regulator, p)
		change(p)
		c.order(p, valid)
		want = append(want, fmt.Sprintf("%d %s", c.cut().Header.GetNumber(), Replay))
	}
	forge(func(p *proposal) {
		p.public(func(s *kvrwset.KVRWSet) {
			s.Writes = append(s.Writes, &kvrwset.KVWrite{Key: ledger.CeremonyEndKey(of.ID(), 1), Value: ledger.Encode(ledger.CeremonyEnd{Stage: 1})})
		})
	})
	forge(func(p *proposal) {
		p.args[0], p.args[2] = []byte(ledger.FnCloseCeremonyStage), ledger.Encode(ledger.CloseCeremonyStage{Closing: ledger.Encode(closing)})
	})
	r := c.audit()
	if diff := cmp.Diff(want, failures(r)); diff != "" {
		t.Errorf("(-want +got):\n%s%v", diff, r.Findings)
	}
}

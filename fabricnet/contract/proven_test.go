package contract_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// proving is a world whose owner can prove: the keys of the circuits are pinned, and what the devices committed to is known.
type proving struct {
	*world
	keys  *setup.Unsafe
	chunk *zk.Chunk
}

// provingDevices is how many batteries the fleet has. That in slot i has a state of health of 70 % and i halves.
const provingDevices = 60

func newProving(t *testing.T) *proving {
	t.Helper()
	if testing.Short() {
		t.Skip("proves")
	}
	keys, err := setup.UnsafeSingleParty("", func(step string) { t.Log(step) })
	if err != nil {
		t.Fatal(err)
	}
	published, err := keys.Published(contracttest.ChunkSize)
	if err != nil {
		t.Fatal(err)
	}
	p := &proving{world: bareWorld(t), keys: keys}
	p.srs = keys.SRS()
	p.populate(published...)
	devices := p.enrolled(0, provingDevices)
	p.at(12, time.Hour)
	p.report(devices)
	return p
}

// report has the devices attest for epoch 11 and the owner anchor it.
func (p *proving) report(devices []contracttest.Device) {
	p.t.Helper()
	place := p.place(11, 0)
	p.chunk = &zk.Chunk{Records: make([]record.Record, place.Size), R: make([]fr.Element, place.Size)}
	var list [][]byte
	for i, d := range devices {
		slot := uint32(i)
		rec := record.Record{1, 7000 + 50*slot, 1000, 400, 40_000, 10, 700, 1}
		p.chunk.Records[slot] = rec
		p.chunk.R[slot] = place.At(slot).Blinding(d.Secret, rec.Pack())
		list = append(list, contracttest.AttestTo(p.srs, place, slot, d, rec))
	}
	p.anchor(11, list)
}

// healthy asks about batteries by their state of health.
func healthy(least, most string, change func(*statement.Statement)) func(*statement.Statement) {
	return func(s *statement.Statement) {
		s.Cohort, s.Disclose = []statement.Range{{Lane: "state_of_health", Min: least, Max: most}}, []string{"count"}
		if change != nil {
			change(s)
		}
	}
}

// answer proves what was asked and approved.
func (p *proving) answer(s *statement.Statement) (ledger.SubmitProof, *verify.Verdict) {
	p.t.Helper()
	facts := query[ledger.FactsEntry](p.world, ledger.QueryFacts, ledger.EpochRef{Fleet: fleetID, Epoch: 11})
	bundle, err := zk.Prove(context.Background(), p.keys, s, &facts.Facts, func(context.Context, *verify.ChunkFacts) (*zk.Chunk, error) { return p.chunk, nil }, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	b, err := bundle.Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	ring, err := verify.NewKeyring(query[[]verify.PublishedKey](p.world, ledger.QueryKeys, ledger.Nothing{}))
	if err != nil {
		p.t.Fatal(err)
	}
	verdict, err := verify.VerifyBundle(b, &facts.Facts, ring)
	if err != nil {
		p.t.Fatal(err)
	}
	return ledger.SubmitProof{Request: s.Digest(p.id), Bundle: b}, verdict
}

// verified asks, approves and proves.
func (p *proving) verified(change func(*statement.Statement)) commit.Digest {
	p.t.Helper()
	id, s := p.approved(change)
	proof, verdict := p.answer(s)
	if a := p.assessProof(id, verdict); !a.Allowed {
		p.t.Errorf("before the proof the contract says %+v", a)
	}
	p.begins(id)
	p.must(operator, ledger.FnSubmitProof, proof)
	if got := p.status(id); got != ledger.StatusVerified {
		p.t.Errorf("an answered request is %s", got)
	}
	return id
}

// withheld asks and approves something whose proof would be refused, and gives it up before it is begun.
func (p *proving) withheld(why string, change func(*statement.Statement)) {
	p.t.Helper()
	id, s := p.approved(change)
	a := p.assessProof(id, p.verdict(s))
	if a.Allowed || !strings.Contains(strings.Join(a.Reasons, "; "), why) {
		p.t.Errorf("before the proof the contract says %+v, want %q", a, why)
	}
	p.must(operator, ledger.FnFail, ledger.Fail{Request: id, Reasons: a.Reasons})
}

// verdict is what a proof would show.
func (p *proving) verdict(s *statement.Statement) *verify.Verdict {
	p.t.Helper()
	_, verdict := p.answer(s)
	shown, err := ledger.ShownBy(verdict)
	if err != nil {
		p.t.Fatal(err)
	}
	parameters, err := s.Parameters()
	if err != nil {
		p.t.Fatal(err)
	}
	natively, err := ledger.ShownOf(s, parameters.Sum(p.chunk.Records))
	if err != nil {
		p.t.Fatal(err)
	}
	if diff := cmp.Diff(shown, natively); diff != "" {
		p.t.Errorf("what the proof shows is not what the records say: %s", diff)
	}
	return verdict
}

func (p *proving) assessProof(id commit.Digest, v *verify.Verdict) ledger.Assessment {
	p.t.Helper()
	shown, err := ledger.ShownBy(v)
	if err != nil {
		p.t.Fatal(err)
	}
	return query[ledger.Assessment](p.world, ledger.QueryAssess, ledger.Assess{Request: id, Shown: &shown})
}

// The grant asks for cohorts of ten. What is verified in one step bears on the next ones: all are about one fleet and epoch.
func TestDifferenceAttack(t *testing.T) {
	p := newProving(t)
	unshown := func(s *statement.Statement) { s.Disclose = nil }
	p.verified(healthy("80.00", "", nil))               // 40 batteries
	p.verified(healthy("80.00", "", nil))               // the same ones
	p.verified(healthy("85.00", "", nil))               // 30: ten are left over
	p.withheld("difference", healthy("84.50", "", nil)) // 31 of them: nine are left over
	p.verified(healthy("80.00", "", nil))               // what was shown is shown again
	p.verified(healthy("85.00", "", nil))
	p.withheld("fewer than", healthy("", "74.00", nil))              // nine
	p.withheld("no claim that holds", healthy("", "74.00", unshown)) // nine, behind a claim that does not hold
	p.verified(healthy("75.00", "79.50", unshown))                   // ten, behind a claim that does
	p.notApproved("overlaps", healthy("82.00", "90.00", nil))        // partly in what was answered
	p.notApproved("disclose count", healthy("75.00", "79.00", nil))  // within what showed no count
	p.notApproved("not recorded", healthy("86.00", "", nil))         // within what failed
	p.notApproved("minimum must be proven", healthy("75.00", "79.50", func(s *statement.Statement) { unshown(s); s.Claims = nil }))
	if e := p.grantEntry(contracttest.GrantID); e.Spent.Answers != 9 {
		t.Errorf("spent is %+v", e.Spent)
	}
}

// Who endorses a proof has seen it. It is given up, or its request expires, and 31 of its 40 batteries are asked for: the difference would be nine.
func TestProofThatWasSeenAndNotRecorded(t *testing.T) {
	for name, end := range map[string]func(*proving, commit.Digest){
		"failed": func(p *proving, id commit.Digest) {
			p.must(operator, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"somebody else's turn"}})
		},
		"expired": func(p *proving, _ commit.Digest) { p.at(14, 13*time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newProving(t)
			later := p.genesis.EpochStart(16)
			id, s := p.approved(healthy("80.00", "", nil))
			proof, _ := p.answer(s)
			p.begins(id)
			p.reads(operator, ledger.FnSubmitProof, proof) // endorsed, and not committed
			end(p, id)
			p.notApproved("not recorded", healthy("84.50", "", func(s *statement.Statement) { s.Expiry = later }))
			again, s := p.approved(healthy("80.00", "", func(s *statement.Statement) { s.Expiry = later }))
			proof, _ = p.answer(s)
			p.begins(again)
			p.must(operator, ledger.FnSubmitProof, proof)
			p.withheld("difference", healthy("84.50", "", func(s *statement.Statement) { s.Expiry = later }))
		})
	}
}

// Of two cohorts within one that was answered, the second is not begun while the first may have been seen and is not recorded: what both leave over would be three.
func TestTwoProofsWithinOneAreNotBegunAtOnce(t *testing.T) {
	p := newProving(t)
	p.verified(healthy("80.00", "", nil)) // 40
	first, s := p.approved(healthy("80.00", "88.00", nil))
	second, _ := p.approved(healthy("90.00", "", nil))
	proof, _ := p.answer(s)
	p.begins(first)
	p.refused(ledger.Forbidden, "not recorded", operator, ledger.FnStartProof, ledger.RequestRef{Request: second})
	if a := p.assess(second); a.Allowed || !a.Wait {
		t.Errorf("the second is %+v", a)
	}
	p.must(operator, ledger.FnSubmitProof, proof) // 17
	if a := p.assess(second); !a.Allowed {
		t.Errorf("the second is %+v", a)
	}
}

// A proof that verifies is not taken under another policy, after a revocation, for another request, or twice.
func TestVerifiedProofIsStillSubjectToItsGrant(t *testing.T) {
	p := newProving(t)
	id, s := p.approved(nil)
	other, _ := p.approved(nil)
	proof, _ := p.answer(s)
	p.begins(id)
	p.begins(other)
	p.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: []byte(nothing)})
	p.refused(ledger.Forbidden, "closed", operator, ledger.FnSubmitProof, proof)
	p.must(operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()})
	p.refused(ledger.Invalid, "not request", operator, ledger.FnSubmitProof, ledger.SubmitProof{Request: other, Bundle: proof.Bundle})
	p.grants("ends", func(t *policy.Terms) { t.NotAfter = p.genesis.EpochStart(12).Unix() + 7200 })
	late, lateAsked := p.approved(func(s *statement.Statement) { s.Grant, s.Expiry = "ends", p.genesis.EpochStart(12).Add(2*time.Hour) })
	p.begins(late)
	lateProof, _ := p.answer(lateAsked)
	p.clock(12, 3*time.Hour)
	p.refused(ledger.Expired, "expired", operator, ledger.FnSubmitProof, lateProof)
	p.must(operator, ledger.FnSubmitProof, proof)
	p.refused(ledger.Conflict, "is verified", operator, ledger.FnSubmitProof, proof)
	p.refused(ledger.Conflict, "is verified", operator, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"x"}})
}

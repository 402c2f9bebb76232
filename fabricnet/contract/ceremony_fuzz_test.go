package contract_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"testing"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// steadyWorld has the same keys in every process, so that what one of them has found counts in the others.
func steadyWorld() *world {
	g, signers := contracttest.Genesis(), map[string]crypto.Signer{}
	for i := range g.Organisations {
		o := &g.Organisations[i]
		seed := sha256.Sum256([]byte(o.ID))
		key := ed25519.NewKeyFromSeed(seed[:])
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			panic(err)
		}
		o.Key, signers[o.ID] = der, key
	}
	return worldOf(&testing.T{}, &g, signers)
}

// FuzzCeremony gives arbitrary arguments to a ledger with a ceremony whose first stage is open, and one whose second has ended: nothing panics, and a header that is taken is one
// that its contributor signed.
func FuzzCeremony(f *testing.F) {
	w := steadyWorld()
	open := w.planned()
	plan := w.plan()
	plan.Name = "ended"
	w.must(regulator, ledger.FnPlanCeremony, ledger.PlanCeremony{Plan: ledger.Encode(plan)})
	ended := &ceremony{w, contracttest.NewCeremony(plan, w.signers)}
	ended.contributes(1, operator, lender)
	ended.ends(1)
	ended.closes(1, 3)
	ended.contributes(2, operator, lender)
	ended.ends(2)
	plan = w.plan()
	plan.Name = "new"
	for function, args := range map[string]any{
		ledger.FnPlanCeremony: ledger.PlanCeremony{Plan: ledger.Encode(plan)}, ledger.FnRecordContribution: header(open.Next(transcript.SRSPart, lender)),
		ledger.FnEndCeremonyStage: ledger.EndCeremonyStage{Ceremony: open.ID(), Stage: 1}, ledger.FnCloseCeremonyStage: closing(ended.Closing(2, 5, hash(5))),
		ledger.QueryCeremony: ledger.CeremonyRef{Ceremony: open.ID()}, ledger.QueryCeremonies: ledger.CeremoniesQuery{Limit: 1},
	} {
		f.Add(function, ledger.Encode(args))
	}
	f.Fuzz(func(t *testing.T, function string, args []byte) {
		run := w.state.Begin()
		if contract.IsQuery(function) {
			contract.Query(w.environment(), w.tx(lender), run, function, args) //nolint:errcheck // it must not panic
			return
		}
		result, err := contract.Execute(w.environment(), w.tx(regulator), run, ledger.Call{Function: function, Args: args})
		if run.Failure != nil {
			t.Error(run.Failure)
		}
		if err != nil || function != ledger.FnRecordContribution {
			return
		}
		part, err := ledger.Decode[ledger.CeremonyPart]("part", result, ledger.MaxRecord)
		if err != nil || len(part.Headers) != 1 {
			t.Fatalf("taken is %+v, %v", part, err)
		}
		h, err := transcript.ParseHeader(part.Headers[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := open.Plan.NewChain(part.Part, nil).Add(h); err != nil {
			t.Error(err)
		}
	})
}

package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

func ending(k verify.PublishedKey, state verify.KeyState) ledger.SetKeyStatus {
	return ledger.SetKeyStatus{CircuitID: k.CircuitID, Key: k.Digest, State: state, Reason: "superseded"}
}

func TestKeyStatus(t *testing.T) {
	w := bareWorld(t)
	key := contracttest.SRSKey(w.srs)
	w.refused(ledger.NotFound, "no key is pinned", regulator, ledger.FnSetKeyStatus, ending(key, verify.StateRetired))
	w.must(regulator, ledger.FnPublishKey, key)
	for _, org := range []string{operator, lender, "nobody"} {
		w.refused(ledger.Forbidden, org, org, ledger.FnSetKeyStatus, ending(key, verify.StateRevoked))
	}
	for name, c := range map[string]struct {
		code   ledger.Code
		want   string
		change func(*ledger.SetKeyStatus)
	}{
		"active":         {ledger.Invalid, "state", func(a *ledger.SetKeyStatus) { a.State = verify.StateActive }},
		"no state":       {ledger.Invalid, "state", func(a *ledger.SetKeyStatus) { a.State = "" }},
		"other state":    {ledger.Invalid, "state", func(a *ledger.SetKeyStatus) { a.State = "lost" }},
		"no reason":      {ledger.Invalid, "reason", func(a *ledger.SetKeyStatus) { a.Reason = "" }},
		"long reason":    {ledger.Invalid, "reason", func(a *ledger.SetKeyStatus) { a.Reason = strings.Repeat("x", verify.MaxStatusReason+1) }},
		"two lines":      {ledger.Invalid, "reason", func(a *ledger.SetKeyStatus) { a.Reason = "a\nb" }},
		"another key":    {ledger.Conflict, "not", func(a *ledger.SetKeyStatus) { a.Key[0] ^= 1 }},
		"not pinned":     {ledger.NotFound, "no key", func(a *ledger.SetKeyStatus) { a.CircuitID = verify.FleetCircuit }},
		"not a circuit":  {ledger.NotFound, "no key", func(a *ledger.SetKeyStatus) { a.CircuitID = "x/../y" }},
		"without a name": {ledger.NotFound, "no key", func(a *ledger.SetKeyStatus) { a.CircuitID = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			a := ending(key, verify.StateRetired)
			c.change(&a)
			w.refused(c.code, c.want, regulator, ledger.FnSetKeyStatus, a)
		})
	}
	for _, step := range []struct{ to, back verify.KeyState }{{verify.StateRetired, verify.StateRetired}, {verify.StateRevoked, verify.StateRetired}} {
		w.must(regulator, ledger.FnSetKeyStatus, ending(key, step.to))
		w.refused(ledger.Conflict, "does not become", regulator, ledger.FnSetKeyStatus, ending(key, step.back))
		want := key
		want.Status = verify.KeyStatus{State: step.to, Reason: "superseded", Time: w.tx(regulator).Time.Unix()}
		if diff := cmp.Diff([]verify.PublishedKey{want}, query[[]verify.PublishedKey](w, ledger.QueryKeys, ledger.Nothing{})); diff != "" {
			t.Error(diff)
		}
	}
	w.refused(ledger.Conflict, "does not become", regulator, ledger.FnSetKeyStatus, ending(key, verify.StateRevoked))
	w.refused(ledger.Conflict, "pinned", regulator, ledger.FnPublishKey, key) // a revoked key is not pinned anew
}

// A peer agrees to one change of one key, and to what a key is said to be made for.
func TestConsentToAKeysEnd(t *testing.T) {
	w := bareWorld(t)
	key := contracttest.SRSKey(w.srs)
	w.must(regulator, ledger.FnPublishKey, key)
	fleet := contracttest.FleetKey(w.srs)
	retire, revoke := ending(key, verify.StateRetired), ending(key, verify.StateRevoked)
	for name, c := range map[string]struct {
		function string
		args     any
		agreed   commit.Digest
		ok       bool
	}{
		"retired":                {ledger.FnSetKeyStatus, retire, retire.Digest(), true},
		"revoked, not retired":   {ledger.FnSetKeyStatus, revoke, retire.Digest(), false},
		"the key, not its end":   {ledger.FnSetKeyStatus, retire, key.Digest, false},
		"a circuit's pin":        {ledger.FnPublishKey, fleet, fleet.Pin(), true},
		"a circuit's key, alone": {ledger.FnPublishKey, fleet, fleet.Digest, false},
	} {
		environment := w.environment()
		environment.Agree = func(d commit.Digest) error {
			if d == c.agreed {
				return nil
			}
			return ledger.Refuse(ledger.NotEndorsed, "%s is not listed", d)
		}
		_, err := contract.Execute(environment, w.tx(regulator), w.state.Begin(), ledger.Call{Function: c.function, Args: ledger.Encode(c.args)})
		if (err == nil) != c.ok || !c.ok && ledger.CodeOf(err) != ledger.NotEndorsed {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACircuitsKeySaysWhatItIsMadeFor(t *testing.T) {
	w := bareWorld(t)
	srs, good := contracttest.SRSKey(w.srs), contracttest.FleetKey(w.srs)
	w.refused(ledger.NotFound, "comes first", regulator, ledger.FnPublishKey, good)
	named := srs
	named.SRS = w.srs.Digest()
	w.refused(ledger.Invalid, "srs", regulator, ledger.FnPublishKey, named)
	w.must(regulator, ledger.FnPublishKey, srs)
	for name, change := range map[string]func(*verify.PublishedKey){
		"circuit": func(k *verify.PublishedKey) { k.Circuit = commit.Digest{} },
		"srs":     func(k *verify.PublishedKey) { k.SRS[0] ^= 1 },
		"status": func(k *verify.PublishedKey) {
			k.Status = verify.KeyStatus{State: verify.StateRetired, Reason: "r", Time: 1}
		},
	} {
		bad := good
		change(&bad)
		w.refused(ledger.Invalid, name, regulator, ledger.FnPublishKey, bad)
	}
	w.must(regulator, ledger.FnPublishKey, good)
}

func TestNoAnchorUnderAnEndedSRS(t *testing.T) {
	w := newWorld(t)
	devices := w.enrolled(0, 2)
	w.at(12, 0)
	attestations := w.attested(11, 0, devices)
	w.must(regulator, ledger.FnSetKeyStatus, ending(contracttest.SRSKey(w.srs), verify.StateRetired))
	w.refused(ledger.Conflict, "retired since", operator, ledger.FnAnchor, contracttest.Anchor(w.place(11, 0), attestations), attestations...)
}

// A key that ends after a proof was begun takes the proof with it.
func TestNoProofUnderAnEndedKey(t *testing.T) {
	p := newProving(t)
	p.verified(healthy("70", "", nil))
	keys := query[[]verify.PublishedKey](p.world, ledger.QueryKeys, ledger.Nothing{})
	begun, s := p.approved(healthy("70", "", nil))
	proof, _ := p.answer(s)
	p.begins(begun)
	waiting, _ := p.approved(healthy("70", "", nil))
	end := func(id string, state verify.KeyState) {
		for _, k := range keys {
			if k.CircuitID == id {
				p.must(regulator, ledger.FnSetKeyStatus, ending(k, state))
			}
		}
	}
	end(verify.ChunkCircuit(contracttest.ChunkSize), verify.StateRetired)
	p.refused(ledger.Conflict, "retired since", operator, ledger.FnSubmitProof, proof)
	p.refused(ledger.Conflict, "retired since", operator, ledger.FnStartProof, ledger.RequestRef{Request: waiting})
	end(verify.ChunkCircuit(contracttest.ChunkSize), verify.StateRevoked)
	p.refused(ledger.Invalid, "revoked since", operator, ledger.FnSubmitProof, proof)
}

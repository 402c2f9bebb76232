package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// The trust file is a format of the ledger's, which this package knows nothing of. It is part of what a third party's verifier needs, so its vectors are beside the others.

// trustVector is a trust file with a bundle, or by itself.
type trustVector struct {
	Name    string          `json:"name"`
	Trust   []byte          `json:"trust"`
	Bundle  []byte          `json:"bundle,omitempty"`
	Failure verify.Failure  `json:"failure"`
	Verdict json.RawMessage `json:"verdict,omitempty"`
}

// Failures of trust files.
const (
	trustInvalid   verify.Failure = "trust"
	factsUnknown   verify.Failure = "facts-unknown"
	requestUnknown verify.Failure = "request"
)

const regulator = "regulator"

// verify does what section 12.4 of zk/SPEC.md says.
func (v *trustVector) verify() (*verify.Verdict, verify.Failure, error) {
	trust, err := ledger.ParseTrust(v.Trust)
	if err != nil || v.Bundle == nil {
		return nil, map[bool]verify.Failure{true: trustInvalid}[err != nil], err
	}
	s, err := verify.BundleStatement(v.Bundle)
	if err != nil {
		return nil, verify.FailureOf(err), err
	}
	facts, err := trust.FactsAt(s.Fleet, s.Epoch)
	if err != nil {
		return nil, factsUnknown, err
	}
	ring, err := trust.Keyring()
	if err != nil {
		return nil, trustInvalid, err
	}
	verdict, err := verify.VerifyBundle(v.Bundle, facts, ring)
	if err != nil {
		return nil, verify.FailureOf(err), err
	}
	r, ok := trust.Request(s.Digest(trust.Ledger))
	if !ok || r.Status != ledger.StatusVerified && !r.Status.Approved() {
		return nil, requestUnknown, errors.New("the bundle answers no request")
	}
	return verdict, "", nil
}

func TestTrustVectors(t *testing.T) {
	if testing.Short() {
		t.Skip("verifies proofs")
	}
	for _, c := range readVectors(t, "trust.json", makeTrustVectors) {
		t.Run(c.Name, func(t *testing.T) {
			verdict, failure, err := c.verify()
			if failure != c.Failure {
				t.Fatalf("failure is %q (%v), want %q", failure, err, c.Failure)
			}
			if verdict == nil {
				return
			}
			if diff := cmp.Diff(normal(t, c.Verdict), normal(t, marshalJSON(t, verdict))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecondVerifierOnTrustVectors(t *testing.T) {
	v := startSecond(t)
	for _, c := range readVectors(t, "trust.json", makeTrustVectors) {
		t.Run(c.Name, func(t *testing.T) {
			request := map[string]any{"op": "trust", "trust": c.Trust}
			if c.Bundle != nil {
				request["bundle"] = c.Bundle
			}
			got := ask(t, v, request)
			if got.Failure != c.Failure {
				t.Fatalf("failure is %q (%s), want %q", got.Failure, got.Why, c.Failure)
			}
			if c.Verdict == nil {
				return
			}
			if diff := cmp.Diff(normal(t, c.Verdict), normal(t, got.Verdict)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// trustMaker signs for a consortium of its own.
type trustMaker struct {
	t    *testing.T
	keys map[string]ed25519.PrivateKey
	out  []trustVector
}

func makeTrustVectors(t *testing.T) []trustVector {
	m := &trustMaker{t: t, keys: map[string]ed25519.PrivateKey{}}
	base := m.trust()
	m.add("valid", base, nil, "")
	for _, c := range trustChanges {
		changed := cloned(t, base)
		c.change(changed)
		m.add(c.name, changed, nil, c.failure)
	}
	for _, c := range genesisChanges {
		changed := cloned(t, base)
		c.change(&changed.Genesis)
		changed.Ledger = changed.Genesis.ID()
		for i := range changed.Facts {
			changed.Facts[i].Ledger = changed.Ledger
		}
		m.add("genesis: "+c.name, changed, nil, c.failure)
	}
	m.respelled(base)
	m.withBundle(base)
	return m.out
}

func (m *trustMaker) add(name string, trust *ledger.Trust, bundle []byte, failure verify.Failure) {
	m.t.Helper()
	trust.Signature = ed25519.Sign(m.keys[regulator], trust.SigningBytes())
	m.raw(name, trust.Marshal(), bundle, failure)
}

func (m *trustMaker) raw(name string, file, bundle []byte, failure verify.Failure) {
	m.t.Helper()
	v := trustVector{Name: name, Trust: file, Bundle: bundle, Failure: failure}
	verdict, got, err := v.verify()
	if got != failure {
		m.t.Errorf("%s: failure is %q (%v), want %q", name, got, err, failure)
	}
	if verdict != nil {
		v.Verdict = marshalJSON(m.t, verdict)
	}
	m.out = append(m.out, v)
}

// trust is an export without keys, about one fleet in two epochs.
func (m *trustMaker) trust() *ledger.Trust {
	g := ledger.Genesis{
		Version: ledger.GenesisVersion, Name: "A <test> & nothing else",
		EpochZero: 1_700_000_000, EpochSeconds: 86_400, AnchorWindowSeconds: 21_600, ClockSkewSeconds: 15, ProposalAgeSeconds: 300,
		Quorum: ledger.Quorum{Regulators: 1, Others: 1},
	}
	for i, o := range []ledger.Organisation{
		{ID: "owner", Name: "Owner", Roles: []ledger.Role{ledger.RoleOwner, ledger.RoleFinancier}},
		{ID: "lender", Name: "Lender", Roles: []ledger.Role{ledger.RoleFinancier}, MSP: "Lender.MSP-1"},
		{ID: regulator, Name: "Regulator", Roles: []ledger.Role{ledger.RoleRegulator}},
	} {
		m.keys[o.ID] = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i)}, ed25519.SeedSize))
		var err error
		if o.Key, err = x509.MarshalPKIXPublicKey(m.keys[o.ID].Public()); err != nil {
			m.t.Fatal(err)
		}
		g.Organisations = append(g.Organisations, o)
	}
	point := generatorTimes(5)
	c := point.Bytes()
	facts := verify.Facts{Ledger: g.ID(), Fleet: "fleet-a", Owner: "owner", Schema: "battery/v1", Epoch: 7, Enrolled: 9, Retired: 1, Chunks: []verify.ChunkFacts{
		{Index: 0, Size: 64, Enrolled: 7, Classes: map[string]uint32{"module": 3, "gateway": 4}, Anchored: true, Attested: 6, Commitment: c[:], Height: 3, TxID: "a"},
		{Index: 2, Size: 64, Enrolled: 2, Classes: map[string]uint32{"module": 2}},
	}}
	empty := verify.Facts{Ledger: g.ID(), Fleet: "fleet-a", Owner: "owner", Schema: "charger/v1", Epoch: 8, Chunks: []verify.ChunkFacts{}}
	return &ledger.Trust{
		Version: ledger.TrustVersion, Ledger: g.ID(), Genesis: g, Height: 5, BlockHash: commit.Digest{5}, Keys: []verify.PublishedKey{}, Facts: []verify.Facts{facts, empty},
		Requests: []ledger.TrustRequest{
			{ID: commit.Digest{1}, Fleet: "fleet-a", Epoch: 7, Requester: "lender", Status: ledger.StatusVerified, Time: 1_700_800_000},
			{ID: commit.Digest{2}, Fleet: "fleet-a", Epoch: 8, Requester: regulator, Status: ledger.StatusRefused, Time: -1},
		},
		ExportedAt: 1_700_900_000, ExportedBy: regulator,
	}
}

// respelled are files that say the same in other words, or say it unsigned.
func (m *trustMaker) respelled(base *ledger.Trust) {
	base.Signature = ed25519.Sign(m.keys[regulator], base.SigningBytes())
	good := base.Marshal()
	m.raw("compact", marshalJSON(m.t, base), nil, trustInvalid)
	m.raw("without its line feed", good[:len(good)-1], nil, trustInvalid)
	m.raw("a line feed too many", append(bytes.Clone(good), '\n'), nil, trustInvalid)
	m.raw("empty", []byte{}, nil, trustInvalid)
	for _, c := range []struct{ name, old, new string }{
		{"height with a fraction", `"height": 5`, `"height": 5.0`}, {"tabs", "\n ", "\n\t"}, {"digest in capitals", `"block_hash": "05`, `"block_hash": "0A`},
		{"a height beyond what is signed", `"height": 5`, `"height": 6`}, {"a field twice", ` "height": 5,`, " \"height\": 5,\n \"height\": 5,"},
		{"an escape left out", `\u003ctest\u003e`, `<test>`}, {"a request's status beyond what is signed", `"refused"`, `"verified"`}, {"a key's base64 without padding", `="`, `"`},
		{"an empty field that should be left out", `"anchored": false,`, "\"anchored\": false,\n     \"height\": 0,"},
	} {
		changed := bytes.Replace(good, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(changed, good) {
			m.t.Errorf("%s: nothing to change", c.name)
		}
		m.raw(c.name, changed, nil, trustInvalid)
	}
	other := cloned(m.t, base)
	other.Signature = ed25519.Sign(m.keys["lender"], other.SigningBytes())
	m.raw("signed by another", other.Marshal(), nil, trustInvalid)
	other.Signature = nil
	m.raw("not signed", other.Marshal(), nil, trustInvalid)
}

// withBundle are files about a fleet with a bundle.
func (m *trustMaker) withBundle(base *ledger.Trust) {
	l := proven(m.t)
	fleet := &lending{keys: l.keys, published: l.published, ring: l.ring, statement: asked()}
	if err := fleet.report(1); err != nil {
		m.t.Fatal(err)
	}
	fleet.facts.Ledger, fleet.facts.Enrolled = base.Ledger, uint64(fleet.facts.Chunks[0].Enrolled)
	b, _, err := fleet.prove(&cheat{})
	if err != nil {
		m.t.Fatal(err)
	}
	raw := marshalled(m.t, b)
	trust := cloned(m.t, base)
	trust.Height, trust.Facts, trust.Keys = 20, []verify.Facts{*fleet.facts}, l.published
	trust.Requests = []ledger.TrustRequest{{ID: b.Statement.Digest(base.Ledger), Fleet: "fleet-a", Epoch: 7, Requester: "lender", Status: ledger.StatusProving}}
	for _, c := range []struct {
		name    string
		bundle  []byte
		change  func(t *ledger.Trust)
		failure verify.Failure
	}{
		{"valid", raw, func(*ledger.Trust) {}, ""},
		{"no request", raw, func(t *ledger.Trust) { t.Requests = nil }, requestUnknown},
		{"a withdrawn request", raw, func(t *ledger.Trust) { t.Requests[0].Status = ledger.StatusWithdrawn }, requestUnknown},
		{"a request for something else", raw, func(t *ledger.Trust) { t.Requests[0].ID[0] ^= 1 }, requestUnknown},
		{"no facts", raw, func(t *ledger.Trust) { t.Facts, t.Requests = nil, nil }, factsUnknown},
		{"facts of another epoch", raw, func(t *ledger.Trust) { t.Facts[0].Epoch, t.Requests[0].Epoch = 8, 8 }, factsUnknown},
		{"no keys", raw, func(t *ledger.Trust) { t.Keys = nil }, verify.KeyUnknown},
		{"valid: a retired key", raw, withKeyStatus(verify.KeyStatus{State: verify.StateRetired, Reason: "superseded", Time: 1_790_000_000}), ""},
		{"a revoked key", raw, withKeyStatus(verify.KeyStatus{State: verify.StateRevoked, Reason: "superseded", Time: 1_790_000_000}), verify.KeyRevoked},
		{"a status that is none", raw, withKeyStatus(verify.KeyStatus{State: "lost", Reason: "r", Time: 1}), trustInvalid},
		{"a key that is none", raw, func(t *ledger.Trust) { t.Keys[1].Digest[0] ^= 1 }, trustInvalid},
		{"cut short", raw[:len(raw)-1], func(*ledger.Trust) {}, verify.BundleEncoding},
		{"cut short, and no facts", raw[:len(raw)-1], func(t *ledger.Trust) { t.Facts, t.Requests = nil, nil }, verify.BundleEncoding},
	} {
		changed := cloned(m.t, trust)
		c.change(changed)
		m.add("a bundle: "+c.name, changed, c.bundle, c.failure)
	}
}

func withKeyStatus(s verify.KeyStatus) func(t *ledger.Trust) {
	return func(t *ledger.Trust) {
		t.Keys = slices.Clone(t.Keys)
		t.Keys[1].Status = s
	}
}

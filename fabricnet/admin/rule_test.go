package admin

import (
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
	"google.golang.org/protobuf/protoadapt"
)

func encoded(t testing.TB, m protoadapt.MessageV1) []byte {
	t.Helper()
	b, err := encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signaturePolicy(t testing.TB, p Policy) *common.ConfigPolicy {
	t.Helper()
	e, err := p.Envelope()
	if err != nil {
		t.Fatal(err)
	}
	return &common.ConfigPolicy{Policy: &common.Policy{Type: int32(common.Policy_SIGNATURE), Value: encoded(t, e)}}
}

func metaPolicy(t testing.TB, rule common.ImplicitMetaPolicy_Rule) *common.ConfigPolicy {
	t.Helper()
	return &common.ConfigPolicy{Policy: &common.Policy{Type: int32(common.Policy_IMPLICIT_META),
		Value: encoded(t, &common.ImplicitMetaPolicy{SubPolicy: "Endorsement", Rule: rule})}}
}

// application is a channel's organisations A to C, each with a policy that its peer meets.
func application(t testing.TB, lifecycle *common.ConfigPolicy) *lifecycleRule {
	group := &common.ConfigGroup{Policies: map[string]*common.ConfigPolicy{}, Groups: map[string]*common.ConfigGroup{}}
	if lifecycle != nil {
		group.Policies[lifecyclePolicy] = lifecycle
	}
	for _, id := range []string{"A", "B", "C"} {
		own := signaturePolicy(t, Policy{[]Group{{1, []string{id}}}})
		group.Groups["name of "+id] = &common.ConfigGroup{Policies: map[string]*common.ConfigPolicy{"Endorsement": own}}
	}
	return &lifecycleRule{group}
}

func TestLifecycleRule(t *testing.T) {
	for name, c := range map[string]struct {
		policy *common.ConfigPolicy
		met    map[string]bool
	}{
		"majority":  {metaPolicy(t, common.ImplicitMetaPolicy_MAJORITY), map[string]bool{"": false, "A": false, "AB": true, "BC": true, "ABC": true, "AX": false}},
		"any":       {metaPolicy(t, common.ImplicitMetaPolicy_ANY), map[string]bool{"": false, "C": true, "X": false}},
		"all":       {metaPolicy(t, common.ImplicitMetaPolicy_ALL), map[string]bool{"AB": false, "ABC": true}},
		"signature": {signaturePolicy(t, Policy{[]Group{{1, []string{"A"}}, {2, []string{"A", "B"}}}}), map[string]bool{"A": false, "BC": false, "AC": false, "AB": true}},
	} {
		for members, want := range c.met {
			got, err := application(t, c.policy).met(strings.Split(members, ""))
			if err != nil || got != want {
				t.Errorf("%s with %q: %v, %v", name, members, got, err)
			}
		}
	}
}

func TestLifecycleRuleRefusals(t *testing.T) {
	deep := &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{}}
	for range maxRuleDepth {
		deep = outOf(1, []*common.SignaturePolicy{deep})
	}
	policy := func(kind common.Policy_PolicyType, value []byte) *common.ConfigPolicy {
		return &common.ConfigPolicy{Policy: &common.Policy{Type: int32(kind), Value: value}}
	}
	for name, c := range map[string]struct {
		policy *common.ConfigPolicy
		text   string
	}{
		"none":         {nil, "not known"},
		"another kind": {policy(common.Policy_MSP, nil), "not known"},
		"damaged":      {policy(common.Policy_SIGNATURE, []byte{0xff}), "decoding"},
		"damaged meta": {policy(common.Policy_IMPLICIT_META, []byte{0xff}), "decoding"},
		"deep":         {policy(common.Policy_SIGNATURE, encoded(t, &common.SignaturePolicyEnvelope{Rule: deep})), "deeper"},
	} {
		if met, err := application(t, c.policy).met([]string{"A", "B", "C"}); met || err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, %v, want %q", name, met, err, c.text)
		}
	}
}

// Principals that no peer meets, and rules that point nowhere, are met by nobody.
func TestSignaturesOfNobody(t *testing.T) {
	role := func(r msp.MSPRole_MSPRoleType) []*msp.MSPPrincipal {
		return []*msp.MSPPrincipal{{PrincipalClassification: msp.MSPPrincipal_ROLE, Principal: encoded(t, &msp.MSPRole{MspIdentifier: "A", Role: r})}}
	}
	by := func(i int32) *common.SignaturePolicy {
		return &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: i}}
	}
	for name, c := range map[string]struct {
		rule       *common.SignaturePolicy
		identities []*msp.MSPPrincipal
		want       bool
	}{
		"peer":       {by(0), role(msp.MSPRole_PEER), true},
		"member":     {by(0), role(msp.MSPRole_MEMBER), true},
		"admin":      {by(0), role(msp.MSPRole_ADMIN), false},
		"client":     {by(0), role(msp.MSPRole_CLIENT), false},
		"a unit":     {by(0), []*msp.MSPPrincipal{{PrincipalClassification: msp.MSPPrincipal_ORGANIZATION_UNIT}}, false},
		"nowhere":    {by(1), role(msp.MSPRole_PEER), false},
		"before all": {by(-1), role(msp.MSPRole_PEER), false},
		"empty":      {&common.SignaturePolicy{}, role(msp.MSPRole_PEER), false},
	} {
		got, err := signatureMet(encoded(t, &common.SignaturePolicyEnvelope{Rule: c.rule, Identities: c.identities}), []string{"A"})
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzSignaturePolicy(f *testing.F) {
	f.Add(signaturePolicy(f, Policy{[]Group{{1, []string{"A"}}, {2, []string{"A", "B"}}}}).Policy.Value)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if met, err := signatureMet(b, nil); met && err != nil {
			t.Error("met and not")
		}
	})
}

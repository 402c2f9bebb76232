package audit

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"

	"github.com/assay-net/assay/fabricnet/audit/wire"
)

// signature is one of a set that a policy is held against.
type signature struct {
	identity []byte
	message  func() []byte
	value    []byte
}

// signers gives the identities whose signatures verify, each once, and counts the signatures that do not verify. There may be any number of them, so they are looked at one by one.
func (c *configuration) signers(set iter.Seq[signature]) (good []*identity, bad int) {
	type who struct {
		mspID  string
		digest [32]byte
	}
	seen := map[who]bool{}
	for s := range set {
		id, err := c.identify(s.identity)
		if err == nil && seen[who{id.mspID, id.digest}] {
			continue
		}
		if err != nil || id.verify(s.message(), s.value) != nil {
			bad++
			continue
		}
		seen[who{id.mspID, id.digest}] = true
		good = append(good, id)
	}
	return good, bad
}

const (
	maxPolicyDepth = 32
	maxRules       = 1 << 12
)

var errPolicy = errors.New("the signatures do not meet the policy")

// meets evaluates a policy of the channel by its path, such as /Channel/Orderer/BlockValidation.
func (c *configuration) meets(path string, signers []*identity) error {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(parts) < 2 || len(parts) > maxPolicyDepth || parts[0] != "Channel" {
		return fmt.Errorf("policy %.128q is none of the channel's", path)
	}
	group := c.root
	for _, name := range parts[1 : len(parts)-1] {
		group = group.GetGroups()[name]
	}
	if err := evaluate(group, parts[len(parts)-1], signers, 0); err != nil {
		return fmt.Errorf("policy %.128s: %w", path, err)
	}
	return nil
}

func (c *configuration) hasPolicy(groups []string, name string) bool {
	group := c.root
	for _, g := range groups {
		group = group.GetGroups()[g]
	}
	return group.GetPolicies()[name] != nil
}

// evaluate holds signers against a group's policy. A policy that does not exist is met by nobody.
func evaluate(g *common.ConfigGroup, name string, signers []*identity, depth int) error {
	p := g.GetPolicies()[name].GetPolicy()
	switch common.Policy_PolicyType(p.GetType()) {
	case common.Policy_SIGNATURE:
		envelope := new(common.SignaturePolicyEnvelope)
		if err := decode("signature policy", p.GetValue(), envelope, limits{3: maxRules}); err != nil {
			return err
		}
		return evaluateSignatures(envelope, signers)
	case common.Policy_IMPLICIT_META:
		return evaluateImplicit(g, p.GetValue(), signers, depth)
	}
	return fmt.Errorf("%w: there is none of a type that is understood", errPolicy)
}

func evaluateImplicit(g *common.ConfigGroup, encoded []byte, signers []*identity, depth int) error {
	if depth > maxPolicyDepth {
		return errors.New("policies refer to one another too deeply")
	}
	m := new(common.ImplicitMetaPolicy)
	if err := decode("implicit policy", encoded, m, nil); err != nil {
		return err
	}
	need := 0
	switch n := len(g.GetGroups()); m.Rule {
	case common.ImplicitMetaPolicy_ANY:
		need = min(n, 1)
	case common.ImplicitMetaPolicy_ALL:
		need = n
	case common.ImplicitMetaPolicy_MAJORITY:
		need = n/2 + min(n, 1)
	}
	for _, sub := range g.GetGroups() {
		if evaluate(sub, m.SubPolicy, signers, depth+1) == nil {
			need--
		}
	}
	if need > 0 {
		return errPolicy
	}
	return nil
}

func evaluateSignatures(p *common.SignaturePolicyEnvelope, signers []*identity) error {
	e := &evaluation{principals: p.Identities, signers: signers, left: maxRules}
	if !e.rule(p.Rule, make([]bool, len(signers)), 0) {
		return errPolicy
	}
	return nil
}

// evaluation holds signers against a signature policy as Fabric does: from left to right, and nobody counts twice.
type evaluation struct {
	principals []*msp.MSPPrincipal
	signers    []*identity
	left       int
}

func (e *evaluation) rule(p *common.SignaturePolicy, used []bool, depth int) bool {
	if e.left--; e.left < 0 || depth > maxPolicyDepth {
		return false
	}
	switch t := p.GetType().(type) {
	case *common.SignaturePolicy_NOutOf_:
		return e.nOutOf(t.NOutOf, used, depth)
	case *common.SignaturePolicy_SignedBy:
		if t.SignedBy < 0 || int(t.SignedBy) >= len(e.principals) {
			return false
		}
		for i, id := range e.signers {
			if !used[i] && id.satisfies(e.principals[t.SignedBy]) {
				used[i] = true
				return true
			}
		}
	}
	return false
}

func (e *evaluation) nOutOf(p *common.SignaturePolicy_NOutOf, used []bool, depth int) bool {
	met := int32(0)
	trial := make([]bool, len(used))
	for _, r := range p.GetRules() {
		copy(trial, used)
		if e.rule(r, trial, depth+1) {
			met++
			copy(used, trial)
		}
	}
	return met >= p.GetN()
}

// satisfies reports whether the identity is whom a principal means: a role in an organisation, a unit of one, or one certificate.
func (id *identity) satisfies(p *msp.MSPPrincipal) bool {
	if id.invalid != nil {
		return false
	}
	switch p.GetPrincipalClassification() {
	case msp.MSPPrincipal_ROLE:
		r := new(msp.MSPRole)
		return decode("", p.Principal, r, nil) == nil && r.MspIdentifier == id.mspID && id.roles[r.Role]
	case msp.MSPPrincipal_IDENTITY:
		s := new(msp.SerializedIdentity)
		if decode("", p.Principal, s, nil) != nil || s.Mspid != id.mspID {
			return false
		}
		cert, err := parseCertificate(s.IdBytes)
		return err == nil && fingerprint(cert) == id.digest
	case msp.MSPPrincipal_ORGANIZATION_UNIT:
		u := new(msp.OrganizationUnit)
		if decode("", p.Principal, u, nil) != nil || u.MspIdentifier != id.mspID {
			return false
		}
		for _, own := range id.units {
			if own.name == u.OrganizationalUnitIdentifier && bytes.Equal(own.chain[:], u.CertifiersIdentifier) {
				return true
			}
		}
	}
	return false
}

// meetsApplication evaluates a chaincode's or collection's endorsement policy: one of its own, or one of the channel's by path.
func (c *configuration) meetsApplication(encoded []byte, signers []*identity) error {
	p := new(wire.ApplicationPolicy)
	if err := decode("endorsement policy", encoded, p, nil); err != nil {
		return err
	}
	return c.meetsPolicy(p, signers)
}

func (c *configuration) meetsPolicy(p *wire.ApplicationPolicy, signers []*identity) error {
	switch t := p.GetType().(type) {
	case *wire.ApplicationPolicy_SignaturePolicy:
		return evaluateSignatures(t.SignaturePolicy, signers)
	case *wire.ApplicationPolicy_ChannelConfigPolicyReference:
		return c.meets(t.ChannelConfigPolicyReference, signers)
	}
	return fmt.Errorf("%w: it is of a type that is not understood", errPolicy)
}

package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/msp"
)

const (
	applicationGroup = "Application"
	lifecyclePolicy  = "LifecycleEndorsement"
	// maxRuleDepth bounds how deep a policy's rules are nested.
	maxRuleDepth = 16
)

// lifecycleRule is the channel's policy of who must endorse that a definition is committed: by default a majority of the organisations, but a
// consortium may have another.
type lifecycleRule struct{ application *common.ConfigGroup }

// Committable reports whether a definition with these approvals, by MSP id, can be committed: an organisation endorses the commit only if it
// approved the definition, so those that did must meet the channel's policy.
func (a *Admin) Committable(ctx context.Context, approvals map[string]bool) (bool, error) {
	rule, err := a.lifecycleRule(ctx)
	if err == nil {
		var met bool
		if met, err = rule.met(approving(approvals)); err == nil {
			return met, nil
		}
	}
	return false, a.failed("reading who may commit a definition", a.config.Peer.Address, err)
}

func (a *Admin) lifecycleRule(ctx context.Context) (*lifecycleRule, error) {
	return within(ctx, a, func(context.Context) (*lifecycleRule, error) {
		channel, err := a.channel()
		if err != nil {
			return nil, err
		}
		config, err := channel.ChannelService().ChannelConfig()
		if err != nil {
			return nil, err
		}
		application := config.Versions().Channel.GetGroups()[applicationGroup]
		if application == nil {
			return nil, errors.New("the channel's configuration has no organisations")
		}
		return &lifecycleRule{application}, nil
	})
}

// met reports whether a peer of each of the organisations is enough.
func (r *lifecycleRule) met(mspIDs []string) (bool, error) {
	return groupMet(r.application, lifecyclePolicy, mspIDs, 0)
}

func groupMet(group *common.ConfigGroup, name string, mspIDs []string, depth int) (bool, error) {
	policy := group.GetPolicies()[name].GetPolicy()
	switch common.Policy_PolicyType(policy.GetType()) {
	case common.Policy_SIGNATURE:
		return signatureMet(policy.Value, mspIDs)
	case common.Policy_IMPLICIT_META:
		if depth < maxRuleDepth {
			return metaMet(group, policy.Value, mspIDs, depth)
		}
	}
	return false, fmt.Errorf("the channel's policy %s is of a kind that is not known here", name)
}

// metaMet asks a policy of every organisation in the group.
func metaMet(group *common.ConfigGroup, encoded []byte, mspIDs []string, depth int) (bool, error) {
	var meta common.ImplicitMetaPolicy
	if err := decode(encoded, &meta); err != nil {
		return false, fmt.Errorf("decoding a policy: %w", err)
	}
	met := 0
	for _, organisation := range group.Groups {
		ok, err := groupMet(organisation, meta.SubPolicy, mspIDs, depth+1)
		if err != nil {
			return false, err
		}
		if ok {
			met++
		}
	}
	switch meta.Rule {
	case common.ImplicitMetaPolicy_ANY:
		return met > 0, nil
	case common.ImplicitMetaPolicy_ALL:
		return met == len(group.Groups), nil
	}
	return met > len(group.Groups)/2, nil
}

// signatureMet evaluates a policy over one peer's endorsement of each organisation.
func signatureMet(encoded []byte, mspIDs []string) (bool, error) {
	var envelope common.SignaturePolicyEnvelope
	if err := decode(encoded, &envelope); err != nil {
		return false, fmt.Errorf("decoding a policy: %w", err)
	}
	if depthOf(envelope.Rule) > maxRuleDepth {
		return false, fmt.Errorf("a policy is nested deeper than %d", maxRuleDepth)
	}
	principals := make([]string, len(envelope.Identities))
	for i, p := range envelope.Identities {
		var role msp.MSPRole
		if p.GetPrincipalClassification() != msp.MSPPrincipal_ROLE || decode(p.Principal, &role) != nil {
			continue // nobody's
		}
		if role.Role == msp.MSPRole_PEER || role.Role == msp.MSPRole_MEMBER {
			principals[i] = role.MspIdentifier
		}
	}
	return evaluate(envelope.Rule, principals, mspIDs, make([]bool, len(mspIDs))), nil
}

// evaluate is Fabric's evaluation of a policy over endorsements, each given by its organisation: a rule looks for endorsements that no rule before
// it has used, and a rule that fails gives back what it used.
func evaluate(rule *common.SignaturePolicy, principals, endorsers []string, used []bool) bool {
	if n := rule.GetNOutOf(); n != nil {
		verified := int32(0)
		for _, sub := range n.Rules {
			trial := slices.Clone(used)
			if evaluate(sub, principals, endorsers, trial) {
				verified++
				copy(used, trial)
			}
		}
		return verified >= n.N
	}
	by, ok := rule.GetType().(*common.SignaturePolicy_SignedBy)
	if !ok || by.SignedBy < 0 || int(by.SignedBy) >= len(principals) || principals[by.SignedBy] == "" {
		return false
	}
	for i, e := range endorsers {
		if !used[i] && e == principals[by.SignedBy] {
			used[i] = true
			return true
		}
	}
	return false
}

func depthOf(rule *common.SignaturePolicy) int {
	deepest := 0
	for _, sub := range rule.GetNOutOf().GetRules() {
		deepest = max(deepest, depthOf(sub))
	}
	return deepest + 1
}

// approving lists the organisations that have approved, sorted.
func approving(approvals map[string]bool) []string {
	return named(approvals, true)
}

// named lists the organisations with this answer, sorted.
func named(approvals map[string]bool, answer bool) []string {
	var ids []string
	for id, yes := range approvals {
		if yes == answer {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// list names organisations for people.
func list(ids []string) string {
	if len(ids) == 0 {
		return "nobody"
	}
	return strings.Join(ids, ", ")
}

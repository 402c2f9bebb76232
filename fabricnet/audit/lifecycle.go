package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-net/assay/fabricnet/audit/wire"
)

const (
	// lifecycleNamespace holds the channel's chaincode definitions.
	lifecycleNamespace = "_lifecycle"
	lifecyclePolicy    = "LifecycleEndorsement"
	implicitCollection = "_implicit_org_"
	builtinValidation  = "vscc"
	maxFields          = 64
)

// errUnknown says that a policy is of a kind that is not evaluated here: a chaincode's own plugin, or a key's own policy.
var errUnknown = errors.New("the policy is not evaluated")

// errUndefined says that the channel has no definition of a chaincode.
var errUndefined = errors.New("the channel does not define the chaincode")

// definition is the endorsement policy of a chaincode as the channel's organisations committed it.
func (s *state) definition(chaincode string) ([]byte, error) {
	meta := new(wire.StateMetadata)
	_, b := s.get(publicKey(lifecycleNamespace, "namespaces/metadata/"+chaincode))
	if b == nil {
		return nil, errUndefined
	}
	if err := decode("chaincode definition", b, meta, limits{2: maxFields}); err != nil || meta.Datatype != "ChaincodeDefinition" {
		return nil, errUndefined
	}
	_, b = s.get(publicKey(lifecycleNamespace, "namespaces/fields/"+chaincode+"/ValidationInfo"))
	data, info := new(wire.StateData), new(wire.ChaincodeValidationInfo)
	if err := decode("chaincode definition", b, data, nil); err != nil {
		return nil, err
	}
	if err := decode("chaincode definition", data.GetBytes(), info, nil); err != nil {
		return nil, err
	}
	if info.ValidationPlugin != builtinValidation {
		return nil, fmt.Errorf("%w: chaincode %.64q has plugin %.64q", errUnknown, chaincode, info.ValidationPlugin)
	}
	return info.ValidationParameter, nil
}

// collectionPolicy is the endorsement policy that a chaincode's definition gives one of its collections, nil if it has none of its own. A collection that is not defined is an error.
func (s *state) collectionPolicy(chaincode, name string) (*wire.ApplicationPolicy, error) {
	_, b := s.get(publicKey(lifecycleNamespace, "namespaces/fields/"+chaincode+"/Collections"))
	data, all := new(wire.StateData), new(wire.CollectionConfigPackage)
	if err := decode("chaincode definition", b, data, nil); err != nil {
		return nil, err
	}
	if err := decode("collections", data.GetBytes(), all, nil); err != nil {
		return nil, err
	}
	for _, one := range all.Config {
		if c := one.GetStaticCollectionConfig(); c != nil && c.Name == name {
			return c.EndorsementPolicy, nil
		}
	}
	return nil, fmt.Errorf("%w: chaincode %.64q has no such collection", errPolicy, chaincode)
}

// checkEndorsed holds the endorsers against the policies of every namespace that the transaction writes to, and of the chaincode that it calls. All of them are looked at before
// errUnknown is given, which so says that nothing speaks against the transaction but that one policy is not known to be met.
func (c *configuration) checkEndorsed(s *state, t *transaction, keyed map[string]bool) (wire.TxValidationCode, error) {
	all := t.written
	if !t.writesTo(t.chaincode) {
		all = append([]written{{name: t.chaincode}}, all...)
	}
	var unknown error
	for _, w := range all {
		err := c.checkNamespace(s, t, w, keyed[w.name])
		switch {
		case err == nil:
		case errors.Is(err, errUndefined):
			return wire.TxValidationCode_INVALID_CHAINCODE, err
		case errors.Is(err, errUnknown):
			unknown = fmt.Errorf("namespace %.64q: %w", w.name, err)
		default:
			return wire.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, fmt.Errorf("namespace %.64q: %w", w.name, err)
		}
	}
	return wire.TxValidationCode_ENDORSEMENT_POLICY_FAILURE, unknown
}

// checkNamespace asks for the chaincode's policy where something public is written or nothing at all, and for a collection's where it is written to.
func (c *configuration) checkNamespace(s *state, t *transaction, w written, keyed bool) error {
	whole := func() error { return c.meetsLifecycle(t.endorsers) }
	if w.name != lifecycleNamespace {
		policy, err := s.definition(w.name)
		if err != nil {
			return err
		}
		whole = func() error { return c.meetsApplication(policy, t.endorsers) }
	}
	if keyed {
		return fmt.Errorf("%w: keys have policies of their own", errUnknown)
	}
	if w.public || len(w.collections) == 0 {
		if err := whole(); err != nil {
			return err
		}
	}
	for _, collection := range w.collections {
		if err := c.meetsCollection(s, w.name, collection, t.endorsers, whole); err != nil {
			return fmt.Errorf("collection %.64q: %w", collection, err)
		}
	}
	return nil
}

// meetsLifecycle is the policy for chaincode definitions: the channel's, or a majority of its organisations where it has none.
func (c *configuration) meetsLifecycle(signers []*identity) error {
	if c.hasPolicy([]string{"Application"}, lifecyclePolicy) {
		return c.meets("/Channel/Application/"+lifecyclePolicy, signers)
	}
	agreed := map[string]bool{}
	for _, id := range signers {
		if _, member := c.members[id.mspID]; member && id.invalid == nil {
			agreed[id.mspID] = true
		}
	}
	if len(agreed) < len(c.members)/2+1 {
		return errPolicy
	}
	return nil
}

// meetsCollection is the policy of a collection: of an organisation's own, which every chaincode has, or of one that is defined, which may be the chaincode's.
func (c *configuration) meetsCollection(s *state, chaincode, name string, signers []*identity, whole func() error) error {
	mspID, own := strings.CutPrefix(name, implicitCollection)
	if !own {
		policy, err := s.collectionPolicy(chaincode, name)
		if err != nil {
			return err
		}
		if policy == nil {
			return whole()
		}
		return c.meetsPolicy(policy, signers)
	}
	org, member := c.members[mspID]
	switch {
	case !member:
		return fmt.Errorf("%w: the channel has no organisation %.64q", errPolicy, mspID)
	case c.hasPolicy([]string{"Application", org}, "Endorsement"):
		return c.meets("/Channel/Application/"+org+"/Endorsement", signers)
	}
	if slices.ContainsFunc(signers, func(id *identity) bool { return id.mspID == mspID && id.invalid == nil }) {
		return nil
	}
	return errPolicy
}

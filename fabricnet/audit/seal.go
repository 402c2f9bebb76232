package audit

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
)

// blockValidation is the policy that peers hold the orderers' signatures against.
const blockValidation = "/Channel/Orderer/BlockValidation"

// checkSeal verifies the orderers' signatures over a block's header under this configuration, which must be the one in force before the block, and gives their number.
func (c *configuration) checkSeal(b *block) (int, error) {
	m, err := b.signatures()
	if err != nil {
		return 0, err
	}
	if err := c.checkLastConfiguration(b, m.Value); err != nil {
		return 0, err
	}
	set, err := c.sealSet(b, m)
	if err != nil {
		return 0, err
	}
	good, _ := c.signers(slices.Values(set))
	if err := c.checkSealers(good); err != nil {
		return 0, err
	}
	if err := c.meets(blockValidation, good); err != nil {
		return 0, err
	}
	return len(good), nil
}

func (b *block) signatures() (*common.Metadata, error) {
	index := int(common.BlockMetadataIndex_SIGNATURES)
	if len(b.metadata) <= index || len(b.metadata[index]) == 0 {
		return nil, errors.New("is signed by no orderer")
	}
	m := new(common.Metadata)
	return m, decode("orderers' signatures", b.metadata[index], m, limits{2: maxSignatures})
}

// checkLastConfiguration compares which configuration the orderers signed that they were under. A block with a configuration names itself.
func (c *configuration) checkLastConfiguration(b *block, value []byte) error {
	m := new(common.OrdererBlockMetadata)
	if err := decode("orderers' metadata", value, m, nil); err != nil {
		return err
	}
	want := c.number
	if _, ok := b.configuration(); ok {
		want = b.number
	}
	if m.LastConfig == nil || m.LastConfig.Index != want {
		return fmt.Errorf("orderers signed under the configuration of block %d, the last is of block %d", m.GetLastConfig().GetIndex(), want)
	}
	return nil
}

// sealSet pairs every signature with its signer and with what it is over: metadata value, signer's header, block header.
func (c *configuration) sealSet(b *block, m *common.Metadata) ([]signature, error) {
	set := make([]signature, 0, len(m.Signatures))
	for i, s := range m.Signatures {
		if c.byIdentifier && len(s.SignatureHeader) == 0 && len(s.IdentifierHeader) > 0 {
			h := new(common.IdentifierHeader)
			if err := decode("identifier header", s.IdentifierHeader, h, nil); err != nil {
				return nil, fmt.Errorf("orderer's signature %d: %w", i, err)
			}
			if id := c.consenter(h.Identifier); id != nil {
				set = append(set, signature{id, func() []byte { return slices.Concat(m.Value, s.IdentifierHeader, b.header) }, s.Signature})
			}
			continue
		}
		h := new(common.SignatureHeader)
		if err := decode("signature header", s.SignatureHeader, h, nil); err != nil {
			return nil, fmt.Errorf("orderer's signature %d: %w", i, err)
		}
		set = append(set, signature{h.Creator, func() []byte { return slices.Concat(m.Value, s.SignatureHeader, b.header) }, s.Signature})
	}
	return set, nil
}

// checkSealers does not leave it to the channel's policy who may seal: raft needs a node of an orderer organisation, BFT a quorum of its consenters.
func (c *configuration) checkSealers(good []*identity) error {
	if c.consensus == consensusBFT {
		return c.checkQuorum(good)
	}
	for _, id := range good {
		if c.orderers[id.mspID] && id.invalid == nil && (c.msps[id.mspID].nodes == nil || id.has(msp.MSPRole_ORDERER)) {
			return nil
		}
	}
	return errors.New("has no valid signature of an orderer")
}

func (c *configuration) checkQuorum(good []*identity) error {
	sealed := map[[32]byte]bool{} // a certificate that two consenters share counts once
	for _, one := range c.consenters {
		id, err := c.identify(c.consenter(one.Id))
		if err != nil {
			continue
		}
		if slices.ContainsFunc(good, func(g *identity) bool { return g.digest == id.digest && g.invalid == nil }) {
			sealed[id.digest] = true
		}
	}
	if need := quorum(len(c.consenters)); len(sealed) < need {
		return fmt.Errorf("is signed by %d of %d consenters, a quorum is %d", len(sealed), len(c.consenters), need)
	}
	return nil
}

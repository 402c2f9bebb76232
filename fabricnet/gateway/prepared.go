package gateway

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	fabric "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
)

// proposed is a proposal as its transaction has to repeat it.
type proposed struct {
	id      string
	header  *common.Header
	payload []byte // without the transient input, which is not recorded
}

func readProposal(p *client.Proposal) (*proposed, error) {
	b, err := p.Bytes()
	if err != nil {
		return nil, err
	}
	outer, proposal, payload := &fabric.ProposedTransaction{}, &peer.Proposal{}, &peer.ChaincodeProposalPayload{}
	if err := proto.Unmarshal(b, outer); err != nil {
		return nil, fmt.Errorf("proposal: %w", err)
	}
	if err := proto.Unmarshal(outer.GetProposal().GetProposalBytes(), proposal); err != nil {
		return nil, fmt.Errorf("proposal: %w", err)
	}
	r := &proposed{id: p.TransactionID(), header: &common.Header{}}
	if err := proto.Unmarshal(proposal.GetHeader(), r.header); err != nil {
		return nil, fmt.Errorf("proposal's header: %w", err)
	}
	if err := proto.Unmarshal(proposal.GetPayload(), payload); err != nil {
		return nil, fmt.Errorf("proposal's payload: %w", err)
	}
	r.payload, err = proto.Marshal(&peer.ChaincodeProposalPayload{Input: payload.GetInput()})
	return r, err
}

// hash is what endorsers say they endorsed.
func (p *proposed) hash() []byte {
	h := sha256.New()
	h.Write(p.header.GetChannelHeader())
	h.Write(p.header.GetSignatureHeader())
	h.Write(p.payload)
	return h.Sum(nil)
}

// transaction makes the envelope to be signed of what the own peer made, if that is this proposal's, endorsed by these MSPs. What is signed is made here,
// so that nothing is in it that was not looked at.
func (p *proposed) transaction(prepared *common.Envelope, chaincode string, msps []string) (*common.Envelope, error) {
	action, err := p.actionOf(prepared)
	if err != nil {
		return nil, err
	}
	if err := p.checkOutcome(action.GetProposalResponsePayload(), chaincode); err != nil {
		return nil, err
	}
	if err := checkEndorsements(action, msps); err != nil {
		return nil, err
	}
	return p.envelope(action)
}

// actionOf checks that an envelope repeats the proposal, and returns what is new in it.
func (p *proposed) actionOf(prepared *common.Envelope) (*peer.ChaincodeEndorsedAction, error) {
	if len(prepared.GetSignature()) > 0 {
		return nil, errors.New("it has a signature, which only the caller may give")
	}
	payload, tx, action := &common.Payload{}, &peer.Transaction{}, &peer.ChaincodeActionPayload{}
	if err := proto.Unmarshal(prepared.GetPayload(), payload); err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	if !bytes.Equal(payload.GetHeader().GetChannelHeader(), p.header.GetChannelHeader()) {
		return nil, errors.New("its channel header is not the proposal's")
	}
	if !bytes.Equal(payload.GetHeader().GetSignatureHeader(), p.header.GetSignatureHeader()) {
		return nil, errors.New("its signature header is not the proposal's")
	}
	if err := proto.Unmarshal(payload.GetData(), tx); err != nil {
		return nil, fmt.Errorf("transaction: %w", err)
	}
	if n := len(tx.GetActions()); n != 1 {
		return nil, fmt.Errorf("it has %d actions, must have 1", n)
	}
	if !bytes.Equal(tx.GetActions()[0].GetHeader(), p.header.GetSignatureHeader()) {
		return nil, errors.New("its action's header is not the proposal's signature header")
	}
	if err := proto.Unmarshal(tx.GetActions()[0].GetPayload(), action); err != nil {
		return nil, fmt.Errorf("action: %w", err)
	}
	if !bytes.Equal(action.GetChaincodeProposalPayload(), p.payload) {
		return nil, errors.New("its call is not the proposal's")
	}
	return action.GetAction(), nil
}

// checkOutcome checks that what the endorsers signed is about this proposal and this chaincode.
func (p *proposed) checkOutcome(signed []byte, chaincode string) error {
	response, outcome := &peer.ProposalResponsePayload{}, &peer.ChaincodeAction{}
	if err := proto.Unmarshal(signed, response); err != nil {
		return fmt.Errorf("proposal response: %w", err)
	}
	if !bytes.Equal(response.GetProposalHash(), p.hash()) {
		return errors.New("what is endorsed is another proposal")
	}
	if err := proto.Unmarshal(response.GetExtension(), outcome); err != nil {
		return fmt.Errorf("outcome: %w", err)
	}
	if name := outcome.GetChaincodeId().GetName(); name != chaincode {
		return fmt.Errorf("what is endorsed is a call of chaincode %.80q, not of %q", name, chaincode)
	}
	return nil
}

// checkEndorsements wants one endorsement of each MSP that was asked, and no other: the peer asks one peer of each.
func checkEndorsements(action *peer.ChaincodeEndorsedAction, msps []string) error {
	if n := len(action.GetEndorsements()); n != len(msps) {
		return fmt.Errorf("it has %d endorsements, asked were %s", n, strings.Join(msps, ", "))
	}
	left := slices.Clone(msps)
	for i, e := range action.GetEndorsements() {
		member := &msp.SerializedIdentity{}
		if err := proto.Unmarshal(e.GetEndorser(), member); err != nil {
			return fmt.Errorf("endorsement %d: %w", i, err)
		}
		at := slices.Index(left, member.GetMspid())
		if at < 0 {
			return fmt.Errorf("endorsement %d is of %.80q, asked were %s, once each", i, member.GetMspid(), strings.Join(msps, ", "))
		}
		left = slices.Delete(left, at, at+1)
		signed := slices.Concat(action.GetProposalResponsePayload(), e.GetEndorser())
		if err := verify(member.GetIdBytes(), signed, e.GetSignature()); err != nil {
			return fmt.Errorf("endorsement of %s: %w", member.GetMspid(), err)
		}
	}
	return nil
}

// verify holds a signature against the key of the certificate that comes with it, in PEM. Who issued the certificate is not known here.
func verify(certificate, message, signature []byte) error {
	block, _ := pem.Decode(certificate)
	if block == nil {
		return errors.New("its certificate is not in PEM")
	}
	parsed, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("its certificate: %w", err)
	}
	switch key := parsed.PublicKey.(type) {
	case *ecdsa.PublicKey:
		// Fabric hashes with SHA-256 whatever the curve.
		if digest := sha256.Sum256(message); ecdsa.VerifyASN1(key, digest[:], signature) {
			return nil
		}
	case ed25519.PublicKey:
		if ed25519.Verify(key, message, signature) {
			return nil
		}
	default:
		return fmt.Errorf("its certificate has a key of type %T", key)
	}
	return errors.New("its signature does not verify with its certificate's key")
}

// envelope is the transaction of this proposal with an outcome and its endorsements.
func (p *proposed) envelope(action *peer.ChaincodeEndorsedAction) (*common.Envelope, error) {
	own := &peer.ChaincodeEndorsedAction{ProposalResponsePayload: action.GetProposalResponsePayload()}
	for _, e := range action.GetEndorsements() {
		own.Endorsements = append(own.Endorsements, &peer.Endorsement{Endorser: e.GetEndorser(), Signature: e.GetSignature()})
	}
	inner, err := proto.Marshal(&peer.ChaincodeActionPayload{ChaincodeProposalPayload: p.payload, Action: own})
	if err != nil {
		return nil, err
	}
	data, err := proto.Marshal(&peer.Transaction{Actions: []*peer.TransactionAction{{Header: p.header.GetSignatureHeader(), Payload: inner}}})
	if err != nil {
		return nil, err
	}
	header := &common.Header{ChannelHeader: p.header.GetChannelHeader(), SignatureHeader: p.header.GetSignatureHeader()}
	payload, err := proto.Marshal(&common.Payload{Header: header, Data: data})
	return &common.Envelope{Payload: payload}, err
}

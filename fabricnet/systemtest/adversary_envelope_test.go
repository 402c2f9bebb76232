package systemtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/orderer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/profile"
)

// proposal is a call that somebody makes without the gateway client, as they like.
type proposal struct {
	by       *member
	txID     string
	header   *common.Header
	recorded []byte // the payload without transient input, as it is recorded
	bytes    []byte
}

// propose dates a call of the contract and gives it an id.
func (n *faultNetwork) propose(t *testing.T, by *member, at time.Time, call ledger.Call) *proposal {
	t.Helper()
	ledgerID := n.genesis.ID()
	args := [][]byte{[]byte(call.Function), []byte(hex.EncodeToString(ledgerID[:])), call.Args}
	return n.proposeTo(t, n.profiles[faultOwner].Chaincode, by, at, args, call.Transient)
}

func (n *faultNetwork) proposeTo(t *testing.T, chaincode string, by *member, at time.Time, args [][]byte, transient map[string][]byte) *proposal {
	t.Helper()
	signature := signatureHeader(t, by)
	id := sha256.Sum256(append(append([]byte{}, signature.GetNonce()...), signature.GetCreator()...))
	p := &proposal{by: by, txID: hex.EncodeToString(id[:])}
	name := &peer.ChaincodeID{Name: chaincode}
	p.header = &common.Header{
		ChannelHeader: encoded(t, &common.ChannelHeader{
			Type: int32(common.HeaderType_ENDORSER_TRANSACTION), Timestamp: timestamppb.New(at), ChannelId: n.profiles[faultOwner].Channel, TxId: p.txID,
			Extension: encoded(t, &peer.ChaincodeHeaderExtension{ChaincodeId: name}),
		}),
		SignatureHeader: encoded(t, signature),
	}
	input := encoded(t, &peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		Type: peer.ChaincodeSpec_GOLANG, ChaincodeId: name, Input: &peer.ChaincodeInput{Args: args},
	}})
	p.recorded = encoded(t, &peer.ChaincodeProposalPayload{Input: input})
	p.bytes = encoded(t, &peer.Proposal{
		Header:  encoded(t, p.header),
		Payload: encoded(t, &peer.ChaincodeProposalPayload{Input: input, TransientMap: transient}),
	})
	return p
}

func signatureHeader(t *testing.T, by *member) *common.SignatureHeader {
	t.Helper()
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		t.Fatal(err)
	}
	return &common.SignatureHeader{Creator: by.creator(t), Nonce: nonce}
}

// endorse asks an organisation's peer.
func (n *faultNetwork) endorse(t *testing.T, p *proposal, org string) (*peer.ProposalResponse, error) {
	t.Helper()
	conn, err := gateway.Dial(n.profiles[org].Peer)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing is under way
	ctx, cancel := context.WithTimeout(t.Context(), faultPatience)
	defer cancel()
	r, err := peer.NewEndorserClient(conn).ProcessProposal(ctx, &peer.SignedProposal{ProposalBytes: p.bytes, Signature: p.by.sign(t, p.bytes)})
	if err != nil {
		return nil, err
	}
	if s := r.GetResponse(); s.GetStatus() != 200 || r.GetEndorsement() == nil {
		return nil, fmt.Errorf("status %d: %s", s.GetStatus(), s.GetMessage())
	}
	return r, nil
}

// endorsedBy makes a transaction of a proposal, with the endorsements of some organisations.
func (n *faultNetwork) endorsedBy(t *testing.T, p *proposal, orgs ...string) (*common.Envelope, error) {
	t.Helper()
	action := &peer.ChaincodeEndorsedAction{}
	for _, org := range orgs {
		r, err := n.endorse(t, p, org)
		if err != nil {
			return nil, fmt.Errorf("endorsed by %s: %w", org, err)
		}
		action.ProposalResponsePayload = r.GetPayload()
		action.Endorsements = append(action.Endorsements, r.GetEndorsement())
	}
	tx := &peer.Transaction{Actions: []*peer.TransactionAction{{
		Header:  p.header.GetSignatureHeader(),
		Payload: encoded(t, &peer.ChaincodeActionPayload{ChaincodeProposalPayload: p.recorded, Action: action}),
	}}}
	return sealedEnvelope(t, p.by, &common.Payload{Header: p.header, Data: encoded(t, tx)}), nil
}

func sealedEnvelope(t *testing.T, by *member, payload *common.Payload) *common.Envelope {
	t.Helper()
	b := encoded(t, payload)
	return &common.Envelope{Payload: b, Signature: by.sign(t, b)}
}

// broadcast hands an envelope to an orderer, and returns an error if that does not take it.
func (n *faultNetwork) broadcast(t *testing.T, e *common.Envelope) error {
	t.Helper()
	conn, err := gateway.Dial(profile.Endpoint{
		Address: n.Process(t, "orderer1").Address, ServerName: "orderer1", TLSRoots: filepath.Join(n.Dir, "ordering", "tlsca", "tlsca.ordering-cert.pem"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing is under way
	ctx, cancel := context.WithTimeout(t.Context(), faultPatience)
	defer cancel()
	stream, err := orderer.NewAtomicBroadcastClient(conn).Broadcast(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(e); err != nil {
		t.Fatal(err)
	}
	r, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	if r.GetStatus() != common.Status_SUCCESS {
		return fmt.Errorf("%s: %s", r.GetStatus(), r.GetInfo())
	}
	return nil
}

// pushed has the orderer take a transaction and tells what the peers made of it.
func (n *faultNetwork) pushed(t *testing.T, e *common.Envelope, txID string) gateway.Outcome {
	t.Helper()
	if err := n.broadcast(t, e); err != nil {
		t.Fatalf("the orderer does not take transaction %s: %v", txID, err)
	}
	var outcome gateway.Outcome
	eventually(t, "waiting for transaction "+txID, func(ctx context.Context) (err error) {
		if outcome, err = n.clients[faultLender].Outcome(ctx, txID); err == nil && outcome.State == gateway.Unknown {
			err = errors.New("no block has it")
		}
		return err
	})
	return outcome
}

// refusedAs checks that an error is a refusal and says some things.
func refusedAs(t *testing.T, what string, err error, code ledger.Code, texts ...string) {
	t.Helper()
	if err == nil || ledger.CodeOf(err) != code {
		t.Errorf("%s: want it refused as %s, got: %v", what, code, err)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("%s: the error does not say %q: %v", what, text, err)
		}
	}
}

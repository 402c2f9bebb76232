package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	fabric "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/profile"
)

// ownPeer is a peer's gateway service that does what no real one can be made to do.
type ownPeer struct {
	fabric.UnimplementedGatewayServer
	endorser *ecdsa.PrivateKey
	cert     []byte // PEM

	change    func(*prepared)                 // what it returns for a proposal
	endorsing func() error                    // how asking for endorsements fails
	offering  func() error                    // how submitting fails
	outcome   func(ctx context.Context) error // how waiting for the block fails
	submitted atomic.Pointer[common.Envelope]
	offers    atomic.Int32
}

// prepared is the transaction that a peer makes of a proposal, in parts.
type prepared struct {
	header    *common.Header
	tx        *peer.Transaction
	action    *peer.ChaincodeActionPayload
	response  *peer.ProposalResponsePayload
	outcome   *peer.ChaincodeAction
	msps      []string
	unsigned  bool   // the endorsements are not by the certificate's key
	signature []byte // of the caller
	raw       func(*prepared) []byte
}

func (p *ownPeer) Evaluate(_ context.Context, r *fabric.EvaluateRequest) (*fabric.EvaluateResponse, error) {
	switch function(r.GetProposedTransaction()) {
	case "GetChainInfo":
		return &fabric.EvaluateResponse{Result: &peer.Response{Payload: encode(&common.BlockchainInfo{Height: 8, CurrentBlockHash: make([]byte, 32)})}}, nil
	case "GetBlockByTxID":
		return nil, withDetail(codes.Aborted, detail("LenderMSP", "chaincode response 500, "+textUnknownTx))
	}
	return nil, status.Error(codes.InvalidArgument, "no")
}

func withDetail(code codes.Code, details ...*fabric.ErrorDetail) error {
	st := status.New(code, "failed")
	for _, d := range details {
		st, _ = st.WithDetails(d) //nolint:errcheck // it is one
	}
	return st.Err()
}

func decode[M proto.Message](b []byte, m M) M {
	if err := proto.Unmarshal(b, m); err != nil {
		panic(err)
	}
	return m
}

func function(signed *peer.SignedProposal) string {
	proposal := decode(signed.GetProposalBytes(), &peer.Proposal{})
	input := decode(decode(proposal.GetPayload(), &peer.ChaincodeProposalPayload{}).GetInput(), &peer.ChaincodeInvocationSpec{})
	if args := input.GetChaincodeSpec().GetInput().GetArgs(); len(args) > 0 {
		return string(args[0])
	}
	return ""
}

// Endorse makes what Fabric makes of the proposal, with changes.
func (p *ownPeer) Endorse(_ context.Context, r *fabric.EndorseRequest) (*fabric.EndorseResponse, error) {
	if p.endorsing != nil {
		return nil, p.endorsing()
	}
	proposal := decode(r.GetProposedTransaction().GetProposalBytes(), &peer.Proposal{})
	header := decode(proposal.GetHeader(), &common.Header{})
	call := encode(&peer.ChaincodeProposalPayload{Input: decode(proposal.GetPayload(), &peer.ChaincodeProposalPayload{}).GetInput()})
	hash := sha256.Sum256(slices.Concat(header.GetChannelHeader(), header.GetSignatureHeader(), call))
	t := &prepared{
		header: header, msps: r.GetEndorsingOrganizations(),
		tx:       &peer.Transaction{Actions: []*peer.TransactionAction{{Header: header.GetSignatureHeader()}}},
		action:   &peer.ChaincodeActionPayload{ChaincodeProposalPayload: call},
		response: &peer.ProposalResponsePayload{ProposalHash: hash[:]},
		outcome:  &peer.ChaincodeAction{ChaincodeId: &peer.ChaincodeID{Name: "assay"}, Response: &peer.Response{Status: 200, Payload: []byte(`{"id":1}`)}},
	}
	if p.change != nil {
		p.change(t)
	}
	return &fabric.EndorseResponse{PreparedTransaction: p.envelope(t)}, nil
}

func (p *ownPeer) envelope(t *prepared) *common.Envelope {
	if t.raw != nil {
		return &common.Envelope{Payload: t.raw(t)}
	}
	t.response.Extension = encode(t.outcome)
	signed := encode(t.response)
	t.action.Action = &peer.ChaincodeEndorsedAction{ProposalResponsePayload: signed}
	for _, id := range t.msps {
		endorser := encode(&msp.SerializedIdentity{Mspid: id, IdBytes: p.cert})
		digest := sha256.Sum256(slices.Concat(signed, endorser))
		if t.unsigned {
			digest = sha256.Sum256(signed)
		}
		signature, _ := ecdsa.SignASN1(rand.Reader, p.endorser, digest[:]) //nolint:errcheck // it does not fail
		t.action.Action.Endorsements = append(t.action.Action.Endorsements, &peer.Endorsement{Endorser: endorser, Signature: signature})
	}
	for _, a := range t.tx.Actions {
		a.Payload = encode(t.action)
	}
	return &common.Envelope{Payload: encode(&common.Payload{Header: t.header, Data: encode(t.tx)}), Signature: t.signature}
}

func (p *ownPeer) Submit(_ context.Context, r *fabric.SubmitRequest) (*fabric.SubmitResponse, error) {
	p.offers.Add(1)
	p.submitted.Store(r.GetPreparedTransaction())
	if p.offering != nil {
		return nil, p.offering()
	}
	return &fabric.SubmitResponse{}, nil
}

func (p *ownPeer) CommitStatus(ctx context.Context, _ *fabric.SignedCommitStatusRequest) (*fabric.CommitStatusResponse, error) {
	if p.outcome != nil {
		return nil, p.outcome(ctx)
	}
	return &fabric.CommitStatusResponse{Result: peer.TxValidationCode_VALID, BlockNumber: 7}, nil
}

// access is the lender's through this peer, which listens.
func (p *ownPeer) access(t *testing.T) *Client {
	t.Helper()
	p.endorser = ok[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "peer"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der := ok[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, p.endorser.Public(), p.endorser))
	p.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	path := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(path, p.cert, 0o600); err != nil {
		t.Fatal(err)
	}
	l := ok[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: p.endorser}}})))
	fabric.RegisterGatewayServer(s, p)
	go s.Serve(l) //nolint:errcheck // it ends with the test
	t.Cleanup(s.Stop)
	c, err := Open(t.Context(), Options{
		Profile: &profile.Profile{
			Version: profile.Version, Organisation: contracttest.Lender, MSPID: "LenderMSP", Channel: "assay", Chaincode: "assay",
			Peer: profile.Endpoint{Address: l.Addr().String(), TLSRoots: path}, Certificate: path, Genesis: "x", ChannelGenesis: "x",
		},
		Genesis: consortium(), Signer: p.endorser, Endorsers: []string{contracttest.Lender, contracttest.Regulator},
		Timeouts: Timeouts{Submit: 300 * time.Millisecond, Commit: 300 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() }) //nolint:errcheck // the peer goes too
	return c
}

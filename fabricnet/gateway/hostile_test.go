package gateway

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

var someCall = ledger.Call{Function: ledger.FnAnchor, Args: []byte(`{}`), Transient: map[string][]byte{ledger.TransientAttestations: []byte("secret")}}

func TestTheOwnTransactionIsSigned(t *testing.T) {
	p := &ownPeer{change: func(t *prepared) { t.action.ProtoReflect().SetUnknown([]byte{0xfa, 0x3e, 1, 'x'}) }}
	receipt, err := p.access(t).Submit(t.Context(), someCall)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{contracttest.Lender, contracttest.Regulator}, receipt.Endorsers); diff != "" || receipt.Height != 7 || string(receipt.Result) != `{"id":1}` {
		t.Errorf("receipt is %+v: %s", receipt, diff)
	}
	envelope := p.submitted.Load()
	if digest := sha256.Sum256(envelope.GetPayload()); !ecdsa.VerifyASN1(&p.endorser.PublicKey, digest[:], envelope.GetSignature()) {
		t.Error("the transaction is not signed")
	}
	if strings.Contains(string(envelope.GetPayload()), "secret") {
		t.Error("the transient input is in it")
	}
	tx := decode(decode(envelope.GetPayload(), &common.Payload{}).GetData(), &peer.Transaction{})
	if action := decode(tx.GetActions()[0].GetPayload(), &peer.ChaincodeActionPayload{}); len(action.ProtoReflect().GetUnknown()) > 0 {
		t.Error("what nobody looked at is signed")
	}
}

// otherChannel is a header with another channel's name.
func otherChannel(header []byte) []byte {
	h := decode(header, &common.ChannelHeader{})
	h.ChannelId = "payments"
	return encode(h)
}

// Whoever signs what the peer returns, signs for the peer.
func TestNothingElseIsSigned(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*prepared)
		text   string
	}{
		"another channel": {func(t *prepared) { t.header.ChannelHeader = otherChannel(t.header.ChannelHeader) }, "channel header"},
		"a proposal for another channel": {func(t *prepared) {
			t.raw = func(t *prepared) []byte {
				t.header.ChannelHeader = otherChannel(t.header.ChannelHeader)
				return encode(&peer.Proposal{Header: encode(t.header), Payload: encode(&peer.ChaincodeProposalPayload{Input: []byte{}})})
			}
		}, ""},
		"another nonce": {func(t *prepared) {
			h := decode(t.header.SignatureHeader, &common.SignatureHeader{})
			h.Nonce = []byte("another")
			t.header.SignatureHeader = encode(h)
		}, "signature header"},
		"a header of the action's own": {func(t *prepared) { t.tx.Actions[0].Header = []byte("x") }, "action's header"},
		"no action":                    {func(t *prepared) { t.tx.Actions = nil }, ""},
		"two actions":                  {func(t *prepared) { t.tx.Actions = append(t.tx.Actions, proto.CloneOf(t.tx.Actions[0])) }, "2 actions"},
		"another call": {func(t *prepared) {
			t.action.ChaincodeProposalPayload = encode(&peer.ChaincodeProposalPayload{Input: []byte("x")})
		}, "its call"},
		"transient input": {func(t *prepared) {
			t.action.ChaincodeProposalPayload = append(t.action.ChaincodeProposalPayload, 0x12, 0)
		}, "its call"},
		"another proposal":     {func(t *prepared) { t.response.ProposalHash = make([]byte, 32) }, "another proposal"},
		"no proposal":          {func(t *prepared) { t.response.ProposalHash = nil }, "another proposal"},
		"another chaincode":    {func(t *prepared) { t.outcome.ChaincodeId.Name = "bank" }, "bank"},
		"a signature":          {func(t *prepared) { t.signature = []byte("x") }, "has a signature"},
		"no endorsement":       {func(t *prepared) { t.msps = nil }, "0 endorsements"},
		"one of two":           {func(t *prepared) { t.msps = t.msps[:1] }, "1 endorsements"},
		"one twice":            {func(t *prepared) { t.msps = []string{"LenderMSP", "LenderMSP"} }, "LenderMSP"},
		"who was not asked":    {func(t *prepared) { t.msps = []string{"LenderMSP", "OperatorMSP"} }, "OperatorMSP"},
		"more than were asked": {func(t *prepared) { t.msps = append(t.msps, "OperatorMSP") }, "3 endorsements"},
		"forged endorsements":  {func(t *prepared) { t.unsigned = true }, "does not verify"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &ownPeer{change: test.change}
			_, err := p.access(t).Submit(t.Context(), someCall)
			var e *Error
			if !errors.As(err, &e) || e.Stage != StageEndorse || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v", err)
			}
			if p.submitted.Load() != nil {
				t.Error("it was signed and submitted")
			}
		})
	}
}

func TestOneOrganisationsNoIsNotTheLedgers(t *testing.T) {
	one := &ownPeer{endorsing: func() error { return withDetail(codes.Aborted, detail("LenderMSP", refusal)) }}
	_, err := one.access(t).Submit(t.Context(), someCall)
	if ledger.CodeOf(err) != ledger.NotEndorsed || !strings.Contains(err.Error(), "lender said no (conflict), regulator endorsed") {
		t.Errorf("one of two: %v", err)
	}
	all := &ownPeer{endorsing: func() error {
		return withDetail(codes.Aborted, detail("LenderMSP", refusal), detail("RegulatorMSP", refusal))
	}}
	if _, err = all.access(t).Submit(t.Context(), someCall); ledger.CodeOf(err) != ledger.Conflict {
		t.Errorf("both: %v", err)
	}
}

// An orderer can say no and order the transaction.
func TestAnOrderersNo(t *testing.T) {
	for _, code := range []codes.Code{codes.Aborted, codes.ResourceExhausted, codes.NotFound} {
		no := func() error {
			return status.Error(code, "received unsuccessful response from orderer: status=FORBIDDEN, info=x")
		}
		p := &ownPeer{offering: no}
		if receipt, err := p.access(t).Submit(t.Context(), someCall); err != nil || receipt.Height != 7 {
			t.Errorf("%s, and recorded: %+v, %v", code, receipt, err)
		}
		p = &ownPeer{offering: no, outcome: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		_, err := p.access(t).Submit(t.Context(), someCall)
		var unknown *OutcomeUnknown
		if !errors.As(err, &unknown) || ledger.CodeOf(err) != "" || !strings.Contains(err.Error(), "FORBIDDEN") {
			t.Errorf("%s, and no block: %v", code, err)
		}
		if p.offers.Load() < 2 {
			t.Errorf("%s: it was offered once", code)
		}
	}
}

func TestWhatTheOwnPeerDoesNotPassOnIsNotRecorded(t *testing.T) {
	for _, code := range []codes.Code{codes.InvalidArgument, codes.FailedPrecondition, codes.PermissionDenied} {
		p := &ownPeer{offering: func() error { return status.Error(code, "no") }}
		_, err := p.access(t).Submit(t.Context(), someCall)
		var e *Error
		var unknown *OutcomeUnknown
		if !errors.As(err, &e) || e.Stage != StageSubmit || errors.As(err, &unknown) || p.offers.Load() != 1 {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func FuzzPrepared(f *testing.F) {
	p := &proposed{id: id("a"), header: &common.Header{ChannelHeader: []byte("channel"), SignatureHeader: []byte("signature")}, payload: []byte("call")}
	action := &peer.ChaincodeEndorsedAction{
		ProposalResponsePayload: encode(&peer.ProposalResponsePayload{
			ProposalHash: p.hash(), Extension: encode(&peer.ChaincodeAction{ChaincodeId: &peer.ChaincodeID{Name: "assay"}}),
		}),
		Endorsements: []*peer.Endorsement{{Endorser: encode(&msp.SerializedIdentity{Mspid: "LenderMSP", IdBytes: []byte("x")}), Signature: []byte("x")}},
	}
	whole, err := p.envelope(action)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole.GetPayload())
	f.Fuzz(func(t *testing.T, payload []byte) {
		if _, err := p.transaction(&common.Envelope{Payload: payload}, "assay", []string{"LenderMSP"}); err == nil {
			t.Error("an endorsement that nobody signed is taken")
		}
		got, err := p.actionOf(&common.Envelope{Payload: payload})
		if err != nil {
			return
		}
		own, err := p.envelope(got)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := p.actionOf(own); err != nil || !bytes.Equal(again.GetProposalResponsePayload(), got.GetProposalResponsePayload()) {
			t.Errorf("what was made is another transaction: %v", err)
		}
	})
}

package systemtest

import (
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer/lifecycle"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
)

// disagreeing gives one lender another build of the contract. What it endorses fits to nothing that others endorse; those who need it not go on without it.
func (n *faultNetwork) disagreeing(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "disagreeing")
	if out, err := exec.Command("go", "build", "-o", binary, "./disagreeing").CombinedOutput(); err != nil {
		t.Fatalf("building the other contract: %v\n%s", err, out)
	}
	service := "contract." + faultLender
	n.Kill(t, service)
	n.Up(t, "--service", faultLender+"="+binary)
	c := open(t, gateway.Options{Profile: n.profiles[faultOwner], Endorsers: []string{faultLender, faultRegulator}})
	_, err := c.Book().RegisterFleet(t.Context(), plainFleet("disagreed"))
	refusedAs(t, "a call that endorsers disagree about", err, ledger.NotEndorsed, "endorse", "the contracts of "+faultLender+", "+faultRegulator)
	var failure *gateway.Error
	if !errors.As(err, &failure) || failure.Stage != gateway.StageEndorse || failure.TxID == "" {
		t.Errorf("a call that endorsers disagree about: %v", err)
	}
	t.Log(err)
	receipt, err := n.book(faultOwner).RegisterFleet(t.Context(), plainFleet("agreed"))
	if err != nil || !slices.Equal(receipt.Endorsers, []string{faultBank, faultRegulator}) {
		t.Errorf("a call that others can endorse: %+v, %v", receipt, err)
	}
	n.Kill(t, service)
	n.Up(t, "--service", faultLender+"="+networktest.Binary(t, "assay-chaincode"))
	if _, err := c.Book().RegisterFleet(t.Context(), plainFleet("disagreed")); err != nil {
		t.Errorf("with the same contract again: %v", err)
	}
}

// contractReplaced has the owner and the lender define another contract between them, whose changes the owner's peer alone endorses. The command refuses to commit it,
// and so do the peers when it is handed to the orderers.
func (n *faultNetwork) contractReplaced(t *testing.T) {
	for _, org := range []string{faultOwner, faultLender} {
		_, id, _ := strings.Cut(n.fabric(t, "contract", "installed", "--org", org), `"package_id":"`)
		id, _, _ = strings.Cut(id, `"`)
		n.fabric(t, "contract", "approve", "--org", org, "--version", "2", "--package-id", id)
		n.lifecycle(t, org, gateway.Recorded, "ApproveChaincodeDefinitionForMyOrg", &lifecycle.ApproveChaincodeDefinitionForMyOrgArgs{
			Name: "assay", Version: "3", Sequence: 2, EndorsementPlugin: "escc", ValidationPlugin: "vscc", ValidationParameter: n.ownPolicy(t),
			Source: &lifecycle.ChaincodeSource{Type: &lifecycle.ChaincodeSource_LocalPackage{LocalPackage: &lifecycle.ChaincodeSource_Local{PackageId: id}}},
		}, org)
	}
	n.agreedHead(t)
	out, err := n.try(t, "contract", "commit", "--org", faultOwner, "--version", "3")
	if err == nil || !strings.Contains(out, "not enough") || !strings.Contains(out, n.profiles[faultRegulator].MSPID) {
		t.Errorf("a contract committed without the regulator: %v\n%s", err, out)
	}
	n.lifecycle(t, faultOwner, gateway.Invalid, "CommitChaincodeDefinition", &lifecycle.CommitChaincodeDefinitionArgs{
		Name: "assay", Version: "3", Sequence: 2, EndorsementPlugin: "escc", ValidationPlugin: "vscc", ValidationParameter: n.ownPolicy(t),
	}, faultOwner, faultLender)
	n.agreedHead(t)
	for _, org := range []string{faultOwner, faultRegulator} {
		if out := n.fabric(t, "contract", "committed", "--org", org); !strings.Contains(out, `"sequence":1,`) || !strings.Contains(out, `"consortium_policy":true`) {
			t.Errorf("for %s the contract is now %s", org, out)
		}
	}
}

// lifecycle has an organisation's administrator call the system chaincode that keeps definitions.
func (n *faultNetwork) lifecycle(t *testing.T, org string, want gateway.State, function string, args proto.Message, endorsers ...string) {
	t.Helper()
	p := n.proposeTo(t, "_lifecycle", n.admin(t, org), time.Now(), [][]byte{[]byte(function), encoded(t, args)}, nil)
	e, err := n.endorsedBy(t, p, endorsers...)
	if err != nil {
		t.Fatalf("%s by %s: %v", function, org, err)
	}
	o := n.pushed(t, e, p.txID)
	if o.State != want || o.State == gateway.Invalid && o.Code != peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE.String() {
		t.Errorf("%s by %s, endorsed by %v: %+v", function, org, endorsers, o)
	}
}

// ownPolicy is content with the owner's peer.
func (n *faultNetwork) ownPolicy(t *testing.T) []byte {
	t.Helper()
	return encoded(t, &peer.ApplicationPolicy{Type: &peer.ApplicationPolicy_SignaturePolicy{SignaturePolicy: n.ownersPeer(t)}})
}

func (n *faultNetwork) ownersPeer(t *testing.T) *common.SignaturePolicyEnvelope {
	t.Helper()
	return &common.SignaturePolicyEnvelope{
		Rule: &common.SignaturePolicy{Type: &common.SignaturePolicy_SignedBy{SignedBy: 0}},
		Identities: []*msp.MSPPrincipal{{
			PrincipalClassification: msp.MSPPrincipal_ROLE,
			Principal:               encoded(t, &msp.MSPRole{MspIdentifier: n.profiles[faultOwner].MSPID, Role: msp.MSPRole_PEER}),
		}},
	}
}

func (n *faultNetwork) fabric(t *testing.T, args ...string) string {
	t.Helper()
	out, err := n.try(t, args...)
	if err != nil {
		t.Fatalf("assay-fabric %v: %v\n%s", args, err, out)
	}
	return out
}

func (n *faultNetwork) try(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(networktest.Binary(t, "assay-fabric"), append(args, "--json", "--dir", n.Dir)...).CombinedOutput()
	return string(out), err
}

// channelReconfigured has administrators of the owner and the lender sign a change of the channel by which the owner alone would define contracts.
func (n *faultNetwork) channelReconfigured(t *testing.T) {
	current := n.channelGroup(t)
	application := current.GetGroups()["Application"]
	policy := application.GetPolicies()["LifecycleEndorsement"]
	group := func(policies map[string]*common.ConfigPolicy) *common.ConfigGroup {
		return &common.ConfigGroup{Version: current.GetVersion(), Groups: map[string]*common.ConfigGroup{
			"Application": {Version: application.GetVersion(), Policies: policies},
		}}
	}
	update := encoded(t, &common.ConfigUpdate{ChannelId: n.profiles[faultOwner].Channel, ReadSet: group(nil), WriteSet: group(map[string]*common.ConfigPolicy{
		"LifecycleEndorsement": {
			Version: policy.GetVersion() + 1, ModPolicy: policy.GetModPolicy(),
			Policy: &common.Policy{Type: int32(common.Policy_SIGNATURE), Value: encoded(t, n.ownersPeer(t))},
		},
	})})
	err := n.broadcast(t, n.configUpdate(t, update, n.admin(t, faultOwner), n.admin(t, faultLender), n.admin(t, faultRival)))
	if err == nil || !strings.Contains(err.Error(), "/Channel/Application/LifecycleEndorsement not satisfied") {
		t.Errorf("the channel reconfigured without the regulator: %v", err)
	}
	t.Log(err)
}

// channelGroup is the channel's configuration, which nobody has changed.
func (n *faultNetwork) channelGroup(t *testing.T) *common.ConfigGroup {
	t.Helper()
	block := decoded(t, only(t, n.profiles[faultOwner].ChannelGenesis), &common.Block{})
	envelope := decoded(t, block.GetData().GetData()[0], &common.Envelope{})
	payload := decoded(t, envelope.GetPayload(), &common.Payload{})
	return decoded(t, payload.GetData(), &common.ConfigEnvelope{}).GetConfig().GetChannelGroup()
}

// configUpdate is submitted by the first of those who sign it.
func (n *faultNetwork) configUpdate(t *testing.T, update []byte, signers ...*member) *common.Envelope {
	t.Helper()
	e := &common.ConfigUpdateEnvelope{ConfigUpdate: update}
	for _, s := range signers {
		header := encoded(t, signatureHeader(t, s))
		e.Signatures = append(e.Signatures, &common.ConfigSignature{SignatureHeader: header, Signature: s.sign(t, append(slices.Clone(header), update...))})
	}
	header := &common.Header{
		ChannelHeader: encoded(t, &common.ChannelHeader{
			Type: int32(common.HeaderType_CONFIG_UPDATE), Timestamp: timestamppb.New(time.Now()), ChannelId: n.profiles[faultOwner].Channel,
		}),
		SignatureHeader: encoded(t, signatureHeader(t, signers[0])),
	}
	return sealedEnvelope(t, signers[0], &common.Payload{Header: header, Data: encoded(t, e)})
}

package audit

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const fleetID = "fleet-1"

// populated is a channel with a fleet of 60 devices, anchored for an epoch, a request that was refused, and one that was approved under a grant and then given up.
func populated(t testing.TB, consensus string) *channel {
	c := newChannel(t, consensus)
	c.order(c.define(contractName, c.peersOf(contracttest.Regulator, contracttest.Lender)), peer.TxValidationCode_VALID)
	c.cut()
	c.submit(contracttest.Regulator, ledger.FnFound, c.genesis, nil)
	c.submit(contracttest.Regulator, ledger.FnPublishKey, contracttest.SRSKey(c.srs), nil)
	maker := contracttest.NewMaker("maker-1")
	c.submit(contracttest.Regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}, nil)
	c.submit(contracttest.Operator, ledger.FnRegisterFleet, ledger.RegisterFleet{ID: fleetID, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}, nil)
	c.submit(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 100}, nil)
	devices := maker.Devices("s", 60)
	c.submit(contracttest.Operator, ledger.FnEnrol, contracttest.Enrolment(c.id, fleetID, 0, 0, devices), nil)
	for _, epoch := range []uint64{101, 102} {
		c.now += c.genesis.EpochSeconds
		c.submit(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: epoch}, nil)
	}
	c.anchor(101, devices)
	c.submit(contracttest.Operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()}, nil)
	c.submit(contracttest.Operator, ledger.FnGrant, ledger.Grant{Terms: contracttest.Terms(fleetID)}, nil)
	s := contracttest.Statement(fleetID, 101, 1, time.Unix(c.now+86_400, 0))
	c.submit(contracttest.Lender, ledger.FnRequest, ledger.Ask{Statement: s.Canonical()}, nil)
	c.submit(contracttest.Operator, ledger.FnDecide, ledger.Decide{Request: commit.Digest(s.Digest(c.id)), Reasons: []string{"no"}}, nil)
	c.givesUp()
	return c
}

// givesUp has the owner approve something under its grant, and give up.
func (c *channel) givesUp() {
	s := contracttest.Statement(fleetID, 101, 2, time.Unix(c.now+86_400, 0))
	id := commit.Digest(s.Digest(c.id))
	c.submit(contracttest.Lender, ledger.FnRequest, ledger.Ask{Statement: s.Canonical()}, nil)
	c.submit(contracttest.Operator, ledger.FnDecide, ledger.Decide{Request: id, Approve: true, Reasons: []string{"granted"}}, nil)
	c.submit(contracttest.Operator, ledger.FnStartProof, ledger.RequestRef{Request: id}, nil)
	c.submit(contracttest.Operator, ledger.FnFail, ledger.Fail{Request: id, Reasons: []string{"lost"}}, nil)
	c.submit(contracttest.Operator, ledger.FnRevoke, ledger.Revoke{Grant: contracttest.GrantID, Reason: "over"}, nil)
	c.submit(contracttest.Regulator, ledger.FnAlert, ledger.Alert{Request: id, Text: "look"}, nil)
}

func (c *channel) anchor(epoch uint64, devices []contracttest.Device) *proposal {
	place := commit.ChunkPlace{Ledger: c.id, SRS: c.srs.Digest(), Fleet: fleetID, Size: contracttest.ChunkSize, Epoch: epoch}
	var list [][]byte
	for i, d := range devices {
		list = append(list, contracttest.Attest(c.srs, place, uint32(i), d))
	}
	return c.submit(contracttest.Operator, ledger.FnAnchor, contracttest.Anchor(place, list), ledger.JoinAttestations(list))
}

func (c *channel) config() Config {
	return Config{
		Genesis: c.genesis, ChannelGenesis: c.pinned(), Chaincode: contractName,
		SRS: func(commit.Digest) (*commit.SRS, error) { return c.srs, nil },
		Attestations: func(_ context.Context, root commit.Digest) ([]byte, error) {
			if b, ok := c.kept[root]; ok {
				return b, nil
			}
			return nil, errors.New("none")
		},
	}
}

func (c *channel) audit() *Report {
	c.t.Helper()
	return c.auditWith(func(*Config) {})
}

func (c *channel) auditWith(change func(*Config)) *Report {
	c.t.Helper()
	config := c.config()
	change(&config)
	report, err := Run(context.Background(), config, c.encoded())
	if err != nil {
		c.t.Fatal(err)
	}
	return report
}

func TestSound(t *testing.T) {
	for _, consensus := range []string{consensusRaft, consensusBFT} {
		c := populated(t, consensus)
		report := c.audit()
		if !report.Sound || len(report.Findings) != 0 {
			t.Fatalf("%s: %v", consensus, report.Findings)
		}
		want := Counts{
			Blocks: uint64(len(c.blocks)), Transactions: uint64(len(c.blocks)), Flags: uint64(len(c.blocks)), Anchors: 1, Devices: 60, Requests: 2, Codes: map[string]uint64{},
			Calls: map[string]uint64{
				ledger.FnFound: 1, ledger.FnPublishKey: 1, ledger.FnRegisterMaker: 1, ledger.FnRegisterFleet: 1, ledger.FnOpenEpoch: 3, ledger.FnEnrol: 1,
				ledger.FnAnchor: 1, ledger.FnRequest: 2, ledger.FnDecide: 2, ledger.FnPublishPolicy: 1, ledger.FnGrant: 1, ledger.FnStartProof: 1, ledger.FnFail: 1,
				ledger.FnRevoke: 1, ledger.FnAlert: 1,
			},
			Signatures: report.Counts.Signatures,
		}
		if diff := cmp.Diff(want, report.Counts); diff != "" {
			t.Errorf("%s: counts (-want +got):\n%s", consensus, diff)
		}
		if report.Height != uint64(len(c.blocks)-1) || report.Channel != testChannel || report.Consensus != consensus {
			t.Errorf("%+v", report)
		}
		if len(report.Requests) != 2 || report.Requests[0].Decided == nil || report.Requests[0].Decided.Approved {
			t.Fatalf("%s: requests %+v", consensus, report.Requests)
		}
		if r := report.Requests[1]; r.Grant != contracttest.GrantID || r.Decided == nil || !r.Decided.Approved || len(r.Decided.Policies) != 1 || r.Decided.Cost != "1" ||
			r.Proving == nil || r.Failed == nil || r.Failed.Reasons[0] != "lost" {
			t.Errorf("%s: the request under a grant is %+v", consensus, r)
		}
		if diff := cmp.Diff([]Other{{lifecycleNamespace, 1}}, report.Others); diff != "" {
			t.Errorf("%s: others (-want +got):\n%s", consensus, diff)
		}
	}
}

// failures are the failures found, as "block kind".
func failures(r *Report) []string {
	out := []string{}
	for _, f := range r.Findings {
		if f.Failure {
			out = append(out, fmt.Sprintf("%d %s", f.Block, f.Kind))
		}
	}
	return out
}

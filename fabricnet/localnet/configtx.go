package localnet

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const channelProfile = "Channel"

// fromConfigtx is the network's folder as seen from configtx.yaml, whose paths are relative: the folder is renamed when all is made.
const fromConfigtx = layout("..")

// object is a mapping of configtx.yaml, which may be written in JSON.
type object map[string]any

// makeChannel writes the channel's genesis block: who belongs to it, who orders, and which signatures each kind of change needs.
func makeChannel(ctx context.Context, f fabric, l layout, s *state, g *ledger.Genesis) error {
	if err := os.MkdirAll(l.configtx(), 0o700); err != nil {
		return err
	}
	profile := object{
		"Capabilities": object{"V3_0": true},
		"Policies":     channelPolicies(),
		"Orderer":      ordererConfig(s),
		"Application":  applicationConfig(s, g),
	}
	if err := writeJSON(l.path("configtx", "configtx.yaml"), object{"Profiles": object{channelProfile: profile}}); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, f.bin("configtxgen"),
		"-profile", channelProfile, "-channelID", s.Channel, "-configPath", l.configtx(), "-outputBlock", l.channelBlock())
	c.Env = baseEnvironment()
	if _, err := output(ctx, c); err != nil {
		return fmt.Errorf("making the channel's genesis block: %w", err)
	}
	return nil
}

func signature(rule string) object    { return object{"Type": "Signature", "Rule": rule} }
func implicitMeta(rule string) object { return object{"Type": "ImplicitMeta", "Rule": rule} }

func channelPolicies() object {
	return object{"Readers": implicitMeta("ANY Readers"), "Writers": implicitMeta("ANY Writers"), "Admins": implicitMeta("MAJORITY Admins")}
}

func applicationConfig(s *state, g *ledger.Genesis) object {
	var organisations []object
	for _, o := range s.Organisations {
		organisations = append(organisations, organisationConfig(&o))
	}
	return object{
		"Capabilities":  object{"V2_5": true},
		"Policies":      applicationPolicies(g),
		"Organizations": organisations,
	}
}

// applicationPolicies holds the channel's configuration and the contract's definition to the same rule as a change on the ledger. With Fabric's usual
// majority, an owner and a lender could between them define a contract that needs no regulator.
func applicationPolicies(g *ledger.Genesis) object {
	endorsement := signature(policyText(g, "peer"))
	return object{
		"Readers": implicitMeta("ANY Readers"), "Writers": implicitMeta("ANY Writers"),
		"Admins": signature(policyText(g, "admin")), "LifecycleEndorsement": endorsement, "Endorsement": endorsement,
	}
}

func organisationConfig(o *organisation) object {
	any := func(roles ...string) object { return signature(anyRole(o.MSPID, roles...)) }
	return object{
		"Name": o.MSPID, "ID": o.MSPID, "MSPDir": fromConfigtx.org(o.ID, "msp"),
		"Policies": object{
			"Readers": any("admin", "peer", "client"), "Writers": any("admin", "client"), "Admins": any("admin"), "Endorsement": any("peer"),
		},
		"AnchorPeers": []object{{"Host": host, "Port": o.PeerPort}},
	}
}

func anyRole(mspID string, roles ...string) string {
	text := ""
	for i, r := range roles {
		if i > 0 {
			text += ","
		}
		text += "'" + mspID + "." + r + "'"
	}
	return "OR(" + text + ")"
}

func ordererConfig(s *state) object {
	var endpoints []string
	for _, o := range s.Orderers {
		endpoints = append(endpoints, address(o.Port))
	}
	any := func(roles ...string) object { return signature(anyRole(orderingMSP, roles...)) }
	config := object{
		"BatchTimeout": batchTimeout(s).String(),
		"BatchSize":    object{"MaxMessageCount": 500, "AbsoluteMaxBytes": "10 MB", "PreferredMaxBytes": "2 MB"},
		"Capabilities": object{"V2_0": true},
		"Organizations": []object{{
			"Name": orderingMSP, "ID": orderingMSP, "MSPDir": fromConfigtx.ordering("msp"), "OrdererEndpoints": endpoints,
			"Policies": object{"Readers": any("member"), "Writers": any("orderer", "admin"), "Admins": any("admin")},
		}},
		"Policies": object{
			"Readers": implicitMeta("ANY Readers"), "Writers": implicitMeta("ANY Writers"), "Admins": implicitMeta("MAJORITY Admins"),
			"BlockValidation": any("orderer"), // and nobody else whom the ordering organisation gave a certificate
		},
	}
	if s.Consensus == BFT {
		bftConfig(config, s)
	} else {
		raftConfig(config, s)
	}
	return config
}

func batchTimeout(s *state) time.Duration {
	return time.Duration(s.BatchTimeoutMillis) * time.Millisecond
}

func raftConfig(config object, s *state) {
	var consenters []object
	for _, o := range s.Orderers {
		certificate := fromConfigtx.ordererIdentity(o.Name, "tls", "server.crt")
		consenters = append(consenters, object{"Host": host, "Port": o.Port, "ClientTLSCert": certificate, "ServerTLSCert": certificate})
	}
	config["OrdererType"] = "etcdraft"
	config["EtcdRaft"] = object{
		"Consenters": consenters,
		// Half of Fabric's defaults: a leader is elected within 5 s of a start.
		"Options": object{
			"TickInterval": "250ms", "ElectionTick": 10, "HeartbeatTick": 1, "MaxInflightBlocks": 5, "SnapshotIntervalSize": "16 MB",
		},
	}
}

func bftConfig(config object, s *state) {
	var consenters []object
	for i, o := range s.Orderers {
		certificate := fromConfigtx.ordererIdentity(o.Name, "tls", "server.crt")
		consenters = append(consenters, object{
			"ID": i + 1, "Host": host, "Port": o.Port, "MSPID": orderingMSP,
			"Identity":      fromConfigtx.ordererIdentity(o.Name, "msp", "signcerts", o.Name+"-cert.pem"),
			"ClientTLSCert": certificate, "ServerTLSCert": certificate,
		})
	}
	config["OrdererType"] = "BFT"
	config["ConsenterMapping"] = consenters
	config["SmartBFT"] = object{
		"RequestBatchMaxInterval": batchTimeout(s).String(),
		"RequestForwardTimeout":   "2s", "RequestComplainTimeout": "10s", "RequestAutoRemoveTimeout": "3m0s",
		"ViewChangeResendInterval": "5s", "ViewChangeTimeout": "20s", "LeaderHeartbeatTimeout": "10s", "LeaderHeartbeatCount": 10,
		"CollectTimeout": "1s", "IncomingMessageBufferSize": 200, "RequestPoolSize": 100000,
	}
}

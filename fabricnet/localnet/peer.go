package localnet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// sampleBuilder is the path of the external builder in Fabric's sample core.yaml. It is part of a list, which no variable can set.
const sampleBuilder = "/opt/hyperledger/ccaas_builder"

// preparePeer makes a peer's folder, with a core.yaml that names our external builder, which is in home when the network runs.
func preparePeer(f fabric, l, home layout, o *organisation) error {
	if err := os.MkdirAll(l.peer(o.ID), 0o700); err != nil {
		return err
	}
	sample, err := os.ReadFile(f.config("core.yaml"))
	if err != nil {
		return fmt.Errorf("reading Fabric's sample configuration: %w", err)
	}
	core, err := withBuilder(sample, home.builder())
	if err != nil {
		return err
	}
	return os.WriteFile(l.peer(o.ID, "core.yaml"), core, 0o600)
}

func withBuilder(core []byte, path string) ([]byte, error) {
	if n := bytes.Count(core, []byte("path: "+sampleBuilder+"\n")); n != 1 {
		return nil, fmt.Errorf("sample core.yaml names %s %d times, must be once", sampleBuilder, n)
	}
	quoted, err := json.Marshal(path) // a JSON string is a YAML string
	if err != nil {
		return nil, err
	}
	return bytes.Replace(core, []byte("path: "+sampleBuilder+"\n"), []byte("path: "+string(quoted)+"\n"), 1), nil
}

func peerProgram(f fabric, l layout, o *organisation) *program {
	return &program{
		name: peerName(o.ID), role: RolePeer, organisation: o.ID,
		listeners: []listener{
			{"listening port", o.PeerPort}, {"chaincode port", o.ChaincodePort}, {"operations port", o.OperationsPort},
		},
		dir: l.peer(o.ID), command: []string{f.bin("peer"), "node", "start"}, environment: peerEnvironment(l, o), ready: serves(o.OperationsPort, o.PeerPort),
	}
}

func peerEnvironment(l layout, o *organisation) []string {
	listen := address(o.PeerPort)
	return []string{
		"FABRIC_CFG_PATH=" + l.peer(o.ID),
		"FABRIC_LOGGING_SPEC=info",
		"FABRIC_LOGGING_FORMAT=" + logFormat,
		"CORE_PEER_ID=peer." + o.ID,
		"CORE_PEER_NETWORKID=assay",
		"CORE_PEER_LISTENADDRESS=" + listen,
		"CORE_PEER_ADDRESS=" + listen,
		"CORE_PEER_CHAINCODELISTENADDRESS=" + address(o.ChaincodePort),
		"CORE_OPERATIONS_LISTENADDRESS=" + address(o.OperationsPort),
		"CORE_PEER_LOCALMSPID=" + o.MSPID,
		"CORE_PEER_MSPCONFIGPATH=" + l.peerIdentity(o.ID, "msp"),
		"CORE_PEER_TLS_ENABLED=true",
		"CORE_PEER_TLS_CERT_FILE=" + l.peerIdentity(o.ID, "tls", "server.crt"),
		"CORE_PEER_TLS_KEY_FILE=" + l.peerIdentity(o.ID, "tls", "server.key"),
		"CORE_PEER_TLS_ROOTCERT_FILE=" + l.peerIdentity(o.ID, "tls", "ca.crt"),
		"CORE_PEER_GOSSIP_BOOTSTRAP=" + listen,
		// Without an external endpoint peers of other organisations never learn of this one.
		"CORE_PEER_GOSSIP_EXTERNALENDPOINT=" + listen,
		// With the default intervals the gateway finds no endorsers for half a minute after a start.
		"CORE_PEER_GOSSIP_RECONNECTINTERVAL=1s",
		"CORE_PEER_GOSSIP_PUBLISHSTATEINFOINTERVAL=1s",
		"CORE_PEER_GOSSIP_REQUESTSTATEINFOINTERVAL=1s",
		"CORE_PEER_GOSSIP_ALIVETIMEINTERVAL=1s",
		// A peer that found no orderer tries again soon.
		"CORE_PEER_DELIVERYCLIENT_RECONNECTBACKOFFTHRESHOLD=1s",
		"CORE_PEER_FILESYSTEMPATH=" + l.peer(o.ID, "data"),
		"CORE_LEDGER_SNAPSHOTS_ROOTDIR=" + l.peer(o.ID, "data", "snapshots"),
		"CORE_VM_ENDPOINT=",
	}
}

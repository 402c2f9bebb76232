package localnet

import (
	"fmt"
	"os"
)

// prepareOrderer makes an orderer's folder.
func prepareOrderer(f fabric, l layout, o *orderer) error {
	if err := os.MkdirAll(l.orderer(o.Name), 0o700); err != nil {
		return err
	}
	sample, err := os.ReadFile(f.config("orderer.yaml"))
	if err != nil {
		return fmt.Errorf("reading Fabric's sample configuration: %w", err)
	}
	return os.WriteFile(l.orderer(o.Name, "orderer.yaml"), sample, 0o600)
}

func ordererProgram(f fabric, l layout, o *orderer) *program {
	return &program{
		name: o.Name, role: RoleOrderer,
		listeners: []listener{
			{"listening port", o.Port}, {"administration port", o.AdminPort}, {"operations port", o.OperationsPort},
		},
		dir: l.orderer(o.Name), command: []string{f.bin("orderer")}, environment: ordererEnvironment(l, o), ready: serves(o.OperationsPort, o.Port, o.AdminPort),
	}
}

func ordererEnvironment(l layout, o *orderer) []string {
	certificate, key := l.ordererIdentity(o.Name, "tls", "server.crt"), l.ordererIdentity(o.Name, "tls", "server.key")
	return []string{
		"FABRIC_CFG_PATH=" + l.orderer(o.Name),
		"FABRIC_LOGGING_SPEC=info",
		"FABRIC_LOGGING_FORMAT=" + logFormat,
		"ORDERER_GENERAL_LISTENADDRESS=" + host,
		fmt.Sprintf("ORDERER_GENERAL_LISTENPORT=%d", o.Port),
		"ORDERER_GENERAL_LOCALMSPID=" + orderingMSP,
		"ORDERER_GENERAL_LOCALMSPDIR=" + l.ordererIdentity(o.Name, "msp"),
		"ORDERER_GENERAL_TLS_ENABLED=true",
		"ORDERER_GENERAL_TLS_CERTIFICATE=" + certificate,
		"ORDERER_GENERAL_TLS_PRIVATEKEY=" + key,
		"ORDERER_GENERAL_TLS_ROOTCAS=[" + l.orderingTLSRoots() + "]",
		"ORDERER_GENERAL_CLUSTER_CLIENTCERTIFICATE=" + certificate,
		"ORDERER_GENERAL_CLUSTER_CLIENTPRIVATEKEY=" + key,
		"ORDERER_GENERAL_CLUSTER_ROOTCAS=[" + l.orderingTLSRoots() + "]",
		"ORDERER_GENERAL_BOOTSTRAPMETHOD=none",
		"ORDERER_CHANNELPARTICIPATION_ENABLED=true",
		"ORDERER_ADMIN_LISTENADDRESS=" + address(o.AdminPort),
		"ORDERER_ADMIN_TLS_ENABLED=true",
		"ORDERER_ADMIN_TLS_CERTIFICATE=" + certificate,
		"ORDERER_ADMIN_TLS_PRIVATEKEY=" + key,
		"ORDERER_ADMIN_TLS_CLIENTAUTHREQUIRED=true",
		"ORDERER_ADMIN_TLS_CLIENTROOTCAS=[" + l.orderingTLSRoots() + "]",
		"ORDERER_OPERATIONS_LISTENADDRESS=" + address(o.OperationsPort),
		"ORDERER_METRICS_PROVIDER=prometheus",
		"ORDERER_FILELEDGER_LOCATION=" + l.orderer(o.Name, "ledger"),
		"ORDERER_CONSENSUS_WALDIR=" + l.orderer(o.Name, "wal"),
		"ORDERER_CONSENSUS_SNAPDIR=" + l.orderer(o.Name, "snapshots"),
	}
}

package node

import (
	"encoding/hex"
	"encoding/json"
	"path/filepath"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// ProvisionVersion is the only value of Provision.Version.
const ProvisionVersion = "assay-provision/v1"

// Provision is what a device, or the maker or operator who sets it up, has to know to connect. The node writes it to provision.json in its data folder
// for its first fleet, and to provision-FLEET.json for each of them. It
// holds no secret, and it is what a device trusts the node by: bring it to the device over a channel that nobody else writes.
type Provision struct {
	Version string `json:"version"`
	// Broker is tls://host:port, Roots the CA certificates of the broker in PEM, ServerName the name in its certificate.
	Broker     string `json:"broker"`
	Roots      string `json:"roots"`
	ServerName string `json:"server_name"`
	// Ledger is the ledger's id, and Genesis the consortium's genesis that it is the digest of: a device takes from it when epochs end. Compare the id
	// with what others of the consortium say it is.
	Ledger  commit.Digest   `json:"ledger"`
	Genesis *ledger.Genesis `json:"genesis"`
	// Fleet is the device's fleet, Schema that of its records.
	Fleet  string `json:"fleet"`
	Schema string `json:"schema"`
	// Organisation is the public key that offers of seats are signed with, PKIX in DER, hexadecimal.
	Organisation string `json:"organisation"`
	// TrialMaker is there in trials only.
	TrialMaker *TrialMaker `json:"trial_maker,omitempty"`
}

// TrialMaker is a maker's CA for simulated devices: the paths of its certificate and key, PEM.
type TrialMaker struct {
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

func (p *Provision) write(path string) error {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(path, append(b, '\n'))
}

// writeProvisions writes those of all fleets. provision.json comes last: where it is the others are.
func (n *Node) writeProvisions() error {
	for i := range n.config.Fleets {
		p, err := n.provision(i)
		if err != nil {
			return err
		}
		if err := p.write(filepath.Join(n.config.Data, "provision-"+p.Fleet+".json")); err != nil {
			return err
		}
	}
	p, err := n.provision(0)
	if err != nil {
		return err
	}
	return p.write(filepath.Join(n.config.Data, "provision.json"))
}

// provision is what a device of one of the fleets has to know.
func (n *Node) provision(fleet int) (*Provision, error) {
	key, err := commit.NewPublicKey(n.signer.Public())
	if err != nil {
		return nil, err
	}
	f := &n.config.Fleets[fleet]
	p := &Provision{
		Version: ProvisionVersion, Roots: string(n.tls.roots), ServerName: n.config.Broker.Name, Ledger: n.genesis.ID(), Genesis: n.genesis, Fleet: f.ID, Schema: f.Schema,
		Organisation: hex.EncodeToString(key.DER()), TrialMaker: n.env.TrialMaker, Broker: n.devicesAt,
	}
	return p, nil
}

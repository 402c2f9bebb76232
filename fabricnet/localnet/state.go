package localnet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/loopback"
)

const (
	stateVersion = "assay-network/v1"
	maxState     = 1 << 20
)

// state is network.json.
type state struct {
	Version   string    `json:"version"`
	Created   time.Time `json:"created"`
	Fabric    string    `json:"fabric"`
	Consensus Consensus `json:"consensus"`
	Channel   string    `json:"channel"`
	Contract  string    `json:"contract"`
	// Binaries is the folder of Fabric's binaries that processes were last started from, Service the contract service's program.
	Binaries string `json:"binaries,omitempty"`
	Service  string `json:"service,omitempty"`
	// BatchTimeoutMillis is the orderers'.
	BatchTimeoutMillis int64          `json:"batch_timeout_millis"`
	Orderers           []orderer      `json:"orderers"`
	Organisations      []organisation `json:"organisations"`
	// NoContract and NoFounding are as in Options.
	NoContract bool `json:"no_contract,omitempty"`
	NoFounding bool `json:"no_founding,omitempty"`
	// Ready is set when the network has worked once: from then on Up need not set anything up.
	Ready bool `json:"ready"`
}

type orderer struct {
	Name           string `json:"name"`
	Port           int    `json:"port"`
	AdminPort      int    `json:"admin_port"`
	OperationsPort int    `json:"operations_port"`
}

type organisation struct {
	ID             string        `json:"id"`
	MSPID          string        `json:"msp_id"`
	Roles          []ledger.Role `json:"roles"`
	PeerPort       int           `json:"peer_port"`
	ChaincodePort  int           `json:"chaincode_port"`
	OperationsPort int           `json:"operations_port"`
	ServicePort    int           `json:"service_port"`
	// PackageID is the id under which the peer installed the contract's package.
	PackageID string `json:"package_id,omitempty"`
	// Binary is this organisation's contract service's program, if it is another than the network's.
	Binary string `json:"binary,omitempty"`
}

// newState lays out a network of the options' size, with ports.
func newState(o *Options) (*state, error) {
	ports, err := loopback.Ports(3*o.Orderers + 4*len(o.Organisations))
	if err != nil {
		return nil, err
	}
	next := func() (port int) { port, ports = ports[0], ports[1:]; return port }
	s := &state{
		Version: stateVersion, Created: time.Now().UTC().Truncate(time.Second), Fabric: FabricVersion, Consensus: o.Consensus,
		Channel: channel, Contract: contract, BatchTimeoutMillis: o.BatchTimeout.Milliseconds(), NoContract: o.NoContract, NoFounding: o.NoFounding,
	}
	for i := range o.Orderers {
		s.Orderers = append(s.Orderers, orderer{Name: fmt.Sprintf("orderer%d", i+1), Port: next(), AdminPort: next(), OperationsPort: next()})
	}
	for i := range o.Organisations {
		g := &o.Organisations[i]
		s.Organisations = append(s.Organisations, organisation{
			ID: g.ID, MSPID: g.MSPID(), Roles: g.Roles, PeerPort: next(), ChaincodePort: next(), OperationsPort: next(), ServicePort: next(),
		})
	}
	return s, nil
}

// errNoNetwork is for a folder without network.json.
var errNoNetwork = errors.New("no network there")

func readState(l layout) (*state, error) {
	f, err := os.Open(l.state())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", string(l), errNoNetwork)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	s, err := parseState(f)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.state(), err)
	}
	return s, nil
}

func parseState(r io.Reader) (*state, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxState+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxState {
		return nil, fmt.Errorf("has more than %d bytes", maxState)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	s := new(state)
	if err := d.Decode(s); err != nil {
		return nil, err
	}
	return s, s.check()
}

// check keeps a file from elsewhere from naming paths outside the folder or ports that are none.
func (s *state) check() error {
	if s.Version != stateVersion {
		return fmt.Errorf("version is %q, must be %q", s.Version, stateVersion)
	}
	if s.Consensus != Raft && s.Consensus != BFT {
		return fmt.Errorf("consensus is %q, must be %s or %s", s.Consensus, Raft, BFT)
	}
	if n := len(s.Orderers); n < 1 || n > 4 {
		return fmt.Errorf("%d orderers, must be 1 to 4", n)
	}
	if n := len(s.Organisations); n < 1 || n > maxOrganisations {
		return fmt.Errorf("%d organisations, must be 1 to %d", n, maxOrganisations)
	}
	for i, o := range s.Orderers {
		if o.Name != fmt.Sprintf("orderer%d", i+1) {
			return fmt.Errorf("orderer %d is named %q", i+1, o.Name)
		}
		if err := checkPorts(o.Name, o.Port, o.AdminPort, o.OperationsPort); err != nil {
			return err
		}
	}
	for _, o := range s.Organisations {
		if err := ledger.CheckID("organisation", o.ID); err != nil {
			return err
		}
		if err := checkPorts(o.ID, o.PeerPort, o.ChaincodePort, o.OperationsPort, o.ServicePort); err != nil {
			return err
		}
	}
	return nil
}

func checkPorts(who string, ports ...int) error {
	for _, p := range ports {
		if p < loopback.First || p > loopback.Last {
			return fmt.Errorf("%s: port %d, must be %d to %d", who, p, loopback.First, loopback.Last)
		}
	}
	return nil
}

func (s *state) organisation(id string) (*organisation, bool) {
	for i := range s.Organisations {
		if s.Organisations[i].ID == id {
			return &s.Organisations[i], true
		}
	}
	return nil, false
}

func (s *state) write(l layout) error { return writeJSON(l.state(), s) }

// writeJSON replaces a file by a whole one, durably.
func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", filepath.Base(path), err)
	}
	return durable.WriteFile(path, append(b, '\n'))
}

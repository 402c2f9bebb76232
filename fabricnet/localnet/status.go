package localnet

import (
	"errors"
	"io/fs"
	"time"
)

// Role is what a process of a network is.
type Role string

const (
	// RoleOrderer orders transactions into blocks.
	RoleOrderer Role = "orderer"
	// RolePeer endorses and keeps a ledger.
	RolePeer Role = "peer"
	// RoleContract is a contract service, which a peer asks when it endorses.
	RoleContract Role = "contract"
)

// Condition is how a process is.
type Condition string

const (
	// Running processes run.
	Running Condition = "running"
	// Crashed processes ended although nobody stopped them.
	Crashed Condition = "crashed"
	// Stopped processes were stopped, have not been started yet, or went with the machine.
	Stopped Condition = "stopped"
)

// Process is one process of a network, for people and as JSON.
type Process struct {
	Name         string    `json:"name"`
	Role         Role      `json:"role"`
	Organisation string    `json:"organisation,omitempty"`
	Condition    Condition `json:"condition"`
	// PID is that of the process when it runs, and of the one that crashed.
	PID     int       `json:"pid,omitempty"`
	Started time.Time `json:"started,omitzero"`
	Address string    `json:"address"`
	// Memory is what is resident, in bytes.
	Memory int64  `json:"memory_bytes,omitempty"`
	Log    string `json:"log"`
}

// Status looks at every process.
func (n *Network) Status() ([]Process, error) {
	var all []Process
	for _, p := range n.places() {
		if err := n.look(&p); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// places lists the network's processes, running or not: orderers, peers, contract services.
func (n *Network) places() []Process {
	var all []Process
	for _, o := range n.state.Orderers {
		all = append(all, Process{Name: o.Name, Role: RoleOrderer, Address: address(o.Port)})
	}
	for _, o := range n.state.Organisations {
		all = append(all, Process{Name: peerName(o.ID), Role: RolePeer, Organisation: o.ID, Address: address(o.PeerPort)})
	}
	if n.state.NoContract {
		return all
	}
	for _, o := range n.state.Organisations {
		all = append(all, Process{Name: serviceName(o.ID), Role: RoleContract, Organisation: o.ID, Address: address(o.ServicePort)})
	}
	return all
}

func (n *Network) look(p *Process) error {
	p.Log = n.layout.log(p.Name)
	p.Condition = Stopped
	r, err := readRecord(n.layout, p.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case r.runs():
		p.Condition, p.Memory = Running, memory(r.PID)
	case r.thisBoot():
		p.Condition = Crashed
	default:
		return nil
	}
	p.PID, p.Started = r.PID, r.Started
	return nil
}

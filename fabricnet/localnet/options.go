package localnet

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Consensus is how orderers agree.
type Consensus string

const (
	// Raft tolerates the crash of a minority.
	Raft Consensus = "raft"
	// BFT tolerates one orderer of four that does anything.
	BFT Consensus = "bft"
)

// maxOrganisations bounds a local network: its rules are written out as lists of the smallest sets that meet them.
const maxOrganisations = 8

// Options describes a network. What a folder's network consists of is settled by its first Up; a later one takes from its options Services,
// Contract, SRS, Cache, Keep and Report, and refuses a Consensus or a number of Orderers other than the network has.
type Options struct {
	// Dir is the network's folder. It need not exist; an empty one will do.
	Dir string
	// Consensus is Raft unless set; Orderers is 1 or 3 for Raft (default 1) and 4 for BFT.
	Consensus Consensus
	Orderers  int

	// Name is the consortium's name for people.
	Name string
	// Organisations are the consortium's, without keys, which are made here. The default is an owner, a financier and a regulator.
	Organisations []ledger.Organisation
	// Quorum is one regulator and one other unless set.
	Quorum ledger.Quorum
	// EpochZero is when epoch 0 starts; default the time of the first Up, to the second.
	EpochZero time.Time
	// EpochSeconds and the next three are as in ledger.Genesis. Defaults: 60, one epoch, a quarter of an epoch up to 15, and 300.
	EpochSeconds        int64
	AnchorWindowSeconds int64
	ClockSkewSeconds    int64
	ProposalAgeSeconds  int64

	// BatchTimeout is how long an orderer gathers transactions for a block; default 250 ms.
	BatchTimeout time.Duration

	// Contract is the assay-chaincode binary. By default it is the one beside the running executable or, failing that, built from the source that
	// the running program was built from.
	Contract string
	// Services gives organisations, by id, another binary for their contract service than Contract, with the same flags.
	Services map[string]string
	// SRS is the file that contract services check attestations against. Each gets a copy; without one, Assay's contract refuses anchors. A network that has none may be given one
	// later, by an Up that starts those contract services anew which run; one that has an SRS keeps it, and refuses another.
	SRS string
	// NoContract leaves the channel without a contract: orderers and joined peers only.
	NoContract bool
	// NoFounding commits the contract but does not submit the consortium's genesis to it, which a contract other than Assay's would not take.
	NoFounding bool

	// Cache is where Fabric's binaries are kept; default $ASSAY_CACHE, or "assay" in the user's cache directory.
	Cache string
	// Keep leaves the processes of a failed Up running, to look at.
	Keep bool
	// Report is told of each step; it may be nil. It is called from one goroutine at a time.
	Report func(Progress)
}

// Progress is one step of an Up.
type Progress struct {
	// Step says what is being done.
	Step string
	// Done of Total units are done; Total is 0 where the step has none.
	Done, Total int
}

func (o *Options) report(format string, args ...any) {
	o.progress(Progress{Step: fmt.Sprintf(format, args...)})
}

func (o *Options) progress(p Progress) {
	if o.Report != nil {
		o.Report(p)
	}
}

// Check reports the first option that no network can have.
func (o Options) Check() error {
	_, err := o.withDefaults()
	return err
}

// withDefaults fills in what is not set, for a new network, and checks the rest.
func (o Options) withDefaults() (Options, error) {
	if o.Name == "" {
		o.Name = "Assay local network"
	}
	if len(o.Organisations) == 0 {
		o.Organisations = defaultOrganisations()
	}
	if o.Quorum == (ledger.Quorum{}) {
		o.Quorum = ledger.Quorum{Regulators: 1, Others: 1}
	}
	if o.BatchTimeout == 0 {
		o.BatchTimeout = 250 * time.Millisecond
	}
	o.defaultTimes()
	o.defaultOrdering()
	return o, o.check()
}

func (o *Options) defaultTimes() {
	if o.EpochZero.IsZero() {
		o.EpochZero = time.Now()
	}
	if o.EpochSeconds == 0 {
		o.EpochSeconds = 60
	}
	if o.AnchorWindowSeconds == 0 {
		o.AnchorWindowSeconds = o.EpochSeconds
	}
	if o.ClockSkewSeconds == 0 {
		o.ClockSkewSeconds = min(15, max(1, o.EpochSeconds/4))
	}
	if o.ProposalAgeSeconds == 0 {
		o.ProposalAgeSeconds = 300
	}
}

func (o *Options) defaultOrdering() {
	if o.Consensus == "" {
		o.Consensus = Raft
	}
	if o.Orderers == 0 {
		o.Orderers = 1
		if o.Consensus == BFT {
			o.Orderers = 4
		}
	}
}

func (o *Options) check() error {
	switch {
	case o.Consensus != Raft && o.Consensus != BFT:
		return fmt.Errorf("consensus is %q, must be %s or %s", o.Consensus, Raft, BFT)
	case o.Consensus == Raft && o.Orderers != 1 && o.Orderers != 3:
		return fmt.Errorf("%d orderers, raft has 1 or 3 here", o.Orderers)
	case o.Consensus == BFT && o.Orderers != 4:
		return fmt.Errorf("%d orderers, BFT has 4 here", o.Orderers)
	case len(o.Organisations) > maxOrganisations:
		return fmt.Errorf("%d organisations, at most %d in a local network", len(o.Organisations), maxOrganisations)
	case o.BatchTimeout < 10*time.Millisecond || o.BatchTimeout > time.Minute:
		return fmt.Errorf("batch timeout is %s, must be 10ms to 1m", o.BatchTimeout)
	}
	for i := range o.Organisations {
		if o.Organisations[i].MSPID() == orderingMSP {
			return fmt.Errorf("organisation %s: MSP id %s is the ordering service's", o.Organisations[i].ID, orderingMSP)
		}
	}
	return nil
}

// dir is the network's folder, absolute: processes are started in other folders.
func (o *Options) dir() (string, error) {
	if o.Dir == "" {
		return "", errors.New("no folder named for the network")
	}
	if strings.ContainsAny(o.Dir, "[],\n") {
		return "", fmt.Errorf("network folder %q: Fabric cannot be told of a path with '[', ']', ',' or a line break", o.Dir)
	}
	return filepath.Abs(o.Dir)
}

func defaultOrganisations() []ledger.Organisation {
	return []ledger.Organisation{
		{ID: "swapco", Name: "SwapCo Battery Swapping", MSP: "SwapCoMSP", Roles: []ledger.Role{ledger.RoleOwner}},
		{ID: "greenbank", Name: "GreenBank", MSP: "GreenBankMSP", Roles: []ledger.Role{ledger.RoleFinancier}},
		{ID: "regulator", Name: "Battery Finance Regulator", MSP: "RegulatorMSP", Roles: []ledger.Role{ledger.RoleRegulator}},
	}
}

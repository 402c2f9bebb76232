package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

const (
	// GenesisVersion is the only value of Genesis.Version.
	GenesisVersion = "assay-genesis/v1"
	// MaxGenesis bounds an encoded genesis.
	MaxGenesis = 64 << 10
	// MaxOrganisations bounds the consortium.
	MaxOrganisations = 64
	// MaxEpoch bounds an epoch's number, so that no time computed from one overflows.
	MaxEpoch = 1 << 32

	maxEpochSeconds = 366 * 24 * 3600
	maxSkewSeconds  = 60
	maxAgeSeconds   = 3600
	// skewsPerEpoch is the least number of clock skews in an epoch: the skew is how exactly the epochs of two proposals can be told apart.
	skewsPerEpoch = 4
	// maxZero is the year 9999.
	maxZero = 253_402_300_799
)

// Quorum says how many organisations must endorse a change.
type Quorum struct {
	// Regulators is the least number of endorsing organisations with the regulator role, at least 1.
	Regulators int `json:"regulators"`
	// Others is the least number of further endorsing organisations, not counting the owner concerned, at least 1.
	Others int `json:"others"`
}

// Genesis is what a consortium agrees on before its first block. Its digest is the ledger id, which every attestation and
// statement digest covers. It never changes.
type Genesis struct {
	Version       string         `json:"version"`
	Name          string         `json:"name"`
	Organisations []Organisation `json:"organisations"`
	// EpochZero is the start of epoch 0, Unix seconds; EpochSeconds is the length of every epoch. All fleets share the numbering.
	EpochZero    int64 `json:"epoch_zero"`
	EpochSeconds int64 `json:"epoch_seconds"`
	// AnchorWindowSeconds is how long after an epoch's end its anchors are taken: long enough to gather attestations, too short to see
	// which chunks look good. It is at most one epoch.
	AnchorWindowSeconds int64 `json:"anchor_window_seconds"`
	// ClockSkewSeconds is how far a proposal's time may be from an endorsing peer's clock.
	ClockSkewSeconds int64 `json:"clock_skew_seconds"`
	// ProposalAgeSeconds is how long after its proposal a transaction may still arrive: the embedded ledger commits none that is older, and on every
	// ledger an epoch may be settled once anchors proposed in its window are older than that.
	ProposalAgeSeconds int64  `json:"proposal_age_seconds"`
	Quorum             Quorum `json:"quorum"`
}

// Canonical is the one encoding of the genesis, which ID hashes and ParseGenesis reads.
func (g *Genesis) Canonical() []byte { return mustMarshal(g) }

// ID is the ledger id: SHA-256 over a domain tag and the canonical genesis behind its length.
func (g *Genesis) ID() commit.Digest {
	return sha256.Sum256(Tagged("assay/v1/genesis", g.Canonical()))
}

// ParseGenesis decodes and checks a canonical genesis of at most MaxGenesis bytes.
func ParseGenesis(b []byte) (*Genesis, error) {
	g, err := Decode[Genesis]("genesis", b, MaxGenesis)
	if err != nil {
		return nil, err
	}
	if err := g.Check(); err != nil {
		return nil, err
	}
	return g, nil
}

// Check reports the first field that is missing, out of bounds or in conflict with another. It also checks that the quorum can be met for every
// possible owner.
func (g *Genesis) Check() error {
	if g.Version != GenesisVersion {
		return fmt.Errorf("genesis: version is %q, must be %q", g.Version, GenesisVersion)
	}
	if err := CheckText("genesis: name", g.Name, MaxTitle, true); err != nil {
		return err
	}
	if err := g.checkTimes(); err != nil {
		return err
	}
	if err := g.checkOrganisations(); err != nil {
		return err
	}
	return g.checkQuorum()
}

func (g *Genesis) checkTimes() error {
	if g.EpochZero < 0 || g.EpochZero > maxZero {
		return fmt.Errorf("genesis: epoch_zero is %d, must be 0 to %d", g.EpochZero, int64(maxZero))
	}
	if g.ClockSkewSeconds < 1 || g.ClockSkewSeconds > maxSkewSeconds {
		return fmt.Errorf("genesis: clock_skew_seconds is %d, must be 1 to %d", g.ClockSkewSeconds, maxSkewSeconds)
	}
	if g.ProposalAgeSeconds < 1 || g.ProposalAgeSeconds > maxAgeSeconds {
		return fmt.Errorf("genesis: proposal_age_seconds is %d, must be 1 to %d", g.ProposalAgeSeconds, maxAgeSeconds)
	}
	if g.EpochSeconds < skewsPerEpoch*g.ClockSkewSeconds || g.EpochSeconds > maxEpochSeconds {
		return fmt.Errorf("genesis: epoch_seconds is %d, must be %d (%d times clock_skew_seconds) to %d",
			g.EpochSeconds, skewsPerEpoch*g.ClockSkewSeconds, skewsPerEpoch, maxEpochSeconds)
	}
	if g.AnchorWindowSeconds < 1 || g.AnchorWindowSeconds > g.EpochSeconds {
		return fmt.Errorf("genesis: anchor_window_seconds is %d, must be 1 to epoch_seconds", g.AnchorWindowSeconds)
	}
	return nil
}

func (g *Genesis) checkOrganisations() error {
	if len(g.Organisations) > MaxOrganisations {
		return fmt.Errorf("genesis: %d organisations, at most %d", len(g.Organisations), MaxOrganisations)
	}
	for i := range g.Organisations {
		o := &g.Organisations[i]
		if err := o.check(); err != nil {
			return fmt.Errorf("genesis: %w", err)
		}
		for j := range i {
			if g.Organisations[j].ID == o.ID {
				return fmt.Errorf("genesis: organisation %s is listed twice", o.ID)
			}
			// One key under two ids would endorse twice.
			if bytes.Equal(g.Organisations[j].Key, o.Key) {
				return fmt.Errorf("genesis: organisations %s and %s have one key", g.Organisations[j].ID, o.ID)
			}
			if g.Organisations[j].MSPID() == o.MSPID() {
				return fmt.Errorf("genesis: organisations %s and %s have one MSP id", g.Organisations[j].ID, o.ID)
			}
		}
	}
	return nil
}

// checkQuorum asks for the hardest rule to be satisfiable: no owner may endorse it.
func (g *Genesis) checkQuorum() error {
	if g.Quorum.Regulators < 1 || g.Quorum.Others < 1 {
		return errors.New("genesis: quorum must ask for at least one regulator and one other organisation")
	}
	regulators, independent := 0, 0
	for i := range g.Organisations {
		if g.Organisations[i].Has(RoleRegulator) {
			regulators++
		}
		if !g.Organisations[i].Has(RoleOwner) {
			independent++
		}
	}
	if regulators == 0 {
		return errNoRegulator
	}
	if g.Quorum.Regulators > regulators || g.Quorum.Others > independent-g.Quorum.Regulators {
		return fmt.Errorf("genesis: quorum asks for %d regulators and %d others, there are %d regulators among %d organisations that own nothing",
			g.Quorum.Regulators, g.Quorum.Others, regulators, independent)
	}
	return nil
}

// Organisation finds an organisation by id.
func (g *Genesis) Organisation(id string) (*Organisation, bool) {
	for i := range g.Organisations {
		if g.Organisations[i].ID == id {
			return &g.Organisations[i], true
		}
	}
	return nil, false
}

// ByMSP finds an organisation by its MSP id.
func (g *Genesis) ByMSP(mspID string) (*Organisation, bool) {
	for i := range g.Organisations {
		if g.Organisations[i].MSPID() == mspID {
			return &g.Organisations[i], true
		}
	}
	return nil, false
}

// EndorsementRule says which organisations must endorse a change, whatever it is: the quorum's regulators and others, of which none owns anything. So no owner
// has a say in what is recorded of its own devices, nor two owners in each other's, and an owner with a lender that it controls can neither invent a
// maker nor pin a key to a circuit of their own. One rule for all has another reason: it needs nothing from the state, so Fabric can hold it for
// keys that are written for the first time.
func (g *Genesis) EndorsementRule() EndorsementRule {
	return EndorsementRule{Regulators: g.Quorum.Regulators, Others: g.Quorum.Others, Excluded: g.WithRole(RoleOwner)}
}

// ClockSkew is how far a proposal's time may be from a peer's clock.
func (g *Genesis) ClockSkew() time.Duration { return time.Duration(g.ClockSkewSeconds) * time.Second }

// ProposalAge is how long a proposal may be on its way.
func (g *Genesis) ProposalAge() time.Duration {
	return time.Duration(g.ProposalAgeSeconds) * time.Second
}

// SettledAfter is the last second at which an anchor for the epoch may still arrive: it was proposed within the window by a clock that is behind, and has
// been on its way for a while.
func (g *Genesis) SettledAfter(epoch uint64) time.Time {
	return g.AnchorDeadline(epoch).Add(g.ProposalAge() + 2*g.ClockSkew())
}

// HasRole reports whether the organisation exists and has the role.
func (g *Genesis) HasRole(id string, r Role) bool {
	o, ok := g.Organisation(id)
	return ok && o.Has(r)
}

// WithRole lists the ids of the organisations with the role, in the genesis' order.
func (g *Genesis) WithRole(r Role) []string {
	var ids []string
	for i := range g.Organisations {
		if g.Organisations[i].Has(r) {
			ids = append(ids, g.Organisations[i].ID)
		}
	}
	return ids
}

// EpochAt is the number of the epoch that holds t.
func (g *Genesis) EpochAt(t time.Time) (uint64, error) {
	since := t.Unix() - g.EpochZero
	if since < 0 {
		return 0, fmt.Errorf("epoch 0 starts at %s", time.Unix(g.EpochZero, 0).UTC().Format(time.RFC3339))
	}
	epoch := uint64(since / g.EpochSeconds)
	if epoch >= MaxEpoch {
		return 0, fmt.Errorf("epoch %d is beyond the last, %d", epoch, uint64(MaxEpoch-1))
	}
	return epoch, nil
}

// EpochStart is the first second of an epoch below MaxEpoch.
func (g *Genesis) EpochStart(epoch uint64) time.Time {
	return time.Unix(g.EpochZero+int64(min(epoch, MaxEpoch))*g.EpochSeconds, 0).UTC()
}

// EpochEnd is the first second after an epoch, from which its anchors are taken.
func (g *Genesis) EpochEnd(epoch uint64) time.Time { return g.EpochStart(min(epoch, MaxEpoch) + 1) }

// AnchorDeadline is the last second at which an anchor for the epoch is taken.
func (g *Genesis) AnchorDeadline(epoch uint64) time.Time {
	return g.EpochEnd(epoch).Add(time.Duration(g.AnchorWindowSeconds) * time.Second)
}

func mustMarshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encoding %T: %v", v, err)) // no field of a record can fail
	}
	return b
}

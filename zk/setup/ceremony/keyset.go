package ceremony

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
	"github.com/assay-net/assay/zk/verify/fromgnark"
)

// Circuit is a compiled circuit and how its verifying key is published.
type Circuit struct {
	ID     string
	System *cs.R1CS
	Encode func(*groth16.VerifyingKey) ([]byte, error)
}

func (c *Circuit) plan() (transcript.CircuitPlan, error) {
	h := sha256.New()
	if _, err := c.System.WriteTo(h); err != nil {
		return transcript.CircuitPlan{}, fmt.Errorf("circuit %s: digesting its constraints: %w", c.ID, err)
	}
	// As the single-party setup does: the domain is that of the constraints.
	domain := max(ecc.NextPowerOfTwo(uint64(c.System.GetNbConstraints())), transcript.MinDomain)
	return transcript.CircuitPlan{ID: c.ID, Constraints: commit.Digest(h.Sum(nil)), Domain: int(domain)}, nil
}

// Keyset is what a ceremony makes: an SRS and a key pair for each circuit.
type Keyset struct {
	// Powers is the number of powers of tau of the SRS.
	Powers int
	// EncodeSRS is how the verifier's part of the SRS is published.
	EncodeSRS func(*commit.SRS) ([]byte, error)
	Circuits  []Circuit
	// Check, if not nil, is how a verifier reads a published key.
	Check func(verify.PublishedKey) error
}

// Standard compiles what a consortium with chunks of these sizes needs: the chunks' circuits and the fleet's.
func Standard(sizes ...int) (*Keyset, error) {
	k := &Keyset{Powers: setup.Powers, EncodeSRS: verify.EncodeSRSKey, Check: verify.CheckKey}
	if len(sizes) == 0 {
		return nil, fmt.Errorf("no chunk size; there are %v", commit.Sizes)
	}
	for i, n := range sizes {
		if !slices.Contains(commit.Sizes, n) || slices.Contains(sizes[:i], n) {
			return nil, fmt.Errorf("chunk size %d is listed twice or none of %v", n, commit.Sizes)
		}
		system, err := zk.CompileChunk(n)
		if err != nil {
			return nil, err
		}
		k.Circuits = append(k.Circuits, Circuit{verify.ChunkCircuit(uint32(n)), system, fromgnark.EncodeChunkKey})
	}
	system, err := zk.CompileFleet()
	if err != nil {
		return nil, err
	}
	k.Circuits = append(k.Circuits, Circuit{verify.FleetCircuit, system, fromgnark.EncodeFleetKey})
	return k, nil
}

// StandardOf compiles what a plan is about.
func StandardOf(p *transcript.Plan) (*Keyset, error) {
	var sizes []int
	for _, n := range commit.Sizes {
		if slices.ContainsFunc(p.Circuits, func(c transcript.CircuitPlan) bool { return c.ID == verify.ChunkCircuit(uint32(n)) }) {
			sizes = append(sizes, n)
		}
	}
	return Standard(sizes...)
}

// plan fills in what a plan says of its keys.
func (k *Keyset) plan(p *transcript.Plan) error {
	p.Powers, p.Domain, p.Circuits = k.Powers, 0, nil
	for i := range k.Circuits {
		c, err := k.Circuits[i].plan()
		if err != nil {
			return err
		}
		p.Circuits, p.Domain = append(p.Circuits, c), max(p.Domain, c.Domain)
	}
	return nil
}

// check compares circuit by circuit: a ceremony for other circuits than those that this program proves and verifies with is good for nothing here.
func (k *Keyset) check(p *transcript.Plan) error {
	var own transcript.Plan
	if err := k.plan(&own); err != nil {
		return err
	}
	if own.Powers != p.Powers || own.Domain != p.Domain || len(own.Circuits) != len(p.Circuits) {
		return transcript.Compiled.Errorf("the plan has %d powers, domain %d and %d circuits, this program %d, %d and %d",
			p.Powers, p.Domain, len(p.Circuits), own.Powers, own.Domain, len(own.Circuits))
	}
	for i, c := range own.Circuits {
		if c != p.Circuits[i] {
			return transcript.Compiled.Errorf("the plan has circuit %s with constraints %s, this program %s with %s", p.Circuits[i].ID, p.Circuits[i].Constraints, c.ID, c.Constraints)
		}
	}
	return nil
}

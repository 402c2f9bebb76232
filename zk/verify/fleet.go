package verify

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// FleetPlace is what a fleet proof is bound to besides its numbers.
type FleetPlace struct {
	Ledger    commit.Digest
	Statement [32]byte
	Fleet     string
	Epoch     uint64
	// Step is the proof's position in the chain, Last whether it ends there.
	Step int
	Last bool
}

// FleetBinding is the digest that a fleet proof carries as a public input.
func FleetBinding(p *FleetPlace) fr.Element {
	t := commit.NewTranscript(tagFleet, p.Ledger)
	t.Bytes([]byte(FleetCircuit))
	t.Bytes(p.Statement[:])
	t.Bytes([]byte(p.Fleet))
	t.Uint(p.Epoch)
	t.Uint(uint64(p.Step))
	last := uint64(0)
	if p.Last {
		last = 1
	}
	t.Uint(last)
	return t.Challenge()
}

// FleetStatement is what one fleet proof shows: that the inputs' totals add up
// to those behind T, and, in the last of a chain, which claims hold and what
// the disclosed totals are. In every other step claims and disclosures are
// empty.
type FleetStatement struct {
	Binding   fr.Element
	Inputs    []fr.Element // at most FleetInputs
	Folded    bool         // the first input is the previous step's output
	T         fr.Element
	Claims    []statement.IntegerClaim
	Holds     []bool
	Disclose  [statement.TotalCount]bool
	Disclosed [statement.TotalCount]*big.Int // nil is 0
}

// Public lists the circuit's public inputs in order. Places without an input
// hold the pinned constant, absent claims are 0 ≥ 0.
func (s *FleetStatement) Public() (fr.Vector, error) {
	if len(s.Inputs) > FleetInputs || len(s.Claims) > statement.MaxClaims || len(s.Holds) != len(s.Claims) {
		return nil, fmt.Errorf("%d inputs, %d claims and %d results do not fit the circuit", len(s.Inputs), len(s.Claims), len(s.Holds))
	}
	v := make(fr.Vector, 0, FleetPublic)
	v = append(v, s.Inputs...)
	for len(v) < FleetInputs {
		v = append(v, UnusedInput())
	}
	v = append(v, bit(s.Folded), s.T, s.Binding)
	var bounds, holds fr.Vector
	for i := range statement.MaxClaims {
		coefficients := make(fr.Vector, statement.TotalCount)
		bound, result := fr.Element{}, fr.One()
		if i < len(s.Claims) {
			for j, a := range s.Claims[i].A {
				coefficients[j].SetBigInt(a)
			}
			bound.SetBigInt(s.Claims[i].B)
			result = bit(s.Holds[i])
		}
		v = append(v, coefficients...)
		bounds, holds = append(bounds, bound), append(holds, result)
	}
	v = append(append(v, bounds...), holds...)
	return append(v, s.disclosures()...), nil
}

func (s *FleetStatement) disclosures() fr.Vector {
	flags, values := make(fr.Vector, statement.TotalCount), make(fr.Vector, statement.TotalCount)
	for i := range flags {
		flags[i] = bit(s.Disclose[i])
		if s.Disclose[i] && s.Disclosed[i] != nil {
			values[i].SetBigInt(s.Disclosed[i])
		}
	}
	return append(flags, values...)
}

func bit(b bool) fr.Element {
	if b {
		return fr.One()
	}
	return fr.Element{}
}

// Fleet verifies one fleet proof.
func (k *Keyring) Fleet(s *FleetStatement, p *FleetProof) error {
	check, err := k.fleetCheck(s, p)
	if err != nil {
		return err
	}
	return check.alone()
}

// fleetCheck is a fleet proof with all that the verifier computes for it.
type fleetCheck struct {
	key    *circuitKey
	proof  *FleetProof
	public fr.Vector
}

func (k *Keyring) fleetCheck(s *FleetStatement, p *FleetProof) (*fleetCheck, error) {
	key, err := k.circuit(FleetCircuit)
	if err != nil {
		return nil, err
	}
	s.T = p.T
	public, err := s.Public()
	if err != nil {
		return nil, err
	}
	return &fleetCheck{key, p, public}, nil
}

// alone checks the proof by itself.
func (f *fleetCheck) alone() error {
	if err := f.key.check(&f.proof.Groth16, f.public); err != nil {
		return FleetRejected.errorf("circuit %s: %w", FleetCircuit, err)
	}
	return nil
}

// join adds what the proof asserts to equations.
func (f *fleetCheck) join(e *equations) error {
	return e.groth16(f.key, &f.proof.Groth16, f.public)
}

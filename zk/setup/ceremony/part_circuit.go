package ceremony

import (
	"encoding/binary"
	"fmt"
	"slices"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	phases "github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/evaluation"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// circuitState is a circuit's own secrets under way: delta, and one for each of its commitments.
type circuitState struct{ phases.Phase2 }

// circuitShape is how many points of each sort a circuit's contribution has.
type circuitShape struct {
	domain    int
	private   int   // wires that are neither public nor committed nor commitments
	committed []int // wires of each commitment
}

// maxCommitments is far below 255, from where on two proofs would share a domain.
const maxCommitments = 16

func shapeOf(system *cs.R1CS, domain int) (circuitShape, error) {
	s := circuitShape{domain: domain}
	commitments, ok := system.CommitmentInfo.(constraint.Groth16Commitments)
	if !ok && system.CommitmentInfo != nil {
		return s, fmt.Errorf("commitments of kind %T", system.CommitmentInfo)
	}
	if len(commitments) > maxCommitments {
		return s, fmt.Errorf("%d commitments, at most %d", len(commitments), maxCommitments)
	}
	if err := checkUsed(system, commitments); err != nil {
		return s, err
	}
	internal, secret, _ := system.GetNbVariables()
	s.private = internal + secret - len(commitments)
	seen := map[int]bool{}
	for _, c := range commitments {
		for _, wire := range c.PrivateCommitted {
			if seen[wire] || slices.Contains(commitments.CommitmentIndexes(), wire) {
				return s, fmt.Errorf("wire %d is committed twice or a commitment", wire)
			}
			seen[wire] = true
		}
		s.committed = append(s.committed, len(c.PrivateCommitted))
		s.private -= len(c.PrivateCommitted)
	}
	return s, nil
}

// checkUsed refuses a circuit that commits to a value in no constraint: its basis would be at infinity, so nothing would hide or bind it. The library
// does not mind.
func checkUsed(system *cs.R1CS, commitments constraint.Groth16Commitments) error {
	used := map[int]bool{}
	constraints := system.GetR1CIterator()
	for c := constraints.Next(); c != nil; c = constraints.Next() {
		for _, terms := range []constraint.LinearExpression{c.L, c.R, c.O} {
			for _, term := range terms {
				if term.CoeffID() != constraint.CoeffIdZero {
					used[term.WireID()] = true
				}
			}
		}
	}
	for i := range commitments {
		for j, wire := range commitments[i].PrivateCommitted {
			if !used[wire] {
				return fmt.Errorf("value %d of commitment %d occurs in no constraint", j, i)
			}
		}
	}
	return nil
}

func (s circuitShape) layout() layout {
	count := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	l := layout{
		{name: "number of commitments", fixed: binary.BigEndian.AppendUint16(nil, uint16(len(s.committed)))},
		{name: "[delta]1", kind: g1, count: 1},
		{name: "number of private wires", fixed: count(s.private)},
		{name: "private wires", kind: g1, count: s.private, vanishing: true},
		{name: "number of powers", fixed: count(s.domain - 1)},
		{name: "Z", kind: g1, count: s.domain - 1},
		{name: "[delta]2", kind: g2, count: 1},
	}
	for i, n := range s.committed {
		l = append(l, segment{name: fmt.Sprintf("number of wires of commitment %d", i), fixed: count(n)},
			segment{name: fmt.Sprintf("basis of commitment %d", i), kind: g1, count: n})
	}
	for i := range s.committed {
		l = append(l, segment{name: fmt.Sprintf("[sigma %d]2", i), kind: g2, count: 1})
	}
	l = append(l, segment{name: "proof for delta", kind: proof})
	for i := range s.committed {
		l = append(l, segment{name: fmt.Sprintf("proof for sigma %d", i), kind: proof})
	}
	return append(l, segment{name: "length of challenge", fixed: []byte{challengeBytes}}, segment{name: "challenge", kind: challenge})
}

// circuitPart is the part that makes one circuit's keys.
type circuitPart struct {
	*part
	circuit *Circuit
	shape   circuitShape
	// evaluations are what the keys have besides the state, powers those of the circuit's domain. They are there after start.
	evaluations *phases.Phase2Evaluations
	powers      *evaluation.Powers
}

func newCircuitPart(c *Circuit, domain int) (*circuitPart, error) {
	shape, err := shapeOf(c.System, domain)
	if err != nil {
		return nil, fmt.Errorf("circuit %s: %w", c.ID, err)
	}
	p := &circuitPart{circuit: c, shape: shape}
	p.part = &part{id: c.ID, layout: shape.layout(), domains: []byte{phases.DST_DELTA}, blank: func() state { return new(circuitState) }}
	for i := range shape.committed {
		p.domains = append(p.domains, phases.DST_SIGMA+byte(i))
	}
	return p, nil
}

// begin is the state that the first contribution changes.
func (p *circuitPart) begin(v *evaluation.Values) (state, error) {
	begin, evaluations := v.Start(p.circuit.System)
	p.evaluations = evaluations
	return &circuitState{*begin}, checkBases(evaluations)
}

// checkBases refuses a circuit that commits to a value in no constraint: it has no basis, so nothing hides or binds it, and the library does not mind.
func checkBases(e *phases.Phase2Evaluations) error {
	for i := range e.G1.CKK {
		for j := range e.G1.CKK[i] {
			if e.G1.CKK[i][j].IsInfinity() {
				return fmt.Errorf("value %d of commitment %d occurs in no constraint", j, i)
			}
		}
	}
	return nil
}

func (s *circuitState) bind(to commit.Digest) error {
	s.Challenge = to[:]
	return nil
}

func (s *circuitState) contribute() { s.Contribute() }

func (s *circuitState) verify(next state) error { return s.Verify(&next.(*circuitState).Phase2) }

// seal applies the closing value and makes the keys.
func (p *circuitPart) seal(s *circuitState, c *transcript.End) (*groth16.ProvingKey, *groth16.VerifyingKey, error) {
	s.Challenge = c.Digest[:]
	pk, vk := s.Seal(p.powers.Ends(), p.evaluations, c.Beacon[:])
	proving, ok := pk.(*groth16.ProvingKey)
	verifying, ok2 := vk.(*groth16.VerifyingKey)
	if !ok || !ok2 {
		return nil, nil, fmt.Errorf("keys of kinds %T and %T", pk, vk)
	}
	return proving, verifying, nil
}

package verify

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

func checkSubject(s *statement.Statement, f *Facts) error {
	switch {
	case s.Fleet != f.Fleet:
		return fmt.Errorf("statement is about fleet %q, the ledger's facts about %q", s.Fleet, f.Fleet)
	case s.Epoch != f.Epoch:
		return fmt.Errorf("statement is about epoch %d, the ledger's facts about %d", s.Epoch, f.Epoch)
	case s.Schema != f.Schema:
		return fmt.Errorf("statement uses schema %s, the fleet is registered with %s", s.Schema, f.Schema)
	}
	return nil
}

func checkCoverage(s *statement.Statement, f *Facts) error {
	need, err := s.CoverageBound()
	if err != nil {
		return err
	}
	if f.Attested() == 0 {
		return fmt.Errorf("none of %d enrolled devices is attested: there is nothing to prove about", f.Enrolled)
	}
	if f.Attested()*statement.CoverageFull < need*f.Enrolled {
		return fmt.Errorf("coverage is %d of %d devices (%s %%), below the statement's minimum of %s %%",
			f.Attested(), f.Enrolled, percent(f.Attested(), f.Enrolled), s.MinimumCoverage)
	}
	if len(s.KeyClasses) == 0 {
		return nil
	}
	for i := range f.Chunks {
		for _, class := range slices.Sorted(maps.Keys(f.Chunks[i].Classes)) {
			if n := f.Chunks[i].Classes[class]; n > 0 && !slices.Contains(s.KeyClasses, class) {
				return fmt.Errorf("chunk %d has %d devices with keys in %s, which the statement does not accept", f.Chunks[i].Index, n, class)
			}
		}
	}
	return nil
}

func percent(part, whole uint64) string {
	if whole == 0 {
		return "0.00"
	}
	p := part * statement.CoverageFull / whole
	return fmt.Sprintf("%d.%02d", p/100, p%100)
}

type checker struct {
	bundle *Bundle
	facts  *Facts
	keys   *Keyring
	digest [32]byte

	outputs []fr.Element
	used    map[string]bool
}

// extent checks that the proofs are for the anchored chunks, each once, and that
// the chain is as long as they need, before any proof is looked at.
func (c *checker) extent(w *wireBundle) error {
	expected := c.facts.Proven()
	if len(w.Chunks) != len(expected) {
		return fmt.Errorf("bundle proves %d chunks, the ledger anchors %d", len(w.Chunks), len(expected))
	}
	for i := range w.Chunks {
		if w.Chunks[i].Index != expected[i].Index {
			return fmt.Errorf("bundle proves chunk %d where the ledger anchors chunk %d", w.Chunks[i].Index, expected[i].Index)
		}
	}
	if steps := FleetSteps(len(expected)); len(w.Fleet) != len(steps) {
		return fmt.Errorf("bundle has %d fleet proofs, %d chunks need %d", len(w.Fleet), len(expected), len(steps))
	}
	return nil
}

// chunks verifies the chunks' proofs and collects their outputs in order.
func (c *checker) chunks() error {
	parameters, err := c.bundle.Statement.Parameters()
	if err != nil {
		return err
	}
	c.used = map[string]bool{SRSKey: true, FleetCircuit: true}
	for i, f := range c.facts.Proven() {
		proof := c.bundle.Chunks[i]
		if err := c.chunk(f, parameters, proof.Proof); err != nil {
			return fmt.Errorf("chunk %d: %w", f.Index, err)
		}
		c.used[ChunkCircuit(f.Size)] = true
		c.outputs = append(c.outputs, proof.Proof.T)
	}
	return nil
}

func (c *checker) chunk(f *ChunkFacts, parameters *statement.Parameters, p *ChunkProof) error {
	commitment, err := commit.ParsePoint(f.Commitment)
	if err != nil {
		return fmt.Errorf("anchored commitment: %w", err)
	}
	place := ChunkPlace{
		Ledger: c.facts.Ledger, Statement: c.digest, Fleet: c.facts.Fleet,
		Chunk: f.Index, Size: f.Size, Epoch: c.facts.Epoch,
	}
	return c.keys.Chunk(place, &commitment, parameters, p)
}

// fleet walks the chain: every step takes the output of the one before and the
// next chunks' outputs, as many as fit.
func (c *checker) fleet() error {
	steps := FleetSteps(len(c.outputs))
	claims, disclose, err := c.results()
	if err != nil {
		return err
	}
	rest := c.outputs
	for i, take := range steps {
		place := FleetPlace{Ledger: c.facts.Ledger, Statement: c.digest, Fleet: c.facts.Fleet, Epoch: c.facts.Epoch, Step: i, Last: i == len(steps)-1}
		s := &FleetStatement{Binding: FleetBinding(&place), Folded: i > 0}
		if i > 0 {
			s.Inputs = append(s.Inputs, c.bundle.Fleet[i-1].T)
		}
		s.Inputs = append(s.Inputs, rest[:take]...)
		rest = rest[take:]
		if place.Last {
			s.Claims, s.Holds = claims, c.bundle.Holds
			s.Disclose, s.Disclosed = disclose, c.disclosed(disclose)
		}
		if err := c.keys.Fleet(s, c.bundle.Fleet[i]); err != nil {
			return fmt.Errorf("fleet proof %d: %w", i, err)
		}
	}
	return nil
}

// FleetSteps says how many chunk outputs each proof of a chain takes. There is
// always at least one proof.
func FleetSteps(chunks int) []int {
	steps := []int{min(chunks, FleetInputs)}
	for rest := chunks - steps[0]; rest > 0; rest -= steps[len(steps)-1] {
		steps = append(steps, min(rest, FleetInputs-1))
	}
	return steps
}

func (c *checker) results() ([]statement.IntegerClaim, [statement.TotalCount]bool, error) {
	var disclose [statement.TotalCount]bool
	claims, err := c.bundle.Statement.Integers()
	if err != nil {
		return nil, disclose, err
	}
	if disclose, err = c.bundle.Statement.Disclosed(); err != nil {
		return nil, disclose, err
	}
	n := 0
	for _, d := range disclose {
		if d {
			n++
		}
	}
	if len(c.bundle.Holds) != len(claims) || len(c.bundle.Disclosed) != n {
		return nil, disclose, fmt.Errorf("bundle has results for %d claims and %d totals, the statement asks for %d and %d",
			len(c.bundle.Holds), len(c.bundle.Disclosed), len(claims), n)
	}
	if !c.bundle.Disclosed[0].IsUint64() || c.bundle.Disclosed[0].Uint64() != c.facts.Attested() {
		return nil, disclose, errors.New("the proven population differs from the ledger's count of attestations")
	}
	return claims, disclose, nil
}

func (c *checker) disclosed(disclose [statement.TotalCount]bool) (out [statement.TotalCount]*big.Int) {
	next := 0
	for i, d := range disclose {
		if d {
			out[i] = c.bundle.Disclosed[next]
			next++
		}
	}
	return out
}

package verify

import (
	"fmt"
	"maps"
	"math/big"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/statement"
)

func checkSubject(s *statement.Statement, f *Facts) error {
	switch {
	case s.Fleet != f.Fleet:
		return SubjectMismatch.errorf("statement is about fleet %q, the ledger's facts about %q", s.Fleet, f.Fleet)
	case s.Epoch != f.Epoch:
		return SubjectMismatch.errorf("statement is about epoch %d, the ledger's facts about %d", s.Epoch, f.Epoch)
	case s.Schema != f.Schema:
		return SubjectMismatch.errorf("statement uses schema %s, the fleet is registered with %s", s.Schema, f.Schema)
	}
	return nil
}

func checkCoverage(s *statement.Statement, f *Facts) error {
	need, err := s.CoverageBound()
	if err != nil {
		return err
	}
	if f.Attested() == 0 {
		return CoverageTooLow.errorf("none of %d enrolled devices is attested: there is nothing to prove about", f.Enrolled)
	}
	if f.Attested()*statement.CoverageFull < need*f.Enrolled {
		return CoverageTooLow.errorf("coverage is %d of %d devices (%s %%), below the statement's minimum of %s %%",
			f.Attested(), f.Enrolled, percent(f.Attested(), f.Enrolled), s.MinimumCoverage)
	}
	if len(s.KeyClasses) == 0 {
		return nil
	}
	for i := range f.Chunks {
		for _, class := range slices.Sorted(maps.Keys(f.Chunks[i].Classes)) {
			if n := f.Chunks[i].Classes[class]; n > 0 && !slices.Contains(s.KeyClasses, class) {
				return KeyClassRefused.errorf("chunk %d has %d devices with keys in %s, which the statement does not accept", f.Chunks[i].Index, n, class)
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
	raw    [32]byte // digest of the bundle's bytes
	atOnce int      // togetherChunks but in tests

	proven  []*ChunkFacts
	outputs []fr.Element
	used    map[string]bool
}

// extent checks that the proofs are for the anchored chunks, each once, and that
// the chain is as long as they need, before any proof is looked at.
func (c *checker) extent(w *wireBundle) error {
	expected := c.proven
	if len(w.Chunks) != len(expected) {
		return ChunksMismatch.errorf("bundle proves %d chunks, the ledger anchors %d", len(w.Chunks), len(expected))
	}
	for i := range w.Chunks {
		if w.Chunks[i].Index != expected[i].Index {
			return ChunksMismatch.errorf("bundle proves chunk %d where the ledger anchors chunk %d", w.Chunks[i].Index, expected[i].Index)
		}
	}
	if steps := FleetSteps(len(expected)); len(w.Fleet) != len(steps) {
		return ChainLength.errorf("bundle has %d fleet proofs, %d chunks need %d", len(w.Fleet), len(expected), len(steps))
	}
	return nil
}

// eachAtOnce calls do for 0 to n−1 on all cores and returns the first error in
// that order, whichever came first in time. Once one failed, later calls are
// left out.
func eachAtOnce(n int, do func(i int) error) (int, error) {
	errs := make([]error, n)
	var next, failed atomic.Int64
	failed.Store(int64(n))
	var group sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= failed.Load() {
					return
				}
				if errs[i] = caught(do, int(i)); errs[i] != nil {
					for old := failed.Load(); i < old && !failed.CompareAndSwap(old, i); old = failed.Load() {
					}
				}
			}
		})
	}
	group.Wait()
	for i, err := range errs {
		if err != nil {
			return i, err
		}
	}
	return 0, nil
}

// caught makes a panic an error: nothing recovers in a goroutine that panics, and a service would end with all its calls.
func caught(do func(int) error, i int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cannot be checked: %v", p)
		}
	}()
	return do(i)
}

// fleet verifies the chain of fleet proofs one by one.
func (c *checker) fleet() error {
	checks, err := c.fleetChecks()
	if err != nil {
		return err
	}
	for i, check := range checks {
		if err := check.alone(); err != nil {
			return fmt.Errorf("fleet proof %d: %w", i, err)
		}
	}
	return nil
}

// fleetChecks walks the chain: every step takes the output of the one before and
// the next chunks' outputs, as many as fit.
func (c *checker) fleetChecks() ([]*fleetCheck, error) {
	steps := FleetSteps(len(c.outputs))
	claims, disclose, err := c.results()
	if err != nil {
		return nil, err
	}
	var checks []*fleetCheck
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
		check, err := c.keys.fleetCheck(s, c.bundle.Fleet[i])
		if err != nil {
			return nil, fmt.Errorf("fleet proof %d: %w", i, err)
		}
		checks = append(checks, check)
	}
	return checks, nil
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
		return nil, disclose, ResultsMismatch.errorf("bundle has results for %d claims and %d totals, the statement asks for %d and %d",
			len(c.bundle.Holds), len(c.bundle.Disclosed), len(claims), n)
	}
	if !c.bundle.Disclosed[0].IsUint64() || c.bundle.Disclosed[0].Uint64() != c.facts.Attested() {
		return nil, disclose, PopulationDiffer.errorf("the proven population differs from the ledger's count of attestations")
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

package zk

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/frontend"
	gadget "github.com/consensys/gnark/std/permutation/poseidon2"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// TreeCircuit is what the chunk circuit would be over a Poseidon2 Merkle tree:
// the same boxes, lookups, valuation and output, with every slot's record and
// salt hashed and the hashes joined up to a public root. It exists to be
// measured beside the chunk circuit.
type TreeCircuit struct {
	Root frontend.Variable `gnark:",public"`
	ChunkCircuit
}

// NewTreeCircuit returns the tree's circuit for n slots.
func NewTreeCircuit(n int) *TreeCircuit { return &TreeCircuit{ChunkCircuit: *NewChunkCircuit(n)} }

// Define states the constraints.
func (c *TreeCircuit) Define(api frontend.API) error {
	b := &chunkBuilder{API: api, c: &c.ChunkCircuit, n: len(c.X)}
	p, err := gadget.NewPoseidon2FromParameters(api, 2, 6, 50)
	if err != nil {
		return err
	}
	level := make([]frontend.Variable, b.n)
	for s := range level {
		level[s] = p.Compress(c.X[s], c.R[s])
	}
	for len(level) > 1 {
		next := make([]frontend.Variable, len(level)/2)
		for i := range next {
			next[i] = p.Compress(level[2*i], level[2*i+1])
		}
		level = next
	}
	api.AssertIsEqual(c.Root, level[0])
	// The tree binds the records; the parameters are public inputs here.
	b.beta = c.Root
	api.Mul(c.LookupBlind, c.LookupBlind)
	for _, v := range []frontend.Variable{c.Digest, c.Challenge, c.Evaluation, c.Fingerprint} {
		api.Mul(v, v)
	}
	return b.addUp()
}

// CompileTree compiles the tree's circuit, for other packages' benchmarks.
func CompileTree(n int) (*CircuitKey, error) {
	system, err := compile(NewTreeCircuit(n))
	if err != nil {
		return nil, err
	}
	turn(system, system.GetNbPublicVariables()+2*n+3+statement.VectorSize+1, n*slotLimbs+tableSize)
	return &CircuitKey{System: system}, nil
}

// Full lays the assignment out as the circuit's fields are declared.
func (a *TreeAssignment) Full() (witness.Witness, error) {
	secret, err := a.chunkWitness.full()
	if err != nil {
		return nil, err
	}
	return vector([]fr.Element{a.root}, secret.Vector().(fr.Vector))
}

// TreeWitness is a full assignment of the tree's circuit.
func TreeWitness(records []record.Record, r []fr.Element, p *statement.Parameters) (*TreeAssignment, error) {
	w, _, err := newChunkWitness(records, r, p)
	if err != nil {
		return nil, err
	}
	hash := poseidon2.NewPermutation(2, 6, 50)
	level := make([]fr.Element, len(records))
	for s := range level {
		level[s] = compress(hash, w.x[s], r[s])
	}
	for len(level) > 1 {
		next := make([]fr.Element, len(level)/2)
		for i := range next {
			next[i] = compress(hash, level[2*i], level[2*i+1])
		}
		level = next
	}
	return &TreeAssignment{w, level[0]}, nil
}

// TreeAssignment holds a chunk's witness with its tree's root.
type TreeAssignment struct {
	*chunkWitness
	root fr.Element
}

func compress(hash *poseidon2.Permutation, left, right fr.Element) fr.Element {
	state := []fr.Element{left, right}
	if err := hash.Permutation(state); err != nil {
		panic(err)
	}
	return *state[1].Add(&state[1], &right)
}

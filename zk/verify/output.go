package verify

import (
	"math/big"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// The Poseidon2 instance behind hidden outputs: width 8, 8 full and 57 partial
// rounds, degree 5, the constants of its authors for BN254 at 128 bits.
const (
	OutputWidth         = 8
	OutputFullRounds    = 8
	OutputPartialRounds = 57
)

// Packing strides of totals.
const (
	countShift = statement.CountBits
	sumShift   = 2 * statement.CountBits
	// FirstSums is how many lane sums share the first packed total with
	// population and count; the rest are in the second.
	FirstSums = 3
)

// Output is the opening of a hidden output: totals packed into three field
// elements and a salt.
//
//	First  = population + count·2^32 + Σ sum_i·2^(64+62(i−1)), i = 1…3
//	Second = Σ sum_i·2^(62(i−4)), i = 4…7
//	Exact  = the value in exact units
//
// Fewer than 2^32 slots make every part fit its place (lanes are below 2^30),
// so packed totals add up like integers and are taken apart once, at the end.
type Output struct {
	First, Second, Exact, Salt fr.Element
}

// NewOutput packs totals.
func NewOutput(t statement.Totals, salt fr.Element) Output {
	first := new(big.Int).SetUint64(t.Population)
	first.Add(first, new(big.Int).Lsh(new(big.Int).SetUint64(t.Count), countShift))
	second := new(big.Int)
	for i := 1; i < record.Lanes; i++ {
		v := new(big.Int).SetUint64(t.Sums[i])
		if i <= FirstSums {
			first.Add(first, v.Lsh(v, sumShift+uint(statement.SumBits*(i-1))))
		} else {
			second.Add(second, v.Lsh(v, uint(statement.SumBits*(i-1-FirstSums))))
		}
	}
	o := Output{Salt: salt}
	o.First.SetBigInt(first)
	o.Second.SetBigInt(second)
	o.Exact.SetBigInt(t.Exact)
	return o
}

// OutputTag separates what a hidden output came from.
type OutputTag string

// Tags of hidden outputs.
const (
	ChunkOutput OutputTag = "assay/v1/chunk-output"
	FleetOutput OutputTag = "assay/v1/fleet-output"
)

// Element is the tag as the sponge's capacity.
func (t OutputTag) Element() fr.Element {
	out, err := fr.Hash([]byte(t), []byte("assay/v1/output-tag"), 1)
	if err != nil {
		panic(err) // only for a domain longer than 255 bytes
	}
	return out[0]
}

var permutation = sync.OnceValue(func() *poseidon2.Permutation {
	return poseidon2.NewPermutation(OutputWidth, OutputFullRounds, OutputPartialRounds)
})

// Commit is T: one call of a sponge whose capacity starts as the tag, over the
// packed totals and the salt. It binds because the sponge is collision
// resistant, and hides because the salt is uniform.
func (o *Output) Commit(tag OutputTag) fr.Element {
	state := make([]fr.Element, OutputWidth)
	state[0] = tag.Element()
	state[1], state[2], state[3], state[4] = o.First, o.Second, o.Exact, o.Salt
	if err := permutation().Permutation(state); err != nil {
		panic(err) // only for a state of the wrong width
	}
	return state[1]
}

// UnusedInput is the pinned constant in the places of a fleet proof that no
// chunk fills. It opens to zero totals, so it adds nothing wherever it stands.
var UnusedInput = sync.OnceValue(func() fr.Element {
	return new(Output).Commit(ChunkOutput)
})

package zk

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/math/bits"

	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// FleetCircuit opens hidden outputs, adds them up, commits to the sum, and
// evaluates claims and disclosures on it.
type FleetCircuit struct {
	Inputs       [verify.FleetInputs]frontend.Variable                        `gnark:",public"`
	Folded       frontend.Variable                                            `gnark:",public"` // 1 when the first input is a fleet output
	Output       frontend.Variable                                            `gnark:",public"`
	Binding      frontend.Variable                                            `gnark:",public"` // digest of statement, fleet and place in the chain
	Coefficients [statement.MaxClaims][statement.TotalCount]frontend.Variable `gnark:",public"`
	Bounds       [statement.MaxClaims]frontend.Variable                       `gnark:",public"`
	Holds        [statement.MaxClaims]frontend.Variable                       `gnark:",public"`
	Disclose     [statement.TotalCount]frontend.Variable                      `gnark:",public"`
	Disclosed    [statement.TotalCount]frontend.Variable                      `gnark:",public"`

	Openings  [verify.FleetInputs][4]frontend.Variable
	Salt      frontend.Variable
	Value     frontend.Variable
	Remainder frontend.Variable
}

// Define states the constraints.
func (c *FleetCircuit) Define(api frontend.API) error {
	b := &fleetBuilder{api, c}
	sum, err := b.open()
	if err != nil {
		return err
	}
	t, err := hiddenOutput(api, verify.FleetOutput.Element(), [4]frontend.Variable{sum[0], sum[1], sum[2], c.Salt})
	if err != nil {
		return err
	}
	api.AssertIsEqual(c.Output, t)
	totals := b.totals(sum)
	for i := range c.Holds {
		b.claim(i, totals)
	}
	for i, v := range totals {
		api.AssertIsEqual(api.Mul(c.Disclose[i], v), c.Disclosed[i])
	}
	// A public input that no constraint uses is bound by nothing.
	api.Mul(c.Binding, c.Binding)
	return nil
}

type fleetBuilder struct {
	frontend.API
	c *FleetCircuit
}

// open checks every opening against its input and adds them up, still packed.
func (b *fleetBuilder) open() ([3]frontend.Variable, error) {
	chunk, fleet := verify.ChunkOutput.Element(), verify.FleetOutput.Element()
	var difference fr.Element
	difference.Sub(&fleet, &chunk)
	b.AssertIsBoolean(b.c.Folded)
	first := b.Add(b.Mul(b.c.Folded, difference.String()), chunk.String())
	sum := [3]frontend.Variable{0, 0, 0}
	for k, opening := range b.c.Openings {
		var tag frontend.Variable = chunk
		if k == 0 {
			tag = first
		}
		t, err := hiddenOutput(b.API, tag, opening)
		if err != nil {
			return sum, err
		}
		b.AssertIsEqual(b.c.Inputs[k], t)
		for i := range sum {
			sum[i] = b.Add(sum[i], opening[i])
		}
	}
	return sum, nil
}

// totals takes the packed sums apart. Their bits are unique, because they are
// fewer than the field's, and each part fits its place, because the verifier
// bounds the number of slots.
func (b *fleetBuilder) totals(sum [3]frontend.Variable) [statement.TotalCount]frontend.Variable {
	var out [statement.TotalCount]frontend.Variable
	first := bits.ToBinary(b.API, sum[0], bits.WithNbDigits(2*statement.CountBits+verify.FirstSums*statement.SumBits))
	second := bits.ToBinary(b.API, sum[1], bits.WithNbDigits((statement.TotalCount-3-verify.FirstSums)*statement.SumBits))
	take := func(from *[]frontend.Variable, n int) frontend.Variable {
		v := bits.FromBinary(b.API, (*from)[:n], bits.WithUnconstrainedInputs())
		*from = (*from)[n:]
		return v
	}
	out[statement.Population] = take(&first, statement.CountBits)
	out[statement.Count] = take(&first, statement.CountBits)
	for i := 1; i+statement.LaneSum < statement.TotalCount; i++ {
		from := &first
		if i > verify.FirstSums {
			from = &second
		}
		out[statement.LaneSum+i] = take(from, statement.SumBits)
	}
	out[statement.Value] = b.roundDown(sum[2])
	return out
}

// roundDown divides the exact value by its scale: exact = value·scale +
// remainder with 0 ≤ remainder < scale and value below 2^ValueBits.
func (b *fleetBuilder) roundDown(exact frontend.Variable) frontend.Variable {
	scale := statement.ValueScale()
	digits := scale.BitLen()
	b.AssertIsEqual(exact, b.Add(b.Mul(b.c.Value, scale), b.c.Remainder))
	bits.ToBinary(b.API, b.c.Value, bits.WithNbDigits(statement.ValueBits))
	bits.ToBinary(b.API, b.c.Remainder, bits.WithNbDigits(digits))
	last := new(big.Int).Sub(scale, big.NewInt(1))
	bits.ToBinary(b.API, b.Sub(last, b.c.Remainder), bits.WithNbDigits(digits))
	return b.c.Value
}

// claim shows that Holds says whether Σ coefficient·total ≥ bound: with d the
// difference, d when it holds and −d−1 when not must be within ClaimBits bits,
// which is never both.
func (b *fleetBuilder) claim(i int, totals [statement.TotalCount]frontend.Variable) {
	d := b.Neg(b.c.Bounds[i])
	for j, v := range totals {
		d = b.Add(d, b.Mul(b.c.Coefficients[i][j], v))
	}
	holds := b.c.Holds[i]
	b.AssertIsBoolean(holds)
	signed := b.Sub(b.Mul(holds, b.Add(b.Mul(d, 2), 1)), b.Add(d, 1))
	bits.ToBinary(b.API, signed, bits.WithNbDigits(statement.ClaimBits))
}

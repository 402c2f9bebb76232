// Package ceremonytest has circuits so small that tests can hold whole ceremonies for them.
package ceremonytest

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

// Ids of the circuits, and as many powers as their ceremonies' SRS has.
const (
	TwiceID = "twice/v1"
	PlainID = "plain/v1"
	Powers  = 6
)

// Twice commits two times, the second time to what it has from the first, as the chunk circuit does.
type Twice struct {
	Public  frontend.Variable `gnark:",public"`
	A, B, C frontend.Variable
	// Unused leaves B out of every constraint.
	Unused bool `gnark:"-"`
}

// Define asserts that A is Public, B is A and C is 1.
func (c *Twice) Define(api frontend.API) error {
	committer := api.Compiler().(frontend.Committer)
	first, err := committer.Commit(c.A, c.B, c.Public)
	if err != nil {
		return err
	}
	second, err := committer.Commit(c.C, first)
	if err != nil {
		return err
	}
	api.AssertIsEqual(api.Mul(c.A, c.C), c.Public)
	api.AssertIsEqual(api.Mul(c.A, first, second), api.Mul(c.Public, first, second))
	api.AssertIsEqual(c.C, 1)
	if !c.Unused {
		api.AssertIsEqual(api.Mul(c.B, first), api.Mul(c.A, first))
	}
	return nil
}

// Plain commits to nothing, and has a larger domain.
type Plain struct {
	Public frontend.Variable `gnark:",public"`
	X      frontend.Variable
}

// Define asserts that X to the power of 21 is Public.
func (c *Plain) Define(api frontend.API) error {
	x := c.X
	for range 20 {
		x = api.Mul(x, c.X)
	}
	api.AssertIsEqual(x, c.Public)
	return nil
}

// Compile compiles a circuit, also one with an unused value.
func Compile(t testing.TB, c frontend.Circuit) *cs.R1CS {
	t.Helper()
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c, frontend.IgnoreUnconstrainedInputs())
	if err != nil {
		t.Fatal(err)
	}
	return ccs.(*cs.R1CS)
}

// Encode is the library's encoding of a verifying key.
func Encode(vk *groth16.VerifyingKey) ([]byte, error) {
	var b bytes.Buffer
	_, err := vk.WriteRawTo(&b)
	return b.Bytes(), err
}

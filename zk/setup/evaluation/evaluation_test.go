package evaluation

import (
	"bytes"
	"context"
	"io"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/logger"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
)

func TestMain(m *testing.M) {
	logger.Disable()
	os.Exit(m.Run())
}

// sums has coefficients of all sorts: large ones, negative ones, the same one often, and a wire on each side alone.
type sums struct {
	Public  frontend.Variable `gnark:",public"`
	X, Y, Z frontend.Variable
	Unused  frontend.Variable
}

func (c *sums) Define(api frontend.API) error {
	large, _ := new(big.Int).SetString("1234567890123456789012345678901234567890123456789012345678901234567890", 10)
	left := api.Add(api.Mul(c.X, large), api.Mul(c.Y, -7), c.Z, 3)
	right := api.Sub(api.Mul(c.X, -large.Int64()), api.Mul(c.Y, large), c.Public)
	for range 5 {
		left = api.Mul(api.Add(left, api.Mul(c.X, large)), right)
		right = api.Sub(right, api.Mul(left, 2), c.Z)
	}
	api.AssertIsEqual(api.Mul(left, right), api.Add(c.Z, c.Z, api.Mul(c.X, large)))
	return nil
}

// powersOf are powers of a tau that nobody knows, with factors to be applied.
func powersOf(domain int, seal string) *Powers {
	p := mpcsetup.NewPhase1(uint64(domain))
	p.Contribute()
	out := &Powers{SrsCommons: p.Seal([]byte(seal))}
	out.Tau.SetUint64(3)
	out.Alpha.SetInt64(-5)
	out.Beta.SetString("12345678901234567890123456789012345678901234567890") //nolint:errcheck // it is a number
	return out
}

// closed applies the factors point by point.
func (p *Powers) closed() *Powers {
	one := fr.One()
	out := &Powers{Tau: one, Alpha: one, Beta: one}
	var s big.Int
	g1 := func(points []bn254.G1Affine, factor fr.Element) []bn254.G1Affine {
		closed := make([]bn254.G1Affine, len(points))
		for i := range points {
			closed[i].ScalarMultiplication(&points[i], factor.BigInt(&s))
			factor.Mul(&factor, &p.Tau)
		}
		return closed
	}
	out.G1.Tau, out.G1.AlphaTau, out.G1.BetaTau = g1(p.G1.Tau, one), g1(p.G1.AlphaTau, p.Alpha), g1(p.G1.BetaTau, p.Beta)
	out.G2.Tau = slices.Clone(p.G2.Tau)
	factor := one
	for i := range out.G2.Tau {
		out.G2.Tau[i].ScalarMultiplication(&out.G2.Tau[i], factor.BigInt(&s))
		factor.Mul(&factor, &p.Tau)
	}
	out.G2.Beta.ScalarMultiplication(&p.G2.Beta, p.Beta.BigInt(&s))
	return out
}

func circuits(t testing.TB) map[string]*cs.R1CS {
	return map[string]*cs.R1CS{
		"two commitments": ceremonytest.Compile(t, &ceremonytest.Twice{}),
		"none":            ceremonytest.Compile(t, &ceremonytest.Plain{}),
		"coefficients":    ceremonytest.Compile(t, &sums{}),
		"unused value":    ceremonytest.Compile(t, &ceremonytest.Twice{Unused: true}),
	}
}

// TestAsTheLibrary: values and everything that is made of them are the library's, also on more powers than there are constraints.
func TestAsTheLibrary(t *testing.T) {
	for name, system := range circuits(t) {
		domains := []int{32}
		if name == "coefficients" && !testing.Short() {
			domains = append(domains, 64)
		}
		for _, domain := range domains {
			powers := powersOf(domain, name)
			v, err := Make(context.Background(), system, powers)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Check(system, powers); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			closed := powers.closed()
			if err := v.Check(system, closed); err != nil {
				t.Errorf("%s, closed: %v", name, err)
			}
			state, keys := v.Start(system)
			want := new(mpcsetup.Phase2)
			wantKeys := want.Initialize(system, &closed.SrsCommons)
			if diff := cmp.Diff(encoded(t, want), encoded(t, state)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if diff := cmp.Diff(points(&wantKeys), points(keys)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func encoded(t *testing.T, w io.WriterTo) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// points are the evaluations in a form that can be compared.
func points(e *mpcsetup.Phase2Evaluations) map[string]any {
	out := map[string]any{"committed": e.PublicAndCommitmentCommitted}
	add := func(name string, g1 []bn254.G1Affine) {
		list := []string{}
		for i := range g1 {
			list = append(list, g1[i].String())
		}
		out[name] = list
	}
	add("A", e.G1.A)
	add("B", e.G1.B)
	add("VKK", e.G1.VKK)
	for i := range e.G1.CKK {
		add("CKK"+string(rune('0'+i)), e.G1.CKK[i])
	}
	b2 := []string{}
	for i := range e.G2.B {
		b2 = append(b2, e.G2.B[i].String())
	}
	out["B2"] = b2
	return out
}

// TestEnds: what keys take of closed powers.
func TestEnds(t *testing.T) {
	powers := powersOf(16, "ends")
	ends, closed := powers.Ends(), powers.closed()
	if ends.G1.AlphaTau[0] != closed.G1.AlphaTau[0] || ends.G1.BetaTau[0] != closed.G1.BetaTau[0] || ends.G2.Beta != closed.G2.Beta || len(ends.G1.AlphaTau) != 16 {
		t.Error("the ends are others")
	}
	powers.Tau.SetZero()
	if _, err := Make(context.Background(), ceremonytest.Compile(t, &ceremonytest.Twice{}), powers); err == nil {
		t.Error("made with a factor of zero")
	}
}

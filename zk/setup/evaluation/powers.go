package evaluation

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"
)

// Powers are powers of tau, and factors for tau, alpha and beta that everybody knows and that are still to be applied: a ceremony's closing. A
// sum of closed powers is one of those before with other numbers, so whoever checks needs not apply the factors to each.
type Powers struct {
	mpcsetup.SrsCommons
	Tau, Alpha, Beta fr.Element
}

// Places is how many places the domain has that the powers are for.
func (p *Powers) Places() int { return len(p.G1.AlphaTau) }

// Cut is the beginning of the powers, for a circuit with a smaller domain. It shares them.
func (p *Powers) Cut(places int) *Powers {
	out := *p
	out.G1.Tau = p.G1.Tau[: 2*places-1 : 2*places-1]
	out.G1.AlphaTau = p.G1.AlphaTau[:places:places]
	out.G1.BetaTau = p.G1.BetaTau[:places:places]
	out.G2.Tau = p.G2.Tau[:places:places]
	return &out
}

func (p *Powers) check() error {
	n := p.Places()
	if bits.OnesCount(uint(n)) != 1 {
		return fmt.Errorf("%d powers, must be a power of two", n)
	}
	if len(p.G1.BetaTau) != n || len(p.G2.Tau) != n || len(p.G1.Tau) != 2*n-1 {
		return fmt.Errorf("%d, %d and %d powers beside %d times alpha, must be %d, %d and %d", len(p.G1.BetaTau), len(p.G2.Tau), len(p.G1.Tau), n, n, n, 2*n-1)
	}
	if p.Tau.IsZero() || p.Alpha.IsZero() || p.Beta.IsZero() {
		return errors.New("a factor is zero")
	}
	return nil
}

// factors are from times the powers of tau's factor.
func (p *Powers) factors(from fr.Element, count int) []fr.Element {
	out := make([]fr.Element, count)
	for i := range out {
		out[i] = from
		from.Mul(&from, &p.Tau)
	}
	return out
}

// times multiplies every point by its number.
func times[A, J any, P group[J]](ctx context.Context, points []A, by []fr.Element, from func(P, *A) P) ([]J, error) {
	out := make([]J, len(points))
	return out, inParallel(ctx, len(points), func(i int) { scale[J, P](from(&out[i], &points[i]), &by[i]) })
}

// Ends are all that a circuit's keys have of closed powers: their number, and alpha and beta.
func (p *Powers) Ends() *mpcsetup.SrsCommons {
	out := new(mpcsetup.SrsCommons)
	out.G1.AlphaTau, out.G1.BetaTau = make([]bn254.G1Affine, p.Places()), make([]bn254.G1Affine, 1)
	var alpha, beta big.Int
	p.Alpha.BigInt(&alpha)
	p.Beta.BigInt(&beta)
	out.G1.AlphaTau[0].ScalarMultiplication(&p.G1.AlphaTau[0], &alpha)
	out.G1.BetaTau[0].ScalarMultiplication(&p.G1.BetaTau[0], &beta)
	out.G2.Beta.ScalarMultiplication(&p.G2.Beta, &beta)
	return out
}

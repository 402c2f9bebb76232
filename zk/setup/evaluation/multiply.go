package evaluation

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// group is what both groups' points can do.
type group[T any] interface {
	*T
	AddAssign(*T) *T
	SubAssign(*T) *T
	DoubleAssign() *T
	ScalarMultiplication(*T, *big.Int) *T
}

func scale[T any, P group[T]](p P, by *fr.Element) {
	var scalar big.Int
	p.ScalarMultiplication(p, by.BigInt(&scalar))
}

// A coefficient is kept as a number without its sign, so that -5 is small, and in digits: its sum over i of digits[i] times 2^i, where a digit is 0 or odd and
// less than 16, and among five in a row there is one that is not 0 at most.
type coefficient struct {
	size     big.Int
	negative bool
	digits   []int8
}

// digitBits is the room of a digit with its sign, and multiples how many odd multiples of a point there are for it.
const (
	digitBits = 5
	multiples = 1 << (digitBits - 2)
)

func coefficientOf(c fr.Element) (out coefficient) {
	if out.negative = c.LexicographicallyLargest(); out.negative {
		c.Neg(&c)
	}
	c.BigInt(&out.size)
	const window = 1 << digitBits
	rest := new(big.Int).Set(&out.size)
	for rest.Sign() > 0 {
		digit := int64(0)
		if rest.Bit(0) == 1 {
			digit = new(big.Int).And(rest, big.NewInt(window-1)).Int64()
			if digit >= window/2 {
				digit -= window
			}
			rest.Sub(rest, big.NewInt(digit))
		}
		out.digits = append(out.digits, int8(digit))
		rest.Rsh(rest, 1)
	}
	return out
}

// multiplied is a point and what it is to be multiplied with.
type multiplied[T any] struct {
	point T
	by    *coefficient
}

// sumOf adds points times numbers. More than one share the doublings, which are most of the work (Straus).
func sumOf[T any, P group[T]](terms []multiplied[T]) (sum T) {
	if len(terms) == 1 {
		P(&sum).ScalarMultiplication(&terms[0].point, &terms[0].by.size)
		if terms[0].by.negative {
			var negated T
			P(&negated).SubAssign(&sum)
			return negated
		}
		return sum
	}
	odd := make([][multiples]T, len(terms))
	length := 0
	for i := range terms {
		double := terms[i].point
		P(&double).DoubleAssign()
		odd[i][0] = terms[i].point
		for k := 1; k < multiples; k++ {
			odd[i][k] = odd[i][k-1]
			P(&odd[i][k]).AddAssign(&double)
		}
		length = max(length, len(terms[i].by.digits))
	}
	for at := length - 1; at >= 0; at-- {
		P(&sum).DoubleAssign()
		for i := range terms {
			c := terms[i].by
			if at >= len(c.digits) || c.digits[at] == 0 {
				continue
			}
			digit, negative := c.digits[at], c.negative
			if digit < 0 {
				digit, negative = -digit, !negative
			}
			addSigned[T, P](&sum, &odd[i][digit/2], negative)
		}
	}
	return sum
}

func addSigned[T any, P group[T]](sum, point *T, negative bool) {
	if negative {
		P(sum).SubAssign(point)
	} else {
		P(sum).AddAssign(point)
	}
}

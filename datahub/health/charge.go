package health

import (
	"math"
	"math/big"
	"math/bits"
)

// charge is an exact amount of charge in half picocoulombs, (µA + µA) · µs. The largest segment between two readings is below 2^74, so
// no battery reaches the end of it. Were one to, the sum stays there and is far too large for a record.
type charge struct{ high, low uint64 }

// segment is twice the charge of a trapezoid between two currents, neither below 0.
func segment(from, to, micros int64) charge {
	high, low := bits.Mul64(uint64(from+to), uint64(micros))
	return charge{high, low}
}

func (c *charge) add(d charge) {
	low, carry := bits.Add64(c.low, d.low, 0)
	high, carry := bits.Add64(c.high, d.high, carry)
	if carry != 0 {
		high, low = math.MaxUint64, math.MaxUint64
	}
	*c = charge{high, low}
}

func (c charge) big() *big.Int {
	v := new(big.Int).SetUint64(c.high)
	return v.Add(v.Lsh(v, 64), new(big.Int).SetUint64(c.low))
}

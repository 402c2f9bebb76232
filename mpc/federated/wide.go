package federated

import (
	"math/big"
	"math/bits"
)

// wide is a signed 128-bit integer in two's complement. Sums of squares of up to
// 2^47 over 2^32 records stay below 2^126.
type wide struct{ hi, lo uint64 }

func (w *wide) add(x int64) {
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, uint64(x), 0)
	w.hi += uint64(x>>63) + carry
}

func (w *wide) addSquare(x int64) {
	if x < 0 {
		x = -x
	}
	hi, lo := bits.Mul64(uint64(x), uint64(x))
	var carry uint64
	w.lo, carry = bits.Add64(w.lo, lo, 0)
	w.hi += hi + carry
}

func (w wide) big() *big.Int {
	x := big.NewInt(int64(w.hi))
	return x.Add(x.Lsh(x, 64), new(big.Int).SetUint64(w.lo))
}

package commit_test

import (
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// addModulus returns the other 32-byte spelling of a field element.
func addModulus(b []byte, modulus *big.Int) []byte {
	v := new(big.Int).SetBytes(b)
	return v.Add(v, modulus).FillBytes(make([]byte, 32))
}

// badPoints are byte strings that must not be read as a compressed point.
func badPoints(t *testing.T) map[string][]byte {
	t.Helper()
	_, _, g, _ := bn254.Generators()
	compressed, raw := g.Bytes(), g.RawBytes()
	infinity := make([]byte, 32)
	infinity[0] = 0x40
	dirtyInfinity := append([]byte{}, infinity...)
	dirtyInfinity[31] = 1

	// An x for which x³ + 3 is not a square.
	var x, y2, y fp.Element
	for x.SetUint64(4); ; x.Add(&x, new(fp.Element).SetOne()) {
		y2.Square(&x).Mul(&y2, &x).Add(&y2, new(fp.Element).SetUint64(3))
		if y.Sqrt(&y2) == nil {
			break
		}
	}
	offCurve := x.Bytes()
	offCurve[0] |= 0x80

	// The generator's x is 1; p + 1 spells it too and fits 254 bits.
	notReduced := addModulus(new(big.Int).SetInt64(1).FillBytes(make([]byte, 32)), fp.Modulus())
	notReduced[0] |= compressed[0] & 0xc0

	return map[string][]byte{
		"empty":            {},
		"short":            compressed[:31],
		"long":             append(compressed[:], 0),
		"uncompressed":     raw[:],
		"half of raw":      raw[:32],
		"infinity":         infinity,
		"dirty infinity":   dirtyInfinity,
		"off the curve":    offCurve[:],
		"x not reduced":    notReduced,
		"all zero":         make([]byte, 32),
		"zero x flagged":   append([]byte{0x80}, make([]byte, 31)...),
		"raw infinity":     make([]byte, 64),
		"all ones":         bytesOf(0xff, 32),
		"x just too large": append([]byte{0xbf}, bytesOf(0xff, 31)...),
	}
}

func bytesOf(b byte, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = b
	}
	return out
}

package commit

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

const (
	// PointBytes is the length of a compressed point, ScalarBytes that of a scalar.
	PointBytes  = bn254.SizeOfG1AffineCompressed
	ScalarBytes = fr.Bytes
)

var errInfinity = errors.New("point at infinity")

// ParsePoint reads one compressed G1 point. It refuses every other length, the uncompressed form, coordinates that are
// not reduced, points off the curve (G1 of BN254 has cofactor 1, so the curve is the subgroup) and the point at
// infinity.
func ParsePoint(b []byte) (bn254.G1Affine, error) {
	var p bn254.G1Affine
	if len(b) != PointBytes {
		return p, fmt.Errorf("point has %d bytes, must have %d", len(b), PointBytes)
	}
	if _, err := p.SetBytes(b); err != nil {
		return bn254.G1Affine{}, fmt.Errorf("point: %w", err)
	}
	if p.IsInfinity() {
		return p, errInfinity
	}
	return p, nil
}

// ParseScalar reads one scalar, 32 bytes big-endian and below the field's modulus.
func ParseScalar(b []byte) (fr.Element, error) {
	var s fr.Element
	if len(b) != ScalarBytes {
		return s, fmt.Errorf("scalar has %d bytes, must have %d", len(b), ScalarBytes)
	}
	if err := s.SetBytesCanonical(b); err != nil {
		return fr.Element{}, errors.New("scalar is not reduced modulo the field's order")
	}
	return s, nil
}

// checkPoint accepts finite points on the curve.
func checkPoint(p *bn254.G1Affine) error {
	if p.IsInfinity() {
		return errInfinity
	}
	if !p.IsOnCurve() {
		return errors.New("point is not on the curve")
	}
	return nil
}

// Sum adds points. The sum of none is the point at infinity.
func Sum(points []bn254.G1Affine) bn254.G1Affine {
	var sum bn254.G1Jac
	for i := range points {
		sum.AddMixed(&points[i])
	}
	var out bn254.G1Affine
	return *out.FromJacobian(&sum)
}

// combine returns a·g + b·h.
func combine(g, h *bn254.G1Affine, a, b *fr.Element) bn254.G1Affine {
	var sum bn254.G1Jac
	sum.JointScalarMultiplication(g, h, bigInt(a), bigInt(b))
	var out bn254.G1Affine
	return *out.FromJacobian(&sum)
}

func bigInt(s *fr.Element) *big.Int { return s.BigInt(new(big.Int)) }

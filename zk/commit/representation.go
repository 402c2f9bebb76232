package commit

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// RepresentationBytes is the length of an encoded Representation: R compressed, z_x, z_r.
const RepresentationBytes = PointBytes + 2*ScalarBytes

var errRepresentation = errors.New("proof of representation does not hold")

// Representation is Okamoto's proof that its maker knows how a point is made of two bases.
type Representation struct {
	R      bn254.G1Affine
	Zx, Zr fr.Element
}

// ProveBases proves knowledge of x and r with C = x·g + r·h. The nonces a and b must be fresh, or come from a PRF over
// everything that the challenge covers; used for two challenges they reveal x and r. The challenge must hash g, h, C,
// the context and the R that it is given.
func ProveBases(g, h bn254.G1Affine, x, r, a, b fr.Element, challenge func(R bn254.G1Affine) fr.Element) Representation {
	proof := Representation{R: combine(&g, &h, &a, &b)}
	c := challenge(proof.R)
	proof.Zx.Mul(&c, &x).Add(&proof.Zx, &a)
	proof.Zr.Mul(&c, &r).Add(&proof.Zr, &b)
	return proof
}

// CheckBases checks z_x·g + z_r·h = R + challenge·C. It refuses points off the curve and C or R at infinity.
func (proof *Representation) CheckBases(g, h, commitment bn254.G1Affine, challenge fr.Element) error {
	if err := checkPoint(&commitment); err != nil {
		return fmt.Errorf("commitment: %w", err)
	}
	if err := checkPoint(&proof.R); err != nil {
		return fmt.Errorf("proof of representation: R: %w", err)
	}
	left := combine(&g, &h, &proof.Zx, &proof.Zr)
	var right bn254.G1Affine
	right.ScalarMultiplication(&commitment, bigInt(&challenge))
	right.Add(&right, &proof.R)
	if !left.Equal(&right) {
		return errRepresentation
	}
	return nil
}

// Bytes encodes the proof as RepresentationBytes bytes.
func (proof *Representation) Bytes() []byte {
	R, zx, zr := proof.R.Bytes(), proof.Zx.Bytes(), proof.Zr.Bytes()
	out := make([]byte, 0, RepresentationBytes)
	return append(append(append(out, R[:]...), zx[:]...), zr[:]...)
}

// ParseRepresentation reads what Bytes writes. Every proof has one encoding.
func ParseRepresentation(b []byte) (Representation, error) {
	var proof Representation
	if len(b) != RepresentationBytes {
		return proof, fmt.Errorf("proof of representation has %d bytes, must have %d", len(b), RepresentationBytes)
	}
	R, err := ParsePoint(b[:PointBytes])
	if err != nil {
		return proof, fmt.Errorf("proof of representation: R: %w", err)
	}
	zx, err := ParseScalar(b[PointBytes : PointBytes+ScalarBytes])
	if err != nil {
		return proof, fmt.Errorf("proof of representation: z_x: %w", err)
	}
	zr, err := ParseScalar(b[PointBytes+ScalarBytes:])
	if err != nil {
		return proof, fmt.Errorf("proof of representation: z_r: %w", err)
	}
	return Representation{R: R, Zx: zx, Zr: zr}, nil
}

// Prove proves to everyone that the device knows the opening of its commitment over its own slot's bases. Its nonces
// are derived from the secret and everything hashed, so proving twice gives the same proof.
func Prove(srs *SRS, p Place, device DeviceID, o Opening, secret Secret) (Representation, error) {
	if err := srs.checkSlot(p); err != nil {
		return Representation{}, err
	}
	g, h := srs.Bases(p.Size, p.Slot)
	t := representationTranscript(tagNonce, p, device, &g, &h, &o.C)
	t.Scalar(&o.X)
	nonces := t.prf(secret, 2)
	return ProveBases(g, h, o.X, o.R, nonces[0], nonces[1], func(R bn254.G1Affine) fr.Element {
		return representationChallenge(p, device, &g, &h, &o.C, &R)
	}), nil
}

// VerifyOne checks one device's proof by itself. CheckChunk checks a chunk's at once, and is much faster.
func (proof *Representation) VerifyOne(srs *SRS, p Place, device DeviceID, commitment bn254.G1Affine) error {
	if err := srs.checkSlot(p); err != nil {
		return err
	}
	g, h := srs.Bases(p.Size, p.Slot)
	return proof.CheckBases(g, h, commitment, representationChallenge(p, device, &g, &h, &commitment, &proof.R))
}

// representationChallenge covers everything that the proof must not be moved away from, and R: a challenge that leaves
// R out lets anyone choose z_x and z_r and solve for R.
func representationChallenge(p Place, device DeviceID, g, h, commitment, R *bn254.G1Affine) fr.Element {
	t := representationTranscript(tagRepresentation, p, device, g, h, commitment)
	t.Point(R)
	return t.Challenge()
}

func representationTranscript(tag string, p Place, device DeviceID, g, h, commitment *bn254.G1Affine) *Transcript {
	t := NewTranscript(tag, p.Ledger)
	t.place(p)
	t.Bytes(device[:])
	t.Point(g)
	t.Point(h)
	t.Point(commitment)
	return t
}

package score

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// What each side keeps between its steps, to be sealed. The encodings have one length for one shape and are as little endian as the others:
//
//	secret:   "assayscs", parameters (24), how many numbers, 0 0 0, digest of the request (32),
//	          each: terms (8), mass, gross (IEEE 754, 8 each), the key: 1 + its coefficient (1 byte each)
//	moments:  "assayscm", parameters (24), number of features, degree, spread, 0, batteries (8), each feature as in a request,
//	          each moment in units of 2^-40 (8, two's complement)
const (
	secretMagic  = "assayscs"
	momentsMagic = "assayscm"

	secretHead  = 8 + 24 + 4 + 32
	openingSize = 3 * 8
	momentsHead = 8 + 24 + 4 + 8
)

// MaxSecret is the largest encoding of a secret in bytes.
const MaxSecret = secretHead + 2*openingSize + ringDegree

// MarshalBinary encodes a secret that has opened nothing; one that has is ErrSpent, and stays so. What was encoded before can be read again: see ParseSecret.
func (s *Secret) MarshalBinary() ([]byte, error) {
	if s.spent {
		return nil, fmt.Errorf("encoding a secret: %w", ErrSpent)
	}
	b := appendName(make([]byte, 0, MaxSecret), secretMagic)
	b = append(b, byte(len(s.numbers)), 0, 0, 0)
	b = append(b, s.request[:]...)
	for _, o := range s.numbers {
		b = binary.LittleEndian.AppendUint64(b, uint64(o.terms))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(o.mass))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(o.gross))
	}
	return append(b, s.ternaryKey()...), nil
}

// ternaryKey undoes factor: 0, 1 and 2 for the coefficients -1, 0 and 1.
func (s *Secret) ternaryKey() []byte {
	r := theRing()
	p := r.NewPoly()
	defer wipe(p)
	r.IMForm(s.key, p)
	r.INTT(p, p)
	key := make([]byte, ringDegree)
	for i, w := range p.Coeffs[0] {
		key[i] = byte(ring.CRed(w+1, moduli[0]))
	}
	return key
}

// ParseSecret reads an encoded secret. It opens one answer, like the one that was encoded: whoever keeps the bytes keeps the result of the first before it forgets that, and opens nothing but the
// answer that it is committed to.
func ParseSecret(b []byte) (*Secret, error) {
	if len(b) < secretHead || string(b[:32]) != string(appendName(nil, secretMagic)) {
		return nil, fmt.Errorf("secret: not one for %s", Parameters)
	}
	n := int(b[32])
	if n < 1 || n > 2 || b[33]|b[34]|b[35] != 0 || len(b) != secretHead+n*openingSize+ringDegree {
		return nil, errors.New("secret: head or length out of bounds")
	}
	s := &Secret{spread: n == 2}
	copy(s.request[:], b[36:68])
	b = b[secretHead:]
	for i := range n {
		o, err := parseOpening(b[:openingSize])
		if err != nil {
			return nil, fmt.Errorf("secret: number %d: %w", i, err)
		}
		s.numbers, b = append(s.numbers, o), b[openingSize:]
	}
	key := make([]int8, ringDegree)
	defer clear(key)
	for i, c := range b {
		if c > 2 {
			return nil, errors.New("secret: the key is not ternary")
		}
		key[i] = int8(c) - 1
	}
	s.key = factor(key)
	return s, nil
}

func parseOpening(b []byte) (opening, error) {
	terms := binary.LittleEndian.Uint64(b)
	o := opening{mass: math.Float64frombits(binary.LittleEndian.Uint64(b[8:])), gross: math.Float64frombits(binary.LittleEndian.Uint64(b[16:]))}
	if terms < 1 || terms > MaxMonomials || !(o.mass >= 0 && o.mass <= maxMass) || !(o.gross >= 0) || math.IsInf(o.gross, 0) {
		return opening{}, errors.New("terms, mass or gross out of bounds")
	}
	o.terms, o.scale = int(terms), scaleOf(o.mass)
	return o, nil
}

// MarshalBinary encodes the moments. It never fails.
func (m *Moments) MarshalBinary() ([]byte, error) {
	b := appendName(make([]byte, 0, momentsSize(m.shape)), momentsMagic)
	b = append(b, byte(len(m.shape.Features)), byte(m.shape.Degree), byte(m.shape.numbers()-1), 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.batteries))
	b = appendFeatures(b, m.shape.Features)
	for _, v := range m.fixed {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b, nil
}

func momentsSize(s Shape) int { return momentsHead + len(s.Features)*featureSize + 8*s.Monomials() }

// ParseMoments reads encoded moments of a shape, which must have passed Check, and refuses those of another.
func ParseMoments(b []byte, s Shape) (*Moments, error) {
	m := &Moments{shape: Shape{Features: append([]Feature(nil), s.Features...), Degree: s.Degree, Spread: s.Spread}, fixed: make([]int64, s.Monomials())}
	if len(b) != momentsSize(s) {
		return nil, fmt.Errorf("moments: %d bytes, must be %d for their shape", len(b), momentsSize(s))
	}
	body := momentsHead + len(s.Features)*featureSize
	batteries := binary.LittleEndian.Uint64(b[momentsHead-8:])
	if batteries < 1 || batteries > maxNoised {
		return nil, errors.New("moments: number of batteries out of bounds")
	}
	m.batteries = int(batteries)
	for k := range m.fixed {
		m.fixed[k] = int64(binary.LittleEndian.Uint64(b[body+8*k:]))
		if m.fixed[k] < -1<<momentBits || m.fixed[k] > 1<<momentBits {
			return nil, fmt.Errorf("moments: number %d is beyond 1", k)
		}
	}
	if again, _ := m.MarshalBinary(); m.fixed[0] != 1<<momentBits || string(again) != string(b) {
		return nil, errors.New("moments: of another shape, or not moments")
	}
	return m, nil
}

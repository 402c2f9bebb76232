package score

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Both encodings have one length for one shape. All integers are little endian; a polynomial is its residues modulo the
// first prime, then the second, then the third, 8 bytes each; a number is its three residues. Every residue is below its
// prime.
//
//	request:  "assayscq", parameters (24 bytes, padded with 0), number of features, degree, spread (0 or 1), 0,
//	          context (32), seed (32), each feature: lane (32, padded with 0), low (4), high (4)   <- the head
//	          blind (a polynomial in the transform), sealed coefficients (numbers)
//	answer:   "assaysca", parameters (24), how many numbers, 0 0 0, digest of the request (32),
//	          each: value (a number), mask (a polynomial in the transform)
const (
	requestMagic = "assayscq"
	answerMagic  = "assaysca"

	fixedHead     = 8 + 24 + 4 + 32 + 32
	featureSize   = MaxLaneName + 8
	numberSize    = 8 * primes
	polynomialLen = numberSize * ringDegree
	answerHead    = 8 + 24 + 4 + 32

	// MaxRequest and MaxAnswer are the largest encodings in bytes.
	MaxRequest = fixedHead + MaxFeatures*featureSize + polynomialLen + 2*MaxMonomials*numberSize
	MaxAnswer  = answerHead + 2*(numberSize+polynomialLen)
)

// RequestSize is the length in bytes of a request of this shape, which must have passed Check.
func RequestSize(s Shape) int {
	size := fixedHead + len(s.Features)*featureSize + polynomialLen
	for i := range s.numbers() {
		size += s.terms(i) * numberSize
	}
	return size
}

// AnswerSize is the length in bytes of an answer to a request of this shape.
func AnswerSize(s Shape) int { return answerHead + s.numbers()*(numberSize+polynomialLen) }

func appendName(b []byte, magic string) []byte {
	var name [24]byte
	copy(name[:], Parameters)
	return append(append(b, magic...), name[:]...)
}

// head is the public part of a request: all but the ciphertexts.
func (q *Request) head() []byte {
	b := appendName(make([]byte, 0, fixedHead+len(q.Shape.Features)*featureSize), requestMagic)
	b = append(b, byte(len(q.Shape.Features)), byte(q.Shape.Degree), byte(q.Shape.numbers()-1), 0)
	b = append(append(b, q.Context[:]...), q.seed[:]...)
	return appendFeatures(b, q.Shape.Features)
}

func appendFeatures(b []byte, features []Feature) []byte {
	for _, f := range features {
		var name [MaxLaneName]byte
		copy(name[:], f.Lane)
		b = append(b, name[:]...)
		b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, f.Low), f.High)
	}
	return b
}

// MarshalBinary encodes the request. It never fails.
func (q *Request) MarshalBinary() ([]byte, error) {
	b := append(make([]byte, 0, RequestSize(q.Shape)), q.head()...)
	b = appendPolynomial(b, q.blind)
	for _, sealed := range q.sealed {
		for _, n := range sealed {
			b = appendNumber(b, n)
		}
	}
	return b, nil
}

// Digest is SHA-256 over the encoded request.
func (q *Request) Digest() [32]byte {
	b, _ := q.MarshalBinary()
	return sha256.Sum256(b)
}

// ParseRequest reads an encoded request. The length is checked before anything is allocated, and the shape has passed
// Check; whether an owner admits it is the owner's to say.
func ParseRequest(b []byte) (*Request, error) {
	if len(b) < fixedHead {
		return nil, errors.New("request: shorter than its head")
	}
	if string(b[:32]) != string(appendName(nil, requestMagic)) {
		return nil, fmt.Errorf("request: not one for %s", Parameters)
	}
	features, degree, spread, zero := int(b[32]), int(b[33]), b[34], b[35]
	if features > MaxFeatures || spread > 1 || zero != 0 || len(b) < fixedHead+features*featureSize {
		return nil, errors.New("request: head out of bounds")
	}
	q := &Request{Shape: Shape{Degree: degree, Spread: spread == 1}}
	copy(q.Context[:], b[36:68])
	copy(q.seed[:], b[68:100])
	for i := range features {
		f, err := parseFeature(b[fixedHead+i*featureSize:][:featureSize])
		if err != nil {
			return nil, fmt.Errorf("request: feature %d: %w", i, err)
		}
		q.Shape.Features = append(q.Shape.Features, f)
	}
	if err := q.Shape.Check(); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	if want := RequestSize(q.Shape); len(b) != want {
		return nil, fmt.Errorf("request: %d bytes, must be %d for its shape", len(b), want)
	}
	if err := q.parseCiphertexts(b[fixedHead+features*featureSize:]); err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	return q, nil
}

func (q *Request) parseCiphertexts(b []byte) (err error) {
	if q.blind, err = parsePolynomial(b[:polynomialLen]); err != nil {
		return fmt.Errorf("blind: %w", err)
	}
	b = b[polynomialLen:]
	for i := range q.Shape.numbers() {
		sealed := make([]number, q.Shape.terms(i))
		for k := range sealed {
			if sealed[k], err = parseNumber(b[:numberSize]); err != nil {
				return fmt.Errorf("number %d: coefficient %d: %w", i, k, err)
			}
			b = b[numberSize:]
		}
		q.sealed = append(q.sealed, sealed)
	}
	return nil
}

func parseFeature(b []byte) (Feature, error) {
	n := MaxLaneName
	for n > 0 && b[n-1] == 0 {
		n--
	}
	f := Feature{
		Lane: string(b[:n]),
		Low:  binary.LittleEndian.Uint32(b[MaxLaneName:]), High: binary.LittleEndian.Uint32(b[MaxLaneName+4:]),
	}
	return f, f.check()
}

// MarshalBinary encodes the answer. It never fails.
func (a *Answer) MarshalBinary() ([]byte, error) {
	b := appendName(make([]byte, 0, answerHead+len(a.numbers)*(numberSize+polynomialLen)), answerMagic)
	b = append(b, byte(len(a.numbers)), 0, 0, 0)
	b = append(b, a.request[:]...)
	for _, n := range a.numbers {
		b = appendPolynomial(appendNumber(b, n.value), n.mask)
	}
	return b, nil
}

// ParseAnswer reads an encoded answer. The length is checked before anything is allocated.
func ParseAnswer(b []byte) (*Answer, error) {
	if len(b) < answerHead {
		return nil, errors.New("answer: shorter than its head")
	}
	if string(b[:32]) != string(appendName(nil, answerMagic)) {
		return nil, fmt.Errorf("answer: not one for %s", Parameters)
	}
	n := int(b[32])
	if n < 1 || n > 2 || b[33]|b[34]|b[35] != 0 {
		return nil, errors.New("answer: head out of bounds")
	}
	if want := answerHead + n*(numberSize+polynomialLen); len(b) != want {
		return nil, fmt.Errorf("answer: %d bytes, must be %d", len(b), want)
	}
	a := &Answer{numbers: make([]masked, n)}
	copy(a.request[:], b[36:68])
	b = b[answerHead:]
	for i := range a.numbers {
		var err error
		if a.numbers[i].value, err = parseNumber(b[:numberSize]); err != nil {
			return nil, fmt.Errorf("answer: number %d: %w", i, err)
		}
		if a.numbers[i].mask, err = parsePolynomial(b[numberSize:][:polynomialLen]); err != nil {
			return nil, fmt.Errorf("answer: number %d: mask: %w", i, err)
		}
		b = b[numberSize+polynomialLen:]
	}
	return a, nil
}

func appendNumber(b []byte, n number) []byte {
	for _, w := range n {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return b
}

func appendPolynomial(b []byte, p ring.Poly) []byte {
	for _, c := range p.Coeffs {
		for _, w := range c {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	return b
}

func parseNumber(b []byte) (number, error) {
	var n number
	for j, q := range moduli {
		if n[j] = binary.LittleEndian.Uint64(b[8*j:]); n[j] >= q {
			return number{}, fmt.Errorf("residue %d is not below its prime", j)
		}
	}
	return n, nil
}

func parsePolynomial(b []byte) (ring.Poly, error) {
	p := theRing().NewPoly()
	for j, q := range moduli {
		for i := range ringDegree {
			w := binary.LittleEndian.Uint64(b[8*(j*ringDegree+i):])
			if w >= q {
				return ring.Poly{}, fmt.Errorf("residue %d of coefficient %d is not below its prime", j, i)
			}
			p.Coeffs[j][i] = w
		}
	}
	return p, nil
}

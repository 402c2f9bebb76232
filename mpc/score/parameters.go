package score

import (
	"math"
	"math/big"
	"sync"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Parameters is the name of the one parameter set. A request and an answer carry it in their first bytes.
const Parameters = "assay-ckks-13-174"

// The package comment derives these numbers.
const (
	logDegree  = 13
	ringDegree = 1 << logDegree // N
	primes     = 3

	// momentBits is the fixed point of a moment: 1 is 2^40.
	momentBits = 40
	// floodBits is the size of the flooding noise: uniform over 2^144 integers.
	floodBits = 144
	// sumBits bounds what a correct answer holds before noise and rounding: below 2^171. Q/2 is about 2^173, so it never wraps.
	sumBits = 171
	// errorBound is the largest coefficient of an error polynomial.
	errorBound = 21
)

// moduli are the three largest primes below 2^58 that are 1 modulo 2N. Their product Q is the modulus of requests and answers.
var moduli = [primes]uint64{0x3fffffffff34001, 0x3fffffffff0c001, 0x3ffffffffef8001}

// theRing is Z_Q[X]/(X^N+1). Its tables are built once and only read.
var theRing = sync.OnceValue(func() *ring.Ring {
	r, err := ring.NewRing(ringDegree, moduli[:])
	if err != nil {
		panic("score: " + err.Error()) // the moduli are constants
	}
	return r
})

func modulus() *big.Int { return new(big.Int).Set(theRing().ModulusAtLevel[primes-1]) }

// BitsPerAnswer bounds what an answer to a request of this shape can tell about the moments, whatever the request holds:
// for each number, log2 of the modulus over the flooding noise's range, which is just below 30. With the spread an answer
// has two numbers.
func BitsPerAnswer(s Shape) float64 {
	q, _ := new(big.Float).SetInt(modulus()).Float64()
	return float64(s.numbers()) * (math.Log2(q) - floodBits)
}

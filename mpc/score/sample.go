package score

import (
	"crypto/rand"
	"crypto/sha3"
	"encoding/binary"
	"math/big"
	"math/bits"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// Secrets and errors are sampled here and not by lattigo's samplers, and from crypto/rand alone. In lattigo v5.0.7
// ring.TernarySampler with P = 2/3, the default of its keys, reads the bit that was a coefficient's sign again as the first
// bit of the next coefficient, unless that bit is the first of a byte. Each coefficient is uniform in {-1, 0, 1}, but
// neighbours are not independent: after a -1 comes a 0 in 4.5 cases of 100, after a 1 in 62. And ring.GaussianSampler with
// a sigma above 2^53 takes a value from about 2^32, by 32 random bits (and more in one draw of a hundred), and adds a
// uniform part of 2^-53 of it only. Most of what lies between is never drawn, so it floods what is far below sigma/2^53 and
// nothing else, however wide sigma is.

// ternary returns n independent values, uniform in {-1, 0, 1}.
func ternary(n int) []int8 {
	values := make([]int8, 0, n+5)
	buffer := make([]byte, 2048)
	defer clear(buffer)
	for {
		rand.Read(buffer)
		for _, b := range buffer {
			if b >= 243 { // 3^5: below, the five digits are independent
				continue
			}
			for range 5 {
				values, b = append(values, int8(b%3)-1), b/3
			}
			if len(values) >= n {
				return values[:n]
			}
		}
	}
}

// small returns n errors from the centred binomial distribution over 2·21 bits: standard deviation 3.24, at most 21
// (as in Microsoft SEAL; Alkim, Ducas, Pöppelmann, Schwabe 2016 on why it serves for the Gaussian).
func small(n int) []int8 {
	buffer := make([]byte, 6*n)
	defer clear(buffer)
	rand.Read(buffer)
	values := make([]int8, n)
	for i := range values {
		b := buffer[6*i:]
		x := binary.LittleEndian.Uint16(b[4:])
		w := uint64(binary.LittleEndian.Uint32(b)) | uint64(x)<<32
		const mask = 1<<errorBound - 1
		values[i] = int8(bits.OnesCount64(w&mask) - bits.OnesCount64(w>>errorBound&mask))
	}
	return values
}

// flood returns a value uniform in [-2^143, 2^143).
func flood() *big.Int {
	var b [floodBits / 8]byte
	rand.Read(b[:])
	f := new(big.Int).SetBytes(b[:])
	clear(b[:])
	return f.Sub(f, new(big.Int).Lsh(big.NewInt(1), floodBits-1))
}

// lift writes small values as a polynomial in the number-theoretic transform.
func lift(values []int8) ring.Poly {
	r := theRing()
	p := r.NewPoly()
	for j, q := range moduli {
		for i, v := range values {
			p.Coeffs[j][i] = residue(int64(v), q)
		}
	}
	r.NTT(p, p)
	return p
}

// residue is free of branches on v, which is secret. |v| must be below q.
func residue(v int64, q uint64) uint64 { return uint64(v) + q&uint64(v>>63) }

// factor is lift in the form that lattigo's Montgomery products take as one operand.
func factor(values []int8) ring.Poly {
	p := lift(values)
	theRing().MForm(p, p)
	return p
}

// expand returns the index-th public polynomial that a request's head stands for, uniform modulo Q and already in the
// transform. Nobody can choose it but by choosing heads, so it has no trapdoor and is not zero.
func expand(head []byte, index byte) ring.Poly {
	h := sha3.NewCSHAKE256(nil, []byte("assay-score expand"))
	h.Write(head)
	h.Write([]byte{index})
	p := theRing().NewPoly()
	buffer := make([]byte, 8192)
	at := len(buffer)
	for j, q := range moduli {
		for i := 0; i < ringDegree; {
			if at == len(buffer) {
				h.Read(buffer)
				at = 0
			}
			w := binary.LittleEndian.Uint64(buffer[at:]) >> 6
			at += 8
			if w < q {
				p.Coeffs[j][i] = w
				i++
			}
		}
	}
	return p
}

func wipe(polynomials ...ring.Poly) {
	for _, p := range polynomials {
		for _, c := range p.Coeffs {
			clear(c)
		}
	}
}

// number is an integer modulo Q by its residues.
type number [primes]uint64

func toNumber(v *big.Int) number {
	var n number
	var q, rest big.Int
	for j, p := range moduli {
		n[j] = rest.Mod(v, q.SetUint64(p)).Uint64()
	}
	return n
}

func (n number) plus(o number) number {
	for j, q := range moduli {
		n[j] = ring.CRed(n[j]+o[j], q)
	}
	return n
}

// constant is a polynomial's coefficient of X^0, out of the transform.
func constant(p ring.Poly) number {
	var n number
	for j := range moduli {
		n[j] = p.Coeffs[j][0]
	}
	return n
}

// centred is the integer nearest to 0 that n stands for.
func (n number) centred() *big.Int {
	q := modulus()
	sum := new(big.Int)
	for j, p := range moduli {
		m := new(big.Int).SetUint64(p)
		rest := new(big.Int).Quo(q, m)
		term := new(big.Int).ModInverse(rest, m)
		term.Mul(term, new(big.Int).SetUint64(n[j])).Mod(term, m)
		sum.Add(sum, term.Mul(term, rest))
	}
	sum.Mod(sum, q)
	if sum.Cmp(new(big.Int).Rsh(q, 1)) > 0 {
		sum.Sub(sum, q)
	}
	return sum
}

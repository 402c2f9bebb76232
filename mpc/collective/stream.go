package collective

import (
	"bufio"
	"crypto/sha3"
	"encoding/binary"
	"io"
	"math/bits"
)

// Everything random in this package, apart from 32-byte seeds, is read from cSHAKE256 streams by integer arithmetic only: so a seed gives the same
// bytes on every machine, which disputes and resent messages rest on. Lattigo's samplers are not used for it: rlwe.Encryptor.WithPRNG leaves the
// samplers of u and e on their own randomness, and its Gaussian goes through floating point.

// stream absorbs the parameters, a label and fields, each with its length before it, and gives the stream that follows from them.
func (p *Params) stream(label string, fields ...[]byte) *bufio.Reader {
	h := sha3.NewCSHAKE256(nil, []byte("assay mpc collective 1"))
	absorb := func(field []byte) {
		var length [8]byte
		binary.LittleEndian.PutUint64(length[:], uint64(len(field)))
		_, _ = h.Write(length[:]) // a sponge takes all
		_, _ = h.Write(field)
	}
	absorb([]byte(p.id))
	absorb([]byte(label))
	for _, field := range fields {
		absorb(field)
	}
	return bufio.NewReaderSize(h, 4096)
}

// digest is a stream's first 32 bytes.
func (p *Params) digest(label string, fields ...[]byte) (sum [32]byte) {
	fill(p.stream(label, fields...), sum[:])
	return sum
}

func fill(r io.Reader, b []byte) {
	if _, err := io.ReadFull(r, b); err != nil {
		panic(err) // a sponge never ends
	}
}

// ternary draws from {-1, 0, 1}, uniformly.
func ternary(r io.Reader, n int) []int32 {
	out := make([]int32, n)
	var b [1]byte
	for i := range out {
		for fill(r, b[:]); b[0] == 255; fill(r, b[:]) { // 255 = 3*85: the rest is even
		}
		out[i] = int32(b[0]%3) - 1
	}
	return out
}

// binomial draws from the centred binomial distribution of 2*21 bits: standard deviation 3.24 (the usual 3.2 or a little more), never beyond
// errorBound.
func binomial(r io.Reader, n int) []int32 {
	out := make([]int32, n)
	const mask = 1<<errorBound - 1
	var b [8]byte
	for i := range out {
		fill(r, b[:6])
		x := binary.LittleEndian.Uint64(b[:])
		out[i] = int32(bits.OnesCount64(x&mask) - bits.OnesCount64(x>>errorBound&mask))
	}
	return out
}

// box draws from [-maskBound, maskBound], uniformly.
func box(r io.Reader, n int) []int32 {
	out := make([]int32, n)
	var b [4]byte
	for i := range out {
		for {
			fill(r, b[:])
			if v := binary.LittleEndian.Uint32(b[:]); v != 1<<31 {
				out[i] = int32(v)
				break
			}
		}
	}
	return out
}

// uniform draws from [0, q).
func uniform(r io.Reader, q uint64, out []uint64) {
	mask := uint64(1)<<bits.Len64(q-1) - 1
	var b [8]byte
	for i := range out {
		for {
			fill(r, b[:])
			if v := binary.LittleEndian.Uint64(b[:]) & mask; v < q {
				out[i] = v
				break
			}
		}
	}
}

// flood adds noise to every coefficient of x: an integer uniform in [-2^143, 2^143), exactly: all its 144 bits are the stream's.
func (p *Params) flood(r io.Reader, x words) {
	var b [floodBits / 8]byte
	for j := range x[0] {
		fill(r, b[:])
		low, middle, high := binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:16]), uint64(binary.LittleEndian.Uint16(b[16:]))
		for i, q := range p.q {
			v := bits.Rem64(bits.Rem64(high, middle, q), low, q)
			x[i][j] = add(x[i][j], add(v, p.floor[i], q), q)
		}
	}
}

package ceremony

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// The library's readers allocate whatever length they read, take uncompressed points where compressed ones are written, read a challenge that is cut short
// without a word, and do not mind points at infinity. So every body is held against its layout first, byte by byte, with the memory of a buffer: all
// lengths in it are known beforehand from the plan and the circuit.

// layout is the exact form of a body.
type layout []segment

// segment is a run of bytes: fixed ones, points, an update proof, or a challenge.
type segment struct {
	name  string
	kind  kind
	fixed []byte
	count int
	// vanishing points may be at infinity: those of wires that occur in no constraint.
	vanishing bool
}

type kind int

const (
	fixed kind = iota
	g1
	g2
	proof     // a commitment in G1 to what was contributed, and a point of G2 that proves knowledge of it
	challenge // 32 bytes
)

const (
	g1Bytes        = bn254.SizeOfG1AffineCompressed
	g2Bytes        = bn254.SizeOfG2AffineCompressed
	proofBytes     = g1Bytes + g2Bytes
	challengeBytes = sha256.Size
)

func (s *segment) bytes() int64 {
	switch s.kind {
	case fixed:
		return int64(len(s.fixed))
	case g1:
		return int64(s.count) * g1Bytes
	case g2:
		return int64(s.count) * g2Bytes
	case proof:
		return proofBytes
	default:
		return challengeBytes
	}
}

// bytes is the length of every body of this layout.
func (l layout) bytes() (n int64) {
	for i := range l {
		n += l[i].bytes()
	}
	return n
}

// scanned is what a pass over a body finds.
type scanned struct {
	digest    commit.Digest
	proofs    [][proofBytes]byte
	challenge [challengeBytes]byte
}

// scan reads a body that must have this layout to its last byte. It allocates nothing that depends on what it reads.
func (l layout) scan(r io.Reader) (*scanned, error) {
	h := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(r, h), 1<<16)
	out := new(scanned)
	for i := range l {
		if err := l[i].scan(in, out); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, transcript.Truncated.Errorf("ends in %s; a body has %d bytes", l[i].name, l.bytes())
			}
			return nil, err
		}
	}
	switch _, err := in.ReadByte(); {
	case err == nil:
		return nil, transcript.Length.Errorf("goes on after its %d bytes", l.bytes())
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	out.digest = commit.Digest(h.Sum(nil))
	return out, nil
}

func (s *segment) scan(in *bufio.Reader, out *scanned) error {
	var b [proofBytes]byte
	switch s.kind {
	case fixed:
		if _, err := io.ReadFull(in, b[:len(s.fixed)]); err != nil {
			return err
		}
		if !bytes.Equal(b[:len(s.fixed)], s.fixed) {
			return transcript.Length.Errorf("%s is %x, must be %x", s.name, b[:len(s.fixed)], s.fixed)
		}
		return nil
	case proof:
		return s.scanProof(in, out)
	case challenge:
		_, err := io.ReadFull(in, out.challenge[:])
		return err
	}
	width := g1Bytes
	if s.kind == g2 {
		width = g2Bytes
	}
	for i := range s.count {
		if _, err := io.ReadFull(in, b[:width]); err != nil {
			return err
		}
		if err := checkFlags(b[0], s.vanishing); err != nil {
			return inPoint(err, "%s[%d]", s.name, i)
		}
	}
	return nil
}

func (s *segment) scanProof(in *bufio.Reader, out *scanned) error {
	var p [proofBytes]byte
	if _, err := io.ReadFull(in, p[:]); err != nil {
		return err
	}
	for _, first := range []byte{p[0], p[g1Bytes]} {
		if err := checkFlags(first, false); err != nil {
			return inPoint(err, "%s", s.name)
		}
	}
	if bytes.Equal(p[:g1Bytes], generator[:]) {
		return transcript.Idle.Errorf("%s is of the contribution 1, which changes nothing", s.name)
	}
	out.proofs = append(out.proofs, p)
	return nil
}

// generator is what a contribution of 1 is committed to by.
var generator = func() [g1Bytes]byte {
	_, _, g, _ := bn254.Generators()
	return g.Bytes()
}()

// What the first two bits of a point say.
const (
	flagMask       = 0b11 << 6
	flagRaw        = 0b00 << 6
	flagAtInfinity = 0b01 << 6
)

func checkFlags(first byte, vanishing bool) error {
	switch first & flagMask {
	case flagRaw:
		return transcript.Encoding.Errorf("is not compressed")
	case flagAtInfinity:
		if !vanishing {
			return transcript.Infinity.Errorf("is the point at infinity")
		}
	}
	return nil
}

// inPoint names the part of a body that a refusal is about.
func inPoint(err error, format string, args ...any) error {
	var r *transcript.Refusal
	if !errors.As(err, &r) {
		return err
	}
	return r.Fault.Errorf("%s %w", fmt.Sprintf(format, args...), r.Err)
}

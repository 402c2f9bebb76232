package commit

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// An SRS file is a 16-byte magic, the number of G1 powers as a big-endian uint32, those points and then two G2 points,
// all uncompressed. Its digest is SHA-256 over the domain tag, preceded by its length, and the file.
const (
	srsMagic    = "assay srs bn254\n"
	g1FileBytes = bn254.SizeOfG1AffineUncompressed
	g2FileBytes = bn254.SizeOfG2AffineUncompressed
)

// WriteTo writes the SRS file.
func (s *SRS) WriteTo(w io.Writer) (int64, error) {
	counted := &countingWriter{w: w}
	buffered := bufio.NewWriterSize(counted, 1<<16)
	put := func(b []byte) { buffered.Write(b) } //nolint:errcheck // bufio keeps the first error for Flush
	put([]byte(srsMagic))
	put(binary.BigEndian.AppendUint32(nil, uint32(len(s.g1))))
	for i := range s.g1 {
		b := s.g1[i].RawBytes()
		put(b[:])
	}
	for i := range s.g2 {
		b := s.g2[i].RawBytes()
		put(b[:])
	}
	if err := buffered.Flush(); err != nil {
		return counted.n, fmt.Errorf("writing srs: %w", err)
	}
	return counted.n, nil
}

func (s *SRS) computeDigest() Digest {
	h := sha256.New()
	h.Write(srsDigestPrefix())
	s.WriteTo(h) //nolint:errcheck // writing to a hash does not fail
	return Digest(h.Sum(nil))
}

// SRSFileDigest is the digest of an SRS file, for whoever has the file and no digest to hold it against.
func SRSFileDigest(file []byte) Digest { return sha256.Sum256(append(srsDigestPrefix(), file...)) }

func srsDigestPrefix() []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(tagSRS))), tagSRS...)
}

// ReadSRS reads an SRS file and checks it as NewSRS does, and that its digest is want: the digest pinned on the ledger.
// The number of powers is bounded before anything is allocated for them, and bytes after the last point are refused.
func ReadSRS(r io.Reader, want Digest) (*SRS, error) {
	h := sha256.New()
	h.Write(srsDigestPrefix())
	in := io.TeeReader(bufio.NewReaderSize(r, 1<<16), h)
	count, err := readSRSHeader(in)
	if err != nil {
		return nil, fmt.Errorf("reading srs: %w", err)
	}
	g1, g2, err := readSRSPoints(in, count)
	if err != nil {
		return nil, fmt.Errorf("reading srs: %w", err)
	}
	if n, err := io.ReadFull(in, make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		return nil, errors.New("reading srs: bytes after the last point")
	}
	if got := Digest(h.Sum(nil)); got != want {
		return nil, fmt.Errorf("reading srs: digest is %s, must be %s", got, want)
	}
	return NewSRS(g1, g2)
}

func readSRSHeader(in io.Reader) (int, error) {
	var header [len(srsMagic) + 4]byte
	if _, err := io.ReadFull(in, header[:]); err != nil {
		return 0, fmt.Errorf("header: %w", err)
	}
	if string(header[:len(srsMagic)]) != srsMagic {
		return 0, errors.New("not an srs file")
	}
	count := binary.BigEndian.Uint32(header[len(srsMagic):])
	if count < minPowers || count > MaxPowers {
		return 0, fmt.Errorf("%d powers in G1, must be %d to %d", count, minPowers, MaxPowers)
	}
	return int(count), nil
}

func readSRSPoints(in io.Reader, count int) (g1 []bn254.G1Affine, g2 [2]bn254.G2Affine, err error) {
	g1 = make([]bn254.G1Affine, count)
	var buf [g2FileBytes]byte
	for i := range g1 {
		if _, err := io.ReadFull(in, buf[:g1FileBytes]); err != nil {
			return nil, g2, fmt.Errorf("G1[%d]: %w", i, err)
		}
		if n, err := g1[i].SetBytes(buf[:g1FileBytes]); err != nil {
			return nil, g2, fmt.Errorf("G1[%d]: %w", i, err)
		} else if n != g1FileBytes {
			return nil, g2, fmt.Errorf("G1[%d] is compressed", i)
		}
	}
	for i := range g2 {
		if _, err := io.ReadFull(in, buf[:]); err != nil {
			return nil, g2, fmt.Errorf("G2[%d]: %w", i, err)
		}
		if n, err := g2[i].SetBytes(buf[:]); err != nil {
			return nil, g2, fmt.Errorf("G2[%d]: %w", i, err)
		} else if n != g2FileBytes {
			return nil, g2, fmt.Errorf("G2[%d] is compressed", i)
		}
	}
	return g1, g2, nil
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

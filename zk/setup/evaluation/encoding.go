package evaluation

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"
)

// A circuit's values are, one after the other and without lengths, A, B, K and Z in G1 and B in G2, each point compressed. How many there are the circuit says.
const (
	g1Bytes = bn254.SizeOfG1AffineCompressed
	g2Bytes = bn254.SizeOfG2AffineCompressed
)

// Bytes is how long the encoding of a circuit's values is that has this domain.
func Bytes(system *cs.R1CS, places int) int64 {
	return int64(wires(system))*(3*g1Bytes+g2Bytes) + int64(places-1)*g1Bytes
}

func wires(system *cs.R1CS) int {
	internal, secret, public := system.GetNbVariables()
	return internal + secret + public
}

// WriteTo writes the values.
func (v *Values) WriteTo(w io.Writer) (n int64, err error) {
	out := bufio.NewWriterSize(w, 1<<20)
	for _, points := range [][]bn254.G1Affine{v.A, v.B, v.K, v.Z} {
		for i := range points {
			b := points[i].Bytes()
			out.Write(b[:]) //nolint:errcheck // Flush says
			n += int64(len(b))
		}
	}
	for i := range v.B2 {
		b := v.B2[i].Bytes()
		out.Write(b[:]) //nolint:errcheck // Flush says
		n += int64(len(b))
	}
	return n, out.Flush()
}

// ErrNoPoint is the error for bytes that are no point of the group.
var ErrNoPoint = errors.New("is no point of the group")

// Read reads a circuit's values, [Bytes] bytes. Every point is in its group. Whether they are the circuit's, [Values.Check] says.
func Read(ctx context.Context, r io.Reader, system *cs.R1CS, places int) (*Values, error) {
	v, n := new(Values), wires(system)
	for _, array := range []struct {
		name  string
		into  *[]bn254.G1Affine
		count int
	}{{"A", &v.A, n}, {"B", &v.B, n}, {"K", &v.K, n}, {"Z", &v.Z, places - 1}} {
		var err error
		if *array.into, err = ReadG1(ctx, r, array.count); err != nil {
			return nil, fmt.Errorf("points %s: %w", array.name, err)
		}
	}
	var err error
	if v.B2, err = ReadG2(ctx, r, n); err != nil {
		return nil, fmt.Errorf("points B in G2: %w", err)
	}
	return v, nil
}

// ReadG1 reads compressed points on all processors.
func ReadG1(ctx context.Context, r io.Reader, n int) ([]bn254.G1Affine, error) {
	out := make([]bn254.G1Affine, n)
	return out, readPoints(ctx, r, n, g1Bytes, func(i int, b []byte) error { return compressed(out[i].SetBytes(b)) })
}

// ReadG2 reads compressed points on all processors, each of which must be in the group of prime order.
func ReadG2(ctx context.Context, r io.Reader, n int) ([]bn254.G2Affine, error) {
	out := make([]bn254.G2Affine, n)
	return out, readPoints(ctx, r, n, g2Bytes, func(i int, b []byte) error { return compressed(out[i].SetBytes(b)) })
}

// compressed is the error of the library's reader, which tests that the point is in the group. An uncompressed point is longer than what it is given here.
func compressed(_ int, err error) error {
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoPoint, err)
	}
	return nil
}

// readPoints reads some at a time and takes them apart on all processors.
func readPoints(ctx context.Context, r io.Reader, n, size int, set func(int, []byte) error) error {
	const atOnce = 1 << 13
	b := make([]byte, min(n, atOnce)*size)
	for from := 0; from < n; from += atOnce {
		count := min(atOnce, n-from)
		if _, err := io.ReadFull(r, b[:count*size]); err != nil {
			return err
		}
		errs := make([]error, count)
		if err := inParallel(ctx, count, func(i int) { errs[i] = set(from+i, b[i*size:(i+1)*size]) }); err != nil {
			return err
		}
		for i, err := range errs {
			if err != nil {
				return fmt.Errorf("%d %w", from+i, err)
			}
		}
	}
	return nil
}

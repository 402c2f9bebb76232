package frame

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

// ParseReadings decodes the payload of a frame of kind KindReadings. It accepts exactly what MarshalReadings writes.
//
// It reads CBOR by itself, since a general decoder takes several times as long for arrays of integers, and this is what a
// node does most. Only arrays and integers occur, each with its shortest head.
func ParseReadings(b []byte) ([]telemetry.Reading, error) {
	if len(b) > MaxPayload {
		return nil, fmt.Errorf("readings have %d bytes, at most %d", len(b), MaxPayload)
	}
	r := rowReader{rest: b}
	if r.array() != 2 || r.err != nil {
		return nil, errors.New("readings are not an array of version and rows")
	}
	if got := r.integer(); r.err == nil && got != version {
		return nil, fmt.Errorf("readings: version %d is not %d", got, version)
	}
	count := r.array()
	if r.err != nil {
		return nil, fmt.Errorf("readings: %w", r.err)
	}
	if count == 0 || count > MaxReadings || count > len(r.rest) {
		return nil, fmt.Errorf("%d readings in %d bytes, must be 1 to %d", count, len(b), MaxReadings)
	}
	readings := make([]telemetry.Reading, count)
	var before int64
	for i := range readings {
		if err := r.reading(&readings[i], before); err != nil {
			return nil, fmt.Errorf("reading %d: %w", i, err)
		}
		before = readings[i].TimeMicros
	}
	if len(r.rest) != 0 {
		return nil, fmt.Errorf("readings: %d bytes too many", len(r.rest))
	}
	return readings, nil
}

// rowReader takes integers off rows. After an error it gives zeros.
type rowReader struct {
	rest []byte
	left int // in the row
	// entries is how many cells and probes there were in all rows.
	entries int
	err     error
}

var (
	errShort     = errors.New("ends too early")
	errCanonical = errors.New("not in its canonical encoding")
)

// The major types of CBOR that occur.
const (
	majorNegative = 1
	majorArray    = 4
)

// shortestFrom is the least argument that needs so many bytes.
var shortestFrom = [9]uint64{1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}

// head reads a major type and its argument, which must have its shortest form.
func (r *rowReader) head() (major byte, argument uint64) {
	if r.err == nil && len(r.rest) == 0 {
		r.err = errShort
	}
	if r.err != nil {
		return 0, 0
	}
	first := r.rest[0]
	major, argument, r.rest = first>>5, uint64(first&31), r.rest[1:]
	if argument < 24 {
		return major, argument
	}
	if argument > 27 { // reserved, or of indefinite length
		r.err = errCanonical
		return 0, 0
	}
	bytes := 1 << (argument - 24)
	if len(r.rest) < bytes {
		r.err = errShort
		return 0, 0
	}
	var word [8]byte
	copy(word[8-bytes:], r.rest)
	r.rest = r.rest[bytes:]
	argument = binary.BigEndian.Uint64(word[:])
	if argument < shortestFrom[bytes] {
		r.err = errCanonical
		return 0, 0
	}
	return major, argument
}

// array reads the head of an array.
func (r *rowReader) array() int {
	major, count := r.head()
	if r.err == nil && (major != majorArray || count > MaxPayload) {
		r.err = errors.New("not an array of a possible length")
	}
	if r.err != nil {
		return 0
	}
	return int(count)
}

// integer reads an integer.
func (r *rowReader) integer() int64 {
	major, v := r.head()
	if r.err == nil && (major > majorNegative || v >= 1<<63) {
		r.err = errors.New("not an integer of 64 bits")
	}
	switch {
	case r.err != nil:
		return 0
	case major == majorNegative:
		return -1 - int64(v)
	}
	return int64(v)
}

// next reads the next integer of the row.
func (r *rowReader) next() int64 {
	if r.left == 0 && r.err == nil {
		r.err = errShort
	}
	r.left--
	return r.integer()
}

func (r *rowReader) reading(out *telemetry.Reading, before int64) error {
	r.left = r.array()
	bits := r.next()
	if r.err == nil && (bits < 0 || bits > bitsKnown) {
		return fmt.Errorf("bits %#x are not known", bits)
	}
	out.TimeMicros = before + r.next()
	for i, field := range scalars {
		if bits&(1<<i) != 0 {
			*field(out) = health.Known(r.next())
		}
	}
	if bits&bitCells != 0 {
		out.CellsMicroV = r.series("cells", MaxCells)
	}
	if bits&bitProbes != 0 {
		out.ProbesMilliC = r.series("probes", MaxProbes)
	}
	if bits&bitAlarm != 0 {
		out.AlarmLevel, out.AlarmFlags = uint8(r.within("alarm level", maxAlarmLevel)), uint32(r.within("alarm flags", 1<<32-1))
		if r.err == nil && out.AlarmLevel == 0 && out.AlarmFlags == 0 {
			r.err = errCanonical
		}
	}
	if r.err == nil && r.left != 0 {
		r.err = fmt.Errorf("row has %d values too many", r.left)
	}
	if r.err == nil {
		r.err = checkReading(out)
	}
	return r.err
}

func (r *rowReader) within(what string, most int64) int64 {
	v := r.next()
	if r.err == nil && (v < 0 || v > most) {
		r.err = fmt.Errorf("%s: must be 0 to %d", what, most)
	}
	if r.err != nil {
		return 0
	}
	return v
}

// series undoes appendSeries. A series of which nothing is sent is left out, so none of length 0 is accepted.
func (r *rowReader) series(what string, most int64) []health.Measured {
	count := int(r.within(what, most))
	if r.err == nil && count == 0 {
		r.err = errCanonical
	}
	if r.entries += count; r.err == nil && r.entries > MaxSeries {
		r.err = errSeries
	}
	if words := (count + 31) / 32; r.err == nil && words > r.left {
		r.err = errShort
	}
	if r.err != nil {
		return nil
	}
	out := make([]health.Measured, count)
	for at := 0; at < count; at += 32 {
		here := min(32, count-at)
		known := r.within(what, 1<<here-1)
		for i := range here {
			out[at+i].Known = known&(1<<i) != 0
		}
	}
	var before int64
	for i := range out {
		if out[i].Known {
			before += r.next()
			out[i].Value = before
		}
	}
	return out
}

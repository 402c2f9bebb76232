package frame

import (
	"errors"
	"fmt"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

const (
	// MaxReadings bounds the readings or meterings of one frame, MaxCells and MaxProbes the single values of a reading.
	MaxReadings = 1024
	MaxCells    = 1024
	MaxProbes   = 256
	// MaxSeries bounds the cells and probes of all readings of a frame together. One that is not known takes a bit to send and 16 bytes
	// to hold: without this bound a frame of 50 KB would take 20 MB.
	MaxSeries = 16 << 10
	// MaxValue bounds every value and every time, either way: 2⁵³, so that no sum of two overflows.
	MaxValue = 1 << 53
	// maxAlarmLevel is that of GB/T 32960.3 in the edition of 2025.
	maxAlarmLevel = 4
)

// wireReadings holds one row of integers for each reading: which values it has, its time after that of the reading
// before, then the values in the order of the bits.
type wireReadings struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Rows    [][]int64
}

// The bits of a row: those of single values in the order of scalars, then these.
const (
	bitCells = 1 << (len(scalars) + iota)
	bitProbes
	bitAlarm
	bitsKnown = bitAlarm<<1 - 1
)

// scalars are the values of a reading that there is one of.
var scalars = [...]func(*telemetry.Reading) *health.Measured{
	func(r *telemetry.Reading) *health.Measured { return &r.VoltageMicroV },
	func(r *telemetry.Reading) *health.Measured { return &r.CurrentMicroA },
	func(r *telemetry.Reading) *health.Measured { return &r.StateOfCharge },
	func(r *telemetry.Reading) *health.Measured { return &r.HottestMilliC },
	func(r *telemetry.Reading) *health.Measured { return &r.ColdestMilliC },
	func(r *telemetry.Reading) *health.Measured { return &r.LowestCellMicroV },
	func(r *telemetry.Reading) *health.Measured { return &r.HighestCellMicroV },
	func(r *telemetry.Reading) *health.Measured { return &r.OdometerMetres },
}

// MarshalReadings encodes 1 to MaxReadings readings as the payload of a frame of kind KindReadings. A value that is not
// Known is left out, whatever it holds.
func MarshalReadings(readings []telemetry.Reading) ([]byte, error) {
	if len(readings) == 0 || len(readings) > MaxReadings {
		return nil, fmt.Errorf("%d readings, must be 1 to %d", len(readings), MaxReadings)
	}
	w := wireReadings{Version: version, Rows: make([][]int64, len(readings))}
	var before int64
	row := make([]int64, 0, 16*len(readings))
	series := 0
	for i := range readings {
		r := &readings[i]
		if series += len(r.CellsMicroV) + len(r.ProbesMilliC); series > MaxSeries {
			return nil, errSeries
		}
		start := len(row)
		var err error
		if row, err = appendRow(row, r, before); err != nil {
			return nil, fmt.Errorf("reading %d: %w", i, err)
		}
		w.Rows[i] = row[start:len(row):len(row)]
		before = r.TimeMicros
	}
	out := encode(w)
	if len(out) > MaxPayload {
		return nil, fmt.Errorf("readings take %d bytes, at most %d", len(out), MaxPayload)
	}
	return out, nil
}

var errSeries = fmt.Errorf("more than %d cells and probes in all readings of a frame", MaxSeries)

func appendRow(row []int64, r *telemetry.Reading, before int64) ([]int64, error) {
	if err := checkReading(r); err != nil {
		return nil, err
	}
	at := len(row)
	row = append(row, 0, r.TimeMicros-before)
	bits := int64(0)
	for i, field := range scalars {
		if m := field(r); m.Known {
			bits |= 1 << i
			row = append(row, m.Value)
		}
	}
	if len(r.CellsMicroV) > 0 {
		bits |= bitCells
		row = appendSeries(row, r.CellsMicroV)
	}
	if len(r.ProbesMilliC) > 0 {
		bits |= bitProbes
		row = appendSeries(row, r.ProbesMilliC)
	}
	if r.AlarmLevel != 0 || r.AlarmFlags != 0 {
		bits |= bitAlarm
		row = append(row, int64(r.AlarmLevel), int64(r.AlarmFlags))
	}
	row[at] = bits
	return row, nil
}

// appendSeries writes how many values there are, which of them are known in words of 32, and each known one less the
// known one before.
func appendSeries(row []int64, series []health.Measured) []int64 {
	row = append(row, int64(len(series)))
	words := len(row)
	row = append(row, make([]int64, (len(series)+31)/32)...)
	var before int64
	for i, m := range series {
		if m.Known {
			row[words+i/32] |= 1 << (i % 32)
			row = append(row, m.Value-before)
			before = m.Value
		}
	}
	return row
}

// checkReading bounds everything. No error shows a value.
func checkReading(r *telemetry.Reading) error {
	if !bounded(r.TimeMicros) {
		return errors.New("time is beyond 2⁵³ µs")
	}
	for i, field := range scalars {
		if m := field(r); m.Known && !bounded(m.Value) {
			return fmt.Errorf("value %d is beyond 2⁵³", i)
		}
	}
	if len(r.CellsMicroV) > MaxCells || len(r.ProbesMilliC) > MaxProbes {
		return fmt.Errorf("%d cells and %d probes, at most %d and %d", len(r.CellsMicroV), len(r.ProbesMilliC), MaxCells, MaxProbes)
	}
	for _, series := range [][]health.Measured{r.CellsMicroV, r.ProbesMilliC} {
		for i, m := range series {
			if m.Known && !bounded(m.Value) {
				return fmt.Errorf("cell or probe %d is beyond 2⁵³", i)
			}
		}
	}
	if r.AlarmLevel > maxAlarmLevel {
		return fmt.Errorf("alarm level is above %d", maxAlarmLevel)
	}
	return nil
}

func bounded(v int64) bool { return v >= -MaxValue && v <= MaxValue }

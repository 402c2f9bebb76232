package gbt32960

import (
	"fmt"

	"github.com/assay-net/assay/datahub/health"
)

// Validity is what a raw value says about itself.
type Validity uint8

// The validities. A value Outside is a number beyond the range that the standard gives the field.
const (
	Valid Validity = iota
	Abnormal
	Invalid
	Outside
)

func (v Validity) String() string {
	return [...]string{"valid", "abnormal", "invalid", "outside its range"}[v&3]
}

// Value is a physical value. Amount is 0 unless it is Valid.
type Value struct {
	Amount   int64
	Validity Validity
}

// Measured is the value in the shared model: Known if it is Valid.
func (v Value) Measured() health.Measured {
	if v.Validity != Valid {
		return health.Measured{}
	}
	return health.Known(v.Amount)
}

// quantity is how a field becomes a physical value: amount = raw × scale + offset.
type quantity struct {
	width         int  // bytes
	bare          bool // the codes for abnormal and invalid do not exist
	low, high     uint32
	scale, offset int64
}

func (q quantity) of(raw uint32) Value {
	top := uint32(1<<(8*q.width) - 1)
	switch {
	case !q.bare && raw == top:
		return Value{Validity: Invalid}
	case !q.bare && raw == top-1:
		return Value{Validity: Abnormal}
	case raw < q.low || raw > q.high:
		return Value{Validity: Outside}
	}
	return Value{Amount: int64(raw)*q.scale + q.offset}
}

// raw is the nearest raw value of a measured amount, and all ones for one that is not known.
func (q quantity) raw(what string, m health.Measured) (uint32, error) {
	if !m.Known {
		return uint32(1<<(8*q.width) - 1), nil
	}
	low, high := int64(q.low)*q.scale+q.offset, int64(q.high)*q.scale+q.offset
	if m.Value < low || m.Value > high {
		return 0, fmt.Errorf("%s: must lie between %d and %d", what, low, high)
	}
	return uint32((m.Value - q.offset + q.scale/2) / q.scale), nil
}

// The quantities that blocks share.
var (
	temperature   = quantity{width: 1, high: 250, scale: 1000, offset: -40_000} // m°C
	percent       = quantity{width: 1, high: 100, scale: 1}
	stateOfCharge = quantity{width: 1, high: 100, scale: 100}        // 0.01 %
	cellVoltage   = quantity{width: 2, high: 60_000, scale: 1000}    // µV
	packVoltage   = quantity{width: 2, high: 10_000, scale: 100_000} // µV
	highVoltage   = quantity{width: 2, high: 60_000, scale: 100_000} // µV
	current2016   = quantity{width: 2, high: 20_000, scale: 100_000, offset: -1_000_000_000}
	current2025   = quantity{width: 2, high: 60_000, scale: 100_000, offset: -3_000_000_000} // µA
)

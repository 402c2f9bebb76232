package health

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// MaxState bounds a snapshot, in bytes. Those of batteries whose voltage window was stated stay far below 1 KiB.
const MaxState = 8 << 10

// ErrOtherFigures says that a snapshot was taken with other figures of the battery or the pile, so that going on from it would mix the two.
var ErrOtherFigures = errors.New("the snapshot was taken with other figures of the device")

// state writes a snapshot or reads one: the same walk over the fields does either, so that the two cannot differ. A snapshot is one
// byte for what it is of, one for its version, eight that stand for the device's figures, and then the fields as varints of the least length
// in a fixed order, so that each state has one encoding.
type state struct {
	bytes   []byte
	reading bool
	err     error
}

// The kinds of snapshots, and the version of all of them.
const (
	stateOfBattery        = 'b'
	stateOfTrackedBattery = 'B'
	stateOfCharger        = 'c'
	stateOfTrackedCharger = 'C'
	stateVersion          = 1
	stateHeader           = 10
)

// figuresMark stands for the figures of a device.
func figuresMark(figures ...int64) [8]byte {
	var b []byte
	for _, v := range figures {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	sum := sha256.Sum256(b)
	return [8]byte(sum[:8])
}

// appendState appends a snapshot to b.
func appendState(b []byte, kind byte, mark [8]byte, walk func(*state)) ([]byte, error) {
	s := state{bytes: append(append(b, kind, stateVersion), mark[:]...)}
	walk(&s)
	if s.err != nil {
		return nil, fmt.Errorf("taking a snapshot: %w", s.err)
	}
	if n := len(s.bytes) - len(b); n > MaxState {
		return nil, fmt.Errorf("taking a snapshot: it has %d bytes, at most %d", n, MaxState)
	}
	return s.bytes, nil
}

// readState reads a snapshot. It accepts no byte sequence but one that appendState wrote for the state read.
func readState(b []byte, kind byte, mark [8]byte, walk func(*state)) error {
	switch {
	case len(b) < stateHeader || len(b) > MaxState:
		return fmt.Errorf("snapshot of %d bytes: must be %d to %d", len(b), stateHeader, MaxState)
	case b[0] != kind:
		return fmt.Errorf("snapshot of kind %q: must be %q", b[0], kind)
	case b[1] != stateVersion:
		return fmt.Errorf("snapshot of version %d: must be %d", b[1], stateVersion)
	case [8]byte(b[2:stateHeader]) != mark:
		return ErrOtherFigures
	}
	s := state{bytes: b[stateHeader:], reading: true}
	walk(&s)
	if s.err == nil && len(s.bytes) > 0 {
		s.err = fmt.Errorf("%d bytes beyond its end", len(s.bytes))
	}
	if s.err != nil {
		return fmt.Errorf("snapshot: %w", s.err)
	}
	return nil
}

// fail notes the first thing wrong. From then on nothing more is read.
func (s *state) fail(format string, values ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, values...)
	}
	s.bytes = nil
}

// check fails unless it holds. A state that does not hold to it is neither written nor read.
func (s *state) check(holds bool, what string) {
	if !holds {
		s.fail("%s", what)
	}
}

// unsigned is a value from 0 to most.
func (s *state) unsigned(v *uint64, most uint64) {
	if s.reading {
		*v = s.varint()
	}
	if *v > most {
		s.fail("value %d is above %d", *v, most)
	}
	if !s.reading {
		s.bytes = binary.AppendUvarint(s.bytes, *v)
	}
}

// varint takes an unsigned varint of the least length.
func (s *state) varint() uint64 {
	v, n := binary.Uvarint(s.bytes)
	if n <= 0 || n > 1 && s.bytes[n-1] == 0 {
		s.fail("no varint of the least length")
		return 0
	}
	s.bytes = s.bytes[n:]
	return v
}

// signed is a value from low to high, zigzag.
func (s *state) signed(v *int64, low, high int64) {
	u := uint64(*v)<<1 ^ uint64(*v>>63)
	s.unsigned(&u, math.MaxUint64)
	if s.reading {
		*v = int64(u>>1) ^ -int64(u&1)
	}
	if *v < low || *v > high {
		s.fail("value %d is outside %d to %d", *v, low, high)
	}
}

func (s *state) count(v *int, most int) {
	u := uint64(*v)
	s.unsigned(&u, uint64(most))
	*v = int(u)
}

func (s *state) line(v *int) {
	n := int64(*v)
	s.signed(&n, math.MinInt, math.MaxInt)
	*v = int(n)
}

func (s *state) small(v *uint32) {
	u := uint64(*v)
	s.unsigned(&u, math.MaxUint32)
	*v = uint32(u)
}

func (s *state) flag(v *bool) {
	u := uint64(0)
	if *v {
		u = 1
	}
	s.unsigned(&u, 1)
	*v = u == 1
}

func (s *state) measured(v *Measured, low, high int64) {
	s.flag(&v.Known)
	if v.Known {
		s.signed(&v.Value, low, high)
	}
}

func (s *state) charge(v *charge) {
	s.unsigned(&v.high, math.MaxUint64)
	s.unsigned(&v.low, math.MaxUint64)
}

// growSlice makes a slice ready to be read into, if that is what is done.
func growSlice[E any](s *state, v *[]E, most int) {
	n := len(*v)
	s.count(&n, most)
	if s.reading && s.err == nil && n > 0 {
		*v = make([]E, n)
	}
}

package embedded

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// stateView reads the state bucket: key → version in 12 bytes, value.
type stateView struct{ bucket *bbolt.Bucket }

const versionBytes = 12

func parseVersion(b []byte) (version, error) {
	if len(b) != versionBytes {
		return version{}, fmt.Errorf("position has %d bytes, must have %d", len(b), versionBytes)
	}
	return version{Height: binary.BigEndian.Uint64(b), Index: binary.BigEndian.Uint32(b[8:])}, nil
}

func splitState(key string, stored []byte) (version, []byte, error) {
	if len(stored) <= versionBytes {
		return version{}, nil, fmt.Errorf("state %s: has %d bytes", key, len(stored))
	}
	v, err := parseVersion(stored[:versionBytes])
	return v, stored[versionBytes:], err
}

// get returns version zero for a key without value. The value is valid during the bbolt transaction only.
func (s stateView) get(key string) (version, []byte, error) {
	stored := s.bucket.Get([]byte(key))
	if stored == nil {
		return version{}, nil, nil
	}
	return splitState(key, stored)
}

// walk runs over the keys with a prefix from a key on.
func (s stateView) walk(prefix, start string, fn func(key string, v version, value []byte) error) error {
	c := s.bucket.Cursor()
	for k, stored := c.Seek([]byte(start)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, stored = c.Next() {
		key := string(k)
		v, value, err := splitState(key, stored)
		if err == nil {
			err = fn(key, v, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scan walks the keys with a prefix and returns the digest over keys and versions.
func (s stateView) scan(prefix string, fn func(key string, value []byte) error) ([32]byte, error) {
	h := sha256.New()
	err := s.walk(prefix, prefix, func(key string, v version, value []byte) error {
		h.Write(ledger.Tagged("", []byte(key), v.Bytes()))
		return fn(key, value)
	})
	return [32]byte(h.Sum(nil)), err
}

func (s stateView) put(key string, v version, value []byte) error {
	return s.bucket.Put([]byte(key), append(v.Bytes(), value...))
}

// simulation is the contract's view while it runs: the state of the last block. It records what is read and gathers what is written, which it does not show.
type simulation struct {
	state  stateView
	reads  map[string]version
	ranges map[string][32]byte
	writes map[string][]byte
	event  event
	err    error
}

func simulate(state stateView) *simulation {
	return &simulation{state: state, reads: map[string]version{}, ranges: map[string][32]byte{}, writes: map[string][]byte{}}
}

// Get reads the state as of the last block, also after Put.
func (s *simulation) Get(key string) ([]byte, error) {
	v, value, err := s.state.get(key)
	if err != nil {
		return nil, err
	}
	s.reads[key] = v
	return bytes.Clone(value), nil
}

// Put takes what Fabric takes: a key of printable ASCII and a value that is not empty.
func (s *simulation) Put(key string, value []byte) error {
	if err := sealed.CheckKey(key); err != nil {
		return err
	}
	if len(value) == 0 {
		return fmt.Errorf("state %s: empty value", key)
	}
	s.writes[key] = bytes.Clone(value)
	return nil
}

// Range reads the state as of the last block.
func (s *simulation) Range(prefix string, fn func(key string, value []byte) error) error {
	if err := sealed.CheckKey(prefix); err != nil {
		return err
	}
	found, err := s.state.scan(prefix, func(key string, value []byte) error { return fn(key, bytes.Clone(value)) })
	if err != nil {
		return err
	}
	s.ranges[prefix] = found
	return nil
}

// Event takes one event in a transaction, as Fabric does.
func (s *simulation) Event(name string, payload []byte) {
	if s.event.Name != "" || name == "" || len(payload) > ledger.MaxEventPayload {
		s.err = errors.New("contract put an event without a name, a second one, or one that is too long")
	}
	s.event = event{Name: name, Payload: bytes.Clone(payload)}
}

// outcome is everything in its canonical order.
func (s *simulation) outcome(result []byte) (*outcome, error) {
	if s.err != nil {
		return nil, s.err
	}
	out := &outcome{Result: result, Event: s.event}
	for _, key := range slices.Sorted(maps.Keys(s.reads)) {
		out.Reads = append(out.Reads, read{Key: key, Version: s.reads[key]})
	}
	for _, prefix := range slices.Sorted(maps.Keys(s.ranges)) {
		out.Ranges = append(out.Ranges, rangeRead{Prefix: prefix, Found: s.ranges[prefix]})
	}
	for _, key := range slices.Sorted(maps.Keys(s.writes)) {
		out.Writes = append(out.Writes, write{Key: key, Value: s.writes[key]})
	}
	return out, nil
}

// reader is a contract.State for queries: it reads and records nothing.
type reader struct{ stateView }

func (r reader) Get(key string) ([]byte, error) {
	_, value, err := r.get(key)
	return bytes.Clone(value), err
}

func (r reader) Range(prefix string, fn func(string, []byte) error) error {
	return r.RangeAfter(prefix, "", fn)
}

// RangeAfter reads from the middle on, and stops where fn does.
func (r reader) RangeAfter(prefix, after string, fn func(string, []byte) error) error {
	start := prefix
	if after >= prefix {
		start = after + "\x00"
	}
	return r.walk(prefix, start, func(key string, _ version, value []byte) error { return fn(key, bytes.Clone(value)) })
}

func (reader) Put(key string, _ []byte) error {
	return fmt.Errorf("state %s: written by a reader", key)
}

func (reader) Event(string, []byte) {}

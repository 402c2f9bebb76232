package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxJSON is the largest number of bytes that UnmarshalRecord looks at.
const MaxJSON = 4096

// MarshalRecord writes a record as one JSON object, lane names in order and values as exact decimal numbers in the
// lanes' units, such as {"state_of_health":93.42,…}. An absent slot is null; any other record must pass Check.
func (s *Schema) MarshalRecord(r Record) ([]byte, error) {
	if r.Absent() {
		return []byte("null"), nil
	}
	if err := s.Check(r); err != nil {
		return nil, err
	}
	out := []byte{'{'}
	for i := 1; i < Lanes; i++ {
		if i > 1 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, s.Lanes[i].Name...) // names are plain ASCII, which a test holds
		out = append(out, '"', ':')
		out = append(out, s.Lanes[i].Format(r[i])...)
	}
	return append(out, '}'), nil
}

// UnmarshalRecord reads what MarshalRecord writes, with lanes in any order. Every lane must be there once and nothing
// else may be; numbers are read exactly, by Lane.Parse. The result is absent or passes Check.
func (s *Schema) UnmarshalRecord(data []byte) (Record, error) {
	if len(data) > MaxJSON {
		return Record{}, fmt.Errorf("record: %d bytes of JSON, at most %d", len(data), MaxJSON)
	}
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	r, err := s.readRecord(in)
	if err != nil {
		return Record{}, fmt.Errorf("record: %w", err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return Record{}, errors.New("record: data after the JSON value")
	}
	return r, nil
}

func (s *Schema) readRecord(in *json.Decoder) (Record, error) {
	switch start, err := in.Token(); {
	case err != nil:
		return Record{}, err
	case start == nil:
		return Record{}, nil
	case start != json.Delim('{'):
		return Record{}, errors.New("neither an object nor null")
	}
	r := Record{Presence: 1}
	seen := [Lanes]bool{Presence: true}
	for in.More() {
		i, v, err := s.readLane(in)
		if err != nil {
			return Record{}, err
		}
		if seen[i] {
			return Record{}, fmt.Errorf("lane %s comes twice, or is not one to give", s.Lanes[i].Name)
		}
		r[i], seen[i] = v, true
	}
	if _, err := in.Token(); err != nil {
		return Record{}, err
	}
	for i := range seen {
		if !seen[i] {
			return Record{}, fmt.Errorf("lane %s is missing", s.Lanes[i].Name)
		}
	}
	return r, nil
}

func (s *Schema) readLane(in *json.Decoder) (int, uint32, error) {
	key, err := in.Token()
	if err != nil {
		return 0, 0, err
	}
	name, _ := key.(string)
	i, ok := s.LaneIndex(name)
	if !ok {
		return 0, 0, fmt.Errorf("lane %q is not in schema %s", name, s.Name)
	}
	value, err := in.Token()
	if err != nil {
		return 0, 0, err
	}
	number, ok := value.(json.Number)
	if !ok {
		return 0, 0, fmt.Errorf("lane %s: not a number", name)
	}
	v, err := s.Lanes[i].Parse(number.String())
	return i, v, err
}

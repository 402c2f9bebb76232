package ledger

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Decode reads one JSON value in its canonical form: at most max bytes, no unknown field, nothing behind it, and exactly what json.Marshal
// writes for it again. That rules out fields given twice or in another case, other spacing, and text that is not UTF-8.
func Decode[T any](what string, b []byte, max int) (*T, error) {
	if len(b) > max {
		return nil, fmt.Errorf("%s: has %d bytes, at most %d", what, len(b), max)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	v := new(T)
	if err := d.Decode(v); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: trailing data", what)
	}
	if again, err := json.Marshal(v); err != nil || !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%s: not in canonical form", what)
	}
	return v, nil
}

// DecodeRecord reads a record that the contract wrote, in half the time of Decode: its form needs no proof.
func DecodeRecord[T any](what string, b []byte) (*T, error) {
	if len(b) > MaxRecord {
		return nil, fmt.Errorf("%s: has %d bytes, at most %d", what, len(b), MaxRecord)
	}
	v := new(T)
	if err := json.Unmarshal(b, v); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return v, nil
}

// Encode writes what Decode reads.
func Encode(v any) []byte { return mustMarshal(v) }

// Tagged is what is hashed or signed under a domain tag: the tag, then every part behind its length in eight bytes, big-endian. A tag is no
// other tag's prefix, which the version and the following length see to.
func Tagged(tag string, parts ...[]byte) []byte {
	n := len(tag)
	for _, p := range parts {
		n += 8 + len(p)
	}
	out := append(make([]byte, 0, n), tag...)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint64(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}

package frame

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/assay-net/assay/zk/commit"
)

// Everything on the wire is a CBOR array (RFC 8949, core deterministic encoding) whose first element is this version.
const version = 1

var (
	encodeMode = must(encodeOptions().EncMode())
	decodeMode = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:  4,
		MaxArrayElements: 4096,
		MaxMapPairs:      16,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode())
)

func encodeOptions() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty // so that null is no second spelling of nothing
	return o
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// encode writes a wire form, none of whose fields can fail.
func encode(wire any) []byte { return must(encodeMode.Marshal(wire)) }

// decode reads at most limit bytes into a wire form, and accepts exactly what encode writes.
func decode(what string, b []byte, limit int, wire any) error {
	if len(b) > limit {
		return fmt.Errorf("%s has %d bytes, at most %d", what, len(b), limit)
	}
	if err := decodeMode.Unmarshal(b, wire); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if again, err := encodeMode.Marshal(wire); err != nil || !bytes.Equal(again, b) {
		return fmt.Errorf("%s is not in its canonical encoding", what)
	}
	return nil
}

func checkVersion(what string, got uint64) error {
	if got != version {
		return fmt.Errorf("%s: version %d is not %d", what, got, version)
	}
	return nil
}

// message is what gets signed: a tag, the ledger, then values, each behind its length, so that two different lists of
// values never read the same.
type message []byte

func newMessage(tag string, ledger commit.Digest, room int) message {
	m := make(message, 0, 128+room)
	m.bytes([]byte(tag))
	m.bytes(ledger[:])
	return m
}

func (m *message) bytes(b []byte) {
	*m = binary.BigEndian.AppendUint32(*m, uint32(len(b)))
	*m = append(*m, b...)
}

func (m *message) number(v uint64) {
	*m = binary.BigEndian.AppendUint32(*m, 8)
	*m = binary.BigEndian.AppendUint64(*m, v)
}

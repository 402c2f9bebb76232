package frame

import (
	"encoding/binary"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/canonical"
)

// Everything on the wire is a CBOR array (RFC 8949, core deterministic encoding) whose first element is this version.
const version = 1

var (
	encoding = canonical.New(4096, 4)
	encode   = encoding.Marshal
	decode   = encoding.Unmarshal
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
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

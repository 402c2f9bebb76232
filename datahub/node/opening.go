package node

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// An opening is what an anchor commits to: a version byte, and for each slot eight lanes of four bytes and the blinding scalar of 32, big endian. The store
// seals it.
const (
	openingVersion = 1
	slotBytes      = 4*record.Lanes + fr.Bytes
)

func marshalOpening(c *zk.Chunk) []byte {
	out := make([]byte, 1, 1+len(c.Records)*slotBytes)
	out[0] = openingVersion
	for i := range c.Records {
		for _, lane := range c.Records[i] {
			out = binary.BigEndian.AppendUint32(out, lane)
		}
		r := c.R[i].Bytes()
		out = append(out, r[:]...)
	}
	return out
}

// parseOpening reads what marshalOpening wrote of a chunk of this size.
func parseOpening(b []byte, index, size uint32) (*zk.Chunk, error) {
	if len(b) != 1+int(size)*slotBytes || b[0] != openingVersion {
		return nil, fmt.Errorf("opening of chunk %d: %d bytes, must be %d with version %d first", index, len(b), 1+int(size)*slotBytes, openingVersion)
	}
	c := &zk.Chunk{Index: index, Records: make([]record.Record, size), R: make([]fr.Element, size)}
	for i := range c.Records {
		slot := b[1+i*slotBytes:][:slotBytes]
		for lane := range c.Records[i] {
			c.Records[i][lane] = binary.BigEndian.Uint32(slot[4*lane:])
		}
		var err error
		if c.R[i], err = commit.ParseScalar(slot[4*record.Lanes:]); err != nil {
			return nil, fmt.Errorf("opening of chunk %d slot %d: %w", index, i, err)
		}
		if err := c.Records[i].Fits(); err != nil {
			return nil, fmt.Errorf("opening of chunk %d slot %d: %w", index, i, err)
		}
	}
	return c, nil
}

// openedRecords are the records of an opening, whatever size its chunk has.
func openedRecords(b []byte, index uint32) ([]record.Record, error) {
	c, err := parseOpening(b, index, uint32(max(len(b)-1, 0)/slotBytes))
	if err != nil {
		return nil, err
	}
	return c.Records, nil
}

func marshalRecord(r record.Record) []byte {
	out := make([]byte, 0, 4*record.Lanes)
	for _, lane := range r {
		out = binary.BigEndian.AppendUint32(out, lane)
	}
	return out
}

func parseRecord(b []byte) (record.Record, error) {
	var r record.Record
	if len(b) != 4*record.Lanes {
		return r, fmt.Errorf("record has %d bytes, must have %d", len(b), 4*record.Lanes)
	}
	for lane := range r {
		r[lane] = binary.BigEndian.Uint32(b[4*lane:])
	}
	return r, r.Fits()
}

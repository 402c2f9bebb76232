package verify_test

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assay-net/assay/zk/verify"
)

// oddBlocks are Fabric blocks that nobody's library writes. Protobuf reads most of them all the same, and a hash is then of what it reads.
var oddBlocks = []struct {
	name    string
	failure verify.Failure
	block   func() []byte
}{
	{"two numbers", "", func() []byte {
		return oddBlock(slices.Concat(numbered(1, 5), oddHeader(nil), numbered(1, 300)), oneEntry, nil)
	}},
	{"two previous hashes", "", func() []byte {
		return oddBlock(slices.Concat(delimited(2, []byte{1}), oddHeader([]byte{2})), oneEntry, nil)
	}},
	{"a number of bytes", "", func() []byte { return oddBlock(slices.Concat(oddHeader(nil), delimited(1, []byte{9})), oneEntry, nil) }},
	{"a number in more bytes than it needs", "", func() []byte { return oddBlock(append([]byte{8, 0x85, 0x80, 0}, oddHeader(nil)...), oneEntry, nil) }},
	{"a number of 65 bits", blockInvalid, func() []byte {
		return oddBlock(append([]byte{8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}, oddHeader(nil)...), oneEntry, nil)
	}},
	{"a previous hash of 127 bytes", "", func() []byte { return oddBlock(oddHeader(make([]byte, 127)), oneEntry, nil) }},
	{"a previous hash of 300 bytes", "", func() []byte { return oddBlock(oddHeader(make([]byte, 300)), oneEntry, nil) }},
	{"fields of every kind that nobody knows", "", func() []byte {
		return slices.Concat(unknownFields, oddBlock(slices.Concat(oddHeader(nil), unknownFields), slices.Concat(oneEntry, unknownFields), nil))
	}},
	{"a group without an end", blockInvalid, func() []byte { return append(oddBlock(oddHeader(nil), oneEntry, nil), 9<<3|3) }},
	{"a group with another's end", blockInvalid, func() []byte { return append(oddBlock(oddHeader(nil), oneEntry, nil), 9<<3|3, 10<<3|4) }},
	{"the end of a group", blockInvalid, func() []byte { return append(oddBlock(oddHeader(nil), oneEntry, nil), 9<<3|4) }},
	{"a field without a number", blockInvalid, func() []byte { return append(oddBlock(oddHeader(nil), oneEntry, nil), 0, 0) }},
	{"a field of kind 7", blockInvalid, func() []byte { return append(oddBlock(oddHeader(nil), oneEntry, nil), 9<<3|7) }},
	{"metadata", "", func() []byte {
		return oddBlock(oddHeader(nil), oneEntry, delimited(3, bytes.Repeat(delimited(1, nil), 16)))
	}},
	{"metadata that are no message", blockInvalid, func() []byte { return oddBlock(oddHeader(nil), oneEntry, delimited(3, []byte{1})) }},
	{"17 metadata", blockInvalid, func() []byte {
		return oddBlock(oddHeader(nil), oneEntry, delimited(3, bytes.Repeat(delimited(1, nil), 17)))
	}},
	{"two headers", blockInvalid, func() []byte { return append(oddBlock(oddHeader(nil), oneEntry, nil), delimited(1, oddHeader(nil))...) }},
	{"two data", blockInvalid, func() []byte { return append(oddBlock(oddHeader(nil), oneEntry, nil), delimited(2, nil)...) }},
	{"data and a number in their place", blockInvalid, func() []byte { return append(oddBlock(oddHeader(nil), oneEntry, nil), numbered(2, 1)...) }},
	{"two metadata", blockInvalid, func() []byte {
		return append(oddBlock(oddHeader(nil), oneEntry, delimited(3, nil)), delimited(3, nil)...)
	}},
	{"no header", blockInvalid, func() []byte { return delimited(2, oneEntry) }},
	{"no data", blockInvalid, func() []byte { return delimited(1, oddHeader(nil)) }},
	{"no entry", blockInvalid, func() []byte { h := sha256.Sum256(nil); return oddBlock(delimited(3, h[:]), nil, nil) }},
}

// oneEntry are data with the entry "data", and unknownFields what protobuf skips: of every kind, groups in groups among them.
var (
	oneEntry      = delimited(1, []byte("data"))
	unknownFields = slices.Concat(
		numbered(9, 1<<40), []byte{10<<3 | 1, 1, 2, 3, 4, 5, 6, 7, 8, 11<<3 | 5, 1, 2, 3, 4}, delimited(1<<28, []byte("x")),
		[]byte{12<<3 | 3, 12<<3 | 3, 8, 1, 12<<3 | 4, 12<<3 | 4},
	)
)

func delimited(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

func numbered(number protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), value)
}

// oddHeader is a header of number 7 over oneEntry.
func oddHeader(previous []byte) []byte {
	hash := sha256.Sum256([]byte("data"))
	return slices.Concat(numbered(1, 7), delimited(2, previous), delimited(3, hash[:]))
}

func oddBlock(header, data, more []byte) []byte {
	return slices.Concat(delimited(1, header), delimited(2, data), more)
}

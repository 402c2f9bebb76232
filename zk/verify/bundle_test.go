package verify_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/verify"
)

// encodedBundle is the made-up bundle item by item, so that single items can be
// written in other ways.
func encodedBundle() [][]byte {
	b := madeUpBundle()
	text := func(major byte, v []byte) []byte {
		size := 0
		switch {
		case len(v) > 255:
			size = 2
		case len(v) > 23:
			size = 1
		}
		return append(item(major, uint64(len(v)), size), v...)
	}
	return [][]byte{
		item(4, 6, 0), text(3, []byte(verify.BundleVersion)), text(2, b.Statement.Canonical()),
		item(4, 2, 0),
		item(4, 2, 0), item(0, 2, 0), text(2, b.Chunks[0].Proof.Marshal()),
		item(4, 2, 0), item(0, 300, 2), text(2, b.Chunks[1].Proof.Marshal()),
		item(4, 1, 0), text(2, b.Fleet[0].Marshal()),
		{0x82, 0xf5, 0xf4},
		item(4, 3, 0), {0x40}, {0x41, 0xff}, {0x46, 1, 0, 0, 0, 0, 0},
	}
}

// Items of encodedBundle.
const (
	itBundle = iota
	itVersion
	itStatement
	itChunks
	itChunk
	itIndex
	itProof
	_
	itIndex1
	_
	itFleet
	itFleetProof
	itHolds
	itDisclosed
	itZero
	itByte
	itTotal
)

// TestParseBundleTakesOneEncoding writes the same bundle, or nearly, in every
// other way that CBOR has.
func TestParseBundleTakesOneEncoding(t *testing.T) {
	good := bytes.Join(encodedBundle(), nil)
	if !bytes.Equal(good, marshalled(t, madeUpBundle())) {
		t.Fatal("the items do not add up to the bundle")
	}
	items := encodedBundle()
	body := func(i, head int) []byte { return items[i][head:] }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	statement, version := body(itStatement, 3), body(itVersion, 1)
	for name, c := range map[string]struct {
		item int
		as   []byte
	}{
		"array's length in a byte":         {itBundle, item(4, 6, 1)},
		"array's length in eight bytes":    {itBundle, item(4, 6, 8)},
		"array of indefinite length":       {itBundle, []byte{0x9f}},
		"an item more":                     {itBundle, item(4, 7, 0)},
		"an item less":                     {itBundle, item(4, 5, 0)},
		"a map":                            {itBundle, item(5, 3, 0)},
		"a tag":                            {itBundle, join([]byte{0xd9, 0xd9, 0xf7}, item(4, 6, 0))},
		"another version":                  {itVersion, append(item(3, 15, 0), "assay-bundle/v2"...)},
		"version as bytes":                 {itVersion, join(item(2, 15, 0), version)},
		"version's length in a byte":       {itVersion, join(item(3, 15, 1), version)},
		"version that is not UTF-8":        {itVersion, join(item(3, 15, 0), version[:14], []byte{0xff})},
		"version missing":                  {itVersion, []byte{0xf6}},
		"statement as text":                {itStatement, join(item(3, uint64(len(statement)), 2), statement)},
		"statement's length in four bytes": {itStatement, join(item(2, uint64(len(statement)), 4), statement)},
		"statement with a space":           {itStatement, join(item(2, uint64(len(statement)+1), 2), statement, []byte{' '})},
		"statement in pieces":              {itStatement, join([]byte{0x5f}, item(2, uint64(len(statement)), 2), statement, []byte{0xff})},
		"statement as numbers":             {itStatement, join(item(4, 2, 0), []byte{1, 2})},
		"statement missing":                {itStatement, []byte{0xf6}},
		"chunks missing":                   {itChunks, []byte{0xf6, 0xf6}},
		"chunks' number in a byte":         {itChunks, item(4, 2, 1)},
		"chunks' number beyond memory":     {itChunks, item(4, 1<<60, 8)},
		"chunk as a map":                   {itChunk, item(5, 1, 0)},
		"chunk of three":                   {itChunk, item(4, 3, 0)},
		"index in a byte":                  {itIndex, item(0, 2, 1)},
		"index in eight bytes":             {itIndex, item(0, 2, 8)},
		"index of more than 32 bits":       {itIndex1, item(0, 1<<32+300, 8)},
		"index below zero":                 {itIndex, item(1, 2, 0)},
		"index as a float":                 {itIndex, []byte{0xf9, 0x40, 0x00}},
		"index as a bignum":                {itIndex, []byte{0xc2, 0x41, 0x02}},
		"index after the next":             {itIndex, item(0, 300, 2)},
		"proof's length in four bytes":     {itProof, join(item(2, verify.ChunkProofBytes, 4), body(itProof, 3))},
		"proof beyond memory":              {itProof, item(2, 1<<60, 8)},
		"proof of a byte less":             {itProof, join(item(2, verify.ChunkProofBytes-1, 2), body(itProof, 4))},
		"proof of a byte more":             {itProof, join(item(2, verify.ChunkProofBytes+1, 2), body(itProof, 3), []byte{0})},
		"fleet proofs missing":             {itFleet, []byte{0xf6}},
		"fleet proof as text":              {itFleetProof, join(item(3, verify.FleetProofBytes, 1), body(itFleetProof, 2))},
		"fleet proof of a byte less":       {itFleetProof, join(item(2, verify.FleetProofBytes-1, 1), body(itFleetProof, 3))},
		"results missing":                  {itHolds, []byte{0xf6}},
		"results as numbers":               {itHolds, []byte{0x82, 0x01, 0x00}},
		"results with nothing":             {itHolds, []byte{0x82, 0xf5, 0xf6}},
		"results as simple values":         {itHolds, []byte{0x82, 0xf8, 0x15, 0xf4}},
		"totals of indefinite length":      {itDisclosed, []byte{0x9f}},
		"total as a number":                {itZero, []byte{0x00}},
		"total missing":                    {itZero, []byte{0xf6}},
		"total of zero in a byte":          {itZero, []byte{0x41, 0x00}},
		"total with a leading zero":        {itByte, []byte{0x42, 0x00, 0xff}},
		"total of eleven bytes":            {itTotal, append([]byte{0x4b}, bytes.Repeat([]byte{1}, 11)...)},
		"total as a bignum":                {itTotal, join([]byte{0xc2}, items[itTotal])},
	} {
		t.Run(name, func(t *testing.T) {
			items := encodedBundle()
			items[c.item] = c.as
			raw := bytes.Join(items, nil)
			if strings.Contains(name, "indefinite") {
				raw = append(raw, 0xff)
			}
			if b, err := verify.ParseBundle(raw); err == nil || b != nil {
				t.Error("accepted")
			}
			if _, err := verify.BundleStatement(raw); err == nil && !strings.Contains(name, "proof") {
				t.Error("its statement is read")
			}
		})
	}
}

func TestParseBundleIsBounded(t *testing.T) {
	good := marshalled(t, madeUpBundle())
	for n := range len(good) {
		if _, err := verify.ParseBundle(good[:n]); err == nil {
			t.Errorf("accepts %d of %d bytes", n, len(good))
		}
	}
	for _, rest := range [][]byte{{0}, {0xf6}, good} {
		if _, err := verify.ParseBundle(append(bytes.Clone(good), rest...)); err == nil {
			t.Errorf("accepts %d bytes after the bundle", len(rest))
		}
	}
	if _, err := verify.ParseBundle(make([]byte, verify.MaxBundleBytes+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a bundle beyond the bound: %v", err)
	}
	var chunks bytes.Buffer
	for range verify.MaxBundleChunks + 1 {
		chunks.Write([]byte{0x82, 0x00, 0x40})
	}
	items := encodedBundle()
	raw := bytes.Join([][]byte{items[0], items[1], items[2], item(4, verify.MaxBundleChunks+1, 4), chunks.Bytes(), {0x80, 0x80, 0x80}}, nil)
	if _, err := verify.ParseBundle(raw); err == nil || !strings.Contains(err.Error(), fmt.Sprint(verify.MaxBundleChunks)) {
		t.Errorf("chunks beyond the bound: %v", err)
	}
}

// TestVerifyRefusesEveryByte changes the real bundle byte by byte. Every
// changed bundle is refused, and none is read as the one it was.
func TestVerifyRefusesEveryByte(t *testing.T) {
	l := proven(t)
	const stride = 5 // every byte is parsed, every fifth verified
	verified := 0
	for i := range l.raw {
		raw := bytes.Clone(l.raw)
		raw[i] ^= 1 << (i % 8)
		if b, err := verify.ParseBundle(raw); err == nil && bytes.Equal(marshalled(t, b), l.raw) {
			t.Errorf("byte %d is not read", i)
		}
		if i%stride != 0 {
			continue
		}
		verified++
		if v, err := verify.VerifyBundle(raw, l.facts, l.ring); err == nil || v != nil {
			t.Errorf("accepted with byte %d changed", i)
		}
	}
	if verified < 300 {
		t.Errorf("%d positions verified, want 300", verified)
	}
}

func TestVerifyRefusesCutBundle(t *testing.T) {
	l := proven(t)
	for n := 0; n < len(l.raw); n += 3 {
		if _, err := verify.VerifyBundle(l.raw[:n], l.facts, l.ring); err == nil {
			t.Errorf("accepts %d of %d bytes", n, len(l.raw))
		}
	}
	if _, err := verify.VerifyBundle(append(bytes.Clone(l.raw), 0), l.facts, l.ring); err == nil {
		t.Error("accepts a byte after the bundle")
	}
}

package verify_test

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// field is a place in an encoded proof.
type field struct {
	name  string
	kind  string // "g1", "g2", "scalar"
	start int
}

func layout(kinds ...string) []field {
	var out []field
	at := 0
	for _, k := range kinds {
		kind, name, _ := strings.Cut(k, " ")
		out = append(out, field{name, kind, at})
		at += map[string]int{"g1": 32, "g2": 64, "scalar": 32}[kind]
	}
	return out
}

var (
	chunkFields = layout("g1 A", "g2 B", "g1 C", "g1 link commitment", "g1 lookup commitment", "g1 proof of knowledge",
		"g1 M", "g1 R of M", "scalar first response of M", "scalar second response of M", "scalar y", "g1 opening", "scalar T")
	fleetFields = layout("g1 A", "g2 B", "g1 C", "scalar T")
)

// madeUp is a proof with an encoding and nothing else to it.
func madeUpChunkProof() *verify.ChunkProof {
	_, _, _, g2 := bn254.Generators()
	return &verify.ChunkProof{
		M: generatorTimes(2), Mask: commit.Representation{R: generatorTimes(3), Zx: fr.NewElement(4), Zr: fr.NewElement(5)},
		Groth16: verify.Groth16Proof{
			Ar: generatorTimes(6), Bs: g2, Krs: generatorTimes(7),
			Commitments: []bn254.G1Affine{generatorTimes(8), generatorTimes(9)}, CommitmentPok: generatorTimes(10),
		},
		Y: fr.NewElement(11), Opening: generatorTimes(12), T: fr.NewElement(13),
	}
}

func madeUpFleetProof() *verify.FleetProof {
	_, _, _, g2 := bn254.Generators()
	return &verify.FleetProof{Groth16: verify.Groth16Proof{Ar: generatorTimes(14), Bs: g2, Krs: generatorTimes(15)}, T: fr.NewElement(16)}
}

func madeUpBundle() *verify.Bundle {
	return &verify.Bundle{
		Statement: asked(),
		Chunks:    []verify.IndexedChunkProof{{Index: 2, Proof: madeUpChunkProof()}, {Index: 300, Proof: madeUpChunkProof()}},
		Fleet:     []*verify.FleetProof{madeUpFleetProof()},
		Holds:     []bool{true, false}, Disclosed: []*big.Int{big.NewInt(0), big.NewInt(255), big.NewInt(1 << 40)},
	}
}

// badG1 are encodings of points that no proof may hold.
func badG1(t *testing.T) map[string][]byte {
	t.Helper()
	compressed := func(x *big.Int, flags byte) []byte {
		b := x.FillBytes(make([]byte, 32))
		b[0] |= flags
		return b
	}
	small := big.NewInt(1) // the generator's x, which is below 2^254 − p
	off := big.NewInt(2)
	for ; ; off.Add(off, big.NewInt(1)) {
		var x, y fp.Element
		x.SetBigInt(off)
		y.Square(&x).Mul(&y, &x)
		if y.Add(&y, new(fp.Element).SetUint64(3)); y.Legendre() == -1 {
			break
		}
	}
	var infinity bn254.G1Affine
	b := infinity.Bytes()
	return map[string][]byte{
		"off the curve":        compressed(off, 0x80),
		"x not reduced":        compressed(new(big.Int).Add(small, fp.Modulus()), 0x80),
		"x of the modulus":     compressed(fp.Modulus(), 0x80),
		"infinity":             b[:],
		"infinity with a rest": compressed(small, 0x40),
		"uncompressed":         compressed(small, 0x00),
		"zeros":                make([]byte, 32),
		"ones":                 bytes.Repeat([]byte{0xff}, 32),
	}
}

// outsideSubgroup is a point of the twist that is not of the group's order.
func outsideSubgroup(t *testing.T) []byte {
	t.Helper()
	for i := uint64(1); i < 100; i++ {
		p := bn254.MapToCurve2(&bn254.E2{A0: fp.NewElement(i)})
		if p.IsOnCurve() && !p.IsInSubGroup() {
			b := p.Bytes()
			return b[:]
		}
	}
	t.Fatal("no point outside the subgroup")
	return nil
}

func badG2(t *testing.T) map[string][]byte {
	t.Helper()
	_, _, _, g2 := bn254.Generators()
	good := g2.Bytes()
	var infinity bn254.G2Affine
	zero := infinity.Bytes()
	off := good
	for off[63]++; ; off[63]++ {
		var p bn254.G2Affine
		if _, err := p.SetBytes(off[:]); err != nil && !strings.Contains(err.Error(), "subgroup") {
			break
		}
	}
	unreduced := good
	low := new(big.Int).SetBytes(good[32:])
	if low.Add(low, fp.Modulus()); low.BitLen() > 256 {
		t.Fatal("no room for the modulus")
	}
	low.FillBytes(unreduced[32:])
	return map[string][]byte{
		"outside the subgroup": outsideSubgroup(t), "off the curve": off[:], "infinity": zero[:],
		"x not reduced": unreduced[:], "zeros": make([]byte, 64), "ones": bytes.Repeat([]byte{0xff}, 64),
	}
}

func badScalars() map[string][]byte {
	plus := func(v int64) []byte {
		return new(big.Int).Add(fr.Modulus(), big.NewInt(v)).FillBytes(make([]byte, 32))
	}
	return map[string][]byte{"the modulus": plus(0), "above the modulus": plus(13), "ones": bytes.Repeat([]byte{0xff}, 32)}
}

// TestParseProofsRefuse puts every bad encoding into every field; the error
// names the field.
func TestParseProofsRefuse(t *testing.T) {
	bad := map[string]map[string][]byte{"g1": badG1(t), "g2": badG2(t), "scalar": badScalars()}
	for _, proof := range []struct {
		name   string
		good   []byte
		fields []field
		parse  func(b []byte) error
	}{
		{"chunk proof", madeUpChunkProof().Marshal(), chunkFields, func(b []byte) error { _, err := verify.ParseChunkProof(b); return err }},
		{"fleet proof", madeUpFleetProof().Marshal(), fleetFields, func(b []byte) error { _, err := verify.ParseFleetProof(b); return err }},
	} {
		if err := proof.parse(proof.good); err != nil {
			t.Fatal(err)
		}
		for _, f := range proof.fields {
			for name, encoding := range bad[f.kind] {
				b := bytes.Clone(proof.good)
				copy(b[f.start:], encoding)
				want := proof.name + ": " + f.name + ":"
				if err := proof.parse(b); err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%s in %s of a %s: got %v, want an error about %q", name, f.name, proof.name, err, want)
				}
			}
		}
		for n := range len(proof.good) {
			if proof.parse(proof.good[:n]) == nil {
				t.Errorf("accepts %d bytes of a %s", n, proof.name)
			}
		}
		if proof.parse(append(bytes.Clone(proof.good), 0)) == nil {
			t.Errorf("accepts a byte after a %s", proof.name)
		}
	}
}

func TestProofsRoundTrip(t *testing.T) {
	c := madeUpChunkProof().Marshal()
	p, err := verify.ParseChunkProof(c)
	if err != nil || !bytes.Equal(p.Marshal(), c) || len(c) != verify.ChunkProofBytes {
		t.Errorf("chunk proof of %d bytes: %v", len(c), err)
	}
	f := madeUpFleetProof().Marshal()
	q, err := verify.ParseFleetProof(f)
	if err != nil || !bytes.Equal(q.Marshal(), f) || len(f) != verify.FleetProofBytes {
		t.Errorf("fleet proof of %d bytes: %v", len(f), err)
	}
	if verify.ChunkProofBytes > 600 {
		t.Errorf("a chunk proof has %d bytes, at most 600", verify.ChunkProofBytes)
	}
	raw := marshalled(t, madeUpBundle())
	b, err := verify.ParseBundle(raw)
	if err != nil || !bytes.Equal(marshalled(t, b), raw) {
		t.Errorf("bundle: %v", err)
	}
}

// item is a CBOR head with its argument in so many bytes.
func item(major byte, n uint64, size int) []byte {
	if size == 0 {
		return []byte{major<<5 | byte(n)}
	}
	additional := map[int]byte{1: 24, 2: 25, 4: 26, 8: 27}[size]
	return append([]byte{major<<5 | additional}, binary.BigEndian.AppendUint64(nil, n)[8-size:]...)
}

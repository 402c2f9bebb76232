package commit_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// ‡ An SRS is taken only in the form that a ceremony gives it.
func TestSRSOfTheWrongFormIsRefused(t *testing.T) {
	tau := randomScalar()
	var infinity bn254.G1Affine
	for name, c := range map[string]struct {
		change func(g1 []bn254.G1Affine, g2 *[2]bn254.G2Affine)
		reason string
	}{
		"G1[0] at infinity":        {func(g1 []bn254.G1Affine, _ *[2]bn254.G2Affine) { g1[0] = infinity }, "not the generator"},
		"G1[0] another point":      {func(g1 []bn254.G1Affine, _ *[2]bn254.G2Affine) { g1[0] = g1[1] }, "not the generator"},
		"G1[9] at infinity":        {func(g1 []bn254.G1Affine, _ *[2]bn254.G2Affine) { g1[9] = infinity }, "infinity"},
		"G1[9] off the curve":      {func(g1 []bn254.G1Affine, _ *[2]bn254.G2Affine) { g1[9].X.SetUint64(4) }, "curve"},
		"two powers swapped":       {func(g1 []bn254.G1Affine, _ *[2]bn254.G2Affine) { g1[3], g1[4] = g1[4], g1[3] }, "one tau"},
		"last of another tau":      {func(g1 []bn254.G1Affine, _ *[2]bn254.G2Affine) { g1[15].Double(&g1[15]) }, "one tau"},
		"all but G1[0] scaled":     {func(g1 []bn254.G1Affine, _ *[2]bn254.G2Affine) { scale(g1[1:]) }, "one tau"},
		"G2[0] another point":      {func(_ []bn254.G1Affine, g2 *[2]bn254.G2Affine) { g2[0] = g2[1] }, "not the generator"},
		"G2[1] at infinity":        {func(_ []bn254.G1Affine, g2 *[2]bn254.G2Affine) { g2[1] = bn254.G2Affine{} }, "G2[1]"},
		"G2[1] of another tau":     {func(_ []bn254.G1Affine, g2 *[2]bn254.G2Affine) { g2[1].Double(&g2[1]) }, "one tau"},
		"G2[1] not in subgroup":    {func(_ []bn254.G1Affine, g2 *[2]bn254.G2Affine) { g2[1] = outsideSubgroup(t) }, "subgroup"},
		"G2[1] is G2[0], tau of 1": {func(_ []bn254.G1Affine, g2 *[2]bn254.G2Affine) { g2[1] = g2[0] }, "one tau"},
	} {
		g1, g2 := committest.UnsafePowers(tau, 16)
		if _, err := commit.NewSRS(g1, g2); err != nil {
			t.Fatal(err)
		}
		c.change(g1, &g2)
		if _, err := commit.NewSRS(g1, g2); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %v, want one about %q", name, err, c.reason)
		}
	}
}

func scale(points []bn254.G1Affine) {
	for i := range points {
		points[i].Double(&points[i])
	}
}

// outsideSubgroup finds a point of the twist that is not in G2.
func outsideSubgroup(t *testing.T) bn254.G2Affine {
	t.Helper()
	_, _, _, g2 := bn254.Generators()
	var b, y2 bn254.E2
	b.Square(&g2.X).Mul(&b, &g2.X)
	y2.Square(&g2.Y)
	b.Sub(&y2, &b) // y² − x³
	for x := uint64(1); x < 100; x++ {
		var p bn254.G2Affine
		p.X.A0.SetUint64(x)
		y2.Square(&p.X).Mul(&y2, &p.X).Add(&y2, &b)
		if y2.Legendre() != 1 {
			continue
		}
		p.Y.Sqrt(&y2)
		if p.IsOnCurve() && !p.IsInSubGroup() {
			return p
		}
	}
	t.Fatal("no point outside the subgroup found")
	return bn254.G2Affine{}
}

// A τ whose order is small gives several slots one base.
func TestSRSWithATauOfSmallOrderIsRefused(t *testing.T) {
	four, err := fr.Generator(4)
	if err != nil {
		t.Fatal(err)
	}
	var zero, one, minusOne fr.Element
	one.SetOne()
	minusOne.SetInt64(-1)
	for name, tau := range map[string]fr.Element{"0": zero, "1": one, "-1": minusOne, "of order 4": four} {
		g1, g2 := committest.UnsafePowers(tau, 16)
		if _, err := commit.NewSRS(g1, g2); err == nil {
			t.Errorf("tau %s: accepted", name)
		}
	}
}

func TestSRSLengthIsBounded(t *testing.T) {
	g1, g2 := committest.UnsafePowers(randomScalar(), 3)
	for _, n := range []int{0, 1} {
		if _, err := commit.NewSRS(g1[:n], g2); err == nil {
			t.Errorf("%d powers accepted", n)
		}
	}
	if _, err := commit.NewSRS(make([]bn254.G1Affine, commit.MaxPowers+1), g2); err == nil || !strings.Contains(err.Error(), "powers") {
		t.Errorf("too many powers: %v", err)
	}
	srs := committest.UnsafeSRS(64)
	if err := srs.Supports(64); err != nil {
		t.Error(err)
	}
	if err := srs.Supports(256); err == nil {
		t.Error("130 powers support a chunk of 256")
	}
}

func TestSRSDoesNotChangeWithItsArguments(t *testing.T) {
	g1, g2 := committest.UnsafePowers(randomScalar(), 8)
	srs, err := commit.NewSRS(g1, g2)
	if err != nil {
		t.Fatal(err)
	}
	before := srs.G1(5)
	g1[5].SetInfinity()
	if after := srs.G1(5); !after.Equal(&before) {
		t.Error("the SRS shares its powers with the caller")
	}
}

// ‡ With G1 at infinity in the verifying key, which is what gnark-crypto's ceremony leaves, every opening verifies.
func TestKZGVerifyingKeyHasTheGenerator(t *testing.T) {
	srs := committest.UnsafeSRS(64)
	key := srs.VerifyingKey()
	_, _, g, _ := bn254.Generators()
	if !key.G1.Equal(&g) {
		t.Fatal("G1 of the verifying key is not the generator")
	}
	polynomial := []fr.Element{randomScalar(), randomScalar(), randomScalar()}
	c, err := kzg.Commit(polynomial, srs.ProvingKey())
	if err != nil {
		t.Fatal(err)
	}
	point := randomScalar()
	proof, err := kzg.Open(polynomial, point, srs.ProvingKey())
	if err != nil {
		t.Fatal(err)
	}
	if err := kzg.Verify(&c, &proof, point, key); err != nil {
		t.Fatal(err)
	}
	lie := proof
	lie.ClaimedValue.Double(&lie.ClaimedValue)
	if err := kzg.Verify(&c, &lie, point, key); err == nil {
		t.Error("a false opening verifies")
	}
	key.G1.SetInfinity()
	if err := kzg.Verify(&c, &lie, point, key); err != nil {
		t.Log("gnark-crypto now checks openings under a key with G1 at infinity:", err)
	}
}

func srsFile(t testing.TB, powers int) ([]byte, commit.Digest) {
	t.Helper()
	g1, g2 := committest.UnsafePowers(fr.NewElement(987654321), powers)
	srs, err := commit.NewSRS(g1, g2)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if n, err := srs.WriteTo(&file); err != nil || n != int64(file.Len()) {
		t.Fatalf("WriteTo = %d, %v for %d bytes", n, err, file.Len())
	}
	return file.Bytes(), srs.Digest()
}

func TestSRSFile(t *testing.T) {
	file, digest := srsFile(t, 16)
	srs, err := commit.ReadSRS(bytes.NewReader(file), digest)
	if err != nil {
		t.Fatal(err)
	}
	if srs.Digest() != digest || srs.Len() != 16 {
		t.Errorf("read back %d powers with digest %s", srs.Len(), srs.Digest())
	}
	if again := srs.G1(15); again.IsInfinity() {
		t.Error("last power is missing")
	}
}

// ‡ Length first, then points; digest, form and end of file are checked.
func TestSRSFileIsRefused(t *testing.T) {
	file, digest := srsFile(t, 16)
	const header = 20
	edit := func(change func(b []byte) []byte) []byte { return change(bytes.Clone(file)) }
	infinityFirst := edit(func(b []byte) []byte { clear(b[header : header+64]); return b })
	for name, c := range map[string]struct {
		file   []byte
		reason string
	}{
		"empty":           {nil, "header"},
		"another format":  {edit(func(b []byte) []byte { b[0] ^= 1; return b }), "not an srs file"},
		"absurd length":   {edit(func(b []byte) []byte { binary.BigEndian.PutUint32(b[16:], 1<<32-1); return b[:header] }), "powers"},
		"one too many":    {edit(func(b []byte) []byte { binary.BigEndian.PutUint32(b[16:], commit.MaxPowers+1); return b[:header] }), "powers"},
		"one power":       {edit(func(b []byte) []byte { binary.BigEndian.PutUint32(b[16:], 1); return b }), "powers"},
		"cut short":       {file[:len(file)-1], "G2[1]"},
		"cut in G1":       {file[:header+64*7+5], "G1[7]"},
		"trailing byte":   {append(bytes.Clone(file), 0), "after the last point"},
		"off the curve":   {edit(func(b []byte) []byte { b[header+64+63] ^= 1; return b }), "G1[1]"},
		"compressed flag": {edit(func(b []byte) []byte { b[header+64] |= 0x80; return b }), "G1[1]"},
		"compressed G2":   {edit(func(b []byte) []byte { b[len(b)-128] |= 0x80; return b }), "G2[1]"},
		"infinity first":  {infinityFirst, "digest"},
		"another SRS":     {edit(func(b []byte) []byte { copy(b[header+64*4:], b[header+64*5:header+64*6]); return b }), "digest"},
	} {
		if _, err := commit.ReadSRS(bytes.NewReader(c.file), digest); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: error %v, want one about %q", name, err, c.reason)
		}
	}
	digest[3] ^= 1
	if _, err := commit.ReadSRS(bytes.NewReader(file), digest); err == nil || !strings.Contains(err.Error(), "digest") {
		t.Errorf("wrong digest: %v", err)
	}
}

func FuzzReadSRS(f *testing.F) {
	file, digest := srsFile(f, 4)
	f.Add(file)
	f.Add(file[:20])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		srs, err := commit.ReadSRS(bytes.NewReader(data), digest)
		if err == nil && (srs.Digest() != digest || !bytes.Equal(data, file)) {
			t.Fatal("another file was read under the digest of this one")
		}
	})
}

func TestSRSDigestCoversEveryPoint(t *testing.T) {
	tau := fr.NewElement(5)
	seen := map[commit.Digest]bool{}
	for _, n := range []int{8, 9, 10} {
		g1, g2 := committest.UnsafePowers(tau, n)
		srs, err := commit.NewSRS(g1, g2)
		if err != nil {
			t.Fatal(err)
		}
		if seen[srs.Digest()] {
			t.Errorf("%d powers have the digest of fewer", n)
		}
		seen[srs.Digest()] = true
	}
}

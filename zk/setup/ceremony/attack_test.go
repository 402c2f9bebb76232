package ceremony

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// forge signs any body at any place as somebody who may contribute. The change of the header, if not nil, is made before signing.
func forge(t testing.TB, c *Ceremony, part string, number int, who crypto.Signer, body []byte, change func(*transcript.Header)) {
	t.Helper()
	key, err := commit.NewPublicKey(who.Public())
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := c.closings()
	if err != nil {
		t.Fatal(err)
	}
	h := &transcript.Header{Ceremony: c.id, Part: part, Previous: transcript.Start(c.plan, part, first), Contributor: key.DeviceID(), Number: uint32(number)}
	if number > 1 {
		earlier, err := c.header(c.contributionPath(part, number-1))
		if err != nil {
			t.Fatal(err)
		}
		h.Previous = earlier.Digest()
	}
	h.Body, h.BodyBytes = sha256.Sum256(body), uint64(len(body))
	if change != nil {
		change(h)
	}
	if err := h.Sign(who); err != nil {
		t.Fatal(err)
	}
	put(t, c.contributionPath(part, number), append(h.Encode(), body...))
}

func put(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// offset of a segment in a body.
func offset(t testing.TB, l layout, name string) int {
	t.Helper()
	n := int64(0)
	for i := range l {
		if l[i].name == name {
			return int(n)
		}
		n += l[i].bytes()
	}
	t.Fatal("no segment " + name)
	return 0
}

// outsideSubgroup is a point of the twist whose order is not that of the group.
func outsideSubgroup(t testing.TB) [g2Bytes]byte {
	for i := byte(1); i != 0; i++ {
		var b [g2Bytes]byte
		b[g2Bytes-1], b[0] = i, 0b10<<6
		var p bn254.G2Affine
		if err := bn254.NewDecoder(bytes.NewReader(b[:]), bn254.NoSubgroupChecks()).Decode(&p); err == nil && p.IsOnCurve() && !p.IsInSubGroup() {
			return b
		}
	}
	t.Fatal("none found")
	return [g2Bytes]byte{}
}

var infinityByte = byte(flagAtInfinity)

// parts of the library's three kinds, each with the stage at which bob's contribution is the last.
var kinds = []struct{ part, stage, g1, g2, proof string }{
	{transcript.SRSPart, contributed, "[tau^i]1", "[tau]2", "proof for tau"},
	{transcript.PowersPart, contributed, "[alpha tau^i]1", "[tau^i]2", "proof for beta"},
	{twiceID, complete, "basis of commitment 1", "[sigma 1]2", "proof for sigma 1"},
}

// attack changes bob's contribution, the second, and signs what comes of it as bob.
type attack struct {
	name string
	want transcript.Fault
	body func(t *testing.T, c *Ceremony, l layout, k int, body []byte) []byte
}

func replaced(body []byte, at int, with []byte) []byte {
	out := bytes.Clone(body)
	copy(out[at:], with)
	return out
}

var attacks = []attack{
	{"copy of the one before", transcript.Copy, func(t *testing.T, c *Ceremony, _ layout, k int, _ []byte) []byte {
		return bodyOf(t, c.contributionPath(kinds[k].part, 1))
	}},
	{"copied commitment", transcript.Copy, func(t *testing.T, c *Ceremony, l layout, k int, body []byte) []byte {
		at := offset(t, l, kinds[k].proof)
		return replaced(body, at, bodyOf(t, c.contributionPath(kinds[k].part, 1))[at:at+g1Bytes])
	}},
	{"truncated", transcript.Length, func(_ *testing.T, _ *Ceremony, _ layout, _ int, body []byte) []byte { return body[:len(body)-40] }},
	{"too long", transcript.Length, func(_ *testing.T, _ *Ceremony, _ layout, _ int, body []byte) []byte {
		return append(body, make([]byte, 40)...)
	}},
	{"G2 outside the subgroup", transcript.Point, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		p := outsideSubgroup(t)
		return replaced(body, offset(t, l, kinds[k].g2), p[:])
	}},
	{"proof outside the subgroup", transcript.Point, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		p := outsideSubgroup(t)
		return replaced(body, offset(t, l, kinds[k].proof)+g1Bytes, p[:])
	}},
	{"G1 off the curve", transcript.Point, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		b := make([]byte, g1Bytes)
		b[0], b[g1Bytes-1] = 0b10<<6, 4 // 4³ + 3 is no square
		return replaced(body, offset(t, l, kinds[k].g1), b)
	}},
	{"coordinate not reduced", transcript.Point, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		b := bytes.Repeat([]byte{0xff}, g1Bytes)
		return replaced(body, offset(t, l, kinds[k].g1), b)
	}},
	{"no proof of knowledge", transcript.Knowledge, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		_, _, _, g := bn254.Generators()
		b := g.Bytes()
		return replaced(body, offset(t, l, kinds[k].proof)+g1Bytes, b[:])
	}},
	{"proof at infinity", transcript.Infinity, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		b := make([]byte, proofBytes)
		b[0], b[g1Bytes] = infinityByte, infinityByte
		return replaced(body, offset(t, l, kinds[k].proof), b)
	}},
	{"G1 at infinity", transcript.Infinity, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		b := make([]byte, g1Bytes)
		b[0] = infinityByte
		return replaced(body, offset(t, l, kinds[k].g1), b)
	}},
	{"G2 at infinity", transcript.Infinity, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		b := make([]byte, g2Bytes)
		b[0] = infinityByte
		return replaced(body, offset(t, l, kinds[k].g2), b)
	}},
	{"not compressed", transcript.Encoding, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		_, _, g, _ := bn254.Generators()
		b := g.RawBytes()
		return replaced(body, offset(t, l, kinds[k].g1), b[:g1Bytes])
	}},
	{"contribution of 1", transcript.Idle, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		return replaced(body, offset(t, l, kinds[k].proof), generator[:])
	}},
	{"other challenge", transcript.Binding, func(_ *testing.T, _ *Ceremony, _ layout, _ int, body []byte) []byte {
		return replaced(body, len(body)-1, []byte{body[len(body)-1] ^ 1})
	}},
	{"no challenge", transcript.Binding, func(_ *testing.T, _ *Ceremony, _ layout, _ int, body []byte) []byte {
		return replaced(body, len(body)-challengeBytes, make([]byte, challengeBytes))
	}},
	{"another point of G1", transcript.Update, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		return replaced(body, offset(t, l, kinds[k].g1), doubled(t, body[offset(t, l, kinds[k].g1):]))
	}},
	{"another point of G2", transcript.Update, func(t *testing.T, _ *Ceremony, l layout, k int, body []byte) []byte {
		_, _, _, g := bn254.Generators()
		g.ScalarMultiplication(&g, big.NewInt(12345))
		b := g.Bytes()
		return replaced(body, offset(t, l, kinds[k].g2), b[:])
	}},
}

func doubled(t testing.TB, point []byte) []byte {
	var p bn254.G1Affine
	if _, err := p.SetBytes(point[:g1Bytes]); err != nil {
		t.Fatal(err)
	}
	p.Double(&p)
	b := p.Bytes()
	return b[:]
}

// TestForgedContributions: bob, who may contribute and signs, is refused for each, in every kind of part.
func TestForgedContributions(t *testing.T) {
	for k, kind := range kinds {
		if testing.Short() && k > 0 {
			t.Skip("the SRS alone")
		}
		for _, a := range attacks {
			t.Run(transcript.FolderOf(kind.part)+"/"+a.name, func(t *testing.T) {
				c := ceremonyAt(t, kind.stage)
				p, err := c.part(kind.part, nil)
				if err != nil {
					t.Fatal(err)
				}
				body := bodyOf(t, c.contributionPath(kind.part, 2))
				forge(t, c, kind.part, 2, bob, a.body(t, c, p.layout, k, body), nil)
				_, err = c.Verify(ctx, "")
				refused(t, err, a.want)
				_, err = c.Contribute(ctx, carol) // the next one refuses to build on it
				refused(t, err, a.want)
				if _, err := os.Stat(c.contributionPath(kind.part, 3)); err == nil {
					t.Error("carol has built on it")
				}
			})
		}
	}
}

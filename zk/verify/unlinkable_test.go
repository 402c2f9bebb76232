package verify_test

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/verify"
)

// elements names every group element and scalar of a bundle's proofs.
func elements(b *verify.Bundle) map[string][]byte {
	out := map[string][]byte{}
	g1 := func(name string, p *bn254.G1Affine) { e := p.Bytes(); e[0] &= 0x3f; out[name] = e[:] } // a point and its negative are one
	g2 := func(name string, p *bn254.G2Affine) { e := p.Bytes(); e[0] &= 0x3f; out[name] = e[:] }
	scalar := func(name string, s *fr.Element) { e := s.Bytes(); out[name] = e[:] }
	for _, c := range b.Chunks {
		p, at := c.Proof, fmt.Sprintf("chunk %d ", c.Index)
		g1(at+"A", &p.Groth16.Ar)
		g2(at+"B", &p.Groth16.Bs)
		g1(at+"C", &p.Groth16.Krs)
		g1(at+"link commitment", &p.Groth16.Commitments[0])
		g1(at+"lookup commitment", &p.Groth16.Commitments[1])
		g1(at+"proof of knowledge", &p.Groth16.CommitmentPok)
		g1(at+"M", &p.M)
		g1(at+"R", &p.Mask.R)
		scalar(at+"first response", &p.Mask.Zx)
		scalar(at+"second response", &p.Mask.Zr)
		scalar(at+"y", &p.Y)
		g1(at+"opening", &p.Opening)
		scalar(at+"T", &p.T)
	}
	for i, p := range b.Fleet {
		at := fmt.Sprintf("fleet proof %d ", i)
		g1(at+"A", &p.Groth16.Ar)
		g2(at+"B", &p.Groth16.Bs)
		g1(at+"C", &p.Groth16.Krs)
		scalar(at+"T", &p.T)
	}
	return out
}

// TestProofsShareNothing proves one statement over the same chunks twice. What
// the two bundles have in common is the statement and its results, and C, which
// neither holds.
func TestProofsShareNothing(t *testing.T) {
	l := proven(t)
	again, _, err := l.prove(&cheat{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.VerifyBundle(marshalled(t, again), l.facts, l.ring); err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, f := range l.facts.Chunks {
		if f.Attested > 0 {
			c := append([]byte{}, f.Commitment...)
			c[0] &= 0x3f
			seen[string(c)] = fmt.Sprintf("the anchor of chunk %d", f.Index)
		}
	}
	for run, b := range []*verify.Bundle{l.bundle, again} {
		parsed, err := verify.ParseBundle(marshalled(t, b))
		if err != nil {
			t.Fatal(err)
		}
		all := elements(parsed)
		if want := 13*len(b.Chunks) + 4*len(b.Fleet); len(all) != want {
			t.Fatalf("%d elements, want %d", len(all), want)
		}
		for name, e := range all {
			if other, ok := seen[string(e)]; ok {
				t.Errorf("%s of proof %d is %s", name, run, other)
			}
			seen[string(e)] = fmt.Sprintf("%s of proof %d", name, run)
		}
	}
}

package verify_test

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// one makes every weight the same.
func one() fr.Element { return fr.One() }

func (l *lending) holdTogether(t *testing.T, b *verify.Bundle, draw func() fr.Element) bool {
	t.Helper()
	held, err := verify.HoldTogether(marshalled(t, b), l.facts, l.ring, draw)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// A valid bundle is accepted without a look at each proof.
func TestProofsHoldTogether(t *testing.T) {
	l := proven(t)
	for name, draw := range map[string]func() fr.Element{
		"random weights": commit.NewWeights(nil).Next, "equal weights": one, "weights of 0": func() fr.Element { return fr.Element{} },
	} {
		if !l.holdTogether(t, l.copied(t), draw) {
			t.Errorf("%s: a valid bundle's proofs do not hold together", name)
		}
	}
	for _, atOnce := range []int{1, 2, 3, 100} {
		if err := verify.VerifyInGroups(l.raw, l.facts, l.ring, atOnce); err != nil {
			t.Errorf("%d at once: %v", atOnce, err)
		}
	}
}

// cancelling are bundles with errors in two proofs that cancel if the proofs are added up with equal weights.
func (l *lending) cancelling(t *testing.T) map[string]*verify.Bundle {
	t.Helper()
	step := l.keys.SRS().G1(3)
	var back bn254.G1Affine
	back.Neg(&step)
	out := map[string]*verify.Bundle{}
	for name, point := range map[string]func(p *verify.ChunkProof) *bn254.G1Affine{
		"circuit":            func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Groth16.Krs },
		"proof of knowledge": func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Groth16.CommitmentPok },
	} {
		b := l.copied(t)
		for i, shift := range map[int]bn254.G1Affine{1: step, 2: back} {
			p := point(b.Chunks[i].Proof)
			p.Add(p, &shift)
		}
		out[name] = b
	}
	// Quotients moved by (ρ₂ − τ)·[1] and −(ρ₁ − τ)·[1]: each opening is wrong by (ρ₁ − τ)(ρ₂ − τ), up to sign.
	b := l.copied(t)
	for i, other := range map[int]int{1: 2, 2: 1} {
		g, tau := l.keys.SRS().G1(0), l.keys.SRS().G1(1)
		shift := times(g, l.linkChallenge(t, b, other))
		shift.Sub(&shift, &tau)
		if i == 2 {
			shift.Neg(&shift)
		}
		b.Chunks[i].Proof.Opening.Add(&b.Chunks[i].Proof.Opening, &shift)
	}
	out["opening"] = b
	return out
}

func (l *lending) linkChallenge(t *testing.T, b *verify.Bundle, i int) fr.Element {
	t.Helper()
	f, p := &l.facts.Chunks[i], b.Chunks[i].Proof
	c, err := commit.ParsePoint(f.Commitment)
	if err != nil {
		t.Fatal(err)
	}
	masked := commit.Sum([]bn254.G1Affine{c, p.M})
	place := verify.ChunkPlace{
		Ledger: l.facts.Ledger, SRS: l.keys.SRS().Digest(), Statement: l.statement.Digest(l.facts.Ledger),
		Fleet: l.facts.Fleet, Chunk: f.Index, Size: f.Size, Epoch: l.facts.Epoch,
	}
	return verify.LinkChallenge(&p.Groth16.Commitments[0], verify.ChunkDigest(&place, &masked))
}

// Without independent weights two false proofs could stand in for each other. The first weight is 1: the errors are in
// the second and third chunk.
func TestErrorsThatCancelAreRefused(t *testing.T) {
	l := proven(t)
	for name, b := range l.cancelling(t) {
		t.Run(name, func(t *testing.T) {
			if !l.holdTogether(t, b, one) {
				t.Error("with equal weights the errors should cancel")
			}
			if l.holdTogether(t, b, commit.NewWeights(nil).Next) {
				t.Error("held with random weights")
			}
			reason := "chunk 5: circuit"
			if name == "opening" {
				reason = "chunk 5: opening"
			}
			for range 3 {
				l.refuses(t, b, reason)
			}
		})
	}
}

// An error in one equation, whichever weight it has, is one too many.
func TestOneErrorIsEnough(t *testing.T) {
	l := proven(t)
	step := l.keys.SRS().G1(3)
	for i := range l.chunks {
		for name, point := range map[string]func(p *verify.ChunkProof) *bn254.G1Affine{
			"A":                  func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Groth16.Ar },
			"C":                  func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Groth16.Krs },
			"link commitment":    func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Groth16.Commitments[0] },
			"lookup commitment":  func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Groth16.Commitments[1] },
			"proof of knowledge": func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Groth16.CommitmentPok },
			"M":                  func(p *verify.ChunkProof) *bn254.G1Affine { return &p.M },
			"R of M":             func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Mask.R },
			"opening":            func(p *verify.ChunkProof) *bn254.G1Affine { return &p.Opening },
		} {
			b := l.copied(t)
			p := point(b.Chunks[i].Proof)
			p.Add(p, &step)
			if l.holdTogether(t, b, commit.NewWeights(nil).Next) {
				t.Errorf("chunk %d: held with %s moved", i, name)
			}
		}
		b := l.copied(t)
		b.Chunks[i].Proof.Groth16.Bs.Neg(&b.Chunks[i].Proof.Groth16.Bs)
		if l.holdTogether(t, b, commit.NewWeights(nil).Next) {
			t.Errorf("chunk %d: held with B turned", i)
		}
	}
	b := l.copied(t)
	b.Fleet[0].Groth16.Krs.Add(&b.Fleet[0].Groth16.Krs, &step)
	if l.holdTogether(t, b, commit.NewWeights(nil).Next) {
		t.Error("held with the fleet proof's C moved")
	}
}

// The chunk at fault is named, however the chunks are grouped: the lowest, and before the fleet's proofs.
func TestTheProofAtFaultIsNamed(t *testing.T) {
	l := proven(t)
	step := l.keys.SRS().G1(3)
	for name, c := range map[string]struct {
		chunks []int
		fleet  bool
		reason string
	}{
		"first":           {[]int{0}, false, "chunk 2: circuit"},
		"last":            {[]int{2}, false, "chunk 6: circuit"},
		"two":             {[]int{2, 1}, false, "chunk 5: circuit"},
		"fleet":           {nil, true, "fleet proof 0: circuit"},
		"last, and fleet": {[]int{2}, true, "chunk 6: circuit"},
	} {
		b := l.copied(t)
		for _, i := range c.chunks {
			b.Chunks[i].Proof.Groth16.Krs.Add(&b.Chunks[i].Proof.Groth16.Krs, &step)
		}
		if c.fleet {
			b.Fleet[0].Groth16.Krs.Add(&b.Fleet[0].Groth16.Krs, &step)
		}
		for _, atOnce := range []int{1, 2, 100} {
			err := verify.VerifyInGroups(marshalled(t, b), l.facts, l.ring, atOnce)
			if err == nil || len(err.Error()) < len(c.reason) || err.Error()[:len(c.reason)] != c.reason {
				t.Errorf("%s, %d at once: %v, want %q", name, atOnce, err, c.reason)
			}
		}
	}
}

// Two keys whose errors cancel: a size's bases are moved one way and another's the other.
func TestMaskBasesThatCancelAreRefused(t *testing.T) {
	key := madeUpSRSKey()
	const points = 32 + 64 // digest and τ
	for i, k := range []uint64{9*100 + 1, 9*101 - 1} {
		p := generatorTimes(k)
		b := p.Bytes()
		copy(key[points+32*(2*i+1):], b[:])
	}
	want := fmt.Sprintf("mask bases for %d slots", commit.Sizes[0])
	checkKeyFails(t, verify.NewPublishedKey(verify.SRSKey, verify.SetupUnsafe, key), want)
}

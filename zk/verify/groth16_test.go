package verify_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/pedersen"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
	"github.com/assay-net/assay/zk/verify/fromgnark"
)

// toGnark is the opposite of package fromgnark.
func toGnark(t *testing.T, c *verify.Groth16Check) (*groth16.Proof, *groth16.VerifyingKey) {
	t.Helper()
	vk := new(groth16.VerifyingKey)
	vk.G1.Alpha, vk.G1.K = c.Key.Alpha, c.Key.K
	vk.G2.Beta, vk.G2.Gamma, vk.G2.Delta = c.Key.Beta, c.Key.Gamma, c.Key.Delta
	vk.PublicAndCommitmentCommitted = c.Key.Covered
	for _, k := range c.Key.Commitments {
		vk.CommitmentKeys = append(vk.CommitmentKeys, pedersen.VerifyingKey{G: k.Generator, GSigmaNeg: k.Secret})
	}
	if err := vk.Precompute(); err != nil {
		t.Fatal(err)
	}
	p := c.Proof
	return &groth16.Proof{Ar: p.Ar, Bs: p.Bs, Krs: p.Krs, Commitments: p.Commitments, CommitmentPok: p.CommitmentPok}, vk
}

// copiedCheck is a check with points of its own, to be changed.
func copiedCheck(c *verify.Groth16Check) *verify.Groth16Check {
	key, proof := *c.Key, *c.Proof
	key.K, key.Commitments, proof.Commitments = slices.Clone(key.K), slices.Clone(key.Commitments), slices.Clone(proof.Commitments)
	return &verify.Groth16Check{Key: &key, Proof: &proof, Public: slices.Clone(c.Public)}
}

func moved(p *bn254.G1Affine) {
	_, _, g, _ := bn254.Generators()
	p.Add(p, &g)
}

func moved2(p *bn254.G2Affine) {
	_, _, _, g := bn254.Generators()
	p.Add(p, &g)
}

// groth16Changes say whether what they make is valid.
var groth16Changes = map[string]struct {
	valid  bool
	change func(c *verify.Groth16Check)
}{
	"nothing":         {true, func(*verify.Groth16Check) {}},
	"A and B negated": {true, func(c *verify.Groth16Check) { c.Proof.Ar.Neg(&c.Proof.Ar); c.Proof.Bs.Neg(&c.Proof.Bs) }},
	"B and C for another A": {true, func(c *verify.Groth16Check) { // A, B + δ, C + A
		c.Proof.Bs.Add(&c.Proof.Bs, &c.Key.Delta)
		c.Proof.Krs.Add(&c.Proof.Krs, &c.Proof.Ar)
	}},
	"A negated":       {false, func(c *verify.Groth16Check) { c.Proof.Ar.Neg(&c.Proof.Ar) }},
	"A at infinity":   {false, func(c *verify.Groth16Check) { c.Proof.Ar = bn254.G1Affine{} }},
	"B at infinity":   {false, func(c *verify.Groth16Check) { c.Proof.Bs = bn254.G2Affine{} }},
	"C at infinity":   {false, func(c *verify.Groth16Check) { c.Proof.Krs = bn254.G1Affine{} }},
	"A off the curve": {false, func(c *verify.Groth16Check) { c.Proof.Ar.X.SetOne() }},
	"C off the curve": {false, func(c *verify.Groth16Check) { c.Proof.Krs.Y.SetOne() }},
	"A":               {false, func(c *verify.Groth16Check) { moved(&c.Proof.Ar) }},
	"B":               {false, func(c *verify.Groth16Check) { moved2(&c.Proof.Bs) }},
	"C":               {false, func(c *verify.Groth16Check) { moved(&c.Proof.Krs) }},
	"alpha":           {false, func(c *verify.Groth16Check) { moved(&c.Key.Alpha) }},
	"beta":            {false, func(c *verify.Groth16Check) { moved2(&c.Key.Beta) }},
	"gamma":           {false, func(c *verify.Groth16Check) { moved2(&c.Key.Gamma) }},
	"delta":           {false, func(c *verify.Groth16Check) { moved2(&c.Key.Delta) }},
	"a public value":  {false, func(c *verify.Groth16Check) { c.Public[2].SetUint64(12345) }},
	"a value less":    {false, func(c *verify.Groth16Check) { c.Public = c.Public[1:] }},
	"a value more":    {false, func(c *verify.Groth16Check) { c.Public = append(c.Public, fr.One()) }},
}

// ofCommitments are the changes of proofs and keys with in-circuit commitments.
var ofCommitments = map[string]func(c *verify.Groth16Check){
	"no commitments":   func(c *verify.Groth16Check) { c.Proof.Commitments = nil },
	"commitments":      func(c *verify.Groth16Check) { moved(&c.Proof.Commitments[0]) },
	"their order":      func(c *verify.Groth16Check) { slices.Reverse(c.Proof.Commitments) },
	"their proof":      func(c *verify.Groth16Check) { moved(&c.Proof.CommitmentPok) },
	"their proof gone": func(c *verify.Groth16Check) { c.Proof.CommitmentPok = bn254.G1Affine{} },
	"their generator": func(c *verify.Groth16Check) {
		for i := range c.Key.Commitments {
			moved2(&c.Key.Commitments[i].Generator)
		}
	},
	"their secrets": func(c *verify.Groth16Check) { moved2(&c.Key.Commitments[1].Secret) },
}

// TestGroth16AgreesWithGnark asks three verifiers: gnark's, this package's for one proof, and its for many.
func TestGroth16AgreesWithGnark(t *testing.T) {
	l := proven(t)
	checks, err := verify.Groth16Checks(l.raw, l.facts, l.ring)
	if err != nil {
		t.Fatal(err)
	}
	chunk, fleet := checks[0], checks[len(checks)-1]
	agree := func(name string, c *verify.Groth16Check, valid bool) {
		t.Run(name, func(t *testing.T) {
			proof, vk := toGnark(t, c)
			gnark := groth16.Verify(proof, vk, c.Public)
			alone := c.Alone()
			if (gnark == nil) != valid || (alone == nil) != valid {
				t.Errorf("gnark says %v, the check of one proof %v; valid is %v", gnark, alone, valid)
			}
			if together, err := c.Together(); together != valid {
				t.Errorf("the check of many says %v (%v), want %v", together, err, valid)
			}
		})
	}
	for name, g := range groth16Changes {
		for circuit, check := range map[string]*verify.Groth16Check{"chunk": &chunk, "fleet": &fleet} {
			c := copiedCheck(check)
			g.change(c)
			agree(circuit+": "+name, c, g.valid)
		}
	}
	for name, change := range ofCommitments {
		c := copiedCheck(&chunk)
		change(c)
		agree("chunk: "+name, c, false)
	}
	outside := copiedCheck(&chunk) // never parsed
	outside.Proof.Bs = bn254.MapToCurve2(&bn254.E2{A0: fp.NewElement(1)})
	if outside.Proof.Bs.IsInSubGroup() {
		t.Error("B is in the subgroup")
	}
	agree("chunk: B outside the subgroup", outside, false)
	for i := range chunk.Key.K {
		c := copiedCheck(&chunk)
		moved(&c.Key.K[i])
		agree(fmt.Sprintf("chunk: K_%d", i), c, i > 0 && i <= len(c.Public) && c.Public[i-1].IsZero())
	}
}

// TestChunkProofsThatWereNeverParsed are refused, and with an error.
func TestChunkProofsThatWereNeverParsed(t *testing.T) {
	l := proven(t)
	parameters, err := l.statement.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	f := l.facts.Chunks[0]
	for name, change := range map[string]func(c *bn254.G1Affine, p *verify.ChunkProof){
		"":               func(*bn254.G1Affine, *verify.ChunkProof) {},
		"no commitments": func(_ *bn254.G1Affine, p *verify.ChunkProof) { p.Groth16.Commitments = nil },
		"a commitment more": func(_ *bn254.G1Affine, p *verify.ChunkProof) {
			p.Groth16.Commitments = append(p.Groth16.Commitments, p.M)
		},
		"nothing":                    func(_ *bn254.G1Affine, p *verify.ChunkProof) { *p = verify.ChunkProof{} },
		"opening off the curve":      func(_ *bn254.G1Affine, p *verify.ChunkProof) { p.Opening.Y.SetOne() },
		"anchor off the curve":       func(c *bn254.G1Affine, _ *verify.ChunkProof) { c.Y.SetOne() },
		"a commitment off the curve": func(_ *bn254.G1Affine, p *verify.ChunkProof) { p.Groth16.Commitments[1].Y.SetOne() },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := commit.ParsePoint(f.Commitment)
			if err != nil {
				t.Fatal(err)
			}
			p := l.copied(t).Chunks[0].Proof
			change(&c, p)
			place := verify.ChunkPlace{
				Ledger: l.facts.Ledger, Statement: l.statement.Digest(l.facts.Ledger), Fleet: l.facts.Fleet, Chunk: f.Index, Size: f.Size, Epoch: l.facts.Epoch,
			}
			if err := l.ring.Chunk(place, &c, parameters, p); (err == nil) != (name == "") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestFromGnark copies a key and a proof there and back.
func TestFromGnark(t *testing.T) {
	c := &verify.Groth16Check{Key: madeUpChunkKey(), Proof: &madeUpChunkProof().Groth16}
	proof, vk := toGnark(t, c)
	if got := fromgnark.Proof(proof); fmt.Sprint(got) != fmt.Sprint(*c.Proof) {
		t.Errorf("proof %v, want %v", got, c.Proof)
	}
	want, err := verify.EncodeChunkKey(c.Key)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := fromgnark.EncodeChunkKey(vk); err != nil || !slices.Equal(got, want) {
		t.Errorf("key %x, %v, want %x", got, err, want)
	}
	c.Key = madeUpKey(verify.FleetPublic+1, 0)
	_, vk = toGnark(t, c)
	if want, err = verify.EncodeFleetKey(c.Key); err != nil {
		t.Fatal(err)
	}
	if got, err := fromgnark.EncodeFleetKey(vk); err != nil || !slices.Equal(got, want) {
		t.Errorf("key %x, %v, want %x", got, err, want)
	}
	vk.G1.K = vk.G1.K[1:]
	if _, err := fromgnark.EncodeFleetKey(vk); err == nil {
		t.Error("a key with a point less is encoded")
	}
}

// TestVerifierHoldsNoCircuits: what a verifier is linked with is part of what it has to be trusted for.
func TestVerifierHoldsNoCircuits(t *testing.T) {
	if testing.Short() {
		t.Skip("asks the go command")
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		if strings.HasPrefix(path, "github.com/consensys/gnark/") || strings.HasPrefix(path, "net/http") {
			t.Errorf("imports %s", path)
		}
	}
}

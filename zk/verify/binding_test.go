package verify_test

import (
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func generatorTimes(k uint64) bn254.G1Affine {
	_, _, g, _ := bn254.Generators()
	var e fr.Element
	return times(g, *e.SetUint64(k))
}

// TestDigestsBind changes one thing at a time of what each digest covers.
func TestDigestsBind(t *testing.T) {
	place := verify.ChunkPlace{Ledger: commit.Digest{1}, SRS: commit.Digest{2}, Statement: [32]byte{3}, Fleet: "f", Chunk: 4, Size: 64, Epoch: 5}
	bases := [2]bn254.G1Affine{generatorTimes(2), generatorTimes(3)}
	c, m, r := generatorTimes(5), generatorTimes(7), generatorTimes(11)
	seen := map[fr.Element]string{}
	fresh := func(name string, e fr.Element) {
		t.Helper()
		if other, ok := seen[e]; ok {
			t.Errorf("%s gives the digest of %s", name, other)
		}
		seen[e] = name
	}
	mask := func() fr.Element { return verify.MaskChallenge(&place, bases, &c, &m, &r) }
	chunk := func() fr.Element { return verify.ChunkDigest(&place, &c) }
	fresh("mask", mask())
	fresh("chunk", chunk())
	for name, change := range map[string]func(p *verify.ChunkPlace){
		"ledger":    func(p *verify.ChunkPlace) { p.Ledger[31]++ },
		"srs":       func(p *verify.ChunkPlace) { p.SRS[31]++ },
		"statement": func(p *verify.ChunkPlace) { p.Statement[31]++ },
		"size":      func(p *verify.ChunkPlace) { p.Size = 256 },
	} {
		was := place
		change(&place)
		fresh("mask of another "+name, mask())
		fresh("chunk of another "+name, chunk())
		place = was
	}
	for name, change := range map[string]func(p *verify.ChunkPlace){
		"fleet": func(p *verify.ChunkPlace) { p.Fleet = "g" },
		"index": func(p *verify.ChunkPlace) { p.Chunk++ },
		"epoch": func(p *verify.ChunkPlace) { p.Epoch++ },
	} {
		was := place
		change(&place)
		fresh("chunk of another "+name, chunk())
		place = was
	}
	other := generatorTimes(13)
	for name, p := range map[string]*bn254.G1Affine{"first base": &bases[0], "second base": &bases[1], "commitment": &c, "M": &m, "R": &r} {
		was := *p
		*p = other
		fresh("mask of another "+name, mask())
		if name == "commitment" {
			fresh("chunk of another commitment", chunk())
		}
		*p = was
	}
}

func TestFleetBindingBinds(t *testing.T) {
	seen := map[fr.Element]string{}
	for name, change := range map[string]func(p *verify.FleetPlace){
		"none":      func(*verify.FleetPlace) {},
		"ledger":    func(p *verify.FleetPlace) { p.Ledger[0]++ },
		"statement": func(p *verify.FleetPlace) { p.Statement[0]++ },
		"fleet":     func(p *verify.FleetPlace) { p.Fleet = "fleet-b" },
		"epoch":     func(p *verify.FleetPlace) { p.Epoch++ },
		"step":      func(p *verify.FleetPlace) { p.Step++ },
		"last":      func(p *verify.FleetPlace) { p.Last = true },
	} {
		p := verify.FleetPlace{Ledger: commit.Digest{1}, Fleet: "fleet-a", Epoch: 7}
		change(&p)
		e := verify.FleetBinding(&p)
		if other, ok := seen[e]; ok {
			t.Errorf("%s and %s have one binding", name, other)
		}
		seen[e] = name
	}
}

// TestLinkChallengeCovers changes what the link's challenge is drawn over.
func TestLinkChallengeCovers(t *testing.T) {
	d, other := generatorTimes(2), generatorTimes(3)
	cd, one := uniform(), fr.One()
	was := verify.LinkChallenge(&d, cd)
	if verify.LinkChallenge(&other, cd) == was {
		t.Error("another commitment has the same challenge")
	}
	if cd.Add(&cd, &one); verify.LinkChallenge(&d, cd) == was {
		t.Error("another digest has the same challenge")
	}
}

// TestDigestsArePinned compares every digest over fixed values to testdata: one
// that changes by accident breaks every proof made before. -update writes them.
func TestDigestsArePinned(t *testing.T) {
	place := verify.ChunkPlace{Ledger: commit.Digest{1}, SRS: commit.Digest{2}, Statement: [32]byte{3}, Fleet: "fleet-a", Chunk: 4, Size: 64, Epoch: 5}
	bases := [2]bn254.G1Affine{generatorTimes(2), generatorTimes(3)}
	c, m, r := generatorTimes(5), generatorTimes(7), generatorTimes(11)
	o := verify.Output{First: fr.NewElement(1), Second: fr.NewElement(2), Exact: fr.NewElement(3), Salt: fr.NewElement(4)}
	got := map[string]string{}
	for name, e := range map[string]fr.Element{
		"mask challenge": verify.MaskChallenge(&place, bases, &c, &m, &r), "chunk digest": verify.ChunkDigest(&place, &c),
		"fleet binding":  verify.FleetBinding(&verify.FleetPlace{Ledger: commit.Digest{1}, Statement: [32]byte{3}, Fleet: "fleet-a", Epoch: 5, Step: 1, Last: true}),
		"link challenge": verify.LinkChallenge(&c, fr.NewElement(6)),
		"chunk output":   o.Commit(verify.ChunkOutput), "fleet output": o.Commit(verify.FleetOutput), "unused input": verify.UnusedInput(),
	} {
		got[name] = e.Text(16)
	}
	got["key"] = verify.KeyDigest(verify.FleetCircuit, verify.SetupUnsafe, []byte{1, 2, 3}).String()
	const path = "testdata/digests.json"
	if *update {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestUnusedInputIsZero(t *testing.T) {
	if zero := verify.NewOutput(statement.Totals{Exact: new(big.Int)}, fr.Element{}); zero.Commit(verify.ChunkOutput) != verify.UnusedInput() {
		t.Error("the pinned constant does not open to zero totals")
	}
	if verify.ChunkOutput.Element() == verify.FleetOutput.Element() {
		t.Error("chunks' and fleets' outputs have one tag")
	}
	var o verify.Output
	if o.Commit(verify.FleetOutput) == verify.UnusedInput() {
		t.Error("a fleet's output is the pinned constant")
	}
}

package transcript

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

// The contributors of every test, and somebody who is none.
var alice, bob, carol, mallory = signer(1), signer(2), signer(3), signer(4)

func signer(seed byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
}

func keyOf(t testing.TB, who crypto.Signer) commit.PublicKey {
	t.Helper()
	key, err := commit.NewPublicKey(who.Public())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testPlan(t testing.TB) *Plan {
	p := &Plan{
		Version: Version, Name: "a <test> & more", Ledger: commit.Digest{7}, Beacon: LedgerBeacon, Minimum: 2, Powers: 6, Domain: 32,
		Circuits: []CircuitPlan{{"twice/v1", commit.Digest{1}, 16}, {"plain/v1", commit.Digest{2}, 32}},
	}
	for _, c := range []struct {
		id  string
		key crypto.Signer
	}{{"alice", alice}, {"bob", bob}, {"carol", carol}} {
		p.Contributors = append(p.Contributors, Contributor{ID: c.id, Key: keyOf(t, c.key).DER()})
	}
	return p
}

// next is a contribution that fits; change, if not nil, is made before it is signed.
func next(t testing.TB, c *Chain, who crypto.Signer, change func(*Header)) *Header {
	t.Helper()
	h := &Header{
		Ceremony: c.ceremony, Part: c.part, Previous: c.Last(), Contributor: commit.Digest(keyOf(t, who).DeviceID()), Body: commit.Digest{byte(c.Number()), 9},
		Number: uint32(c.Number() + 1), BodyBytes: 100,
	}
	if change != nil {
		change(h)
	}
	if err := h.Sign(who); err != nil {
		t.Fatal(err)
	}
	return h
}

var (
	beaconOne = Beacon{commit.Digest{1, 2, 3}, "block 100 of channel test"}
	beaconTwo = Beacon{commit.Digest{4, 5, 6}, "block 200 of channel test"}
)

// ceremony is one in which alice and bob have contributed to everything.
type ceremony struct {
	plan          *Plan
	chains        map[string]*Chain
	first, second *Closing
}

func (c *ceremony) stage(t testing.TB, stage int, b Beacon) *Closing {
	for _, part := range c.plan.Parts(stage) {
		c.chains[part] = c.plan.NewChain(part, c.first)
		for _, who := range []crypto.Signer{alice, bob} {
			if err := c.chains[part].Add(next(t, c.chains[part], who, nil)); err != nil {
				t.Fatal(err)
			}
		}
	}
	closing, err := c.plan.NewClosing(stage, b, c.chains)
	if err != nil {
		t.Fatal(err)
	}
	return closing
}

func testCeremony(t testing.TB) *ceremony {
	c := &ceremony{plan: testPlan(t), chains: map[string]*Chain{}}
	c.first = c.stage(t, FirstStage, beaconOne)
	c.second = c.stage(t, SecondStage, beaconTwo)
	return c
}

func (c *ceremony) file() *File {
	return NewFile(c.plan, c.chains, c.first, c.second, []KeyRecord{
		{CircuitID: SRSPart, Digest: commit.Digest{11}, Source: commit.Digest{12}},
		{CircuitID: "twice/v1", Digest: commit.Digest{13}, Source: commit.Digest{1}},
		{CircuitID: "plain/v1", Digest: commit.Digest{14}, Source: commit.Digest{2}},
	})
}

func refused(t testing.TB, err error, want Fault) {
	t.Helper()
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal (%s)", err, want)
	}
	if r.Fault != want {
		t.Fatalf("got %v, want %s", err, want)
	}
}

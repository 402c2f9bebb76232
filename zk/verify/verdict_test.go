package verify_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func TestVerdict(t *testing.T) {
	l := proven(t)
	got, err := verify.VerifyBundle(l.raw, l.facts, l.ring)
	if err != nil {
		t.Fatal(err)
	}
	digest := l.statement.Digest(l.facts.Ledger)
	want := &verify.Verdict{
		Ledger: l.facts.Ledger, Fleet: "fleet-a", Owner: "owner", Epoch: 7, Digest: hex.EncodeToString(digest[:]), Statement: l.statement,
		Coverage:  verify.Coverage{Attested: 120, Enrolled: 133, Percent: "90.22", Missing: []uint32{9}, Retired: 3},
		Claims:    []verify.ClaimVerdict{{Claim: "count ≥ 70", Holds: true}, {Claim: "state_of_health − 99·count ≥ 0"}},
		Disclosed: []statement.DisclosedTotal{{Name: "population", Value: "120", Unit: "devices"}},
		Unsafe:    true,
	}
	for _, id := range []string{verify.SRSKey, verify.ChunkCircuit(size), verify.FleetCircuit} {
		key, _ := l.ring.Published(id)
		want.Keys = append(want.Keys, verify.KeyVerdict{CircuitID: id, Digest: key.Digest, Setup: verify.SetupUnsafe})
	}
	for _, f := range l.facts.Chunks[:4] {
		want.Chunks = append(want.Chunks, verify.ChunkVerdict{Index: f.Index, Attested: f.Attested, Enrolled: f.Enrolled, Height: f.Height, TxID: f.TxID})
	}
	p, err := l.statement.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	totals := p.Sum(nil)
	for _, c := range l.chunks {
		totals = totals.Add(p.Sum(c.Records))
	}
	value, _ := l.statement.FormatTotal(statement.Value, totals.Value(), nil)
	age, _ := l.statement.FormatTotal(statement.LaneSum+3, totals.Vector()[statement.LaneSum+3], nil)
	want.Disclosed = append(want.Disclosed, value, age)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got.Holds() {
		t.Error("holds although a claim does not")
	}
	if !strings.Contains(got.Keys[1].Setup, "unsafe") {
		t.Error("the setup's name does not say unsafe")
	}
}

// TestVerifyRefusesOtherFacts verifies the honest bundle against other facts.
func TestVerifyRefusesOtherFacts(t *testing.T) {
	l := proven(t)
	for name, c := range map[string]struct {
		change func(f *verify.Facts)
		reason string
	}{
		"another ledger":   {func(f *verify.Facts) { f.Ledger[31] ^= 1 }, "mask M"},
		"another fleet":    {func(f *verify.Facts) { f.Fleet = "fleet-b" }, "fleet"},
		"another epoch":    {func(f *verify.Facts) { f.Epoch++ }, "epoch"},
		"another schema":   {func(f *verify.Facts) { f.Schema = "charger/v1" }, "schema"},
		"unknown schema":   {func(f *verify.Facts) { f.Schema = "battery/v0" }, "schema"},
		"another size":     {func(f *verify.Facts) { f.Chunks[0].Size = 256 }, "chunk 2: mask M"},
		"size without key": {func(f *verify.Facts) { f.Chunks[0].Size = 1024 }, "no key is pinned"},
		"chunk's commitment": {func(f *verify.Facts) {
			f.Chunks[0].Commitment = f.Chunks[1].Commitment
		}, "chunk 2: mask M"},
		"commitment that is no point": {func(f *verify.Facts) { f.Chunks[0].Commitment = make([]byte, 31) }, "anchored commitment"},
		"chunk not in the facts": {func(f *verify.Facts) {
			f.Enrolled -= uint64(f.Chunks[1].Enrolled)
			f.Chunks = append(f.Chunks[:1:1], f.Chunks[2:]...)
		}, "bundle proves 3 chunks, the ledger anchors 2"},
		"chunk not anchored": {func(f *verify.Facts) {
			f.Chunks[1].Anchored, f.Chunks[1].Attested, f.Chunks[1].Commitment = false, 0, nil
		}, "bundle proves 3 chunks, the ledger anchors 2"},
		"anchored chunk not in the bundle": {func(f *verify.Facts) {
			f.Chunks[4].Anchored, f.Chunks[4].Attested, f.Chunks[4].Commitment = true, 5, f.Chunks[0].Commitment
		}, "bundle proves 3 chunks, the ledger anchors 4"},
		"another index":        {func(f *verify.Facts) { f.Chunks[0].Index = 1 }, "bundle proves chunk 2 where the ledger anchors chunk 1"},
		"one attestation more": {func(f *verify.Facts) { f.Chunks[0].Attested++ }, "population differs"},
		"one attestation less": {func(f *verify.Facts) { f.Chunks[0].Attested-- }, "population differs"},
		"coverage too low": {func(f *verify.Facts) {
			f.Chunks[4].Enrolled, f.Chunks[4].Classes = 100, map[string]uint32{"gateway": 100}
			f.Enrolled += 95
		}, "coverage is 120 of 228 devices (52.63 %), below the statement's minimum of 60.00 %"},
		"nobody attested": {func(f *verify.Facts) {
			for i := range f.Chunks {
				f.Chunks[i].Anchored, f.Chunks[i].Attested, f.Chunks[i].Commitment = false, 0, nil
			}
		}, "nothing to prove"},
		"facts that contradict themselves": {func(f *verify.Facts) { f.Enrolled++ }, "chunks add up to"},
	} {
		t.Run(name, func(t *testing.T) {
			f := cloned(t, l.facts)
			c.change(f)
			refuses(t, l.ring, f, l.bundle, c.reason)
		})
	}
}

// TestCoverageIsAgainstEnrolled checks both sides of the bound.
func TestCoverageIsAgainstEnrolled(t *testing.T) {
	l := proven(t)
	for minimum, ok := range map[string]bool{"90.22": true, "90.23": false, "100.00": false} {
		b := l.copied(t)
		b.Statement.MinimumCoverage = minimum
		reason := "chunk 2: mask M" // past coverage: the statement is another now
		if !ok {
			reason = "coverage is 120 of 133"
		}
		l.refuses(t, b, reason)
	}
}

func TestVerifyRefusesKeyClass(t *testing.T) {
	l := proven(t)
	b := l.copied(t)
	b.Statement.KeyClasses = []string{"secure_element"}
	l.refuses(t, b, "chunk 2 has 40 devices with keys in module, which the statement does not accept")
	b.Statement.KeyClasses = []string{"secure_element", "module"}
	l.refuses(t, b, "chunk 9 has 5 devices with keys in gateway")
	b.Statement.KeyClasses = []string{"secure_element", "module", "gateway"}
	l.refuses(t, b, "mask M")
}

// TestVerifyNeedsPinnedKeys takes away one key at a time.
func TestVerifyNeedsPinnedKeys(t *testing.T) {
	l := proven(t)
	for i, missing := range l.published {
		if missing.CircuitID == verify.ChunkCircuit(256) {
			continue // anchored for no chunk
		}
		rest := append(append([]verify.PublishedKey{}, l.published[:i]...), l.published[i+1:]...)
		ring, err := verify.NewKeyring(rest)
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, ring, l.facts, l.bundle, "no key is pinned for")
	}
}

// mixedKeys takes SRS and chunk key from anywhere.
type mixedKeys struct {
	zk.Keys
	srs   *commit.SRS
	chunk *zk.CircuitKey
}

func (k mixedKeys) SRS() *commit.SRS                  { return k.srs }
func (k mixedKeys) Chunk(int) (*zk.CircuitKey, error) { return k.chunk, nil }

// TestVerifyRefusesAnotherSetup shows that a proof stands on the pinned keys
// and on nothing that a prover makes for itself.
func TestVerifyRefusesAnotherSetup(t *testing.T) {
	l := proven(t)
	own, err := setup.UnsafeSingleParty(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	chunkKey, err := own.Chunk(size)
	if err != nil {
		t.Fatal(err)
	}
	prove := func(keys mixedKeys) *verify.Bundle {
		b := l.copied(t)
		p, _, err := l.proveChunk(&cheat{}, keys, l.statement, 0)
		if err != nil {
			t.Fatal(err)
		}
		b.Chunks[0].Proof = p
		return b
	}
	l.refuses(t, prove(mixedKeys{l.keys, l.keys.SRS(), chunkKey}), "chunk 2: circuit chunk-64/v1")
	honest, err := l.keys.Chunk(size)
	if err != nil {
		t.Fatal(err)
	}
	l.refuses(t, prove(mixedKeys{l.keys, own.SRS(), honest}), "chunk 2: mask M")

	srsKey, err := verify.EncodeSRSKey(own.SRS())
	if err != nil {
		t.Fatal(err)
	}
	pinned := append([]verify.PublishedKey{}, l.published...)
	pinned[0] = verify.NewPublishedKey(verify.SRSKey, verify.SetupUnsafe, srsKey)
	ring, err := verify.NewKeyring(pinned)
	if err != nil {
		t.Fatal(err)
	}
	refuses(t, ring, l.facts, l.bundle, "chunk 2: mask M")
	if own.SRS().Digest() == (commit.Digest{}) || own.SRS().Digest() == l.keys.SRS().Digest() {
		t.Error("two setups have one SRS")
	}
}

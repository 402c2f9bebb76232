package verify_test

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/verify"
)

func generator2Times(k int64) bn254.G2Affine {
	_, _, _, g := bn254.Generators()
	return *g.ScalarMultiplication(&g, big.NewInt(k))
}

// madeUpKey is a verifying key with an encoding and nothing else to it.
func madeUpKey(points, commitments int) *verify.VerifyingKey {
	vk := new(verify.VerifyingKey)
	vk.Alpha = generatorTimes(2)
	vk.Beta, vk.Gamma, vk.Delta = generator2Times(3), generator2Times(4), generator2Times(5)
	for i := range points {
		vk.K = append(vk.K, generatorTimes(uint64(10+i)))
	}
	for i := range commitments {
		vk.Commitments = append(vk.Commitments, verify.CommitmentKey{Generator: generator2Times(6), Secret: generator2Times(7 + int64(i))})
	}
	return vk
}

func madeUpChunkKey() *verify.VerifyingKey {
	vk := madeUpKey(8, 2)
	vk.Covered = [][]int{{1}, {6}}
	return vk
}

func madeUpSRSKey() []byte {
	key := bytes.Repeat([]byte{7}, len(commit.Digest{})) // a digest
	tau := generator2Times(9)
	b := tau.Bytes()
	key = append(key, b[:]...)
	for i := range commit.Sizes {
		for _, k := range []uint64{uint64(100 + i), 9 * uint64(100+i)} {
			p := generatorTimes(k)
			b := p.Bytes()
			key = append(key, b[:]...)
		}
	}
	return key
}

func madeUpKeys(t *testing.T) []verify.PublishedKey {
	t.Helper()
	chunk, err := verify.EncodeChunkKey(madeUpChunkKey())
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := verify.EncodeFleetKey(madeUpKey(verify.FleetPublic+1, 0))
	if err != nil {
		t.Fatal(err)
	}
	return []verify.PublishedKey{
		verify.NewPublishedKey(verify.SRSKey, verify.SetupUnsafe, madeUpSRSKey()),
		verify.NewPublishedKey(verify.ChunkCircuit(64), verify.SetupUnsafe, chunk),
		verify.NewPublishedKey(verify.FleetCircuit, verify.SetupUnsafe, fleet),
	}
}

func checkKeyFails(t *testing.T, k verify.PublishedKey, reason string) {
	t.Helper()
	if err := verify.CheckKey(k); err == nil || !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), fmt.Sprintf("%q", k.CircuitID)) {
		t.Errorf("got %v, want an error about key %q and %q", err, k.CircuitID, reason)
	}
}

func rekeyed(k verify.PublishedKey, key []byte) verify.PublishedKey {
	return verify.NewPublishedKey(k.CircuitID, k.Setup, key)
}

func TestCheckKey(t *testing.T) {
	for _, k := range madeUpKeys(t) {
		if err := verify.CheckKey(k); err != nil {
			t.Fatalf("%s: %v", k.CircuitID, err)
		}
		t.Run(k.CircuitID, func(t *testing.T) {
			wrong := k
			wrong.Digest[0] ^= 1
			checkKeyFails(t, wrong, "bytes do not match the digest")
			wrong = k
			wrong.Digest = commit.Digest{}
			checkKeyFails(t, wrong, "bytes do not match the digest")
			wrong = k
			wrong.Key = bytes.Clone(k.Key)
			wrong.Key[40] ^= 1
			checkKeyFails(t, wrong, "bytes do not match the digest")
			wrong = k
			wrong.Setup = "ceremony"
			checkKeyFails(t, wrong, "unknown setup")
			checkKeyFails(t, verify.NewPublishedKey(k.CircuitID, "", k.Key), "unknown setup")
			for _, id := range []string{"", "chunk-128/v1", "chunk-64/v2", "fleet-63/v1", "chunk-064/v1"} {
				checkKeyFails(t, verify.NewPublishedKey(id, k.Setup, k.Key), "unknown circuit")
			}
			for _, n := range []int{0, 1, 31, 32, 63, len(k.Key) - 32, len(k.Key) - 1} {
				checkKeyFails(t, rekeyed(k, k.Key[:n]), "cut short")
			}
			checkKeyFails(t, rekeyed(k, append(bytes.Clone(k.Key), 0)), "trailing bytes")
			if _, err := verify.NewKeyring([]verify.PublishedKey{k, k}); err == nil || !strings.Contains(err.Error(), "listed twice") {
				t.Errorf("the key twice: %v", err)
			}
		})
	}
	// A key's digest is of its circuit and setup, too.
	keys := madeUpKeys(t)
	for _, id := range []string{verify.ChunkCircuit(256), verify.FleetCircuit} {
		moved := keys[1]
		moved.CircuitID = id
		checkKeyFails(t, moved, "bytes do not match the digest")
	}
	checkKeyFails(t, verify.NewPublishedKey(verify.FleetCircuit, verify.SetupUnsafe, keys[1].Key), "")
}

// TestCheckKeyRefusesBadPoints puts bad points into every place of every key.
func TestCheckKeyRefusesBadPoints(t *testing.T) {
	keys := madeUpKeys(t)
	g1, g2 := badG1(t), badG2(t)
	groth := func(points, commitments int) []string {
		kinds := []string{"g1 alpha", "g2 beta", "g2 gamma", "g2 delta"}
		for i := range points {
			kinds = append(kinds, fmt.Sprintf("g1 point of public input %d", i))
		}
		for range 2 * commitments {
			kinds = append(kinds, "g2 commitment key")
		}
		return kinds
	}
	srs := []string{"scalar digest", "g2 tau"}
	for range 2 * len(commit.Sizes) {
		srs = append(srs, "g1 mask base")
	}
	for i, kinds := range [][]string{srs, groth(8, 2), groth(verify.FleetPublic+1, 0)} {
		for _, f := range layout(kinds...) {
			bad := map[string]map[string][]byte{"g1": g1, "g2": g2}[f.kind]
			if i == 2 && f.start > 1000 {
				bad = map[string][]byte{"infinity": g1["infinity"]} // of 132 points
			}
			for name, encoding := range bad {
				key := bytes.Clone(keys[i].Key)
				copy(key[f.start:], encoding)
				if err := verify.CheckKey(rekeyed(keys[i], key)); err == nil || !strings.Contains(err.Error(), f.name) {
					t.Errorf("%s of %s: %s: got %v", f.name, keys[i].CircuitID, name, err)
				}
			}
		}
	}
}

// TestCheckKeyRefusesShape makes keys that no honest setup makes.
func TestCheckKeyRefusesShape(t *testing.T) {
	encode := func(change func(vk *verify.VerifyingKey)) verify.PublishedKey {
		vk := madeUpChunkKey()
		change(vk)
		b, err := verify.EncodeChunkKey(vk)
		if err != nil {
			t.Fatal(err)
		}
		return verify.NewPublishedKey(verify.ChunkCircuit(64), verify.SetupUnsafe, b)
	}
	checkKeyFails(t, encode(func(vk *verify.VerifyingKey) { vk.Delta = vk.Gamma }), "secrets are equal")
	checkKeyFails(t, encode(func(vk *verify.VerifyingKey) { vk.Beta = vk.Delta }), "secrets are equal")
	checkKeyFails(t, encode(func(vk *verify.VerifyingKey) {
		vk.Commitments[1].Secret = vk.Commitments[0].Secret
	}), "secrets are equal")
	checkKeyFails(t, encode(func(vk *verify.VerifyingKey) { vk.Commitments[1].Generator = generator2Times(60) }), "different generators")
}

// TestEncodeKeyRefusesShape encodes keys whose commitments' challenges cover
// something else than the verifier draws them over.
func TestEncodeKeyRefusesShape(t *testing.T) {
	for name, change := range map[string]func(vk *verify.VerifyingKey){
		"a point less":             func(vk *verify.VerifyingKey) { vk.K = vk.K[:7] },
		"a point more":             func(vk *verify.VerifyingKey) { vk.K = append(vk.K, vk.K[0]) },
		"link over nothing":        func(vk *verify.VerifyingKey) { vk.Covered = [][]int{{}, {6}} },
		"link over another input":  func(vk *verify.VerifyingKey) { vk.Covered = [][]int{{2}, {6}} },
		"lookups without the link": func(vk *verify.VerifyingKey) { vk.Covered = [][]int{{1}, {}} },
		"one commitment":           func(vk *verify.VerifyingKey) { vk.Covered = [][]int{{1}} },
		"a commitment's key less":  func(vk *verify.VerifyingKey) { vk.Commitments = vk.Commitments[:1] },
	} {
		vk := madeUpChunkKey()
		change(vk)
		if _, err := verify.EncodeChunkKey(vk); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := verify.EncodeFleetKey(madeUpKey(verify.FleetPublic, 0)); err == nil {
		t.Error("a fleet key with a point less is encoded")
	}
	if _, err := verify.EncodeFleetKey(madeUpKey(verify.FleetPublic+1, 1)); err == nil {
		t.Error("a fleet key with a commitment is encoded")
	}
}

func TestCheckSRSKeyRefusesMasks(t *testing.T) {
	k := madeUpKeys(t)[0]
	const masks = 32 + 64
	for i := range commit.Sizes {
		for name, p := range map[string]bn254.G1Affine{"another multiple": generatorTimes(9*uint64(100+i) + 1), "the first again": generatorTimes(uint64(100 + i))} {
			key := bytes.Clone(k.Key)
			b := p.Bytes()
			copy(key[masks+64*i+32:], b[:])
			checkKeyFails(t, rekeyed(k, key), fmt.Sprintf("mask bases for %d slots are not consecutive powers of tau", commit.Sizes[i]))
			_ = name
		}
	}
	key := bytes.Clone(k.Key)
	copy(key[masks:], k.Key[masks+32:masks+64])
	copy(key[masks+32:], k.Key[masks:masks+32])
	checkKeyFails(t, rekeyed(k, key), "mask bases for 64 slots")
}

// TestSRSKeyBringsNoGenerator: an opening under a generator at infinity would
// always pass, so the verifier sets both generators itself.
func TestSRSKeyBringsNoGenerator(t *testing.T) {
	ring, err := verify.NewKeyring(madeUpKeys(t)[:1])
	if err != nil {
		t.Fatal(err)
	}
	_, _, g1, g2 := bn254.Generators()
	got1, got2 := verify.SRSGenerators(ring)
	if got1 != g1 || got2 != g2 {
		t.Error("a parsed SRS key opens with other generators")
	}
	if d, err := ring.SRSDigest(); err != nil || d != commit.Digest(bytes.Repeat([]byte{7}, 32)) {
		t.Errorf("digest %v, %v", d, err)
	}
	if _, err := new(verify.Keyring).SRSDigest(); err == nil {
		t.Error("an empty keyring has an SRS")
	}
	if _, err := verify.EncodeSRSKey(committest.UnsafeSRS(64)); err == nil {
		t.Error("an SRS too short for every size is published")
	}
}

// TestKeyringIsOf changes keys under a keyring's feet.
func TestKeyringIsOf(t *testing.T) {
	keys := madeUpKeys(t)
	ring, err := verify.NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	if !ring.IsOf(keys) || !ring.IsOf([]verify.PublishedKey{keys[2], keys[0], keys[1]}) {
		t.Error("a keyring is not of its keys")
	}
	for name, change := range map[string]func(k []verify.PublishedKey) []verify.PublishedKey{
		"none":        func([]verify.PublishedKey) []verify.PublishedKey { return nil },
		"one less":    func(k []verify.PublishedKey) []verify.PublishedKey { return k[1:] },
		"one twice":   func(k []verify.PublishedKey) []verify.PublishedKey { k[1] = k[0]; return k },
		"its bytes":   func(k []verify.PublishedKey) []verify.PublishedKey { k[1].Key[40] ^= 1; return k },
		"its digest":  func(k []verify.PublishedKey) []verify.PublishedKey { k[1].Digest[0] ^= 1; return k },
		"its setup":   func(k []verify.PublishedKey) []verify.PublishedKey { k[1].Setup = "x"; return k },
		"its circuit": func(k []verify.PublishedKey) []verify.PublishedKey { k[1].CircuitID = "x"; return k },
		"its pin":     func(k []verify.PublishedKey) []verify.PublishedKey { k[1].SRS[0], k[1].Circuit[0] = 1, 1; return k },
		"its status":  func(k []verify.PublishedKey) []verify.PublishedKey { k[1].Status.State = verify.StateRevoked; return k },
	} {
		keys := madeUpKeys(t)
		ring, err := verify.NewKeyring(keys)
		if err != nil {
			t.Fatal(err)
		}
		if ring.IsOf(change(keys)) {
			t.Errorf("%s: still of the keys", name)
		}
	}
}

// TestPublishedKeysAreCopies changes what a keyring gives away.
func TestPublishedKeysAreCopies(t *testing.T) {
	keys := madeUpKeys(t)
	ring, err := verify.NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	given, _ := ring.Published(verify.FleetCircuit)
	given.Key[40] ^= 1
	if !ring.IsOf(keys) {
		t.Error("the keyring's own key has changed")
	}
	keys[2].Key[40] ^= 1
	if ring.IsOf(keys) {
		t.Error("a keyring is of keys that it never parsed")
	}
}

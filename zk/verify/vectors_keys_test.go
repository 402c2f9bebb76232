package verify_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/verify"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// makeKeyVectors takes real keys for those that are accepted, and keys that nobody knows a proof for.
func makeKeyVectors(t *testing.T) []keyVector {
	pinned, made := proven(t).published, madeUpKeys(t)
	out := []keyVector{{"all keys of a consortium", pinned, ""}, {"made-up keys", made, ""}, {"no keys", []verify.PublishedKey{}, ""}}
	add := func(name string, failure verify.Failure, keys ...verify.PublishedKey) {
		out = append(out, keyVector{name, keys, failure})
	}
	relabelled := made[1]
	relabelled.Setup = verify.CeremonySetup(made[0].Digest)
	wrong := made[1]
	wrong.Digest[31] ^= 1
	add("a circuit twice", verify.KeyDuplicate, made[0], made[1], made[0])
	add("a setup without a name", verify.KeySetup, verify.NewPublishedKey(made[0].CircuitID, "", made[0].Key))
	add("a ceremony without a transcript", verify.KeySetup, verify.NewPublishedKey(made[0].CircuitID, "ceremony:", made[0].Key))
	add("a ceremony with a transcript of zeros", verify.KeySetup, verify.NewPublishedKey(made[0].CircuitID, "ceremony:"+verify.PublishedKey{}.Digest.String(), made[0].Key))
	status := func(name string, failure verify.Failure, s verify.KeyStatus) {
		k := made[1]
		k.SRS, k.Circuit, k.Status = made[0].Digest, made[2].Digest, s
		add("a status: "+name, failure, k)
	}
	status("none", "", verify.KeyStatus{})
	status("retired", "", verify.KeyStatus{State: verify.StateRetired, Reason: "größer", Time: 253_402_300_799})
	status("revoked in 1970", "", verify.KeyStatus{State: verify.StateRevoked, Reason: strings.Repeat("r", verify.MaxStatusReason)})
	status("active", verify.KeyStatusWrong, verify.KeyStatus{State: verify.StateActive, Reason: "r", Time: 1})
	status("no state", verify.KeyStatusWrong, verify.KeyStatus{Reason: "r", Time: 1})
	status("no reason", verify.KeyStatusWrong, verify.KeyStatus{State: verify.StateRevoked, Time: 1})
	status("reason of 513 bytes", verify.KeyStatusWrong, verify.KeyStatus{State: verify.StateRevoked, Reason: strings.Repeat("r", verify.MaxStatusReason+1), Time: 1})
	status("reason of two lines", verify.KeyStatusWrong, verify.KeyStatus{State: verify.StateRevoked, Reason: "a\nb", Time: 1})
	status("before 1970", verify.KeyStatusWrong, verify.KeyStatus{State: verify.StateRetired, Reason: "r", Time: -1})
	status("after 9999", verify.KeyStatusWrong, verify.KeyStatus{State: verify.StateRetired, Reason: "r", Time: 253_402_300_800})
	add("another digest", verify.KeyMismatch, wrong)
	add("an unsafe key relabelled", verify.KeyMismatch, relabelled)
	add("a size that is none", verify.CircuitUnknown, verify.NewPublishedKey("chunk-128/v1", verify.SetupUnsafe, made[1].Key))
	add("another version", verify.CircuitUnknown, verify.NewPublishedKey("fleet-64/v2", verify.SetupUnsafe, made[2].Key))
	add("a chunk's key for the fleet", verify.KeyEncoding, verify.NewPublishedKey(verify.FleetCircuit, verify.SetupUnsafe, made[1].Key))
	add("a chunk's key for another size", "", verify.NewPublishedKey(verify.ChunkCircuit(256), verify.SetupUnsafe, made[1].Key))
	for _, k := range made {
		add(k.CircuitID+": cut short", verify.KeyEncoding, rekeyed(k, k.Key[:len(k.Key)-1]))
		add(k.CircuitID+": a byte too many", verify.KeyEncoding, rekeyed(k, append(bytes.Clone(k.Key), 0)))
		add(k.CircuitID+": empty", verify.KeyEncoding, rekeyed(k, []byte{}))
	}
	return append(append(out, badPointKeys(t, made)...), badShapeKeys(t)...)
}

// badPointKeys puts one bad point of each kind into each key.
func badPointKeys(t *testing.T, made []verify.PublishedKey) (out []keyVector) {
	for i, at := range []struct{ g1, g2 int }{{96, 32}, {0, 96}, {224 + 32*135, 160}} { // a mask base and tau; alpha and gamma; the last input's point and delta
		put := func(name string, start int, point []byte) {
			key := bytes.Clone(made[i].Key)
			copy(key[start:], point)
			out = append(out, keyVector{made[i].CircuitID + ": " + name, []verify.PublishedKey{rekeyed(made[i], key)}, verify.KeyEncoding})
		}
		g1, g2 := badG1(t), badG2(t)
		if made[i].CircuitID == verify.FleetCircuit { // it is long, and read like a chunk's
			g1, g2 = map[string][]byte{"infinity": g1["infinity"]}, map[string][]byte{"infinity": g2["infinity"]}
		}
		for _, name := range sortedKeys(g1) {
			put("point of G1 "+name, at.g1, g1[name])
		}
		for _, name := range sortedKeys(g2) {
			put("point of G2 "+name, at.g2, g2[name])
		}
	}
	return out
}

// badShapeKeys are keys whose points are good each by itself.
func badShapeKeys(t *testing.T) (out []keyVector) {
	for _, c := range []struct {
		name   string
		change func(vk *verify.VerifyingKey)
	}{
		{"gamma is delta", func(vk *verify.VerifyingKey) { vk.Gamma = vk.Delta }},
		{"beta is delta", func(vk *verify.VerifyingKey) { vk.Beta = vk.Delta }},
		{"one secret for both commitments", func(vk *verify.VerifyingKey) { vk.Commitments[1].Secret = vk.Commitments[0].Secret }},
		{"a commitment's secret is gamma", func(vk *verify.VerifyingKey) { vk.Commitments[1].Secret = vk.Gamma }},
		{"two generators", func(vk *verify.VerifyingKey) { vk.Commitments[1].Generator = generator2Times(60) }},
	} {
		vk := madeUpChunkKey()
		c.change(vk)
		key, err := verify.EncodeChunkKey(vk)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, keyVector{"chunk key: " + c.name, []verify.PublishedKey{verify.NewPublishedKey(verify.ChunkCircuit(64), verify.SetupUnsafe, key)}, verify.KeyEncoding})
	}
	srs := madeUpKeys(t)[0]
	const masks = 32 + 64
	exchanged := bytes.Clone(srs.Key)
	copy(exchanged[masks:], srs.Key[masks+32:masks+64])
	copy(exchanged[masks+32:], srs.Key[masks:masks+32])
	equal := bytes.Clone(srs.Key)
	copy(equal[masks+64+32:], srs.Key[masks+64:masks+96])
	for name, key := range map[string][]byte{"mask bases exchanged": exchanged, "one mask base twice": equal} {
		out = append(out, keyVector{"SRS key: " + name, []verify.PublishedKey{rekeyed(srs, key)}, verify.KeyEncoding})
	}
	slices.SortFunc(out, func(a, b keyVector) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}

package commit_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"filippo.io/edwards25519"
	"github.com/hdevalence/ed25519consensus"
	"github.com/oasisprotocol/curve25519-voi/curve"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// vector is an Ed25519 signature at the edge of the rules. Another implementation of ZIP 215 says whether it is valid.
type vector struct {
	name               string
	key                commit.PublicKey
	message, signature []byte
	valid              bool
}

func encoded(t *testing.T, b []byte) *edwards25519.Point {
	t.Helper()
	p, err := new(edwards25519.Point).SetBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func uniformScalar() *edwards25519.Scalar {
	var wide [64]byte
	rand.Read(wide[:]) //nolint:errcheck // never fails
	s, err := new(edwards25519.Scalar).SetUniformBytes(wide[:])
	if err != nil {
		panic(err)
	}
	return s
}

// torsion lists encodings of the eight points of small order, and then other encodings of some of them.
func torsion() [][]byte {
	var out [][]byte
	for _, point := range curve.EIGHT_TORSION {
		var c curve.CompressedEdwardsY
		out = append(out, bytes.Clone(c.SetEdwardsPoint(point)[:]))
	}
	for _, y := range []struct{ low, middle, high byte }{
		{0x01, 0x00, 0x80}, {0xec, 0xff, 0xff}, // x = 0 with a sign
		{0xed, 0xff, 0x7f}, {0xed, 0xff, 0xff}, {0xee, 0xff, 0x7f}, {0xee, 0xff, 0xff}, // p and p + 1 for 0 and 1
	} {
		b := bytes.Repeat([]byte{y.middle}, 32)
		b[0], b[31] = y.low, y.high
		out = append(out, b)
	}
	return out
}

func hashed(r, key, message []byte) *edwards25519.Scalar {
	h := sha512.Sum512(bytes.Join([][]byte{r, key, message}, nil))
	k, err := new(edwards25519.Scalar).SetUniformBytes(h[:])
	if err != nil {
		panic(err)
	}
	return k
}

// edgeVectors are signatures of keys a·B + T, with R = r·B + T′ or any encoding of T′, for all T and T′ of small order;
// each also with what makes it invalid.
func edgeVectors(t *testing.T) []vector {
	var out []vector
	small := torsion()
	for i, t1 := range small[:8] {
		a := uniformScalar()
		point := new(edwards25519.Point).ScalarBaseMult(a)
		key := point.Add(point, encoded(t, t1)).Bytes()
		public, err := commit.NewPublicKey(ed25519.PublicKey(key))
		if err != nil {
			t.Fatal(err)
		}
		add := func(name string, rBytes []byte, r *edwards25519.Scalar) {
			message := []byte(name)
			s := new(edwards25519.Scalar).MultiplyAdd(hashed(rBytes, key, message), a, r)
			for bad, change := range map[string]func(s []byte){
				"": func([]byte) {}, ", s changed": func(s []byte) { s[0] ^= 1 }, ", s not reduced": func(s []byte) { s[31] |= 0x10 },
			} {
				signature := append(bytes.Clone(rBytes), s.Bytes()...)
				change(signature[32:])
				out = append(out, vector{name + bad, public, message, signature, ed25519consensus.Verify(key, message, signature)})
			}
		}
		for j, t2 := range small {
			add(fmt.Sprintf("key %d, R small %d", i, j), t2, edwards25519.NewScalar())
			r := uniformScalar()
			point := new(edwards25519.Point).ScalarBaseMult(r)
			add(fmt.Sprintf("key %d, R large %d", i, j), point.Add(point, encoded(t, t2)).Bytes(), r)
		}
		offCurve := make([]byte, 32)
		offCurve[0] = 2
		add(fmt.Sprintf("key %d, R off the curve", i), offCurve, uniformScalar())
		add(fmt.Sprintf("key %d, R another's", i), ed25519.NewKeyFromSeed(key).Public().(ed25519.PublicKey), uniformScalar())
	}
	return out
}

// One by one and in batches of any make-up, what is valid is what ZIP 215 says.
func TestSignaturesAtTheEdgeOfTheRules(t *testing.T) {
	honest := committest.NewDevice(commit.Ed25519)
	message := []byte("m")
	good, err := commit.Sign(honest.Key, message)
	if err != nil {
		t.Fatal(err)
	}
	var keys []commit.PublicKey
	var messages, signatures [][]byte
	count := map[bool]int{}
	for _, v := range edgeVectors(t) {
		count[v.valid]++
		if err := v.key.Verify(v.message, v.signature); (err == nil) != v.valid {
			t.Errorf("%s: alone: error %v, valid %v", v.name, err, v.valid)
		}
		err := commit.CheckSignatures([]commit.PublicKey{honest.Public, v.key}, [][]byte{message, v.message}, [][]byte{good, v.signature})
		if (err == nil) != v.valid || (err != nil && !strings.HasPrefix(err.Error(), "slot 1:")) {
			t.Errorf("%s: in a batch: error %v, valid %v", v.name, err, v.valid)
		}
		if v.valid {
			keys, messages, signatures = append(keys, v.key), append(messages, v.message), append(signatures, v.signature)
		}
	}
	if count[true] != 8*28 || count[false] == 0 {
		t.Fatalf("%d valid and %d invalid vectors", count[true], count[false])
	}
	for range 3 {
		if err := commit.CheckSignatures(keys, messages, signatures); err != nil {
			t.Errorf("all that are valid: %v", err)
		}
	}
}

// Without independent weights, s can be taken from one signature and given to another.
func TestSignaturesThatCancelAreRefused(t *testing.T) {
	const count = 300
	var keys []commit.PublicKey
	var messages, signatures [][]byte
	for i := range count {
		device := committest.NewDevice([]commit.Algorithm{commit.Ed25519, commit.Ed25519, commit.P256}[i%3])
		message := fmt.Appendf(nil, "message %d", i)
		signature, err := commit.Sign(device.Key, message)
		if err != nil {
			t.Fatal(err)
		}
		keys, messages, signatures = append(keys, device.Public), append(messages, message), append(signatures, signature)
	}
	if err := commit.CheckSignatures(keys, messages, signatures); err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 32)
	one[0] = 1
	step, err := new(edwards25519.Scalar).SetCanonicalBytes(one)
	if err != nil {
		t.Fatal(err)
	}
	for i, shift := range map[int]*edwards25519.Scalar{6: step, 10: new(edwards25519.Scalar).Negate(step)} {
		s, err := new(edwards25519.Scalar).SetCanonicalBytes(signatures[i][32:])
		if err != nil {
			t.Fatal(err)
		}
		signatures[i] = append(signatures[i][:32:32], s.Add(s, shift).Bytes()...)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, cores := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(cores)
		if err := commit.CheckSignatures(keys, messages, signatures); err == nil || !strings.HasPrefix(err.Error(), "slot 6:") {
			t.Errorf("on %d cores: %v", cores, err)
		}
	}
	if !addsUp(t, keys, messages, signatures, 6, 10) {
		t.Error("with equal weights the two should cancel")
	}
}

// addsUp checks Σ (s·B − R − k·A) = 0 over some signatures.
func addsUp(t *testing.T, keys []commit.PublicKey, messages, signatures [][]byte, some ...int) bool {
	sum := edwards25519.NewIdentityPoint()
	for _, i := range some {
		s, err := new(edwards25519.Scalar).SetCanonicalBytes(signatures[i][32:])
		if err != nil {
			t.Fatal(err)
		}
		key := keys[i].DER()[12:]
		k := hashed(signatures[i][:32], key, messages[i])
		left := new(edwards25519.Point).ScalarBaseMult(s)
		left.Subtract(left, encoded(t, signatures[i][:32]))
		sum.Add(sum, left.Subtract(left, new(edwards25519.Point).ScalarMult(k, encoded(t, key))))
	}
	return sum.Equal(edwards25519.NewIdentityPoint()) == 1
}

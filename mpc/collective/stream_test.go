package collective

import (
	"encoding/hex"
	"math"
	"math/big"
	"testing"
)

// Another machine, or a later version, must make the same bytes of a seed: stored secrets and disputes depend on it.
func TestStreamsDoNotChange(t *testing.T) {
	p := insecure()
	s := &Secret{seed: [32]byte{1, 2, 3}}
	ctx := Context{Session: [32]byte{4}, Party: "depot-north"}
	part := must(p.PublicPart([32]byte{5}, ctx, s))
	regulator := must(p.PublicPart([32]byte{5}, ctx, &Secret{seed: [32]byte{6}}))
	key := must(p.PublicKey([32]byte{5}, part, regulator))
	in := must(p.Encrypt(key, ctx, Shape{Used: 2, Ciphertexts: 2}, integers(-3, 1<<48), [32]byte{7}))
	parts := must(p.Split(s, 1, 2, []Point{1, 2, 3}))
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"public part", "ad0ed8aa4fb6c1ed", part.Marshal()},
		{"input", "e4353a3fd67917ee", in.Marshal()},
		{"secret part", "67c2eaaaeac1422e", parts[3].Marshal()},
		{"receiver's key", "5365e3e89288d9b3", must(p.ReceiverKey(s)).Marshal()},
	} {
		digest := p.digest("test", c.data)
		if got := hex.EncodeToString(digest[:8]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestSamplersHaveTheirDistributions(t *testing.T) {
	const n = 1 << 18
	p := insecure()
	t.Run("ternary", func(t *testing.T) {
		var count [3]float64
		for _, v := range ternary(p.stream("test"), n) {
			count[v+1]++
		}
		for i, c := range count {
			near(t, i-1, c, n/3.0, n)
		}
	})
	t.Run("binomial", func(t *testing.T) {
		var sum, squares float64
		for _, v := range binomial(p.stream("test"), n) {
			if v < -errorBound || v > errorBound {
				t.Fatalf("error %d", v)
			}
			sum += float64(v)
			squares += float64(v) * float64(v)
		}
		if mean, variance := sum/n, squares/n; math.Abs(mean) > 0.05 || math.Abs(variance-10.5) > 0.3 {
			t.Errorf("mean %f, variance %f", mean, variance)
		}
	})
	t.Run("box", func(t *testing.T) {
		var count [8]float64
		for _, v := range box(p.stream("test"), n) {
			if v == math.MinInt32 {
				t.Fatal("beyond the box")
			}
			count[uint32(v)>>29]++
		}
		for i, c := range count {
			near(t, i, c, n/8.0, n)
		}
	})
	t.Run("uniform", func(t *testing.T) {
		out := make([]uint64, n)
		uniform(p.stream("test"), 1000, out)
		count := make([]float64, 1000)
		for _, v := range out {
			count[v]++ // panics beyond 999
		}
		for i, c := range count {
			near(t, i, c, n/1000.0, n)
		}
	})
}

// near wants a count within eight standard deviations.
func near(t *testing.T, what int, got, want, n float64) {
	t.Helper()
	if deviation := math.Sqrt(want * (1 - want/n)); math.Abs(got-want) > 8*deviation {
		t.Errorf("%d: seen %.0f times, want about %.0f", what, got, want)
	}
}

// Flooding hides only what is below its lowest random bit. A sampler that stretches a 53-bit float over a wide range (lattigo's Gaussian at large
// deviations does) leaves values a lattice apart; ours must be uniform in every bit, the lowest and the highest.
func TestTrapFloodingIsUniformInEveryBit(t *testing.T) {
	p, n := insecure(), 1<<14
	x := p.newWords(n)
	p.flood(p.stream("test"), x)
	half := new(big.Int).Lsh(big.NewInt(1), floodBits-1)
	var ones [floodBits]float64
	var pairs [floodBits]float64 // bits i and i+1 equal
	for j := range n {
		v := p.centred(x, j, 1)
		if v.Cmp(half) >= 0 || v.Cmp(new(big.Int).Neg(half)) < 0 {
			t.Fatalf("flooding of %d bits", v.BitLen())
		}
		v.Add(v, half)
		for i := range ones {
			ones[i] += float64(v.Bit(i))
			if v.Bit(i) == v.Bit((i+1)%floodBits) {
				pairs[i]++
			}
		}
	}
	for i := range ones {
		near(t, i, ones[i], float64(n)/2, float64(n))
		near(t, i, pairs[i], float64(n)/2, float64(n))
	}
}

func TestStreamsAreSeparated(t *testing.T) {
	p := insecure()
	seen := map[[32]byte]string{}
	for name, d := range map[string][32]byte{
		"plain":      p.digest("a", []byte("bc")),
		"moved":      p.digest("ab", []byte("c")),
		"split":      p.digest("a", []byte("b"), []byte("c")),
		"empty":      p.digest("a", []byte("bc"), nil),
		"parameters": Standard().digest("a", []byte("bc")),
	} {
		if seen[d] != "" {
			t.Errorf("%s and %s are one stream", name, seen[d])
		}
		seen[d] = name
	}
}

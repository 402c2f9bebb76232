package score

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/he/hefloat"
	"github.com/tuneinsight/lattigo/v5/ring"
	"pgregory.net/rapid"
)

func lattigo(t testing.TB) hefloat.Parameters {
	t.Helper()
	p, err := hefloat.NewParametersFromLiteral(hefloat.ParametersLiteral{LogN: logDegree, Q: moduli[:], LogDefaultScale: 90})
	must(t, err)
	return p
}

// The parameters are within the 218 bits that the standard allows for 128-bit security at this degree.
func TestSecurityTable(t *testing.T) {
	p := lattigo(t)
	if p.LogQP() > 218 || p.LogQP() > 174.001 || p.N() != 8192 {
		t.Errorf("log Q is %g at N = %d", p.LogQP(), p.N())
	}
}

// A request is a CKKS ciphertext with coefficient encoding: lattigo's own decryptor and encoder read the model out of it
// with the lender's key, and nothing with another.
func TestLattigoReadsRequests(t *testing.T) {
	params := lattigo(t)
	m := model(3, Logistic, 4, 3, true)
	q, s, err := Seal(m, Context{5})
	must(t, err)
	for i := range 2 {
		want := m.expand(i == 1)
		got := readBack(t, params, q, s.key, s.numbers[i].scale, i)
		for k := range want {
			if math.Abs(got[k]-want[k]) > 1e-9 {
				t.Errorf("number %d, coefficient %d: %g, want %g", i, k, got[k], want[k])
			}
		}
		other := readBack(t, params, q, factor(ternary(ringDegree)), s.numbers[i].scale, i)
		far := 0
		for k := range want {
			if math.Abs(other[k]-want[k]) > 1 {
				far++
			}
		}
		if far < len(want)*9/10 {
			t.Errorf("number %d: another key reads %d of %d coefficients", i, len(want)-far, len(want))
		}
	}
}

func readBack(t *testing.T, params hefloat.Parameters, q *Request, key ring.Poly, scale, i int) []float64 {
	t.Helper()
	c := hefloat.NewCiphertext(params, 1, params.MaxLevel())
	c.IsBatched, c.IsNTT, c.Scale = false, true, rlwe.NewScale(math.Ldexp(1, scale))
	for k, n := range q.sealed[i] {
		for j := range moduli {
			c.Value[0].Coeffs[j][k] = n[j]
		}
	}
	params.RingQ().NTT(c.Value[0], c.Value[0])
	c.Value[1].Copy(expand(q.head(), sealIndex+byte(i)))
	secret := rlwe.NewSecretKey(params)
	secret.Value.Q.Copy(key)
	values := make([]float64, params.N())
	must(t, hefloat.NewEncoder(params).Decode(hefloat.NewDecryptor(params, secret).DecryptNew(c), values))
	return values
}

// What an owner sees but the shape is uniform, whatever the model, and never the same twice.
func TestOwnerSeesOnlyTheShape(t *testing.T) {
	heavy := model(1, Logistic, 8, 3, false)
	nothing := *heavy
	nothing.Features = append([]Weighted(nil), heavy.Features...)
	nothing.Intercept = 0
	for i := range nothing.Features {
		nothing.Features[i].Weight = 0
	}
	seen := map[uint64]bool{}
	size := 0
	for _, m := range []*Model{heavy, &nothing, heavy} {
		q, s, err := Seal(m, Context{})
		must(t, err)
		b, err := q.MarshalBinary()
		must(t, err)
		if size != 0 && len(b) != size {
			t.Error("the length tells models apart")
		}
		size = len(b)
		var bins [16]float64
		words := 0.0
		count := func(j int, w uint64) {
			if seen[w] {
				t.Fatal("a residue came twice")
			}
			seen[w] = true
			bins[w/(moduli[j]/16+1)]++
			words++
		}
		for j := range moduli {
			for _, w := range q.blind.Coeffs[j] {
				count(j, w)
			}
			for _, n := range q.sealed[0] {
				count(j, n[j])
			}
		}
		chi := 0.0
		for _, n := range bins {
			chi += (n - words/16) * (n - words/16) / (words / 16)
		}
		if chi > 70 { // 15 degrees of freedom: less than one in 10^8
			t.Errorf("χ² = %.1f", chi)
		}
		if text := fmt.Sprintf("%v %+v %#v %v %#v", s, s, s, *s, *s); strings.ContainsAny(text, "0123456789") {
			t.Error("a secret prints as something")
		}
	}
}

// The clear twin and the encrypted score agree for random models and fleets.
func TestRandomModels(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom([]Kind{Linear, Logistic}).Draw(rt, "kind")
		degree := 1
		if kind == Logistic {
			degree = rapid.SampledFrom([]int{3, 5, 7}).Draw(rt, "degree")
		}
		features := rapid.IntRange(1, 16).Draw(rt, "features")
		spread := rapid.Bool().Draw(rt, "spread")
		m := model(rapid.Uint64().Draw(rt, "model"), kind, features, degree, spread)
		for m.Shape().Check() != nil || m.Shape().LeastCohort() > 2_000 {
			m = model(1, kind, len(m.Features)-1, degree, spread)
		}
		if kind == Logistic {
			m.Interval = rapid.Float64Range(6, 32).Draw(rt, "interval")
		}
		n := max(owner().Least, m.Shape().LeastCohort()) + rapid.IntRange(0, 200).Draw(rt, "batteries")
		checkAgainstTwin(t, m, fleet(rapid.Uint64().Draw(rt, "fleet"), n, 7))
	})
}

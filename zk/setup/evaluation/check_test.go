package evaluation

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
)

// tampered changes one array of points, of either group, in a way that leaves every point in its group.
type tampered[P any] struct {
	name   string
	change func(points []P)
}

func tamperings[P any](add func(p *P, q P), infinite func(*P) bool) []tampered[P] {
	one := func(points []P, want bool) int {
		return slices.IndexFunc(points, func(p P) bool { return infinite(&p) == want })
	}
	return []tampered[P]{
		{"a point more at one wire", func(p []P) { i := one(p, false); add(&p[i], p[i]) }},
		{"the last wire", func(p []P) { add(&p[len(p)-1], p[one(p, false)]) }},
		{"a point for a wire that has none", func(p []P) { p[one(p, true)] = p[one(p, false)] }},
		{"no point for a wire that has one", func(p []P) { var none P; p[one(p, false)] = none }},
		{"all at infinity", func(p []P) { clear(p) }},
		{"all twice", func(p []P) {
			for i := range p {
				add(&p[i], p[i])
			}
		}},
		{"moved by one wire", func(p []P) {
			first := p[0]
			copy(p, p[1:])
			p[len(p)-1] = first
		}},
		{"one more here and one less there", func(p []P) { // a plain sum would not notice
			i, j := one(p, false), len(p)-1
			var moved P
			moved, p[i] = p[i], moved
			add(&p[j], moved)
		}},
	}
}

// TestTamperedValues: each array alone is found to be wrong, and the error names it.
func TestTamperedValues(t *testing.T) {
	system, powers := ceremonytest.Compile(t, &sums{}), powersOf(32, "tampered")
	right, err := Make(context.Background(), system, powers)
	if err != nil {
		t.Fatal(err)
	}
	fresh := func() *Values {
		return &Values{slices.Clone(right.A), slices.Clone(right.B), slices.Clone(right.K), slices.Clone(right.Z), slices.Clone(right.B2)}
	}
	refused := func(v *Values, name string) {
		t.Helper()
		if err := v.Check(system, powers); !errors.Is(err, ErrNotTheCircuits) || !strings.HasPrefix(err.Error(), "points "+name+" are") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, test := range tamperings(func(p *bn254.G1Affine, q bn254.G1Affine) { p.Add(p, &q) }, (*bn254.G1Affine).IsInfinity) {
		t.Run(test.name, func(t *testing.T) {
			for name, array := range map[string]func(*Values) []bn254.G1Affine{
				"A": func(v *Values) []bn254.G1Affine { return v.A },
				"B": func(v *Values) []bn254.G1Affine { return v.B },
				"K": func(v *Values) []bn254.G1Affine { return v.K },
				"Z": func(v *Values) []bn254.G1Affine { return v.Z },
			} {
				if name == "Z" && test.name == "a point for a wire that has none" {
					continue // every place has one
				}
				v := fresh()
				test.change(array(v))
				refused(v, name)
			}
		})
	}
	for _, test := range tamperings(func(p *bn254.G2Affine, q bn254.G2Affine) { p.Add(p, &q) }, (*bn254.G2Affine).IsInfinity) {
		t.Run(test.name+" in G2", func(t *testing.T) {
			v := fresh()
			test.change(v.B2)
			refused(v, "B in G2")
		})
	}
	swapped := fresh()
	swapped.A, swapped.B = swapped.B, swapped.A
	refused(swapped, "A")
}

// TestOtherFactors: each factor of the closing value is in the check, in every array that it changes. The first that is looked at is named.
func TestOtherFactors(t *testing.T) {
	system, powers := ceremonytest.Compile(t, &sums{}), powersOf(32, "factors")
	v, err := Make(context.Background(), system, powers)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(p *Powers)
		want   string
	}{
		"tau":           {func(p *Powers) { p.Tau.Double(&p.Tau) }, "points A"},
		"alpha":         {func(p *Powers) { p.Alpha.Neg(&p.Alpha) }, "points K"},
		"beta":          {func(p *Powers) { p.Beta.Double(&p.Beta) }, "points K"},
		"alpha is beta": {func(p *Powers) { p.Alpha, p.Beta = p.Beta, p.Alpha }, "points K"},
		"tau in G2": {func(p *Powers) {
			p.G2.Tau = slices.Clone(p.G2.Tau)
			p.G2.Tau[5].Double(&p.G2.Tau[5])
		}, "points B in G2"},
		"tau beyond the places": {func(p *Powers) {
			p.G1.Tau = slices.Clone(p.G1.Tau)
			p.G1.Tau[62].Double(&p.G1.Tau[62])
		}, "points Z"},
	} {
		other := *powers
		test.change(&other)
		if err := v.Check(system, &other); !errors.Is(err, ErrNotTheCircuits) || !strings.HasPrefix(err.Error(), test.want+" are") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOtherPowersOrCircuit: values are of one circuit on one tau.
func TestOtherPowersOrCircuit(t *testing.T) {
	all := circuits(t)
	system, powers := all["two commitments"], powersOf(32, "one")
	v, err := Make(context.Background(), system, powers)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Check(system, powersOf(32, "another")); !errors.Is(err, ErrNotTheCircuits) {
		t.Errorf("other powers: %v", err)
	}
	if err := v.Check(system, powersOf(64, "one")); !errors.Is(err, ErrNotTheCircuits) {
		t.Errorf("more powers: %v", err)
	}
	if err := v.Check(all["none"], powers); !errors.Is(err, ErrNotTheCircuits) {
		t.Errorf("another circuit: %v", err)
	}
	for _, n := range []int{8, 48} {
		if err := v.Check(system, powersCut(powers, n)); err == nil || errors.Is(err, ErrNotTheCircuits) {
			t.Errorf("%d powers: %v", n, err)
		}
	}
}

func powersCut(all *Powers, n int) *Powers {
	out := *all
	out.G1.AlphaTau = slices.Clone(all.G1.AlphaTau[:min(n, len(all.G1.AlphaTau))])
	for len(out.G1.AlphaTau) < n {
		out.G1.AlphaTau = append(out.G1.AlphaTau, all.G1.AlphaTau[0])
	}
	return &out
}

package score

import (
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestModelFile(t *testing.T) {
	data, err := os.ReadFile("testdata/model.json")
	must(t, err)
	m, err := ParseModel(data)
	must(t, err)
	want := &Model{
		Kind: Logistic, Intercept: -3.25, Degree: 3, Interval: 8, Spread: true,
		Features: []Weighted{
			{Feature{"state_of_health", 6_000, 10_000}, 0.0015},
			{Feature{"age_days", 0, 3_650}, -0.0008},
			{Feature{"fault_count", 0, 20}, -0.05},
		},
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
	for seed, m := range []*Model{m, model(1, Linear, 5, 1, true), model(2, Logistic, 5, 5, false)} {
		written, err := MarshalModel(m)
		must(t, err)
		back, err := ParseModel(written)
		must(t, err)
		if diff := cmp.Diff(m, back); diff != "" {
			t.Errorf("model %d: %s", seed, diff)
		}
	}
}

const linearFile = `{"format":"assay-score/1","kind":"linear","intercept":7331,"features":[{"lane":"a","low":0,"high":100,"weight":1337}]}`

func TestMalformedModelFiles(t *testing.T) {
	_, err := ParseModel([]byte(linearFile))
	must(t, err)
	logistic := strings.Replace(linearFile, `"kind":"linear","intercept":7331`, `"kind":"logistic","degree":3,"interval":8,"intercept":0`, 1)
	logistic = strings.Replace(logistic, "1337", "0.1337", 1)
	_, err = ParseModel([]byte(logistic))
	must(t, err)
	for name, c := range map[string][3]string{
		"not JSON":           {linearFile, `}]}`, `}]`},
		"list":               {linearFile, linearFile, "[" + linearFile + "]"},
		"second value":       {linearFile, `}]}`, `}]}{}`},
		"unknown field":      {linearFile, `"format"`, `"x":1,"format"`},
		"field's case":       {linearFile, `"kind"`, `"Kind"`},
		"field twice":        {linearFile, `"kind"`, `"intercept":1,"kind"`},
		"feature field":      {linearFile, `"lane"`, `"x":1,"lane"`},
		"feature twice":      {linearFile, `"lane"`, `"low":1,"lane"`},
		"feature's nesting":  {linearFile, `"low":0`, `"low":{"a":1}`},
		"feature is a list":  {linearFile, `"features":[`, `"features":[[],`},
		"nested list":        {linearFile, `"intercept":7331`, `"intercept":[7331]`},
		"null":               {linearFile, `"intercept":7331`, `"intercept":null`},
		"missing":            {linearFile, `"intercept":7331,`, ``},
		"missing lane":       {linearFile, `"lane":"a",`, ``},
		"missing weight":     {linearFile, `,"weight":1337`, ``},
		"other format":       {linearFile, `score/1`, `score/2`},
		"kind":               {linearFile, `"linear"`, `"tree"`},
		"text for a number":  {linearFile, `1337`, `"1337"`},
		"beyond a float":     {linearFile, `1337`, `1337e999`},
		"beyond linear":      {linearFile, `1337`, `1337000`},
		"intercept":          {linearFile, `7331`, `-73310000`},
		"fraction for low":   {linearFile, `"low":0`, `"low":0.5`},
		"negative low":       {linearFile, `"low":0`, `"low":-1`},
		"high beyond":        {linearFile, `"high":100`, `"high":4294967296`},
		"low is high":        {linearFile, `"low":0`, `"low":100`},
		"lane's name":        {linearFile, `"a"`, `"a b"`},
		"no name":            {linearFile, `"a"`, `""`},
		"long name":          {linearFile, `"a"`, `"` + strings.Repeat("a", 33) + `"`},
		"no features":        {linearFile, `{"lane":"a","low":0,"high":100,"weight":1337}`, ``},
		"17 features":        {linearFile, `[{"lane"`, `[` + strings.Repeat(`{"lane":"b","low":0,"high":100,"weight":1},`, 16) + `{"lane"`},
		"linear and degree":  {linearFile, `"kind"`, `"degree":1,"kind"`},
		"linear, interval":   {linearFile, `"kind"`, `"interval":8,"kind"`},
		"degree missing":     {logistic, `"degree":3,`, ``},
		"interval missing":   {logistic, `"interval":8,`, ``},
		"degree 1":           {logistic, `"degree":3`, `"degree":1`},
		"degree 4":           {logistic, `"degree":3`, `"degree":4`},
		"degree 9":           {logistic, `"degree":3`, `"degree":9`},
		"small interval":     {logistic, `"interval":8`, `"interval":0.9`},
		"large interval":     {logistic, `"interval":8`, `"interval":65`},
		"far beyond the fit": {logistic, `0.1337`, `0.5337`},
		"spread is a number": {logistic, `"kind"`, `"spread":1,"kind"`},
		"too long":           {linearFile, `{"format"`, strings.Repeat(" ", MaxModelFile) + `{"format"`},
	} {
		data := strings.Replace(c[0], c[1], c[2], 1)
		if data == c[0] {
			t.Fatalf("%s: nothing changed", name)
		}
		_, err := ParseModel([]byte(data))
		switch {
		case err == nil:
			t.Errorf("%s: accepted", name)
		case strings.Contains(err.Error(), "337") || strings.Contains(err.Error(), "733"):
			t.Errorf("%s: a coefficient is in the error: %v", name, err)
		}
	}
}

func FuzzParseModel(f *testing.F) {
	f.Add([]byte(linearFile))
	if data, err := os.ReadFile("testdata/model.json"); err == nil {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseModel(data)
		if err != nil {
			return
		}
		must(t, m.Check())
		written, err := MarshalModel(m)
		must(t, err)
		back, err := ParseModel(written)
		must(t, err)
		if diff := cmp.Diff(m, back); diff != "" {
			t.Error(diff)
		}
		if _, o, err := fixCoefficients(m.expand(false)); err == nil && !(o.mass <= m.gross(false)*(1+1e-9)) {
			t.Errorf("mass %g, gross %g", o.mass, m.gross(false))
		}
	})
}

func TestModelBounds(t *testing.T) {
	for name, change := range map[string]func(*Model){
		"NaN intercept": func(m *Model) { m.Intercept = math.NaN() },
		"infinite":      func(m *Model) { m.Features[0].Weight = math.Inf(1) },
		"overflow":      func(m *Model) { m.Features[0].Weight = 1e308; m.Features[1].Weight = -1e308 },
		"NaN interval":  func(m *Model) { m.Interval = math.NaN() },
		"too many monomials": func(m *Model) {
			*m = *model(1, Logistic, 16, 5, false)
		},
		"too many for the spread": func(m *Model) {
			*m = *model(1, Logistic, 8, 5, true)
		},
		"twice": func(m *Model) { m.Features[1].Feature = m.Features[0].Feature },
	} {
		m := model(1, Logistic, 3, 3, false)
		must(t, m.Check())
		change(m)
		if _, _, err := Seal(m, Context{}); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
	zero := &Model{Kind: Linear, Degree: 1, Features: []Weighted{{Feature{"lane_0", 601, 9_118}, 0}}}
	if r := play(t, zero, owner(), fleet(1, 20, 7)); math.Abs(r.Mean) > r.MeanError {
		t.Errorf("a model of zeros scores %g", r.Mean)
	}
}

// The fit gets better with the degree, and is what the documentation states.
func TestMisfit(t *testing.T) {
	for _, c := range []struct {
		degree   int
		interval float64
		within   float64
	}{{3, 4, 0.036}, {5, 4, 0.0085}, {7, 4, 0.0021}, {3, 8, 0.117}, {5, 8, 0.062}, {7, 8, 0.034}, {7, 16, 0.14}} {
		m := model(1, Logistic, 1, c.degree, false)
		m.Interval = c.interval
		within, anywhere := m.Misfit()
		if within > c.within || within < c.within/2 {
			t.Errorf("degree %d on ±%g: %.4f, stated %.4f", c.degree, c.interval, within, c.within)
		}
		if m.Reach() <= c.interval && anywhere > within {
			t.Errorf("degree %d on ±%g: %.4f, and %.4f on a part of it", c.degree, c.interval, within, anywhere)
		}
		for k := range c.degree + 1 {
			node := math.Cos(math.Pi * (float64(k) + 0.5) / float64(c.degree+1))
			p, _ := m.polynomial()
			if math.Abs(horner(p, node)-logistic(c.interval*node)) > 1e-12 {
				t.Errorf("degree %d: not interpolated at node %d", c.degree, k)
			}
		}
	}
	if within, anywhere := model(1, Linear, 1, 1, false).Misfit(); within != 0 || anywhere != 0 {
		t.Error("a linear model has a misfit")
	}
}

// The bound of a result holds against the model as it is written, in stored units, even where a narrow clip far from 0
// makes the intercept cancel to a small part of itself.
func TestCancellingIntercept(t *testing.T) {
	o := &Owner{Least: 10, Lanes: []Lane{{Name: "time", Low: 1<<32 - 2, High: 1<<32 - 1}}}
	for i := range 8 {
		weight := 1_000_000.0/3 + float64(i)/7
		m := &Model{Kind: Linear, Degree: 1, Features: []Weighted{{Feature{"time", 1<<32 - 2, 1<<32 - 1}, weight}}}
		m.Intercept = -weight * (1<<32 - 1.5)
		want := new(big.Rat).Mul(new(big.Rat).SetFloat64(weight), big.NewRat(2*(1<<32-2)+1, 2))
		want.Add(want, new(big.Rat).SetFloat64(m.Intercept)) // half of the batteries are at either end
		var f [][]uint32
		for range 10 {
			f = append(f, []uint32{1<<32 - 2}, []uint32{1<<32 - 1})
		}
		r := play(t, m, o, f)
		miss, _ := want.Sub(want, new(big.Rat).SetFloat64(r.Mean)).Float64()
		if math.Abs(miss) > r.MeanError {
			t.Errorf("weight %g: off by %g, bound %g", weight, miss, r.MeanError)
		}
	}
}

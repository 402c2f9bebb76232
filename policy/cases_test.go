package policy

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseCases(t *testing.T) {
	cases, err := ParseCases([]byte(`
version: assay-policy-cases/v1
question:
  requester: {id: bank, roles: [financier], attributes: {O: Bank, OU: credit}}
  lanes: [age_days]
cases:
  - name: plain
    expect: allow
  - name: changed
    question: {requester: {attributes: {O: Fund}}, lanes: [], time: 2030-01-01T00:00:00Z, action: score}
    expect: refuse
    by: [b, a]
`))
	if err != nil {
		t.Fatal(err)
	}
	first := plainQuestion()
	first.Requester = Party{ID: "bank", Roles: []string{"financier"}, Attributes: map[string]string{"O": "Bank", "OU": "credit"}}
	first.Lanes = []string{"age_days"}
	second := first
	second.Requester.Attributes = map[string]string{"O": "Fund", "OU": "credit"}
	second.Lanes, second.Action = []string{}, Score
	second.Time = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	want := []Case{{Name: "plain", Question: first, Expect: Allow}, {Name: "changed", Question: second, Expect: Refuse, By: []string{"b", "a"}}}
	if diff := cmp.Diff(want, cases); diff != "" {
		t.Error(diff)
	}
}

// The same file in JSON, with every field of a question.
func TestParseCasesTakesJSON(t *testing.T) {
	q := question()
	q.Curves = []CurveShape{health(Knot{1, 2})}
	q.KeyClasses, q.Epsilon, q.ProvenMinimum = []string{"module"}, 1, 2
	q.Delta, q.MinimumCohort, q.Totals, q.TotalCount, q.Owners, q.Degree = 3, 4, []string{TotalScore}, 1, 5, 7
	b, err := json.Marshal(map[string]any{
		"version": CasesVersion,
		"cases":   []any{map[string]any{"name": "all", "expect": "approve", "question": q}},
	})
	if err != nil {
		t.Fatal(err)
	}
	cases, err := ParseCases(b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*q, cases[0].Question); diff != "" {
		t.Error(diff)
	}
}

func TestParseCasesRefuses(t *testing.T) {
	head := "version: assay-policy-cases/v1\n"
	one := head + "cases:\n  - {name: a, expect: allow}\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":              {"", "EOF"},
		"another version":      {strings.Replace(one, "v1", "v2", 1), `version is "assay-policy-cases/v2"`},
		"no case":              {head + "cases: []", "0 cases"},
		"too many":             {head + "cases:\n" + strings.Repeat("- {name: a, expect: allow}\n", 257), "257 cases"},
		"no name":              {head + "cases:\n  - {expect: allow}", "cases[0].name"},
		"a name twice":         {one + "  - {name: a, expect: allow}", "cases[1].name"},
		"another outcome":      {head + "cases: [{name: a, expect: permit}]", `"a": expect is "permit"`},
		"an unknown field":     {one + "defaults: {}", `unknown field "defaults"`},
		"a field of a case":    {head + "cases: [{name: a, expect: allow, expects: allow}]", `unknown field "expects"`},
		"a field of question":  {head + "cases: [{name: a, expect: allow, question: {lane: [x]}}]", `"a": question: json: unknown field "lane"`},
		"another type":         {head + "cases: [{name: a, expect: allow, question: {epoch: -1}}]", "epoch"},
		"a field twice":        {head + "cases: [{name: a, name: b, expect: allow}]", "already defined"},
		"two documents":        {one + "---\n" + one, "more than one document"},
		"an anchor":            {head + "cases: [&a {name: a, expect: allow}]", "line 2: anchors and aliases"},
		"an alias":             {head + "x: &a [1]\ny: *a", "anchors and aliases"},
		"nesting":              {strings.Repeat("[", 20) + strings.Repeat("]", 20), "nested deeper than 16"},
		"fields":               {strings.Repeat("a:\n", 80000), "more than 64 fields"},
		"size":                 {strings.Repeat("#\n", MaxCasesText), "at most 262144"},
		"a key that is a list": {one + "? [a]\n: b", ""},
		"no number":            {one + "question: {epoch: .nan}", ""},
		"no mapping":           {"- a", ""},
	} {
		if _, err := ParseCases([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

func TestTestSaysWhatDiffers(t *testing.T) {
	s := parse(t, everything+`@id("m") @approval("person") permit (principal, action, resource) when { context.valued };`)
	plain, valued := *question(), *question()
	valued.Model = "m"
	results := s.Test([]Case{
		{"as wanted", plain, Allow, []string{"all"}},
		{"by whatever", valued, Approve, nil},
		{"not refused", plain, Refuse, nil},
		{"by others", valued, Approve, []string{"m"}},
		{"by nobody", plain, Allow, []string{"z"}},
	})
	want := []string{
		"", "",
		`want refuse, got allow: policy "all" permits it`,
		`approve as wanted, by ["all" "m"] instead of ["m"]: policy "all" permits it; policy "m" permits it once a person approves`,
		`by names policy "z", which the text does not hold`,
	}
	for i, r := range results {
		if r.Problem != want[i] || r.Passed != (want[i] == "") {
			t.Errorf("%s: passed %t, %q, want %q", r.Name, r.Passed, r.Problem, want[i])
		}
	}
}

func FuzzParseCases(f *testing.F) {
	for _, name := range []string{"lender-valuation", "regulator", "manual-approval"} {
		text, err := os.ReadFile("testdata/policies/" + name + ".cases.yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"version":"assay-policy-cases/v1","cases":[{"name":"a","expect":"allow","question":{"curves":[{"knots":[]}]}}]}`))
	f.Add([]byte("a: !!binary x\nb: !!float 0x1p-2\n? {}\n: <<: 1"))
	s := parse(f, everything)
	f.Fuzz(func(t *testing.T, text []byte) {
		cases, err := ParseCases(text)
		if err != nil {
			return
		}
		if len(cases) == 0 || len(cases) > MaxCases {
			t.Errorf("%d cases", len(cases))
		}
		_ = fmt.Sprint(s.Test(cases))
	})
}

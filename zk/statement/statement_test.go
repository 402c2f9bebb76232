package statement_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/statement"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// asked is a statement with something in every field.
func asked() *statement.Statement {
	return &statement.Statement{
		Version: statement.Version, Fleet: "fleet-a", Epoch: 7, Schema: "battery/v1",
		Cohort: []statement.Range{{Lane: "state_of_health", Min: "70"}, {Lane: "fault_count", Max: "2"}, {Lane: "peak_temperature", Min: "-10.5", Max: "60"}},
		Valuation: &statement.Valuation{Price: "1250.00", Currency: "EUR", Curves: []statement.Curve{
			{Lane: "state_of_health", Knots: []statement.Knot{{At: "70", Factor: "0.2"}, {At: "80", Factor: "0.6"}, {At: "100", Factor: "1"}}},
			{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "1"}, {At: "3650", Factor: "0.5"}}},
		}},
		Claims: []statement.Claim{
			{Terms: []statement.Term{{Total: "count", Coefficient: "1"}}, AtLeast: "18000"},
			{Terms: []statement.Term{{Total: "state_of_health", Coefficient: "1"}, {Total: "count", Coefficient: "-85"}}, AtLeast: "0"},
			{Terms: []statement.Term{{Total: "peak_temperature", Coefficient: "-0.5"}, {Total: "count", Coefficient: "20"}}, AtLeast: "-12.5"},
		},
		Disclose: []string{"value", "age_days"}, MinimumCoverage: "95.00", KeyClasses: []string{"secure_element", "module"},
		Requester: "lender", Grant: "grant-1", Purpose: "loan <42>", Nonce: "00112233445566778899aabbccddeeff",
		Expiry: time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// golden compares to a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestCanonicalIsGolden(t *testing.T) {
	golden(t, "canonical.json", string(asked().Canonical()))
	golden(t, "text.txt", asked().Text())
}

func TestParse(t *testing.T) {
	s, err := statement.Parse(asked().Canonical())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asked(), s); diff != "" {
		t.Error(diff)
	}
}

func TestEmptyListsAreOneDocument(t *testing.T) {
	a, b := asked(), asked()
	a.Cohort, a.Claims, a.Disclose, a.KeyClasses, a.Valuation.Curves = nil, nil, nil, nil, nil
	b.Cohort, b.Claims, b.Disclose, b.KeyClasses, b.Valuation.Curves = []statement.Range{}, []statement.Claim{}, []string{}, []string{}, []statement.Curve{}
	if string(a.Canonical()) != string(b.Canonical()) {
		t.Errorf("%s\n%s", a.Canonical(), b.Canonical())
	}
	if _, err := statement.Parse(a.Canonical()); err != nil {
		t.Error(err)
	}
}

// TestParseTakesOneEncoding writes the same document, or nearly, in other ways.
// Read takes those that say the same.
func TestParseTakesOneEncoding(t *testing.T) {
	good := string(asked().Canonical())
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the canonical encoding does not hold %s", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, c := range map[string]struct {
		text string
		read bool
	}{
		"canonical":              {good, true},
		"space before":           {" " + good, true},
		"newline after":          {good + "\n", true},
		"space inside":           {replace(`:7,`, `: 7,`), true},
		"reordered":              {replace(`"fleet":"fleet-a","epoch":7`, `"epoch":7,"fleet":"fleet-a"`), true},
		"field twice":            {replace(`"epoch":7`, `"epoch":8,"epoch":7`), true},
		"field twice, the same":  {replace(`"epoch":7`, `"epoch":7,"epoch":7`), true},
		"field in capitals":      {replace(`"epoch"`, `"Epoch"`), true},
		"escaped letter":         {replace(`"fleet-a"`, `"\u0066leet-a"`), true},
		"unescaped character":    {replace(`\u003c`, `<`), true},
		"time with an offset":    {replace(`03:04:05Z`, `03:04:05+00:00`), false},
		"time with a fraction":   {replace(`03:04:05Z`, `03:04:05.000Z`), true},
		"null for a list":        {replace(`"disclose":["value","age_days"]`, `"disclose":null`), true},
		"missing list":           {replace(`"disclose":["value","age_days"],`, ``), true},
		"null where omitted":     {replace(`,"key_classes":["secure_element","module"]`, `,"key_classes":null`), true},
		"empty where omitted":    {replace(`,"key_classes":["secure_element","module"]`, `,"key_classes":[]`), true},
		"empty bound":            {replace(`{"lane":"state_of_health","min":"70"}`, `{"lane":"state_of_health","min":"70","max":""}`), true},
		"unknown field":          {replace(`{"version"`, `{"comment":"","version"`), false},
		"unknown field, nested":  {replace(`{"lane":"state_of_health","min"`, `{"lane":"state_of_health","unit":"%","min"`), false},
		"document after it":      {good + "{}", false},
		"letter after it":        {good + "x", false},
		"cut short":              {good[:len(good)-1], false},
		"number with a fraction": {replace(`:7,`, `:7.0,`), false},
		"number as text":         {replace(`:7,`, `:"7",`), false},
		"number below zero":      {replace(`:7,`, `:-7,`), false},
		"number of 65 bits":      {replace(`:7,`, `:18446744073709551616,`), false},
		"text as a number":       {replace(`"95.00"`, `95.00`), false},
		"byte order mark":        {"\xef\xbb\xbf" + good, false},
		"a list":                 {"[" + good + "]", false},
		"null":                   {"null", false},
		"nothing":                {"", false},
		"invalid UTF-8":          {replace(`fleet-a`, "fleet-\xff"), false},
		"beyond 64 KiB":          {good + strings.Repeat(" ", statement.MaxBytes), false},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := statement.Parse([]byte(c.text))
			if (err == nil) != (name == "canonical") {
				t.Errorf("Parse: %v", err)
			}
			if err != nil && s != nil {
				t.Error("Parse returns a statement beside its error")
			}
			if _, err := statement.Read(strings.NewReader(c.text)); (err == nil) != c.read {
				t.Errorf("Read: %v", err)
			}
		})
	}
}

// TestDigestNamesDocument changes one field at a time.
func TestDigestNamesDocument(t *testing.T) {
	seen := map[[32]byte]string{}
	fresh := func(name string, d [32]byte) {
		t.Helper()
		if other, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
	fresh("the statement", asked().Digest([32]byte{1}))
	fresh("another ledger", asked().Digest([32]byte{2}))
	for name, change := range map[string]func(s *statement.Statement){
		"version":     func(s *statement.Statement) { s.Version += "x" },
		"fleet":       func(s *statement.Statement) { s.Fleet = "fleet-b" },
		"epoch":       func(s *statement.Statement) { s.Epoch++ },
		"schema":      func(s *statement.Statement) { s.Schema = "charger/v1" },
		"cohort":      func(s *statement.Statement) { s.Cohort[0].Min = "70.0" },
		"cohort max":  func(s *statement.Statement) { s.Cohort[2].Max = "61" },
		"lane":        func(s *statement.Statement) { s.Cohort[1].Lane = "age_days" },
		"no model":    func(s *statement.Statement) { s.Valuation = nil },
		"price":       func(s *statement.Statement) { s.Valuation.Price = "1250.01" },
		"currency":    func(s *statement.Statement) { s.Valuation.Currency = "CHF" },
		"curve lane":  func(s *statement.Statement) { s.Valuation.Curves[1].Lane = "fault_count" },
		"knot":        func(s *statement.Statement) { s.Valuation.Curves[0].Knots[1].At = "81" },
		"factor":      func(s *statement.Statement) { s.Valuation.Curves[0].Knots[1].Factor = "0.61" },
		"claim":       func(s *statement.Statement) { s.Claims[0].AtLeast = "18001" },
		"term":        func(s *statement.Statement) { s.Claims[1].Terms[0].Total = "age_days" },
		"coefficient": func(s *statement.Statement) { s.Claims[1].Terms[1].Coefficient = "-86" },
		"disclose":    func(s *statement.Statement) { s.Disclose = s.Disclose[:1] },
		"coverage":    func(s *statement.Statement) { s.MinimumCoverage = "95.01" },
		"key classes": func(s *statement.Statement) { s.KeyClasses = s.KeyClasses[:1] },
		"requester":   func(s *statement.Statement) { s.Requester = "lender-2" },
		"grant":       func(s *statement.Statement) { s.Grant = "" },
		"purpose":     func(s *statement.Statement) { s.Purpose = "loan 43" },
		"nonce":       func(s *statement.Statement) { s.Nonce = strings.Repeat("00", 16) },
		"expiry":      func(s *statement.Statement) { s.Expiry = s.Expiry.Add(time.Second) },
	} {
		s := asked()
		change(s)
		fresh("another "+name, s.Digest([32]byte{1}))
	}
}

func TestCoverageBound(t *testing.T) {
	for text, want := range map[string]uint64{"0": 0, "0.01": 1, "99.99": 9999, "100": 10_000, "100.00": 10_000, "95.5": 9550} {
		s := asked()
		s.MinimumCoverage = text
		if got, err := s.CoverageBound(); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
}

package statement_test

import (
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/zk/statement"
)

type refusal struct {
	name   string
	change func(s *statement.Statement)
	want   []string // parts of the error: the field and the bound
}

func check(t *testing.T, refusals []refusal) {
	t.Helper()
	if err := asked().Check(); err != nil {
		t.Fatal(err)
	}
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			s := asked()
			r.change(s)
			err := s.Check()
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range append(r.want, "statement: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want a word about %q", err, want)
				}
			}
			if _, err := statement.Parse(s.Canonical()); err == nil {
				t.Error("Parse accepts it")
			}
		})
	}
}

func TestCheckRefusesParties(t *testing.T) {
	check(t, []refusal{
		{"version", func(s *statement.Statement) { s.Version = "assay-statement/v0" }, []string{"version", "assay-statement/v1"}},
		{"no version", func(s *statement.Statement) { s.Version = "" }, []string{"version"}},
		{"schema", func(s *statement.Statement) { s.Schema = "battery/v2" }, []string{"schema", "battery/v2"}},
		{"no fleet", func(s *statement.Statement) { s.Fleet = "" }, []string{"fleet is missing"}},
		{"long fleet", func(s *statement.Statement) { s.Fleet = strings.Repeat("f", 129) }, []string{"fleet is longer than 128 bytes"}},
		{"fleet in two lines", func(s *statement.Statement) { s.Fleet = "a\nb" }, []string{"fleet holds an unprintable character"}},
		{"fleet turned round", func(s *statement.Statement) { s.Fleet = "a\u202eb" }, []string{"fleet holds an unprintable character"}},
		{"fleet not UTF-8", func(s *statement.Statement) { s.Fleet = "a\xff" }, []string{"fleet is not valid UTF-8"}},
		{"no requester", func(s *statement.Statement) { s.Requester = "" }, []string{"requester is missing"}},
		{"long requester", func(s *statement.Statement) { s.Requester = strings.Repeat("r", 129) }, []string{"requester is longer than 128 bytes"}},
		{"long grant", func(s *statement.Statement) { s.Grant = strings.Repeat("g", 129) }, []string{"grant is longer than 128 bytes"}},
		{"grant with a tab", func(s *statement.Statement) { s.Grant = "\t" }, []string{"grant holds an unprintable character"}},
		{"no purpose", func(s *statement.Statement) { s.Purpose = "" }, []string{"purpose is missing"}},
		{"long purpose", func(s *statement.Statement) { s.Purpose = strings.Repeat("é", 257) }, []string{"purpose is longer than 512 bytes"}},
		{"no nonce", func(s *statement.Statement) { s.Nonce = "" }, []string{"nonce", "16 bytes"}},
		{"short nonce", func(s *statement.Statement) { s.Nonce = s.Nonce[2:] }, []string{"nonce", "16 bytes"}},
		{"long nonce", func(s *statement.Statement) { s.Nonce += "00" }, []string{"nonce", "16 bytes"}},
		{"nonce in capitals", func(s *statement.Statement) { s.Nonce = strings.ToUpper(s.Nonce) }, []string{"nonce", "lower-case"}},
		{"nonce not hex", func(s *statement.Statement) { s.Nonce = "g" + s.Nonce[1:] }, []string{"nonce"}},
		{"no expiry", func(s *statement.Statement) { s.Expiry = time.Time{} }, []string{"expiry", "2000 to 9999"}},
		{"expiry before 2000", func(s *statement.Statement) { s.Expiry = time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC) }, []string{"expiry", "2000 to 9999"}},
		{"expiry elsewhere", func(s *statement.Statement) { s.Expiry = s.Expiry.In(time.FixedZone("", 3600)) }, []string{"expiry", "UTC"}},
		{"expiry within a second", func(s *statement.Statement) { s.Expiry = s.Expiry.Add(1) }, []string{"expiry", "whole seconds"}},
		{"key class", func(s *statement.Statement) { s.KeyClasses[0] = "cloud" }, []string{"key_classes", "cloud"}},
		{"empty key class", func(s *statement.Statement) { s.KeyClasses[0] = "" }, []string{"key_classes"}},
		{"key class twice", func(s *statement.Statement) { s.KeyClasses[0] = "module" }, []string{"key_classes", "twice"}},
		{"no coverage", func(s *statement.Statement) { s.MinimumCoverage = "" }, []string{"minimum_coverage"}},
		{"coverage below 0", func(s *statement.Statement) { s.MinimumCoverage = "-1" }, []string{"minimum_coverage", "0 to 100"}},
		{"coverage above 100", func(s *statement.Statement) { s.MinimumCoverage = "100.01" }, []string{"minimum_coverage", "0 to 100"}},
		{"coverage far above", func(s *statement.Statement) { s.MinimumCoverage = strings.Repeat("9", 40) }, []string{"minimum_coverage", "0 to 100"}},
		{"coverage too fine", func(s *statement.Statement) { s.MinimumCoverage = "95.001" }, []string{"minimum_coverage", "2 decimal places"}},
		{"disclosed twice", func(s *statement.Statement) { s.Disclose[1] = "value" }, []string{"disclose", "value", "twice"}},
		{"disclosed unknown", func(s *statement.Statement) { s.Disclose[1] = "mean" }, []string{"disclose", "mean"}},
		{"disclosed presence", func(s *statement.Statement) { s.Disclose[1] = "presence" }, []string{"disclose", "presence"}},
		{"disclosed value without a model", func(s *statement.Statement) { s.Valuation = nil }, []string{"disclose", "value", "valuation"}},
		{"disclosed too often", func(s *statement.Statement) { s.Disclose = make([]string, 11) }, []string{"disclose", "11 names, at most 10"}},
	})
}

func TestCheckRefusesCohort(t *testing.T) {
	at := func(r statement.Range) func(s *statement.Statement) {
		return func(s *statement.Statement) { s.Cohort = []statement.Range{r} }
	}
	check(t, []refusal{
		{"lane unknown", at(statement.Range{Lane: "colour", Min: "1"}), []string{"cohort", "colour"}},
		{"lane of another schema", at(statement.Range{Lane: "energy_Wh", Min: "1"}), []string{"cohort", "battery/v1", "energy_Wh"}},
		{"presence", at(statement.Range{Lane: "presence", Max: "0"}), []string{"cohort", "presence"}},
		{"lane twice", func(s *statement.Statement) { s.Cohort[1].Lane = "state_of_health" }, []string{"cohort", "state_of_health", "twice"}},
		{"too many", func(s *statement.Statement) { s.Cohort = make([]statement.Range, 8) }, []string{"cohort", "8 ranges, at most 7"}},
		{"min above max", at(statement.Range{Lane: "age_days", Min: "11", Max: "10"}), []string{"cohort", "age_days", "11", "above", "10"}},
		{"min above max by a hundredth", at(statement.Range{Lane: "state_of_health", Min: "70.01", Max: "70"}), []string{"cohort", "state_of_health", "70.01", "70.00"}},
		{"max above the schema's", at(statement.Range{Lane: "state_of_health", Max: "150.01"}), []string{"cohort", "state_of_health", "max", "150.00"}},
		{"min above the schema's", at(statement.Range{Lane: "state_of_health", Min: "151"}), []string{"cohort", "state_of_health", "min", "150.00"}},
		{"min below the schema's", at(statement.Range{Lane: "state_of_health", Min: "-0.01"}), []string{"cohort", "state_of_health", "min", "0.00"}},
		{"min below an offset", at(statement.Range{Lane: "peak_temperature", Min: "-40.1"}), []string{"cohort", "peak_temperature", "-40.0"}},
		{"too fine", at(statement.Range{Lane: "state_of_health", Min: "70.001"}), []string{"cohort", "state_of_health", "2 decimal places"}},
		{"no number", at(statement.Range{Lane: "age_days", Min: "ten"}), []string{"cohort", "age_days", "min", "ten"}},
		{"an exponent", at(statement.Range{Lane: "age_days", Max: "1e3"}), []string{"cohort", "age_days", "max", "1e3"}},
	})
}

func TestCheckRefusesValuation(t *testing.T) {
	price := func(p string) func(s *statement.Statement) {
		return func(s *statement.Statement) { s.Valuation.Price = p }
	}
	curve := func(lane string, knots ...statement.Knot) func(s *statement.Statement) {
		return func(s *statement.Statement) { s.Valuation.Curves = []statement.Curve{{Lane: lane, Knots: knots}} }
	}
	knot := func(at, factor string) statement.Knot { return statement.Knot{At: at, Factor: factor} }
	var nine []statement.Knot
	for i := range 9 {
		nine = append(nine, knot(string(rune('0'+i)), "1"))
	}
	check(t, []refusal{
		{"no price", price(""), []string{"valuation", "price", "missing"}},
		{"price below 0", price("-0.01"), []string{"valuation", "price", "0 to 10995116277.76"}},
		{"price above 2^40", price("10995116277.77"), []string{"valuation", "price", "0 to 10995116277.76"}},
		{"price too fine", price("1.001"), []string{"valuation", "price", "2 decimal places"}},
		{"no currency", func(s *statement.Statement) { s.Valuation.Currency = "" }, []string{"valuation", "currency"}},
		{"currency in small letters", func(s *statement.Statement) { s.Valuation.Currency = "eur" }, []string{"valuation", "currency", "eur"}},
		{"currency too long", func(s *statement.Statement) { s.Valuation.Currency = "EURO" }, []string{"valuation", "currency", "three"}},
		{"three curves", func(s *statement.Statement) { s.Valuation.Curves = make([]statement.Curve, 3) }, []string{"valuation", "3 curves, at most 2"}},
		{"both over one lane", func(s *statement.Statement) { s.Valuation.Curves[1] = s.Valuation.Curves[0] }, []string{"valuation", "state_of_health", "different lanes"}},
		{"unknown lane", curve("colour", knot("1", "1")), []string{"valuation", "colour"}},
		{"over presence", curve("presence", knot("1", "1")), []string{"valuation", "presence"}},
		{"no knots", curve("age_days"), []string{"valuation", "age_days", "0 knots, want 1 to 8"}},
		{"nine knots", curve("age_days", nine...), []string{"valuation", "age_days", "9 knots, want 1 to 8"}},
		{"knot above the schema's bounds", curve("age_days", knot("36526", "1")), []string{"valuation", "age_days", "knot 1", "36525"}},
		{"knot below the schema's bounds", curve("age_days", knot("0", "1"), knot("-1", "1")), []string{"valuation", "age_days", "knot 2"}},
		{"knots descending", curve("age_days", knot("2", "1"), knot("1", "1")), []string{"valuation", "age_days", "knot 2 at 1"}},
		{"knots at one place", curve("age_days", knot("2", "1"), knot("2", "0.5")), []string{"valuation", "age_days", "knot 2 at 2"}},
		{"knot too fine", curve("age_days", knot("2.5", "1")), []string{"valuation", "age_days", "knot 1"}},
		{"factor below 0", curve("age_days", knot("2", "-0.1")), []string{"valuation", "age_days", "knot 1", "factor", "0 to 10"}},
		{"factor above 10", curve("age_days", knot("2", "10.000001")), []string{"valuation", "age_days", "knot 1", "factor", "0 to 10"}},
		{"factor too fine", curve("age_days", knot("2", "0.0000001")), []string{"valuation", "age_days", "knot 1", "factor", "6 decimal places"}},
		{"no factor", curve("age_days", knot("2", "")), []string{"valuation", "age_days", "knot 1", "factor"}},
	})
}

func TestCheckRefusesClaims(t *testing.T) {
	claim := func(atLeast string, terms ...statement.Term) func(s *statement.Statement) {
		return func(s *statement.Statement) { s.Claims = []statement.Claim{{Terms: terms, AtLeast: atLeast}} }
	}
	term := func(total, coefficient string) statement.Term {
		return statement.Term{Total: total, Coefficient: coefficient}
	}
	check(t, []refusal{
		{"five claims", func(s *statement.Statement) { s.Claims = make([]statement.Claim, 5) }, []string{"5 claims, at most 4"}},
		{"no terms", claim("0"), []string{"claim 1", "0 terms, want 1 to 10"}},
		{"eleven terms", claim("0", make([]statement.Term, 11)...), []string{"claim 1", "11 terms, want 1 to 10"}},
		{"second claim without terms", func(s *statement.Statement) { s.Claims[1].Terms = nil }, []string{"claim 2"}},
		{"unknown total", claim("0", term("mean", "1")), []string{"claim 1", "mean"}},
		{"presence", claim("0", term("presence", "1")), []string{"claim 1", "presence"}},
		{"total twice", claim("0", term("count", "1"), term("count", "2")), []string{"claim 1", "count", "twice"}},
		{"value without a model", func(s *statement.Statement) {
			s.Valuation, s.Disclose = nil, nil
			claim("0", term("value", "1"))(s)
		}, []string{"claim 1", "value", "valuation"}},
		{"no coefficient", claim("0", term("count", "")), []string{"claim 1", "coefficient of count"}},
		{"coefficient too fine", claim("0", term("count", "0.0000001")), []string{"claim 1", "coefficient of count", "6 decimal places"}},
		{"every coefficient zero", claim("1", term("count", "0"), term("value", "0.0")), []string{"claim 1", "zero"}},
		{"no at_least", claim("", term("count", "1")), []string{"claim 1", "at_least"}},
		{"at_least too fine", claim("0.0000001", term("count", "1")), []string{"claim 1", "at_least", "6 decimal places"}},
		{"coefficient of 2^40", claim("0.000001", term("count", "1099511.627776")), []string{"claim 1", "coefficient", "41 bits, at most 40"}},
		{"coefficient of −2^40", claim("0.000001", term("count", "-1099511.627776")), []string{"claim 1", "coefficient", "41 bits, at most 40"}},
		{"at_least of 2^123", claim("10633823966279326983230456482242756608", term("count", "1")), []string{"claim 1", "at_least", "124 bits, at most 123"}},
		{"at_least of −2^123", claim("-10633823966279326983230456482242756608", term("count", "1")), []string{"claim 1", "at_least", "124 bits, at most 123"}},
		{"number of 41 characters", claim(strings.Repeat("1", 41), term("count", "1")), []string{"claim 1", "at_least", "40"}},
	})
}

package verify_test

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// statementVector is a document that is a statement or not, and what a verifier makes of it.
type statementVector struct {
	Name      string         `json:"name"`
	Statement []byte         `json:"statement"`
	Ledger    commit.Digest  `json:"ledger"`
	Failure   verify.Failure `json:"failure"`
	// Numbers are what a verifier derives, if the document is a statement.
	Numbers *statementNumbers `json:"numbers,omitempty"`
}

type statementNumbers struct {
	Digest     commit.Digest `json:"digest"`
	Parameters []string      `json:"parameters"`
	// Claims are A_0 to A_9 and then B, Disclosed the totals' indices.
	Claims    [][]string `json:"claims"`
	Disclosed []int      `json:"disclosed"`
}

// numbersOf reads a statement as the bundle's verifier does.
func numbersOf(document []byte, ledger commit.Digest) (*statementNumbers, error) {
	s, err := statement.Parse(document)
	if err != nil {
		return nil, err
	}
	out := &statementNumbers{Digest: s.Digest(ledger), Claims: [][]string{}}
	p, err := s.Parameters()
	if err != nil {
		return nil, err
	}
	for _, e := range p.Vector() {
		out.Parameters = append(out.Parameters, e.BigInt(new(big.Int)).String())
	}
	claims, err := s.Integers()
	if err != nil {
		return nil, err
	}
	for _, c := range claims {
		var numbers []string
		for _, a := range c.A {
			numbers = append(numbers, a.String())
		}
		out.Claims = append(out.Claims, append(numbers, c.B.String()))
	}
	disclosed, err := s.Disclosed()
	for i, d := range disclosed {
		if d {
			out.Disclosed = append(out.Disclosed, i)
		}
	}
	return out, err
}

func TestStatementVectors(t *testing.T) {
	for _, c := range readVectors(t, "statements.json", makeStatementVectors) {
		t.Run(c.Name, func(t *testing.T) {
			got, err := numbersOf(c.Statement, c.Ledger)
			if (err != nil) != (c.Failure == verify.StatementInvalid) {
				t.Fatalf("%v, want failure %q", err, c.Failure)
			}
			if diff := cmp.Diff(c.Numbers, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSecondVerifierOnStatementVectors(t *testing.T) {
	v := startSecond(t)
	for _, c := range readVectors(t, "statements.json", makeStatementVectors) {
		t.Run(c.Name, func(t *testing.T) {
			var got struct {
				Failure verify.Failure `json:"failure"`
				statementNumbers
			}
			if err := v.Ask(map[string]any{"op": "statement", "statement": c.Statement, "ledger": c.Ledger}, &got); err != nil {
				t.Fatal(err)
			}
			if got.Failure != c.Failure {
				t.Fatalf("failure is %q, want %q", got.Failure, c.Failure)
			}
			if c.Numbers == nil {
				return
			}
			if diff := cmp.Diff(*c.Numbers, got.statementNumbers); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func makeStatementVectors(t *testing.T) (out []statementVector) {
	add := func(name string, document []byte, failure verify.Failure) {
		v := statementVector{Name: name, Statement: document, Ledger: commit.Digest{byte(len(out))}, Failure: failure}
		numbers, err := numbersOf(document, v.Ledger)
		if (err != nil) != (failure == verify.StatementInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		v.Numbers = numbers
		out = append(out, v)
	}
	add("usual", asked().Canonical(), "")
	for _, c := range otherStatements {
		s := asked()
		c.change(s)
		add(c.name, s.Canonical(), "")
	}
	for _, c := range changedStatements {
		s := asked()
		c.change(s)
		add(c.name, s.Canonical(), c.failure)
	}
	usual := asked().Canonical()
	for _, c := range respelledStatements {
		changed := bytes.Replace(usual, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(changed, usual) {
			t.Errorf("%s: nothing to change", c.name)
		}
		add(c.name, changed, c.failure)
	}
	add("nothing", []byte{}, verify.StatementInvalid)
	add("null", []byte("null"), verify.StatementInvalid)
	add("byte order mark", append([]byte("\xef\xbb\xbf"), usual...), verify.StatementInvalid)
	add("line feed behind it", append(bytes.Clone(usual), '\n'), verify.StatementInvalid)
	add("another value behind it", append(bytes.Clone(usual), usual...), verify.StatementInvalid)
	add("65,537 bytes", append(bytes.Clone(usual), bytes.Repeat([]byte{' '}, statement.MaxBytes+1-len(usual))...), verify.StatementInvalid)
	return out
}

func claimed(atLeast string, terms ...statement.Term) func(*statement.Statement) {
	return func(s *statement.Statement) { s.Claims = []statement.Claim{{Terms: terms, AtLeast: atLeast}} }
}

func ranged(lane, low, high string) func(*statement.Statement) {
	return func(s *statement.Statement) { s.Cohort = []statement.Range{{Lane: lane, Min: low, Max: high}} }
}

func curved(lane string, knots ...statement.Knot) func(*statement.Statement) {
	return func(s *statement.Statement) { s.Valuation.Curves = []statement.Curve{{Lane: lane, Knots: knots}} }
}

const invalid = verify.StatementInvalid

// changedStatements are in canonical form, and within their bounds or not.
var changedStatements = []struct {
	name    string
	change  func(s *statement.Statement)
	failure verify.Failure
}{
	{"epoch of 64 bits", func(s *statement.Statement) { s.Epoch = 1<<64 - 1 }, ""},
	{"lane values spelled loosely", ranged("peak_temperature", "-0", "60.00000"), ""},
	{"lane of one value", ranged("peak_temperature", "-40", "-40.0"), ""},
	{"lane value of 33 bytes", ranged("state_of_health", "1.0000000000000000000000000000000", ""), invalid},
	{"lane value of 32 bytes", ranged("state_of_health", "1.000000000000000000000000000000", ""), ""},
	{"lane value too fine", ranged("state_of_health", "1.001", ""), invalid},
	{"lane value below an offset", ranged("peak_temperature", "-40.1", ""), invalid},
	{"lane value above the greatest", ranged("fault_count", "", "65536"), invalid},
	{"min above max", ranged("age_days", "11", "10"), invalid},
	{"a range of nothing", ranged("age_days", "", ""), invalid},
	{"a range of presence", ranged("presence", "1", ""), invalid},
	{"a lane of another schema", ranged("sessions", "1", ""), invalid},
	{"a lane twice", func(s *statement.Statement) { s.Cohort = append(s.Cohort, s.Cohort[0]) }, invalid},
	{"a version that is none", func(s *statement.Statement) { s.Version = "assay-statement/v0" }, invalid},
	{"a schema that is none", func(s *statement.Statement) { s.Schema = "battery/v2" }, invalid},
	{"fleet without a name", func(s *statement.Statement) { s.Fleet = "" }, invalid},
	{"fleet of 128 bytes", func(s *statement.Statement) { s.Fleet = strings.Repeat("é", 64) }, ""},
	{"fleet of 129 bytes", func(s *statement.Statement) { s.Fleet = strings.Repeat("é", 64) + "x" }, invalid},
	{"purpose with a soft hyphen", func(s *statement.Statement) { s.Purpose = "lo\u00adan" }, invalid},
	{"purpose with a space that does not break", func(s *statement.Statement) { s.Purpose = "a\u00a0loan" }, invalid},
	{"purpose turned round", func(s *statement.Statement) { s.Purpose = "lo\u202ean" }, invalid},
	{"purpose with a delete", func(s *statement.Statement) { s.Purpose = "lo\x7fan" }, invalid},
	{"purpose with a line separator", func(s *statement.Statement) { s.Purpose = "lo\u2028an" }, invalid},
	{"purpose with a character of Unicode 15.1", func(s *statement.Statement) { s.Purpose = "\U0002ebf0" }, invalid},
	{"purpose with a character of Unicode 15.0", func(s *statement.Statement) { s.Purpose = "\U00031350 \U0001fae8" }, ""},
	{"purpose in private use", func(s *statement.Statement) { s.Purpose = "\ue000" }, invalid},
	{"purpose with a replacement character", func(s *statement.Statement) { s.Purpose = "\ufffd" }, ""},
	{"nonce in capitals", func(s *statement.Statement) { s.Nonce = strings.ToUpper(s.Nonce) }, invalid},
	{"nonce of 15 bytes", func(s *statement.Statement) { s.Nonce = s.Nonce[2:] }, invalid},
	{"key class that is none", func(s *statement.Statement) { s.KeyClasses = []string{"cloud"} }, invalid},
	{"key class twice", func(s *statement.Statement) { s.KeyClasses = []string{"module", "module"} }, invalid},
	{"coverage of all", func(s *statement.Statement) { s.MinimumCoverage = "100.00" }, ""},
	{"coverage of more than all", func(s *statement.Statement) { s.MinimumCoverage = "100.01" }, invalid},
	{"coverage below none", func(s *statement.Statement) { s.MinimumCoverage = "-1" }, invalid},
	{"coverage of minus zero", func(s *statement.Statement) { s.MinimumCoverage = "-0.0" }, invalid},
	{"coverage too fine", func(s *statement.Statement) { s.MinimumCoverage = "95.000" }, invalid},
	{"a total disclosed twice", func(s *statement.Statement) { s.Disclose = []string{"count", "count"} }, invalid},
	{"a total that is none", func(s *statement.Statement) { s.Disclose = []string{"presence"} }, invalid},
	{"value without a valuation", func(s *statement.Statement) { s.Valuation = nil }, invalid},
	{"price of nothing", func(s *statement.Statement) { s.Valuation.Price = "0" }, ""},
	{"price above the greatest", func(s *statement.Statement) { s.Valuation.Price = "10995116277.77" }, invalid},
	{"price below nothing", func(s *statement.Statement) { s.Valuation.Price = "-0.01" }, invalid},
	{"currency in small letters", func(s *statement.Statement) { s.Valuation.Currency = "eur" }, invalid},
	{"no curves", func(s *statement.Statement) { s.Valuation.Curves = nil }, ""},
	{"one curve over the first lane", func(s *statement.Statement) { s.Valuation.Curves = s.Valuation.Curves[:1] }, ""},
	{"two curves over one lane", func(s *statement.Statement) { s.Valuation.Curves[1] = s.Valuation.Curves[0] }, invalid},
	{"three curves", func(s *statement.Statement) { s.Valuation.Curves = append(s.Valuation.Curves, s.Valuation.Curves[0]) }, invalid},
	{"a curve without knots", curved("age_days"), invalid},
	{"a curve over presence", curved("presence", statement.Knot{At: "1", Factor: "1"}), invalid},
	{"knots at one place", curved("age_days", statement.Knot{At: "2", Factor: "1"}, statement.Knot{At: "2.0", Factor: "1"}), invalid},
	{"a factor above 10", curved("age_days", statement.Knot{At: "2", Factor: "10.000001"}), invalid},
	{"a factor below 0", curved("age_days", statement.Knot{At: "2", Factor: "-0.1"}), invalid},
	{"a curve that falls to 0 by thirds", curved("age_days", statement.Knot{At: "0", Factor: "1"}, statement.Knot{At: "3", Factor: "0"}), ""},
	{"a curve whose knots lie outside the cohort", func(s *statement.Statement) {
		s.Cohort = []statement.Range{{Lane: "age_days", Min: "100", Max: "200"}}
		curved("age_days", statement.Knot{At: "10", Factor: "0.9"}, statement.Knot{At: "150", Factor: "0.333333"}, statement.Knot{At: "1000", Factor: "0.1"})(s)
	}, ""},
	{"a curve of eight knots", curved("voltage_spread_mV", eightKnots()...), ""},
	{"a curve of nine knots", curved("voltage_spread_mV", append(eightKnots(), statement.Knot{At: "9", Factor: "1"})...), invalid},
	{"no claims", func(s *statement.Statement) { s.Claims = nil }, ""},
	{"five claims", func(s *statement.Statement) { s.Claims = append(append(s.Claims, s.Claims...), s.Claims[0]) }, invalid},
	{"a claim without terms", claimed("0"), invalid},
	{"a claim of a total twice", claimed("0", statement.Term{Total: "count", Coefficient: "1"}, statement.Term{Total: "count", Coefficient: "2"}), invalid},
	{"a claim of zeros", claimed("1", statement.Term{Total: "count", Coefficient: "0.0"}), invalid},
	{"a claim that cancels", claimed("0", statement.Term{Total: "peak_temperature", Coefficient: "1"}, statement.Term{Total: "count", Coefficient: "40"}), ""},
	{"a coefficient of minus zero", claimed("1", statement.Term{Total: "count", Coefficient: "-0"}), invalid},
	{"a coefficient too fine", claimed("1", statement.Term{Total: "count", Coefficient: "0.0000001"}), invalid},
	{"a coefficient with a plus", claimed("1", statement.Term{Total: "count", Coefficient: "+1"}), invalid},
	{"a coefficient of 40 bits", claimed("0.000001", statement.Term{Total: "count", Coefficient: "-1099511.627775"}), ""},
	{"a coefficient of 41 bits", claimed("0.000001", statement.Term{Total: "count", Coefficient: "1099511.627776"}), invalid},
	{"at least 2^123 − 1", claimed("-10633823966279326983230456482242756607", statement.Term{Total: "count", Coefficient: "1"}), ""},
	{"at least 2^123", claimed("10633823966279326983230456482242756608", statement.Term{Total: "count", Coefficient: "1"}), invalid},
	{"a number of 41 bytes", claimed(strings.Repeat("1", 41), statement.Term{Total: "count", Coefficient: "1"}), invalid},
}

func eightKnots() (out []statement.Knot) {
	for i := range 8 {
		out = append(out, statement.Knot{At: string(rune('1' + i)), Factor: "0." + string(rune('1'+(5*i)%9))})
	}
	return out
}

// respelledStatements change the usual statement's text.
var respelledStatements = []struct {
	name, old, new string
	failure        verify.Failure
}{
	{"a space", `,"epoch"`, `, "epoch"`, invalid},
	{"epoch with a fraction", `"epoch":7`, `"epoch":7.0`, invalid},
	{"epoch with an exponent", `"epoch":7`, `"epoch":7e0`, invalid},
	{"epoch with a leading zero", `"epoch":7`, `"epoch":07`, invalid},
	{"epoch below zero", `"epoch":7`, `"epoch":-7`, invalid},
	{"epoch of minus zero", `"epoch":7`, `"epoch":-0`, invalid},
	{"epoch of 2^64", `"epoch":7`, `"epoch":18446744073709551616`, invalid},
	{"epoch of 2^53 + 1", `"epoch":7`, `"epoch":9007199254740993`, ""},
	{"epoch as text", `"epoch":7`, `"epoch":"7"`, invalid},
	{"a field twice", `"epoch":7`, `"epoch":7,"epoch":7`, invalid},
	{"an unknown field", `"epoch":7`, `"epoch":7,"era":1`, invalid},
	{"a field in capitals", `"epoch":7`, `"Epoch":7`, invalid},
	{"a field missing", `"epoch":7,`, ``, invalid},
	{"fields in another order", `"epoch":7,"schema":"battery/v1"`, `"schema":"battery/v1","epoch":7`, invalid},
	{"an optional field that is empty", `"disclose"`, `"key_classes":[],"disclose"`, invalid},
	{"key classes empty in their place", `"minimum_coverage":"60.00"`, `"minimum_coverage":"60.00","key_classes":[]`, invalid},
	{"a list that is null", `"claims":[`, `"claims":null,"x":[`, invalid},
	{"min that is empty", `"max":"2"`, `"min":"","max":"2"`, invalid},
	{"an escape that is not needed", `"purpose":"loan"`, `"purpose":"\u006coan"`, invalid},
	{"an escape in capitals", `"purpose":"loan"`, `"purpose":"\u003C"`, invalid},
	{"the escape that is needed", `"purpose":"loan"`, `"purpose":"\u003c"`, ""},
	{"a sign that must be escaped", `"purpose":"loan"`, `"purpose":"<"`, invalid},
	{"a slash escaped", `"battery/v1"`, `"battery\/v1"`, invalid},
	{"half a surrogate", `"purpose":"loan"`, `"purpose":"\ud83d"`, invalid},
	{"a surrogate pair", `"purpose":"loan"`, `"purpose":"\ud83d\udd0b"`, invalid},
	{"text that is not UTF-8", `"purpose":"loan"`, "\"purpose\":\"lo\xff\"", invalid},
	{"text in an overlong form", `"purpose":"loan"`, "\"purpose\":\"lo\xc1\xa1\"", invalid},
	{"expiry with a fraction", `00:00:00Z"`, `00:00:00.5Z"`, invalid},
	{"expiry with an offset", `00:00:00Z"`, `00:00:00+00:00"`, invalid},
	{"expiry in small letters", `T00:00:00Z"`, `t00:00:00z"`, invalid},
	{"expiry in a leap second", `00:00:00Z"`, `23:59:60Z"`, invalid},
	{"expiry at 24 o'clock", `00:00:00Z"`, `24:00:00Z"`, invalid},
	{"expiry on 29 February", `2100-01-01`, `2096-02-29`, ""},
	{"expiry on a 29 February that is none", `2100-01-01`, `2100-02-29`, invalid},
	{"expiry before 2000", `2100-01-01`, `1999-12-31`, invalid},
	{"expiry in 9999", `2100-01-01`, `9999-12-31`, ""},
	{"expiry after 9999", `2100-01-01`, `10000-01-01`, invalid},
}

package ledger_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

func term(total, coefficient string) statement.Term {
	return statement.Term{Total: total, Coefficient: coefficient}
}

func claim(least string, terms ...statement.Term) statement.Claim {
	return statement.Claim{Terms: terms, AtLeast: least}
}

func valuation(price string, curves ...statement.Curve) *statement.Valuation {
	return &statement.Valuation{Price: price, Currency: "EUR", Curves: curves}
}

func curve(lane string, pairs ...string) statement.Curve {
	c := statement.Curve{Lane: lane}
	for i := 0; i < len(pairs); i += 2 {
		c.Knots = append(c.Knots, statement.Knot{At: pairs[i], Factor: pairs[i+1]})
	}
	return c
}

var asker = ledger.Asker{
	Roles: []ledger.Role{ledger.RoleFinancier, ledger.RoleOwner}, Attributes: map[string]string{"CN": "loans"},
	Fleet: ledger.Fleet{ID: "fleet-a", Owner: "operator", Schema: contracttest.Schema}, Epoch: 12, Time: time.Unix(1_800_000_000, 7),
}

func questionOf(t *testing.T, change func(*statement.Statement)) *policy.Question {
	t.Helper()
	s := contracttest.Statement("fleet-a", 11, 1, time.Unix(1_900_000_000, 0))
	change(s)
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	q, err := ledger.QuestionOf(s, asker)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestQuestionOf(t *testing.T) {
	q := questionOf(t, func(s *statement.Statement) {
		s.Cohort = []statement.Range{{Lane: "state_of_health", Min: "80.00"}}
		s.Claims = append(s.Claims, claim("0", term("state_of_health", "1"), term("count", "-85")), claim("5", term("fault_count", "0"), term("value", "2")))
		s.Valuation = valuation("100.00", curve("age_days", "0", "1", "100", "0.5"))
		s.Disclose, s.KeyClasses = []string{"population", "value"}, []string{"module"}
	})
	want := &policy.Question{
		Action: policy.Prove, Requester: policy.Party{ID: "lender", Roles: []string{"financier", "owner"}, Attributes: asker.Attributes},
		Fleet: policy.Fleet{ID: "fleet-a", Owner: "operator", Schema: contracttest.Schema},
		Grant: contracttest.GrantID, Purpose: contracttest.Purpose, Epoch: 11, CurrentEpoch: 12,
		Time: time.Unix(1_800_000_000, 0).UTC(), Expiry: time.Unix(1_900_000_000, 0).UTC(),
		Cohort: q.Cohort, CohortBounds: []string{"state_of_health >= 80.00"}, Lanes: []string{"state_of_health", "age_days", "fault_count"},
		Count: policy.CountProven, ProvenMinimum: 10, Claims: []string{policy.ClaimCount, policy.ClaimLane, policy.ClaimValue},
		Disclose: []string{"value"}, Model: q.Model, Price: 100_00, Currency: "EUR",
		Curves:          []policy.CurveShape{{Lane: "age_days", Index: 3, Min: 0, Max: 36525, Knots: []policy.Knot{{At: 0, Factor: 1_000_000}, {At: 100, Factor: 500_000}}}},
		MinimumCoverage: 5000, KeyClasses: []string{"module"},
	}
	if diff := cmp.Diff(want, q); diff != "" {
		t.Error(diff)
	}
	for bounds, r := range map[string]statement.Range{
		"state_of_health >= 70.00|state_of_health <= 79.90": {Lane: "state_of_health", Min: "70", Max: "79.9"},
		"age_days <= 730": {Lane: "age_days", Min: "0", Max: "730"},
		"":                {Lane: "age_days", Min: "0", Max: "36525"},
	} {
		q := questionOf(t, func(s *statement.Statement) { s.Cohort = []statement.Range{r} })
		if got := strings.Join(q.CohortBounds, "|"); got != bounds || q.Cohort.All != (bounds == "") {
			t.Errorf("of %+v the bounds are %q, all %t", r, got, q.Cohort.All)
		}
	}
	if c := q.Cohort; len(c.Lo) != 8 || c.Lo[1] != 8000 || c.Hi[1] != 15000 || c.All {
		t.Errorf("the cohort is %+v", c)
	}
}

// What an answer shows of the cohort's size is taken from what the statement has proven, never from what it says about itself.
func TestCountShown(t *testing.T) {
	narrow := []statement.Range{{Lane: "age_days", Max: "100"}}
	for name, c := range map[string]struct {
		change func(*statement.Statement)
		count  policy.CountShown
		least  uint64
	}{
		"everybody": {func(s *statement.Statement) { s.Claims = nil }, policy.CountExact, 0},
		"a range as wide as all": {func(s *statement.Statement) {
			s.Cohort, s.Claims = []statement.Range{{Lane: "age_days", Min: "0", Max: "36525"}}, nil
		}, policy.CountExact, 0},
		"disclosed": {func(s *statement.Statement) { s.Cohort, s.Disclose, s.Claims = narrow, []string{"count"}, nil }, policy.CountExact, 0},
		"claimed":   {func(s *statement.Statement) { s.Cohort = narrow }, policy.CountProven, 10},
		"nothing":   {func(s *statement.Statement) { s.Cohort, s.Claims = narrow, nil }, policy.CountHidden, 0},
		"the larger of two": {func(s *statement.Statement) {
			s.Cohort, s.Claims = narrow, append(s.Claims, claim("20", term("count", "1")), claim("15", term("count", "1")))
		}, policy.CountProven, 20},
		"doubled on both sides": {func(s *statement.Statement) {
			s.Cohort, s.Claims = narrow, []statement.Claim{claim("24", term("count", "2"))}
		}, policy.CountProven, 12},
		"no whole number": {func(s *statement.Statement) {
			s.Cohort, s.Claims = narrow, []statement.Claim{claim("25", term("count", "2"))}
		}, policy.CountHidden, 0},
		"at most": {func(s *statement.Statement) {
			s.Cohort, s.Claims = narrow, []statement.Claim{claim("-9", term("count", "-1"))}
		}, policy.CountHidden, 0},
		"at least none": {func(s *statement.Statement) {
			s.Cohort, s.Claims = narrow, []statement.Claim{claim("0", term("count", "1"))}
		}, policy.CountHidden, 0},
		"with something else": {func(s *statement.Statement) {
			s.Cohort, s.Claims = narrow, []statement.Claim{claim("10", term("count", "1"), term("population", "1"))}
		}, policy.CountHidden, 0},
		"with nothing of something else": {func(s *statement.Statement) {
			s.Cohort, s.Claims = narrow, []statement.Claim{claim("10", term("count", "1"), term("population", "0"))}
		}, policy.CountProven, 10},
	} {
		if q := questionOf(t, c.change); q.Count != c.count || q.ProvenMinimum != c.least {
			t.Errorf("%s: %s, at least %d; want %s, %d", name, q.Count, q.ProvenMinimum, c.count, c.least)
		}
	}
}

func TestKindsOfClaims(t *testing.T) {
	for _, c := range []struct {
		want  string
		terms []statement.Term
	}{
		{policy.ClaimCount, []statement.Term{term("count", "1")}},
		{policy.ClaimPopulation, []statement.Term{term("population", "-2")}},
		{policy.ClaimMixed, []statement.Term{term("count", "1"), term("population", "-0.5")}},
		{policy.ClaimLane, []statement.Term{term("age_days", "-1")}},
		{policy.ClaimLane, []statement.Term{term("age_days", "-1"), term("count", "9")}},
		{policy.ClaimLane, []statement.Term{term("peak_temperature", "1")}},
		{policy.ClaimMixed, []statement.Term{term("age_days", "-1"), term("fault_count", "9")}},
		{policy.ClaimMixed, []statement.Term{term("age_days", "-1"), term("value", "9")}},
		{policy.ClaimValue, []statement.Term{term("value", "9")}},
		{policy.ClaimValue, []statement.Term{term("value", "9"), term("population", "9")}},
		{policy.ClaimCount, []statement.Term{term("value", "0"), term("count", "1")}},
	} {
		q := questionOf(t, func(s *statement.Statement) {
			s.Valuation, s.Claims = valuation("1.00"), []statement.Claim{claim("1", c.terms...)}
		})
		if q.Claims[0] != c.want {
			t.Errorf("%v is a claim about %s, want %s", c.terms, q.Claims[0], c.want)
		}
	}
}

// A model is its curves, however they are written; the price may vary.
func TestModelOfAQuestion(t *testing.T) {
	model := func(v *statement.Valuation) string {
		return questionOf(t, func(s *statement.Statement) { s.Valuation = v }).Model
	}
	same := model(valuation("1.00", curve("age_days", "0", "1", "100", "0.5")))
	for name, v := range map[string]*statement.Valuation{
		"another price": valuation("2.50", curve("age_days", "0", "1", "100", "0.5")),
		"more zeros":    valuation("1.00", curve("age_days", "0", "1.000000", "100", "0.50")),
	} {
		if model(v) != same {
			t.Errorf("%s: another model", name)
		}
	}
	for name, v := range map[string]*statement.Valuation{
		"another factor": valuation("1.00", curve("age_days", "0", "1", "100", "0.500001")),
		"another knot":   valuation("1.00", curve("age_days", "0", "1", "101", "0.5")),
		"another lane":   valuation("1.00", curve("fault_count", "0", "1", "100", "0.5")),
		"no curve":       valuation("1.00"),
	} {
		if got := model(v); got == same || got == "" {
			t.Errorf("%s: model %q", name, got)
		}
	}
	if got := model(nil); got != "" {
		t.Errorf("without a valuation the model is %q", got)
	}
}

func TestShownBy(t *testing.T) {
	ten := uint64(10)
	for name, c := range map[string]struct {
		disclosed []statement.DisclosedTotal
		want      ledger.Shown
	}{
		"the population": {[]statement.DisclosedTotal{{Name: "population", Value: "12"}}, ledger.Shown{Population: 12, Claims: []bool{true, false}}},
		"the count too":  {[]statement.DisclosedTotal{{Name: "population", Value: "12"}, {Name: "count", Value: "10"}, {Name: "value", Value: "1.5"}}, ledger.Shown{Population: 12, Count: &ten, Claims: []bool{true, false}}},
	} {
		got, err := ledger.ShownBy(&verify.Verdict{Claims: []verify.ClaimVerdict{{Holds: true}, {}}, Disclosed: c.disclosed})
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	for name, disclosed := range map[string][]statement.DisclosedTotal{
		"nothing": nil, "no number": {{Name: "population", Value: "many"}}, "less than none": {{Name: "population", Value: "-1"}}, "the count alone": {{Name: "count", Value: "1"}},
	} {
		if got, err := ledger.ShownBy(&verify.Verdict{Disclosed: disclosed}); err == nil {
			t.Errorf("%s: shows %+v", name, got)
		}
	}
}

func TestShownProves(t *testing.T) {
	s := contracttest.Statement("fleet-a", 11, 1, time.Unix(1_900_000_000, 0))
	s.Claims = append(s.Claims, claim("30", term("count", "1")), claim("1", term("age_days", "1")))
	for _, c := range []struct {
		holds []bool
		least uint64
		want  bool
	}{
		{[]bool{true, true, true}, 30, true},
		{[]bool{true, false, true}, 30, false},
		{[]bool{true, false, true}, 10, true},
		{[]bool{false, false, true}, 1, false},
		{[]bool{true, true, true}, 31, false},
	} {
		if got, err := (&ledger.Shown{Claims: c.holds}).Proves(s, c.least); err != nil || got != c.want {
			t.Errorf("%v proves %d: %v, %v", c.holds, c.least, got, err)
		}
	}
	if _, err := (&ledger.Shown{Claims: []bool{true}}).Proves(s, 1); err == nil {
		t.Error("claims of another statement")
	}
}

func TestGrantStatus(t *testing.T) {
	g := ledger.GrantRecord{Terms: policy.Terms{NotBefore: 10, NotAfter: 20, Answers: 2}}
	for _, c := range []struct {
		now     int64
		revoked bool
		answers uint32
		want    ledger.GrantStatus
	}{
		{9, false, 0, ledger.GrantPending}, {10, false, 1, ledger.GrantActive}, {20, false, 1, ledger.GrantActive}, {21, false, 0, ledger.GrantExpired},
		{15, false, 2, ledger.GrantUsedUp}, {15, true, 2, ledger.GrantRevoked}, {9, true, 0, ledger.GrantRevoked},
	} {
		if got := g.StatusAt(c.now, c.revoked, ledger.Spent{Answers: c.answers}); got != c.want {
			t.Errorf("at %d, revoked %v, after %d answers: %s, want %s", c.now, c.revoked, c.answers, got, c.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{"fine": "fine", "a\nb\x00c": "a·b·c", "": "…", "12345678901": "1234567…", "ééééééé": "ééé…", "\xff": "·", "1234567890": "1234567890"} {
		got := ledger.Printable(text, 10)
		if got != want {
			t.Errorf("%q is printed as %q, want %q", text, got, want)
		}
		if err := ledger.CheckText("text", got, 10, true); err != nil {
			t.Error(err)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\nb", 3)
	f.Add("\xff\xfe é", 7)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 3 + max(0, limit)%600
		if err := ledger.CheckText("text", ledger.Printable(text, limit), limit, true); err != nil {
			t.Error(err)
		}
	})
}

func TestStatuses(t *testing.T) {
	known := []ledger.Status{ledger.StatusVerified, ledger.StatusWithdrawn, ledger.StatusRefused, ledger.StatusFailed, ledger.StatusExpired, ledger.StatusProving, ledger.StatusApproved, ledger.StatusOpen}
	for _, s := range known {
		if !s.Known() || s.Approved() != slices.Contains([]ledger.Status{ledger.StatusApproved, ledger.StatusProving}, s) {
			t.Errorf("%s", s)
		}
	}
	if ledger.Status("").Known() || ledger.Status("lost").Known() {
		t.Error("an unknown status is known")
	}
}

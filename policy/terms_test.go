package policy

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// loans is a grant that covers question().
func loans() *Terms {
	return &Terms{
		ID: "loans", Grantee: "bank", Fleets: []string{"fleet"}, Purposes: []string{"loan"}, Actions: []Action{Prove},
		Claims: []string{ClaimCount, ClaimLane}, Disclose: []string{"count"}, Lanes: []string{"age_days", "state_of_health"},
		MinimumCohort: 50, MinimumCoverage: "95.00", FirstEpoch: 1, Answers: 10,
		Budget: "10", CostClaim: "0.1", CostDisclosure: "1", NotBefore: 1760000000, NotAfter: 1800000000,
		Policy: strings.Repeat("ab", 32),
	}
}

func TestTermsCheck(t *testing.T) {
	if err := loans().Check(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a", 600)
	for want, change := range map[string]func(t *Terms){
		"id is missing":                              func(t *Terms) { t.ID = "" },
		`id "a/b" may hold`:                          func(t *Terms) { t.ID = "a/b" },
		"id is longer than 64":                       func(t *Terms) { t.ID = long },
		"grantee is empty":                           func(t *Terms) { t.Grantee = "" },
		"grantee is longer than 128":                 func(t *Terms) { t.Grantee = long },
		"grantee is not valid UTF-8":                 func(t *Terms) { t.Grantee = "\xff" },
		"grantee holds an unprintable":               func(t *Terms) { t.Grantee = "bank\u202e" },
		"fleets is empty":                            func(t *Terms) { t.Fleets = nil },
		"fleets[1] is empty":                         func(t *Terms) { t.Fleets = []string{"a", ""} },
		"purposes is empty":                          func(t *Terms) { t.Purposes = nil },
		"purposes[0] is longer than 512":             func(t *Terms) { t.Purposes = []string{long} },
		"actions is empty":                           func(t *Terms) { t.Actions = nil },
		`actions[0]: "read" is not known`:            func(t *Terms) { t.Actions = []Action{"read"} },
		`claims[1]: "x" is not known`:                func(t *Terms) { t.Claims = []string{ClaimCount, "x"} },
		"lanes is not sorted":                        func(t *Terms) { t.Lanes = []string{"b", "a"} },
		`disclose is not sorted, or names "a" twice`: func(t *Terms) { t.Disclose = []string{"a", "a"} },
		"models[0] must be 32 bytes":                 func(t *Terms) { t.Models = []string{"AB"} },
		"max_price is missing":                       func(t *Terms) { t.Models = []string{strings.Repeat("ab", 32)} },
		`max_price "1e6" is not`:                     func(t *Terms) { t.Models, t.MaxPrice = []string{strings.Repeat("ab", 32)}, "1e6" },
		`max_price "1.001" has more than`:            func(t *Terms) { t.Models, t.MaxPrice = []string{strings.Repeat("ab", 32)}, "1.001" },
		"max_price is 10995116277.77, at":            func(t *Terms) { t.Models, t.MaxPrice = []string{strings.Repeat("ab", 32)}, "10995116277.77" },
		"max_price bounds nothing":                   func(t *Terms) { t.MaxPrice = "1.00" },
		"lanes has 65 entries": func(t *Terms) {
			t.Lanes = strings.Split(strings.Repeat("a,", 64)+"a", ",")
		},
		"minimum_cohort is 0":                     func(t *Terms) { t.MinimumCohort = 0 },
		"minimum_cohort is 4294967297":            func(t *Terms) { t.MinimumCohort = MaxMinimumCohort + 1 },
		"minimum_coverage is missing":             func(t *Terms) { t.MinimumCoverage = "" },
		"minimum_coverage is 100.01 %":            func(t *Terms) { t.MinimumCoverage = "100.01" },
		`minimum_coverage "95.001" has more than`: func(t *Terms) { t.MinimumCoverage = "95.001" },
		"answers is 0":                            func(t *Terms) { t.Answers = 0 },
		`budget "-1" is not`:                      func(t *Terms) { t.Budget = "-1" },
		`budget "1e3" is not`:                     func(t *Terms) { t.Budget = "1e3" },
		"budget is 1000000000000.000001 units":    func(t *Terms) { t.Budget = "1000000000000.000001" },
		"cost_claim is 1000000000.1 units":        func(t *Terms) { t.CostClaim = "1000000000.1" },
		`cost_disclosure "0.0000001" has more`:    func(t *Terms) { t.CostDisclosure = "0.0000001" },
		`delta_budget "1e-6" is not`:              func(t *Terms) { t.DeltaBudget = "1e-6" },
		"delta_budget is 0.010000000001, at most": func(t *Terms) { t.DeltaBudget = "0.010000000001" },
		"last_epoch is 4, before first_epoch 5":   func(t *Terms) { t.FirstEpoch, t.LastEpoch = 5, 4 },
		"not_before is -1":                        func(t *Terms) { t.NotBefore = -1 },
		"not_after is 5":                          func(t *Terms) { t.NotBefore, t.NotAfter = 6, 5 },
		"not_after is 253402300800":               func(t *Terms) { t.NotAfter = maxTime + 1 },
		"policy must be 32 bytes":                 func(t *Terms) { t.Policy = strings.Repeat("AB", 32) },
	} {
		terms := loans()
		change(terms)
		err := terms.Check()
		if err == nil || !strings.Contains(err.Error(), "terms: "+want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if err != nil && len(err.Error()) > 400 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		if reasons := terms.Limits(question(), Spent{}); len(reasons) != 1 || !strings.Contains(reasons[0], want) {
			t.Errorf("a grant that is not valid covers a question: %q", reasons)
		}
	}
}

func TestTermsSort(t *testing.T) {
	terms := loans()
	terms.Lanes = []string{"state_of_health", "age_days", "state_of_health"}
	terms.Actions = []Action{Score, Prove}
	shared := terms.Lanes
	terms.Sort()
	if err := terms.Check(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(loans().Lanes, terms.Lanes); diff != "" {
		t.Error(diff)
	}
	if shared[0] != "state_of_health" {
		t.Error("sorted a list of the caller's in place")
	}
}

func TestTermsTravelAsJSON(t *testing.T) {
	b, err := json.Marshal(loans())
	if err != nil {
		t.Fatal(err)
	}
	var back Terms
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(loans(), &back); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(string(b), "null") {
		t.Errorf("an empty list has two encodings: %s", b)
	}
}

func TestLimits(t *testing.T) {
	if reasons := loans().Limits(question(), Spent{}); len(reasons) > 0 {
		t.Fatalf("%q", reasons)
	}
	for want, change := range map[string]func(t *Terms, q *Question, s *Spent){
		`names grant "other", not "loans"`:       func(_ *Terms, q *Question, _ *Spent) { q.Grant = "other" },
		`the grant is "bank"'s, and "fund" asks`: func(_ *Terms, q *Question, _ *Spent) { q.Requester.ID = "fund" },
		`does not cover fleet "others"`:          func(_ *Terms, q *Question, _ *Spent) { q.Fleet.ID = "others" },
		`does not cover purpose "loan "`:         func(_ *Terms, q *Question, _ *Spent) { q.Purpose = "loan " },
		`does not cover action "score"`:          func(_ *Terms, q *Question, _ *Spent) { q.Action, q.Epsilon, q.MinimumCohort = Score, 1, 50 },
		`does not cover claim about "value"`:     func(_ *Terms, q *Question, _ *Spent) { q.Claims = []string{ClaimValue} },
		`does not cover disclosure of "value"`:   func(_ *Terms, q *Question, _ *Spent) { q.Disclose = append(q.Disclose, "value") },
		`does not cover lane "fault_count"`:      func(_ *Terms, q *Question, _ *Spent) { q.Lanes = append(q.Lanes, "fault_count") },
		`does not cover valuation model "ab"`:    func(_ *Terms, q *Question, _ *Spent) { q.Model = "ab" },
		"price of a device is 1250.01, the grant's highest is 1250": func(t *Terms, q *Question, _ *Spent) {
			q.Model, q.Price = Model("battery/v1", nil), 125_001
			t.Models, t.MaxPrice = []string{q.Model}, "1250"
		},
		"expires on 2027-01-15T08:00:01Z, after the grant's end": func(t *Terms, q *Question, _ *Spent) { q.Expiry = time.Unix(t.NotAfter+1, 0) },
		"neither discloses count nor claims count ≥ 50":          func(_ *Terms, q *Question, _ *Spent) { q.Count = CountHidden },
		"has at least 49, the grant demands 50":                  func(_ *Terms, q *Question, _ *Spent) { q.Count, q.ProvenMinimum = CountProven, 49 },
		"a coverage of 94.99 %, the grant at least 95.00":        func(_ *Terms, q *Question, _ *Spent) { q.MinimumCoverage = 9499 },
		"epoch 0 is before the grant's first, 1":                 func(_ *Terms, q *Question, _ *Spent) { q.Epoch = 0 },
		"epoch 100 is after the grant's last, 99":                func(t *Terms, _ *Question, _ *Spent) { t.LastEpoch = 99 },
		"the grant begins on 2025-10-09T08:53:20Z":               func(t *Terms, q *Question, _ *Spent) { q.Time = time.Unix(t.NotBefore-1, 0) },
		"the grant ended on 2027-01-15T08:00:00Z":                func(t *Terms, q *Question, _ *Spent) { q.Time = time.Unix(t.NotAfter+1, 0) },
		"all 10 answers of the grant are used up":                func(_ *Terms, _ *Question, s *Spent) { s.Answers = 10 },
		"costs 1.1 units, and 1 of the budget":                   func(_ *Terms, _ *Question, s *Spent) { s.Units = 9_000_000 },
		`the budget for fleet "fleet" is used up`:                func(_ *Terms, _ *Question, s *Spent) { s.Units = math.MaxUint64 },
		"the question's cost: a homomorphic query names neither": homomorphic(Aggregate, 50, 0),
		"about cohorts of at least 49, the grant demands 50":     homomorphic(Aggregate, 49, 1),
		"costs 10.000001 units, and 10 of the budget":            homomorphic(Score, 50, 10_000_001),
	} {
		terms, q, spent := loans(), question(), Spent{}
		change(terms, q, &spent)
		reasons := terms.Limits(q, spent)
		if len(reasons) != 1 || !strings.Contains(reasons[0], want) {
			t.Errorf("reasons %q, want %q", reasons, want)
		}
	}
}

// What lies on a bound lies within.
func TestLimitsTakeTheBounds(t *testing.T) {
	for name, change := range map[string]func(t *Terms, q *Question, s *Spent){
		"the minimum proven":   func(_ *Terms, q *Question, _ *Spent) { q.Count, q.ProvenMinimum = CountProven, 50 },
		"the first second":     func(t *Terms, q *Question, _ *Spent) { q.Time = time.Unix(t.NotBefore, 0) },
		"the last second":      func(t *Terms, q *Question, _ *Spent) { q.Time = time.Unix(t.NotAfter, 999_999_999) },
		"the first epoch":      func(_ *Terms, q *Question, _ *Spent) { q.Epoch = 1 },
		"the last epoch":       func(t *Terms, _ *Question, _ *Spent) { t.LastEpoch = 100 },
		"the last answer":      func(_ *Terms, _ *Question, s *Spent) { s.Answers = 9 },
		"the last of a budget": func(_ *Terms, _ *Question, s *Spent) { s.Units = 8_900_000 },
		"an allowed model": func(t *Terms, q *Question, _ *Spent) {
			q.Model = Model("battery/v1", nil)
			t.Models, t.MaxPrice, q.Price = []string{q.Model}, "1250.00", 125_000
		},
		"an expiry with the grant": func(t *Terms, q *Question, _ *Spent) { q.Expiry = time.Unix(t.NotAfter, 0) },
		"the whole fleet":          func(_ *Terms, q *Question, _ *Spent) { q.Cohort.All, q.Lanes = true, nil },
	} {
		terms, q, spent := loans(), question(), Spent{}
		change(terms, q, &spent)
		if reasons := terms.Limits(q, spent); len(reasons) > 0 {
			t.Errorf("%s: %q", name, reasons)
		}
	}
}

func TestLimitsNameEverything(t *testing.T) {
	q := &Question{Requester: Party{ID: strings.Repeat("x", 4096)}, Purpose: strings.Repeat("y", 4096), Lanes: []string{"b", "a", "b"}}
	reasons := loans().Limits(q, Spent{Answers: 99})
	if len(reasons) != 13 {
		t.Errorf("%d reasons: %q", len(reasons), reasons)
	}
	if size := len(strings.Join(reasons, "")); size > 2000 {
		t.Errorf("reasons of %d bytes", size)
	}
}

func TestCost(t *testing.T) {
	for name, c := range map[string]struct {
		claim, disclosure string
		change            func(q *Question)
		want              uint64
	}{
		"one of each":       {"0.1", "1", nil, 1_100_000},
		"free":              {"0", "0", nil, 0},
		"the smallest":      {"0.000001", "0.000002", nil, 3},
		"several":           {"0.25", "3.5", func(q *Question) { q.Claims, q.Disclose = make([]string, 4), make([]string, 9) }, 32_500_000},
		"a homomorphic sum": {"1", "1", func(q *Question) { q.Action, q.Epsilon = Aggregate, 123 }, 123},
		"noise and totals":  {"1", "1", func(q *Question) { q.Action, q.Epsilon, q.TotalCount = Aggregate, 123, 40 }, 123},
		"exact totals":      {"5", "0.25", func(q *Question) { q.Action, q.TotalCount = Aggregate, 3 }, 750_000},
		"an exact score":    {"5", "0.25", func(q *Question) { q.Action, q.TotalCount = Score, 1 }, 250_000},
	} {
		terms, q := loans(), question()
		terms.CostClaim, terms.CostDisclosure = c.claim, c.disclosure
		if c.change != nil {
			c.change(q)
		}
		if got, err := terms.Cost(q); err != nil || got != c.want {
			t.Errorf("%s: %d, %v, want %d", name, got, err, c.want)
		}
	}
	for name, change := range map[string]func(t *Terms, q *Question){
		"more than a number holds":   func(t *Terms, q *Question) { t.CostClaim, q.Claims = "18446744073709.551615", make([]string, 2) },
		"a sum that wraps around":    func(t *Terms, q *Question) { t.CostClaim, t.CostDisclosure = "18446744073709.551615", "0.000001" },
		"a cost that is no number":   func(t *Terms, _ *Question) { t.CostClaim = "x" },
		"a cost that is not written": func(t *Terms, _ *Question) { t.CostDisclosure = "" },
		"another action":             func(_ *Terms, q *Question) { q.Action = "read" },
		"no epsilon":                 func(_ *Terms, q *Question) { q.Action = Score },
	} {
		terms, q := loans(), question()
		change(terms, q)
		if got, err := terms.Cost(q); err == nil {
			t.Errorf("%s: costs %d", name, got)
		}
	}
}

func TestSpentAdd(t *testing.T) {
	if s, err := (Spent{Answers: 1, Units: 5, Delta: 2}).Add(7, 1); err != nil || s != (Spent{Answers: 2, Units: 12, Delta: 3}) {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := (Spent{Units: math.MaxUint64}).Add(1, 0); err == nil {
		t.Error("units wrapped around")
	}
	if _, err := (Spent{Delta: math.MaxUint64}).Add(0, 1); err == nil {
		t.Error("deltas wrapped around")
	}
	if _, err := (Spent{Answers: math.MaxUint32}).Add(0, 0); err == nil {
		t.Error("answers wrapped around")
	}
}

// A budget never allows more than it holds, whatever is asked in what order.
func TestBudgetIsNeverOverspent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := loans()
		terms.Answers = rapid.Uint32Range(1, 20).Draw(t, "answers")
		terms.Budget = FormatUnits(rapid.Uint64Range(0, 30_000_000).Draw(t, "budget"))
		terms.CostClaim = FormatUnits(rapid.Uint64Range(0, 3_000_000).Draw(t, "claim"))
		terms.CostDisclosure = FormatUnits(rapid.Uint64Range(0, 3_000_000).Draw(t, "disclosure"))
		spent, total := Spent{}, new(big.Rat)
		amount := func(text string, times int) *big.Rat {
			r, ok := new(big.Rat).SetString(text)
			if !ok {
				t.Fatalf("%q", text)
			}
			return r.Mul(r, big.NewRat(int64(times), 1))
		}
		for range 30 {
			q := question()
			q.Claims = make([]string, rapid.IntRange(0, 4).Draw(t, "claims"))
			for i := range q.Claims {
				q.Claims[i] = ClaimLane
			}
			q.Disclose = q.Disclose[:rapid.IntRange(0, 1).Draw(t, "disclosed")]
			after := new(big.Rat).Add(total, amount(terms.CostClaim, len(q.Claims)))
			after.Add(after, amount(terms.CostDisclosure, len(q.Disclose)))
			want := spent.Answers < terms.Answers && after.Cmp(amount(terms.Budget, 1)) <= 0
			reasons := terms.Limits(q, spent)
			if got := len(reasons) == 0; got != want {
				t.Fatalf("covered %t, want %t: %q", got, want, reasons)
			}
			if !want {
				continue
			}
			cost, err := terms.Cost(q)
			if err != nil {
				t.Fatal(err)
			}
			if spent, err = spent.Add(cost, q.Delta); err != nil {
				t.Fatal(err)
			}
			total = after
		}
	})
}

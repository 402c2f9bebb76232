package policy

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// question is one that most policies of the tests permit.
func question() *Question {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	return &Question{
		Action:    Prove,
		Requester: Party{ID: "bank", Roles: []string{"financier"}, Attributes: map[string]string{"O": "Bank AG"}},
		Fleet:     Fleet{ID: "fleet", Owner: "swapco", Schema: "battery/v1"},
		Grant:     "loans", Purpose: "loan", Epoch: 100, CurrentEpoch: 101, Time: at, Expiry: at.Add(24 * time.Hour),
		Cohort: box(0, 1, 7000, 15000), Lanes: []string{"state_of_health"}, Count: CountExact,
		Claims: []string{ClaimLane}, Disclose: []string{"count"}, MinimumCoverage: 9500,
	}
}

const everything = `@id("all") permit (principal, action, resource);` + "\n"

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Decision
	}{
		"a permit": {everything, Decision{Allowed: true, Policies: []string{"all"}, Reasons: []string{`policy "all" permits it`}}},
		"none applies": {
			permit(`context.valued`),
			Decision{Reasons: []string{"no policy permits it", `policy "a" needs context.valued`}},
		},
		"a forbid wins": {
			everything + `@id("no") @description("never") forbid (principal, action, resource);`,
			Decision{Policies: []string{"no"}, Reasons: []string{`policy "no" (never) forbids it`}},
		},
		"only a forbid": {
			`@id("no") forbid (principal, action, resource) when { context.valued };`,
			Decision{Reasons: []string{"no policy permits it"}},
		},
		"a person": {
			`@id("m") @approval("person") permit (principal, action, resource);` + everything,
			Decision{Allowed: true, Approval: Person, Policies: []string{"all", "m"}, Reasons: []string{`policy "all" permits it`, `policy "m" permits it once a person approves`}},
		},
		"a person whose permit does not apply": {
			`@id("m") @approval("person") permit (principal, action, resource) when { context.valued };` + everything,
			Decision{Allowed: true, Policies: []string{"all"}, Reasons: []string{`policy "all" permits it`}},
		},
		"a forbid that fails": {
			everything + `@id("f") forbid (principal, action, resource) when { context.epoch * 9223372036854775807 > 0 };`,
			Decision{Policies: []string{"f"}, Reasons: []string{`policy "f" could not be evaluated: an overflow, or an entity that is not part of the question`}},
		},
		"a permit that fails": {
			everything + `@id("f") permit (principal, action, resource) when { context.epoch * 9223372036854775807 > 0 };`,
			Decision{Policies: []string{"f"}, Reasons: []string{`policy "f" could not be evaluated: an overflow, or an entity that is not part of the question`}},
		},
		"an entity that is not there": {
			everything + `@id("f") forbid (principal, action, resource) when { Fleet::"other".schema == "x" };`,
			Decision{Policies: []string{"f"}, Reasons: []string{`policy "f" could not be evaluated: an overflow, or an entity that is not part of the question`}},
		},
		"a failure and a forbid": {
			`@id("no") forbid (principal, action, resource);` + `@id("f") forbid (principal, action, resource) when { -9223372036854775808 - context.epoch > 0 };`,
			Decision{Policies: []string{"f", "no"}, Reasons: []string{
				`policy "f" could not be evaluated: an overflow, or an entity that is not part of the question`, `policy "no" forbids it`}},
		},
		"another scope": {
			`@id("a") permit (principal == Organisation::"fund", action == Action::"prove", resource);` +
				`@id("b") permit (principal, action, resource == Fleet::"other");` +
				`@id("c") permit (principal in Role::"regulator", action, resource);`,
			Decision{Reasons: []string{"no policy permits it", `policy "a" is about another requester, action or fleet`,
				`policy "b" is about another requester, action or fleet`, `policy "c" is about another requester, action or fleet`}},
		},
		"unless": {
			`@id("a") permit (principal, action, resource) unless { context.purpose == "loan" };`,
			Decision{Reasons: []string{"no policy permits it", `policy "a" needs unless { context.purpose == "loan" }`}},
		},
		"the first that is missing": {
			permit(`context.epoch > 1 && (context.purpose == "loan" && context.grant == "x") && context.valued`),
			Decision{Reasons: []string{"no policy permits it", `policy "a" needs context.grant == "x"`}},
		},
	} {
		got := parse(t, c.text).Decide(question())
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

// A policy sees every field of the question.
func TestDecideSeesTheQuestion(t *testing.T) {
	for condition, change := range map[string]func(q *Question){
		`action == Action::"aggregate"`:                                       func(q *Question) { q.Action = Aggregate },
		`principal == Organisation::"fund"`:                                   func(q *Question) { q.Requester.ID = "fund" },
		`principal in Role::"regulator"`:                                      func(q *Question) { q.Requester.Roles = []string{"regulator"} },
		`principal.hasTag("OU") && principal.getTag("OU") == "credit"`:        func(q *Question) { q.Requester.Attributes["OU"] = "credit" },
		`resource == Fleet::"other"`:                                          func(q *Question) { q.Fleet.ID = "other" },
		`resource.owner == Organisation::"other"`:                             func(q *Question) { q.Fleet.Owner = "other" },
		`resource.schema == "charger/v1"`:                                     func(q *Question) { q.Fleet.Schema = "charger/v1" },
		`context.grant == "x"`:                                                func(q *Question) { q.Grant = "x" },
		`context.purpose like "x*"`:                                           func(q *Question) { q.Purpose = "xyz" },
		`context.epoch == 7`:                                                  func(q *Question) { q.Epoch = 7 },
		`context.current_epoch == 7`:                                          func(q *Question) { q.CurrentEpoch = 7 },
		`context.time == datetime("2030-01-01T00:00:00Z")`:                    func(q *Question) { q.Time = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) },
		`context.expiry.durationSince(context.time) == duration("1h")`:        func(q *Question) { q.Expiry = q.Time.Add(time.Hour) },
		`context.whole_fleet`:                                                 func(q *Question) { q.Cohort.All = true },
		`context.lanes.contains("fault_count")`:                               func(q *Question) { q.Lanes = append(q.Lanes, "fault_count") },
		`context.count == "proven" && context.proven_minimum == 5`:            func(q *Question) { q.Count, q.ProvenMinimum = CountProven, 5 },
		`context.claims == ["count", "lane"] && context.claim_count == 3`:     func(q *Question) { q.Claims = []string{"lane", "count", "lane"} },
		`context.disclose.containsAny(["value"])`:                             func(q *Question) { q.Disclose = []string{"value"} },
		`context.valued && context.model == "m" && context.currency == "EUR"`: func(q *Question) { q.Model, q.Currency = "m", "EUR" },
		`context.curve_lanes == ["age_days"] && context.model_warnings == 0`:  func(q *Question) { q.Curves = []CurveShape{{Lane: "age_days", Max: 10, Knots: []Knot{{0, 1}}}} },
		`context.price == 125000`:                                             func(q *Question) { q.Price = 125_000 },
		`context.cohort_bounds == ["age_days <= 730", "state_of_health >= 70.00"]`: func(q *Question) {
			q.CohortBounds = []string{"state_of_health >= 70.00", "age_days <= 730"}
		},
		`context.minimum_coverage == decimal("99.99")`: func(q *Question) { q.MinimumCoverage = 9999 },
		`context.key_classes.contains("module")`:       func(q *Question) { q.KeyClasses = []string{"module"} },
		`context.epsilon_millionths == 250000`:         func(q *Question) { q.Epsilon = 250000 },
		`context.delta_trillionths == 7`:               func(q *Question) { q.Delta = 7 },
		`context.minimum_cohort == 500`:                func(q *Question) { q.MinimumCohort = 500 },
		`context.totals == ["sum", "count"] && context.total_count == 2`: func(q *Question) {
			q.Totals, q.TotalCount = []string{TotalCount, TotalSum}, 2
		},
		`context.owners == 3`:             func(q *Question) { q.Owners = 3 },
		`context.pool == ["a", "b", "c"]`: func(q *Question) { q.Pool = []string{"a", "b", "c"} },
		`context.degree == 5`:             func(q *Question) { q.Degree = 5 },
	} {
		s := parse(t, permit(condition))
		q := question()
		if d := s.Decide(q); d.Allowed {
			t.Errorf("%s: allowed before the question says so", condition)
		}
		change(q)
		if d := s.Decide(q); !d.Allowed {
			t.Errorf("%s: %q", condition, d.Reasons)
		}
	}
}

// What the schema cannot hold is refused, whatever the policies say.
func TestDecideRefusesWhatDoesNotFit(t *testing.T) {
	s := parse(t, everything)
	for want, change := range map[string]func(q *Question){
		`action "read"`:     func(q *Question) { q.Action = "read" },
		`action ""`:         func(q *Question) { q.Action = "" },
		"epoch is":          func(q *Question) { q.Epoch = math.MaxInt64 + 1 },
		"price is":          func(q *Question) { q.Price = math.MaxInt64 + 1 },
		"current_epoch is":  func(q *Question) { q.CurrentEpoch = math.MaxUint64 },
		"proven_minimum is": func(q *Question) { q.ProvenMinimum = math.MaxUint64 },
		"epsilon is":        func(q *Question) { q.Epsilon = math.MaxUint64 },
		"delta is":          func(q *Question) { q.Delta = math.MaxUint64 },
		"minimum_cohort is": func(q *Question) { q.MinimumCohort = math.MaxUint64 },
		"total_count is":    func(q *Question) { q.TotalCount = math.MaxUint64 },
		"owners is":         func(q *Question) { q.Owners = math.MaxUint64 },
		"degree is":         func(q *Question) { q.Degree = math.MaxUint64 },
		"minimum_coverage":  func(q *Question) { q.MinimumCoverage = 10001 },
		`count is "maybe"`:  func(q *Question) { q.Count = "maybe" },
		"time is outside":   func(q *Question) { q.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"expiry is outside": func(q *Question) { q.Expiry = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		q := question()
		change(q)
		d := s.Decide(q)
		if d.Allowed || !strings.Contains(strings.Join(d.Reasons, ";"), want) {
			t.Errorf("%s: %+v", want, d)
		}
	}
	if d := s.Decide(&Question{Action: Prove, Count: CountHidden}); !d.Allowed {
		t.Errorf("an empty question: %q", d.Reasons)
	}
}

// An organisation that asks about its own fleet is one entity.
func TestDecideOwnerAsks(t *testing.T) {
	q := question()
	q.Requester.ID = q.Fleet.Owner
	s := parse(t, permit(`principal == resource.owner && principal.hasTag("O") && principal in Role::"financier"`))
	if d := s.Decide(q); !d.Allowed {
		t.Errorf("%q", d.Reasons)
	}
}

// Peers compare what they decide: a hundred permits and a hundred reasons come
// in one order, from any goroutine.
func TestDecideIsTheSameEverywhere(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		id := string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		text.WriteString(`@id("` + id + `") permit (principal, action, resource) when { context.epoch == ` + strings.Repeat("1", i%5+1) + ` };` + "\n")
	}
	first := parse(t, text.String()).Decide(question())
	if len(first.Reasons) != maxNear+2 || !strings.Contains(first.Reasons[maxNear+1], "nor do 92 more") {
		t.Fatalf("reasons %q", first.Reasons)
	}
	s := parse(t, text.String())
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if diff := cmp.Diff(first, s.Decide(question())); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	all.Wait()
}

package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

func aFederated() *Query {
	return &Query{
		Version: QueryVersion, Kind: QueryFederated, Requester: "bank", Schema: "battery/v1", Epoch: 7,
		Parts:  []QueryPart{{"fleet-a", "g"}, {"fleet-b", "g"}, {"fleet-c", "h"}},
		Cohort: []statement.Range{{Lane: "state_of_health", Min: "70.00"}}, Totals: []string{"count", "sum", "sum_squares", "histogram"}, Subject: "state_of_health", Edges: []string{"75.00", "80.00"},
		Purpose: "a loan", MinimumCohort: 10, Epsilon: "0.5", Delta: "0.000001", Regulator: "regulator", Threshold: 2, InputSeconds: 600,
		Parameters: "assay-bgv-13-1", Nonce: strings.Repeat("0", 32), Expiry: 1_800_000_000,
	}
}

func aScore() *Query {
	return &Query{
		Version: QueryVersion, Kind: QueryScore, Requester: "bank", Schema: "battery/v1", Epoch: 7, Parts: []QueryPart{{"fleet-a", "g"}},
		Features: []Feature{{"state_of_health", "50.00", "100.00"}, {"age_days", "0", "3650"}}, Degree: 3, Spread: true,
		Purpose: "a loan", MinimumCohort: 10, Parameters: "assay-score-1", Nonce: strings.Repeat("0", 32), Expiry: 1_800_000_000,
	}
}

func ofValue(q *Query) {
	q.Subject, q.Edges = "value", []string{"10.5", "100"}
	q.Valuation = &statement.Valuation{Price: "1250.00", Currency: "EUR", Curves: []statement.Curve{{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "1"}}}}}
}

func TestQueryCheck(t *testing.T) {
	for name, change := range map[string]func(*Query){
		"as it is": func(*Query) {}, "value": ofValue, "exact": func(q *Query) { q.Epsilon, q.Delta = "", "" }, "Laplace": func(q *Query) { q.Delta = "" },
		"count": func(q *Query) { q.Totals, q.Subject, q.Edges = []string{"count"}, "", nil }, "the whole fleet": func(q *Query) { q.Cohort, q.Edges = nil, []string{"0.01"} },
		"the last edge": func(q *Query) { q.Edges = []string{"150.00"} },
	} {
		q := aFederated()
		change(q)
		if err := q.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if back, err := Decode[Query]("query", Encode(q), 1<<16); err != nil || cmp.Diff(q, back) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := aScore().Check(); err != nil {
		t.Error(err)
	}
}

func TestQueryCheckRefuses(t *testing.T) {
	many := func(n int) (out []QueryPart) {
		for i := range n {
			out = append(out, QueryPart{fmt.Sprintf("fleet-%03d", i), "g"})
		}
		return out
	}
	for want, change := range map[string]func(*Query){
		"version is":                        func(q *Query) { q.Version = "" },
		"kind is":                           func(q *Query) { q.Kind = "sum" },
		"2 parts, want 3 to 16":             func(q *Query) { q.Parts = many(2) },
		"17 parts":                          func(q *Query) { q.Parts = many(17) },
		"parts[1]: fleet fleet-a is there":  func(q *Query) { q.Parts[1].Fleet = "fleet-a" },
		"parts[2]: fleet fleet-a is there":  func(q *Query) { q.Parts[2].Fleet = "fleet-a" },
		"parts[0].fleet":                    func(q *Query) { q.Parts[0].Fleet = "A" },
		"parts[0].grant":                    func(q *Query) { q.Parts[0].Grant = "" },
		"schema":                            func(q *Query) { q.Schema = "scooter/v1" },
		"nonce":                             func(q *Query) { q.Nonce = "0" },
		"purpose":                           func(q *Query) { q.Purpose = "a\nloan" },
		"expiry":                            func(q *Query) { q.Expiry = 1 },
		"cohort: schema":                    func(q *Query) { q.Cohort = []statement.Range{{Lane: "colour", Min: "1"}} },
		"has no features":                   func(q *Query) { q.Degree = 3 },
		"regulator":                         func(q *Query) { q.Regulator = "" },
		"threshold is 1":                    func(q *Query) { q.Threshold = 1 },
		"threshold is 4":                    func(q *Query) { q.Threshold = 4 },
		"input_seconds is 0":                func(q *Query) { q.InputSeconds = 0 },
		"input_seconds is 2592001":          func(q *Query) { q.InputSeconds = MaxInputSeconds + 1 },
		"totals must be some":               func(q *Query) { q.Totals = nil },
		"in this order":                     func(q *Query) { q.Totals = []string{"sum", "count"} },
		"[count sum":                        func(q *Query) { q.Totals = []string{"count", "count"} },
		"histogram], in":                    func(q *Query) { q.Totals = []string{"mean"} },
		"a subject is there exactly":        func(q *Query) { q.Subject, q.Edges, q.Totals = "", nil, []string{"sum"} },
		"a total is of it":                  func(q *Query) { q.Totals, q.Edges = []string{"count"}, nil },
		"a valuation is there exactly":      func(q *Query) { ofValue(q); q.Subject = "age_days" },
		"needs a valuation":                 func(q *Query) { q.Subject = "value" },
		"disclose: schema":                  func(q *Query) { q.Subject = "colour" },
		"is neither a lane":                 func(q *Query) { q.Subject = "population" },
		"edges are there exactly":           func(q *Query) { q.Edges = nil },
		"a histogram is asked":              func(q *Query) { q.Totals = []string{"sum"} },
		"128 edges":                         func(q *Query) { q.Edges = make([]string, 128) },
		"edges[1]: \"75.00\"":               func(q *Query) { q.Edges = []string{"75.00", "75.00"} },
		"edges[0]: \"70.00\" does not":      func(q *Query) { q.Edges = []string{"70.00"} },
		"edges[0]: lane state_of_health":    func(q *Query) { q.Edges = []string{"151.00"} },
		"edges[0]: \"0\" does not ascend":   func(q *Query) { ofValue(q); q.Edges = []string{"0"} },
		"edges[0]: \"1.001\" is not plain":  func(q *Query) { ofValue(q); q.Edges = []string{"1.001"} },
		"edges[0]: \"9999999999999\" does":  func(q *Query) { ofValue(q); q.Edges = []string{"9999999999999"} },
		"minimum_cohort is 0":               func(q *Query) { q.MinimumCohort = 0 },
		"minimum_cohort is 4294967297":      func(q *Query) { q.MinimumCohort = policy.MaxMinimumCohort + 1 },
		"parameters have 0":                 func(q *Query) { q.Parameters = "" },
		"parameters have 65":                func(q *Query) { q.Parameters = strings.Repeat("a", 65) },
		"parameters have 1 ":                func(q *Query) { q.Parameters = "/" },
		"epsilon is 0.0009":                 func(q *Query) { q.Epsilon = "0.0009" },
		"epsilon is 10.1":                   func(q *Query) { q.Epsilon = "10.1" },
		"epsilon \"0.50\"":                  func(q *Query) { q.Epsilon = "0.50" },
		"epsilon \"1e3\"":                   func(q *Query) { q.Epsilon = "1e3" },
		"epsilon \"01\"":                    func(q *Query) { q.Epsilon = "01" },
		"epsilon \"-1\"":                    func(q *Query) { q.Epsilon = "-1" },
		"epsilon \"0.0000001\"":             func(q *Query) { q.Epsilon = "0.0000001" },
		"epsilon \"99999999999999999999\"":  func(q *Query) { q.Epsilon = "99999999999999999999" },
		"delta is there without":            func(q *Query) { q.Epsilon = "" },
		"delta is 0.001":                    func(q *Query) { q.Delta = "0.001" },
		"delta is 0,":                       func(q *Query) { q.Delta = "0" },
		"delta \"0.0000000000001\" is not ": func(q *Query) { q.Delta = "0.0000000000001" },
	} {
		q := aFederated()
		change(q)
		if err := q.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, change := range map[string]func(*Query){
		"3 parts, want 1 to 1":                func(q *Query) { q.Parts = many(3) },
		"a score has no totals":               func(q *Query) { q.Totals = []string{"count"} },
		"regulator, threshold":                func(q *Query) { q.Regulator = "regulator" },
		"0 features":                          func(q *Query) { q.Features = nil },
		"17 features":                         func(q *Query) { q.Features = slices.Repeat(q.Features[:1], 17) },
		"degree is 0":                         func(q *Query) { q.Degree = 0 },
		"degree is 2":                         func(q *Query) { q.Degree = 2 },
		"degree is 9":                         func(q *Query) { q.Degree = 9 },
		"schema battery/v1 has no":            func(q *Query) { q.Features[1].Lane = "colour" },
		"features[0]: lo":                     func(q *Query) { q.Features[0].Lo = "" },
		"features[0]: hi":                     func(q *Query) { q.Features[0].Hi = "1000.00" },
		"features[0]: lo 100.00 is not below": func(q *Query) { q.Features[0].Lo = "100.00" },
		"features[1] is there twice":          func(q *Query) { q.Features[1] = q.Features[0] },
	} {
		q := aScore()
		change(q)
		if err := q.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Every field counts in a query's id, and so does the ledger.
func TestQueryID(t *testing.T) {
	seen := map[commit.Digest]bool{aFederated().ID(commit.Digest{}): true, aFederated().ID(commit.Digest{1}): true, aScore().ID(commit.Digest{}): true}
	for _, change := range []func(*Query){
		func(q *Query) { q.Requester = "fund" }, func(q *Query) { q.Epoch++ }, func(q *Query) { q.Parts[0].Grant = "x" }, func(q *Query) { q.Threshold++ }, func(q *Query) { q.Nonce = "1" },
		func(q *Query) { q.Delta = "" }, func(q *Query) { q.Cohort = nil }, func(q *Query) { q.Parameters = "x" }, func(q *Query) { q.Expiry++ }, func(q *Query) { q.Regulator = "x" },
	} {
		q := aFederated()
		change(q)
		seen[q.ID(commit.Digest{})] = true
	}
	if len(seen) != 13 {
		t.Errorf("%d different ids", len(seen))
	}
}

func TestQueryQuestion(t *testing.T) {
	by := Asker{
		Roles: []Role{RoleFinancier}, Attributes: map[string]string{"OU": "credit"}, Fleet: Fleet{ID: "fleet-b", Owner: "owner-b", Schema: "battery/v1"},
		Epoch: 9, Time: time.Unix(1_700_000_000, 5),
	}
	settled := &SettledEpoch{Attested: 2, Enrolled: 3}
	noised := aFederated()
	got, err := noised.Question(noised.Parts[1], by, settled)
	if err != nil {
		t.Fatal(err)
	}
	want := &policy.Question{
		Action: policy.Aggregate, Requester: policy.Party{ID: "bank", Roles: []string{"financier"}, Attributes: by.Attributes},
		Fleet: policy.Fleet{ID: "fleet-b", Owner: "owner-b", Schema: "battery/v1"}, Grant: "g", Purpose: "a loan", Epoch: 7, CurrentEpoch: 9,
		Time: time.Unix(1_700_000_000, 0).UTC(), Expiry: time.Unix(1_800_000_000, 0).UTC(), Cohort: got.Cohort, CohortBounds: []string{"state_of_health >= 70.00"},
		Lanes: []string{"state_of_health"}, Count: policy.CountHidden, MinimumCoverage: 6666, Epsilon: 500_000, Delta: 1_000_000, MinimumCohort: 10,
		Totals: []string{"count", "sum", "sum_squares", "histogram"}, TotalCount: 6, Owners: 3, Pool: []string{"fleet-a", "fleet-b", "fleet-c"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wide := aFederated()
	wide.Parts, wide.Threshold = append(wide.Parts, QueryPart{"fleet-d", "g"}, QueryPart{"fleet-e", "g"}), 4
	if got, err = wide.Question(wide.Parts[1], by, settled); err != nil || got.Owners != 4 { // of five that are asked one may not take part
		t.Errorf("%+v, %v", got, err)
	}
	exact := aFederated()
	exact.Epsilon, exact.Delta = "", ""
	ofValue(exact)
	got, err = exact.Question(exact.Parts[1], by, settled)
	if err != nil || cmp.Diff([]string{"count", "value"}, got.Disclose) != "" || got.Model == "" || got.Price != 125_000 || len(got.Curves) != 1 || cmp.Diff([]string{"state_of_health", "age_days"}, got.Lanes) != "" {
		t.Errorf("%+v, %v", got, err)
	}
	score := aScore()
	got, err = score.Question(score.Parts[0], by, &SettledEpoch{})
	if err != nil || got.Action != policy.Score || got.Degree != 3 || got.Owners != 1 || got.Pool != nil || got.TotalCount != 2 || len(got.Disclose) != 0 || len(got.Claims) != 0 || len(got.Lanes) != 2 ||
		cmp.Diff([]string{policy.TotalScore, policy.TotalSpread}, got.Totals) != "" || got.MinimumCoverage != 0 || got.Count != policy.CountExact {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestReferTo(t *testing.T) {
	one := []AnchorEntry{{Chunk: 0, Anchor: Anchor{Attested: 1}}, {Chunk: 1, Anchor: Anchor{Attested: 2}}}
	ref := ReferTo("fleet", 7, one)
	if ref.Chunks != 2 || ref.Epoch != 7 {
		t.Errorf("%+v", ref)
	}
	for _, other := range []AnchorReference{ReferTo("fleet-b", 7, one), ReferTo("fleet", 8, one), ReferTo("fleet", 7, one[:1]), ReferTo("fleet", 7, []AnchorEntry{one[1], one[0]})} {
		if other.Digest == ref.Digest {
			t.Errorf("%+v has the same digest", other)
		}
	}
}

func TestSession(t *testing.T) {
	s := &Session{Seats: []Seat{{"a", "x"}, {"b", "y"}}, Regulator: "r", Receiver: "bank", TxID: "1"}
	if diff := cmp.Diff([]string{"a", "b", "r", "bank"}, s.Members()); diff != "" || s.FleetOf("b") != "y" || s.FleetOf("r") != "" {
		t.Error(diff)
	}
	other := *s
	other.TxID = "2"
	if s.ID() == other.ID() {
		t.Error("two transactions began one session")
	}
	s.Regulator = ""
	if diff := cmp.Diff([]string{"a", "b", "bank"}, s.Members()); diff != "" {
		t.Error(diff)
	}
}

// FuzzQuery reads arbitrary bytes as a query: whatever passes has one form, and a question for each part.
func FuzzQuery(f *testing.F) {
	for _, q := range []*Query{aFederated(), aScore()} {
		f.Add(Encode(q))
	}
	f.Add([]byte(`{"version":"assay-query/v1","kind":"score","parts":[{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := Decode[Query]("query", b, maxSmallArgs)
		if err != nil || q.Check() != nil {
			return
		}
		for _, p := range q.Parts {
			asked, err := q.Question(p, Asker{Fleet: Fleet{ID: p.Fleet, Schema: q.Schema}, Time: time.Unix(1, 0)}, &SettledEpoch{})
			if err != nil || asked.TotalCount == 0 || len(asked.Totals) == 0 || asked.Action == policy.Prove {
				t.Errorf("%+v, %v", asked, err)
			}
		}
	})
}

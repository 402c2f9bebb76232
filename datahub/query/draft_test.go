package query_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
)

var now = time.Unix(begun, 999_999_999)

// What may be left out is filled in; the nonce differs each time.
func TestDraft(t *testing.T) {
	sparse, err := query.ParseDraft([]byte(`{
		"parts": [{"fleet": "fleet-c", "grant": "h"}, {"fleet": "fleet-a", "grant": "g"}, {"fleet": "fleet-b", "grant": "g"}],
		"schema": "battery/v1", "epoch": 7, "cohort": [{"lane": "state_of_health", "min": "70.00"}], "subject": "state_of_health",
		"totals": ["count", "sum", "sum_squares", "histogram"], "edges": ["75.00", "80.00"], "purpose": "a loan", "minimum_cohort": 10, "regulator": "regulator"
	}`))
	if err != nil {
		t.Fatal(err)
	}
	got, err := query.Draft(sparse, nil, "bank", now)
	if err != nil {
		t.Fatal(err)
	}
	again, err := query.Draft(sparse, nil, "bank", now)
	if err != nil || again.Nonce == got.Nonce || len(got.Nonce) != 32 {
		t.Errorf("nonces %q and %q, %v", got.Nonce, again.Nonce, err)
	}
	want := aFederated()
	want.Nonce = got.Nonce
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if sparse.Parts[0].Fleet != "fleet-c" || sparse.Nonce != "" {
		t.Error("the draft itself was changed")
	}
	if same, err := query.Draft(want, nil, "bank", now); err != nil || cmp.Diff(want, same) != "" {
		t.Errorf("what is said is kept: %v\n%s", err, cmp.Diff(want, same))
	}
	sparse.Parts = append(sparse.Parts, ledger.QueryPart{Fleet: "fleet-d", Grant: "g"})
	if four, err := query.Draft(sparse, nil, "bank", now); err != nil || four.Threshold != 3 {
		t.Errorf("%+v, %v", four, err)
	}
}

func TestDraftOfScore(t *testing.T) {
	sparse := &ledger.Query{Schema: "battery/v1", Epoch: 7, Parts: []ledger.QueryPart{{Fleet: "fleet-a", Grant: "g"}}, Purpose: "a loan", MinimumCohort: 10}
	got, err := query.Draft(sparse, aModel(), "bank", now)
	if err != nil {
		t.Fatal(err)
	}
	want := aScore()
	want.Nonce = got.Nonce
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if same, err := query.Draft(want, aModel(), "bank", now); err != nil || cmp.Diff(want, same) != "" {
		t.Errorf("what agrees with the model is kept: %v", err)
	}
}

func TestDraftRefuses(t *testing.T) {
	for want, c := range map[string]struct {
		change func(*ledger.Query)
		model  *score.Model
	}{
		"minimum_cohort is 0":                 {func(q *ledger.Query) { q.MinimumCohort = 0 }, nil},
		"requester is \"fund\", and bank":     {func(q *ledger.Query) { q.Requester = "fund" }, nil},
		"query: regulator":                    {func(q *ledger.Query) { q.Regulator = "" }, nil},
		"only a score has a model":            {func(*ledger.Query) {}, aModel()},
		"a score needs a model":               {func(q *ledger.Query) { *q = *aScore() }, nil},
		"degree or spread are not":            {func(q *ledger.Query) { *q = *aScore(); q.Degree = 5 }, aModel()},
		"features, degree":                    {func(q *ledger.Query) { *q = *aScore(); q.Features[0].Lo = "49.00" }, aModel()},
		"spread are not the model's":          {func(q *ledger.Query) { *q = *aScore(); q.Spread = false }, aModel()},
		"model: kind must be":                 {func(q *ledger.Query) { *q = *aScore() }, &score.Model{Degree: 1, Features: aModel().Features}},
		"model: features[0]: schema charge":   {func(q *ledger.Query) { *q = *aScore(); q.Schema = "charger/v1" }, aModel()},
		"parameters are \"x\"":                {func(q *ledger.Query) { q.Parameters = "x" }, nil},
		"expiry must be":                      {func(q *ledger.Query) { q.Expiry = 1 }, nil},
		"fleet fleet-a is there twice or not": {func(q *ledger.Query) { q.Parts[1] = q.Parts[0] }, nil},
	} {
		q := aFederated()
		c.change(q)
		if out, err := query.Draft(q, c.model, "bank", now); out != nil {
			t.Errorf("%q: %+v", want, out)
		} else if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestParseDraftRefuses(t *testing.T) {
	for want, text := range map[string]string{
		"longer than 65536 bytes": strings.Repeat(" ", query.MaxDraft+1),
		"not valid UTF-8":         "{\"purpose\":\"\xff\"}",
		"unknown field":           `{"minimum": 10}`,
		"trailing data":           `{} {}`,
		"query: null":             "null",
		"EOF":                     "",
		"cannot unmarshal":        `{"epoch": -1}`,
	} {
		_, err := query.ParseDraft([]byte(text))
		wants(t, err, want)
	}
}

// Whatever is read as a draft is completed to something that passes, and has one form, or is refused.
func FuzzParseDraft(f *testing.F) {
	for _, q := range []*ledger.Query{aFederated(), aScore()} {
		f.Add(ledger.Encode(q))
	}
	f.Add([]byte(`{"kind":"federated","parts":null,"valuation":{"curves":[{}]},"totals":["sum"],"subject":"value","edges":["1.","1e9"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := query.ParseDraft(b)
		if err != nil {
			return
		}
		model := aModel()
		if q.Kind != ledger.QueryScore {
			model = nil
		}
		out, err := query.Draft(q, model, "bank", now)
		if err != nil {
			return
		}
		if _, err := ledger.Decode[ledger.Query]("query", ledger.Encode(out), 1<<17); err != nil {
			t.Error(err)
		}
		if out.Kind != ledger.QueryFederated {
			return
		}
		if _, err := query.Plan(approved(out, slices.Repeat([]uint64{out.MinimumCohort}, len(out.Parts))...)); err != nil {
			t.Errorf("%+v passed, and has no plan: %v", out, err)
		}
	})
}

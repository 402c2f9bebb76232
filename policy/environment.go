package policy

import (
	"fmt"
	"math"
	"time"

	cedar "github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
)

// Entity types of the schema.
const (
	roleType         = "Role"
	organisationType = "Organisation"
	fleetType        = "Fleet"
	actionType       = "Action"
)

// environment is a question as Cedar takes it.
type environment struct {
	request  cedar.Request
	entities types.EntityMap
}

func (e *environment) holds(p *cedar.Policy) bool {
	verdict, _ := cedar.Authorize(cedar.PolicyMap{"": p}, e.entities, e.request)
	return verdict == cedar.Allow
}

// environmentOf refuses what the schema's types cannot hold; a policy never
// sees a number that wrapped around.
func environmentOf(q *Question) (*environment, error) {
	if err := fits(q); err != nil {
		return nil, err
	}
	context, err := contextOf(q)
	if err != nil {
		return nil, err
	}
	requester := entity(organisationType, q.Requester.ID)
	owner := entity(organisationType, q.Fleet.Owner)
	fleet := entity(fleetType, q.Fleet.ID)
	return &environment{
		request: cedar.Request{
			Principal: requester,
			Action:    entity(actionType, string(q.Action)),
			Resource:  fleet,
			Context:   context,
		},
		entities: types.EntityMap{
			owner:     {UID: owner},
			requester: {UID: requester, Parents: roles(q.Requester.Roles), Tags: tags(q.Requester.Attributes)},
			fleet: {UID: fleet, Attributes: types.NewRecord(types.RecordMap{
				"owner":  owner,
				"schema": types.String(q.Fleet.Schema),
			})},
		},
	}, nil
}

func entity(kind types.EntityType, id string) types.EntityUID {
	return types.NewEntityUID(kind, types.String(id))
}

func roles(names []string) types.EntityUIDSet {
	uids := make([]types.EntityUID, len(names))
	for i, name := range names {
		uids[i] = entity(roleType, name)
	}
	return types.NewEntityUIDSet(uids...)
}

func tags(attributes map[string]string) types.Record {
	m := make(types.RecordMap, len(attributes))
	for name, value := range attributes {
		m[types.String(name)] = types.String(value)
	}
	return types.NewRecord(m)
}

// fits refuses what the schema's types cannot hold.
func fits(q *Question) error {
	switch q.Action {
	case Prove, Aggregate, Score:
	default:
		return fmt.Errorf("action %q is not known", shorten(string(q.Action), maxID))
	}
	switch q.Count {
	case CountExact, CountProven, CountHidden:
	default:
		return fmt.Errorf("count is %q, want %q, %q or %q", shorten(string(q.Count), maxID), CountExact, CountProven, CountHidden)
	}
	for _, n := range []struct {
		name  string
		value uint64
		max   uint64
	}{
		{"epoch", q.Epoch, math.MaxInt64}, {"current_epoch", q.CurrentEpoch, math.MaxInt64},
		{"proven_minimum", q.ProvenMinimum, math.MaxInt64}, {"epsilon", q.Epsilon, math.MaxInt64},
		{"minimum_coverage", q.MinimumCoverage, coverageFull}, {"price", q.Price, math.MaxInt64},
		{"delta", q.Delta, math.MaxInt64}, {"minimum_cohort", q.MinimumCohort, math.MaxInt64}, {"total_count", q.TotalCount, math.MaxInt64},
		{"owners", q.Owners, math.MaxInt64}, {"degree", q.Degree, math.MaxInt64},
	} {
		if n.value > n.max {
			return fmt.Errorf("%s is %d, at most %d", n.name, n.value, n.max)
		}
	}
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"time", q.Time}, {"expiry", q.Expiry}} {
		if year := t.at.UTC().Year(); year < 0 || year > 9999 {
			return fmt.Errorf("%s is outside the years 0 to 9999", t.name)
		}
	}
	return nil
}

func contextOf(q *Question) (types.Record, error) {
	coverage, err := types.NewDecimal(int64(q.MinimumCoverage), -coveragePlaces)
	if err != nil {
		return types.Record{}, fmt.Errorf("minimum_coverage: %w", err)
	}
	return types.NewRecord(types.RecordMap{
		"grant":              types.String(q.Grant),
		"purpose":            types.String(q.Purpose),
		"epoch":              types.Long(q.Epoch),
		"current_epoch":      types.Long(q.CurrentEpoch),
		"time":               types.NewDatetime(q.Time),
		"expiry":             types.NewDatetime(q.Expiry),
		"whole_fleet":        types.Boolean(q.Cohort.All),
		"cohort_bounds":      set(q.CohortBounds),
		"lanes":              set(q.Lanes),
		"count":              types.String(q.Count),
		"proven_minimum":     types.Long(q.ProvenMinimum),
		"claims":             set(q.Claims),
		"claim_count":        types.Long(len(q.Claims)),
		"disclose":           set(q.Disclose),
		"valued":             types.Boolean(q.Model != ""),
		"model":              types.String(q.Model),
		"price":              types.Long(q.Price),
		"currency":           types.String(q.Currency),
		"curve_lanes":        set(curveLanes(q.Curves)),
		"model_warnings":     types.Long(len(Warnings(q.Curves, q.Cohort, q.Price))),
		"minimum_coverage":   coverage,
		"key_classes":        set(q.KeyClasses),
		"epsilon_millionths": types.Long(q.Epsilon),
		"delta_trillionths":  types.Long(q.Delta),
		"minimum_cohort":     types.Long(q.MinimumCohort),
		"totals":             set(q.Totals),
		"total_count":        types.Long(q.TotalCount),
		"owners":             types.Long(q.Owners),
		"pool":               set(q.Pool),
		"degree":             types.Long(q.Degree),
	}), nil
}

func set(names []string) types.Set {
	values := make([]types.Value, len(names))
	for i, name := range names {
		values[i] = types.String(name)
	}
	return types.NewSet(values...)
}

func curveLanes(curves []CurveShape) []string {
	lanes := make([]string, len(curves))
	for i, c := range curves {
		lanes[i] = c.Lane
	}
	return lanes
}

package ledger

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// Asker is what the ledger knows about a question besides its statement.
type Asker struct {
	// Roles are the requester's in the genesis, Attributes its certificate's when it asked.
	Roles      []Role
	Attributes map[string]string
	// Fleet is the fleet that the statement names, or at least its id, owner and schema.
	Fleet Fleet
	// Epoch runs at Time.
	Epoch uint64
	Time  time.Time
}

// QuestionOf is a statement as policies and grants look at it. It is derived from the statement alone but for what the asker holds, so a node, a tool and every
// peer come to the same.
func QuestionOf(s *statement.Statement, by Asker) (*policy.Question, error) {
	schema, err := record.Lookup(s.Schema)
	if err != nil {
		return nil, fmt.Errorf("statement: schema: %w", err)
	}
	q := &policy.Question{
		Action:    policy.Prove,
		Requester: policy.Party{ID: s.Requester, Attributes: by.Attributes},
		Fleet:     policy.Fleet{ID: by.Fleet.ID, Owner: by.Fleet.Owner, Schema: by.Fleet.Schema},
		Grant:     s.Grant, Purpose: s.Purpose,
		Epoch: s.Epoch, CurrentEpoch: by.Epoch, Time: by.Time.UTC().Truncate(time.Second), Expiry: s.Expiry,
		Lanes: lanesOf(s, schema), KeyClasses: slices.Clone(s.KeyClasses),
	}
	for _, r := range by.Roles {
		q.Requester.Roles = append(q.Requester.Roles, string(r))
	}
	if err := askedCohort(q, s, schema); err != nil {
		return nil, err
	}
	if err := askedClaims(q, s); err != nil {
		return nil, err
	}
	if err := askedModel(q, s, schema); err != nil {
		return nil, err
	}
	q.MinimumCoverage, err = s.CoverageBound()
	return q, err
}

// lanesOf lists the lanes that anything in the statement names, in the schema's order.
func lanesOf(s *statement.Statement, schema *record.Schema) []string {
	named := map[string]bool{}
	for _, r := range s.Cohort {
		named[r.Lane] = true
	}
	if s.Valuation != nil {
		for i := range s.Valuation.Curves {
			named[s.Valuation.Curves[i].Lane] = true
		}
	}
	for i := range s.Claims {
		for _, t := range s.Claims[i].Terms {
			named[t.Total] = true
		}
	}
	for _, total := range s.Disclose {
		named[total] = true
	}
	var lanes []string
	for i := 1; i < record.Lanes; i++ {
		if named[schema.Lanes[i].Name] {
			lanes = append(lanes, schema.Lanes[i].Name)
		}
	}
	return lanes
}

func askedCohort(q *policy.Question, s *statement.Statement, schema *record.Schema) error {
	p, err := s.Parameters()
	if err != nil {
		return err
	}
	q.Cohort = policy.Cohort{Lo: slices.Clone(p.Bounds.Lo[:]), Hi: slices.Clone(p.Bounds.Hi[:])}
	for i := 1; i < record.Lanes; i++ {
		l := &schema.Lanes[i]
		if least := p.Bounds.Lo[i]; least > l.Min {
			q.CohortBounds = append(q.CohortBounds, l.Name+" >= "+l.Format(least))
		}
		if most := p.Bounds.Hi[i]; most < l.Max {
			q.CohortBounds = append(q.CohortBounds, l.Name+" <= "+l.Format(most))
		}
	}
	q.Cohort.All = len(q.CohortBounds) == 0
	return nil
}

// askedClaims also says what the answer shows of the cohort's size. Of the whole fleet it is the population, which every verdict shows.
func askedClaims(q *policy.Question, s *statement.Statement) error {
	claims, err := s.Integers()
	if err != nil {
		return err
	}
	for i := range claims {
		q.Claims = append(q.Claims, kindOf(&claims[i]))
		q.ProvenMinimum = max(q.ProvenMinimum, leastCount(&claims[i]))
	}
	disclosed, err := s.Disclosed()
	if err != nil {
		return err
	}
	for _, total := range s.Disclose {
		if total != totalPopulation {
			q.Disclose = append(q.Disclose, total)
		}
	}
	switch {
	case disclosed[statement.Count] || q.Cohort.All:
		q.Count = policy.CountExact
	case q.ProvenMinimum > 0:
		q.Count = policy.CountProven
	default:
		q.Count = policy.CountHidden
	}
	return nil
}

// kindOf goes by the totals whose coefficient is not zero.
func kindOf(c *statement.IntegerClaim) string {
	lanes := 0
	for i := 1; i < record.Lanes; i++ {
		if c.A[statement.LaneSum+i].Sign() != 0 {
			lanes++
		}
	}
	population, count, value := c.A[statement.Population].Sign() != 0, c.A[statement.Count].Sign() != 0, c.A[statement.Value].Sign() != 0
	switch {
	case value && lanes == 0:
		return policy.ClaimValue
	case !value && lanes == 1:
		return policy.ClaimLane
	case !value && lanes == 0 && count && !population:
		return policy.ClaimCount
	case !value && lanes == 0 && population && !count:
		return policy.ClaimPopulation
	}
	return policy.ClaimMixed
}

// leastCount is N for a claim that is count ≥ N and nothing else, or 0.
func leastCount(c *statement.IntegerClaim) uint64 {
	for i, a := range c.A {
		if i == statement.Count && a.Cmp(big.NewInt(1)) != 0 || i != statement.Count && a.Sign() != 0 {
			return 0
		}
	}
	if c.B.Sign() <= 0 || !c.B.IsUint64() {
		return 0
	}
	return c.B.Uint64()
}

func askedModel(q *policy.Question, s *statement.Statement, schema *record.Schema) error {
	if s.Valuation == nil {
		return nil
	}
	for i := range s.Valuation.Curves {
		shape, err := shapeOf(&s.Valuation.Curves[i], schema)
		if err != nil {
			return err
		}
		q.Curves = append(q.Curves, shape)
	}
	price, ok := scaled(s.Valuation.Price, hundredths)
	if !ok {
		return fmt.Errorf("statement: valuation: price %.40q", s.Valuation.Price)
	}
	q.Price, q.Currency, q.Model = price, s.Valuation.Currency, policy.Model(s.Schema, q.Curves)
	return nil
}

func shapeOf(c *statement.Curve, schema *record.Schema) (policy.CurveShape, error) {
	i, ok := schema.LaneIndex(c.Lane)
	if !ok {
		return policy.CurveShape{}, fmt.Errorf("statement: valuation: schema %s has no lane %q", schema.Name, c.Lane)
	}
	lane := schema.Lanes[i]
	shape := policy.CurveShape{Lane: c.Lane, Index: i, Min: lane.Min, Max: lane.Max}
	for _, k := range c.Knots {
		at, err := lane.Parse(k.At)
		if err != nil {
			return policy.CurveShape{}, fmt.Errorf("statement: valuation: curve over %s: %w", c.Lane, err)
		}
		factor, ok := scaled(k.Factor, millionths)
		if !ok {
			return policy.CurveShape{}, fmt.Errorf("statement: valuation: curve over %s: factor %.40q", c.Lane, k.Factor)
		}
		shape.Knots = append(shape.Knots, policy.Knot{At: at, Factor: factor})
	}
	return shape, nil
}

// scaled is a decimal of a few digits, or the statement would not have been read, in parts of a unit.
func scaled(text string, parts int64) (uint64, bool) {
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	n.Mul(n, big.NewRat(parts, 1))
	return n.Num().Uint64(), n.IsInt() && n.Num().IsUint64()
}

// Parts of a unit.
const (
	millionths = 1_000_000
	hundredths = 100
)

// The names of totals in statements and verdicts.
const (
	totalPopulation = "population"
	totalCount      = "count"
	totalValue      = "value"
)

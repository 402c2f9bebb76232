package query

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/mpc/privacy"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/record"
)

// Plan is the document laid out for the query's owners and the encryption's moduli. It refuses a query whose opened totals would tell more than those that it asks for.
func Plan(e *ledger.QueryEntry) (*federated.Plan, error) {
	d, err := Document(e)
	if err != nil {
		return nil, err
	}
	p, err := plan(&e.Record.Query, d)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	return p, nil
}

func plan(q *ledger.Query, d *federated.Query) (*federated.Plan, error) {
	if is := collective.Standard().ID(); q.Parameters != is {
		return nil, fmt.Errorf("parameters are %.64q, want %q", q.Parameters, is)
	}
	p, err := federated.NewPlan(d, len(q.Parts), collective.Standard().Moduli())
	if err != nil {
		return nil, err
	}
	if shown := p.Used() - 1; shown > asked(q) { // the number of owners is on the ledger
		return nil, fmt.Errorf("totals: %v would open %d totals, and %d are asked for: noise on a sum needs the %s, which must be asked for, too",
			q.Totals, shown, asked(q), policy.TotalCount)
	}
	if err := checkSum(q, d); err != nil {
		return nil, err
	}
	return p, nil
}

// checkSum refuses an exact sum that tells a count that is not asked for, as grants and policies have not seen that it is shown: n batteries, each of lo to hi, can have a
// sum above that of any n−1 and below that of any n+1 if (n − 1)·hi + 1 < (n + 1)·lo. The more batteries and the wider the interval, the more roughly a sum tells how many there are.
func checkSum(q *ledger.Query, d *federated.Query) error {
	if q.Epsilon != "" || !slices.Contains(q.Totals, policy.TotalSum) || slices.Contains(q.Totals, policy.TotalCount) || slices.Contains(q.Totals, policy.TotalHistogram) {
		return nil
	}
	lo, hi, err := interval(q, d)
	if err != nil || lo == 0 {
		return err
	}
	if n := q.MinimumCohort * uint64(q.MinimumInputs()); lo != hi && n > (lo+hi-2)/(hi-lo) { // products would overflow
		return nil
	}
	return fmt.Errorf("totals: all devices of the cohort have nearly the same %s (stored as %d to %d), so that the %s of few tells their %s, which must be asked for, too",
		q.Subject, lo, hi, policy.TotalSum, policy.TotalCount)
}

// interval is from the least to the greatest that a battery of the cohort can have of the subject, in stored units or in 0.01 of the currency.
func interval(q *ledger.Query, d *federated.Query) (lo, hi uint64, err error) {
	if i := slices.IndexFunc(d.Lanes, func(l federated.Lane) bool { return l.Name == q.Subject }); i >= 0 {
		return uint64(d.Cohort.Lo[i]), uint64(d.Cohort.Hi[i]), nil
	}
	p, err := parameters(q)
	if err != nil {
		return 0, 0, err
	}
	lo, hi = valueBounds(p)
	return lo, hi, nil
}

// asked is how many totals a query says that it shows. An exact histogram shows the count, too: its bands make it up.
func asked(q *ledger.Query) int {
	n := len(q.Totals)
	if !slices.Contains(q.Totals, policy.TotalHistogram) {
		return n
	}
	n += len(q.Edges) // a band more than edges
	if q.Epsilon == "" && !slices.Contains(q.Totals, policy.TotalCount) {
		n++
	}
	return n
}

// Check is what a requester's node refuses before it asks: all that Check of package ledger refuses, and all that would fail later whatever the owners' fleets are.
func Check(q *ledger.Query) error {
	if err := q.Check(); err != nil {
		return err
	}
	if q.Kind == ledger.QueryScore {
		return checkScore(q)
	}
	// No fleet can be smaller than the minimum, and a larger one makes nothing fit that does not fit then.
	d, err := document(q, q.MinimumCohort)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	if err := d.Check(); err != nil {
		return err
	}
	_, err = plan(q, d)
	return err
}

func checkScore(q *ledger.Query) error {
	if q.Parameters != score.Parameters {
		return fmt.Errorf("query: parameters are %.64q, want %q", q.Parameters, score.Parameters)
	}
	if q.MinimumCohort > score.MaxCohort {
		return fmt.Errorf("query: minimum_cohort is %d, at most %d batteries can be scored", q.MinimumCohort, score.MaxCohort)
	}
	s, err := Shape(q)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	b, err := budget(q)
	if err != nil || b == nil {
		return err
	}
	if s.Monomials() > privacy.MaxL0 {
		return fmt.Errorf("query: %d features at degree %d need %d moments, of which at most %d can have noise", len(q.Features), q.Degree, s.Monomials(), privacy.MaxL0)
	}
	_, err = privacy.New(s.Monomials(), big.NewInt(1<<40), *b)
	return err
}

// Shape is that of the model that a score's query is about, with which the request of every session must agree. It is the inverse of Features.
func Shape(q *ledger.Query) (score.Shape, error) {
	if q.Kind != ledger.QueryScore {
		return score.Shape{}, fmt.Errorf("kind is %.40q, want %q", q.Kind, ledger.QueryScore)
	}
	schema, err := record.Lookup(q.Schema)
	if err != nil {
		return score.Shape{}, err
	}
	if len(q.Features) > score.MaxFeatures || q.Degree > score.MaxDegree {
		return score.Shape{}, fmt.Errorf("%d features at degree %d, at most %d at degree %d", len(q.Features), q.Degree, score.MaxFeatures, score.MaxDegree)
	}
	s := score.Shape{Degree: int(q.Degree), Spread: q.Spread}
	for i, f := range q.Features {
		lane, ok := schema.LaneIndex(f.Lane)
		if !ok || lane == record.Presence {
			return score.Shape{}, fmt.Errorf("features[%d]: schema %s has no lane %.40q", i, schema.Name, f.Lane)
		}
		low, err := schema.Lanes[lane].Parse(f.Lo)
		if err != nil {
			return score.Shape{}, fmt.Errorf("features[%d]: lo: %w", i, err)
		}
		high, err := schema.Lanes[lane].Parse(f.Hi)
		if err != nil {
			return score.Shape{}, fmt.Errorf("features[%d]: hi: %w", i, err)
		}
		s.Features = append(s.Features, score.Feature{Lane: f.Lane, Low: low, High: high})
	}
	return s, s.Check()
}

// Features are what a query says of a model: its lanes and where they are clipped, in the lanes' units. Degree and spread it has as they are.
func Features(m *score.Model, schema string) ([]ledger.Feature, error) {
	s, err := record.Lookup(schema)
	if err != nil {
		return nil, err
	}
	var out []ledger.Feature
	for i, f := range m.Features {
		lane, ok := s.LaneIndex(f.Lane)
		if !ok || lane == record.Presence {
			return nil, fmt.Errorf("features[%d]: schema %s has no lane %.40q", i, schema, f.Lane)
		}
		l := s.Lanes[lane]
		if f.Low < l.Min || f.High > l.Max || f.Low >= f.High {
			return nil, fmt.Errorf("features[%d]: clip of %s is [%d, %d], want an interval within [%d, %d]", i, l.Name, f.Low, f.High, l.Min, l.Max)
		}
		out = append(out, ledger.Feature{Lane: f.Lane, Lo: l.Format(f.Low), Hi: l.Format(f.High)})
	}
	if len(out) == 0 {
		return nil, errors.New("the model has no features")
	}
	return out, nil
}

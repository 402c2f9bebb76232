package query

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/mpc/privacy"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// valuePlaces are the decimal places of a value: it is in 0.01 of the currency.
const valuePlaces = 2

// Population is the largest enrolled number of the fleets' settled epochs: no owner has more records. It is public, and the same for whoever reads the ledger once every part is
// approved; before that it is an error.
func Population(e *ledger.QueryEntry) (uint64, error) {
	most := uint64(0)
	for _, p := range e.Record.Query.Parts {
		settled, err := settledPart(e, p.Fleet)
		if err != nil {
			return 0, err
		}
		most = max(most, settled.Enrolled)
	}
	return most, nil
}

// settledPart is what the approval of the part about a fleet says about its epoch.
func settledPart(e *ledger.QueryEntry, fleet string) (*ledger.SettledEpoch, error) {
	i := slices.IndexFunc(e.Answers, func(a ledger.QueryAnswer) bool { return a.Fleet == fleet })
	if i < 0 || !e.Answers[i].Decision.Approved {
		return nil, fmt.Errorf("query %s: the part about fleet %s is not approved", e.ID, fleet)
	}
	if e.Answers[i].Settled == nil {
		return nil, fmt.Errorf("query %s: the approved part about fleet %s has no settled epoch", e.ID, fleet)
	}
	return e.Answers[i].Settled, nil
}

// Document is the query as package federated has it: the same for whoever reads the ledger once every part is approved. Its context is the query's id on the ledger.
func Document(e *ledger.QueryEntry) (*federated.Query, error) {
	population, err := Population(e)
	if err != nil {
		return nil, err
	}
	d, err := document(&e.Record.Query, population)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	d.Context = e.ID.String()
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	return d, nil
}

func document(q *ledger.Query, population uint64) (*federated.Query, error) {
	if q.Kind != ledger.QueryFederated {
		return nil, fmt.Errorf("kind is %.40q, want %q", q.Kind, ledger.QueryFederated)
	}
	schema, err := record.Lookup(q.Schema)
	if err != nil {
		return nil, err
	}
	p, err := parameters(q)
	if err != nil {
		return nil, err
	}
	d := &federated.Query{
		Version: federated.Version, Epoch: q.Epoch, Schema: q.Schema, Population: population, Minimum: q.MinimumCohort,
		Cohort: federated.Cohort{Lo: slices.Clone(p.Bounds.Lo[:]), Hi: slices.Clone(p.Bounds.Hi[:])},
	}
	for _, l := range schema.Lanes {
		d.Lanes = append(d.Lanes, federated.Lane{Name: l.Name, Min: l.Min, Max: l.Max})
	}
	if q.Valuation != nil {
		_, greatest := valueBounds(p)
		d.Valuation = &federated.Valuation{Model: modelDigest(q.Valuation), Max: max(1, greatest)} // no bound may be 0
	}
	if d.Privacy, err = budget(q); err != nil {
		return nil, err
	}
	d.Figures, err = figures(q, schema)
	return d, err
}

// parameters are what cohort and valuation say, as statements have it.
func parameters(q *ledger.Query) (*statement.Parameters, error) {
	return (&statement.Statement{Schema: q.Schema, Cohort: q.Cohort, Valuation: q.Valuation}).Parameters()
}

// modelDigest is over the one encoding of a valuation that statements have, too.
func modelDigest(v *statement.Valuation) string {
	own := *v
	if own.Curves == nil {
		own.Curves = []statement.Curve{}
	}
	b, err := json.Marshal(&own)
	if err != nil {
		panic(fmt.Sprintf("encoding a valuation: %v", err)) // it is made of text
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// valueBounds are the least and the greatest value of any battery of the cohort, in 0.01 of the currency. The least factors of both curves go together, and the greatest, as they are over different
// lanes, and each is at an end of a segment. A price of at most 2^40 and factors of at most 10 keep them below federated.MaxValue.
func valueBounds(p *statement.Parameters) (least, greatest uint64) {
	lo, hi := new(big.Int).Set(p.Price), new(big.Int).Set(p.Price)
	for _, segments := range p.Segments {
		var low, high *big.Int
		for _, s := range segments {
			for _, lane := range []uint32{s.Start, s.End} {
				f := new(big.Int).Mul(s.Slope, big.NewInt(int64(lane)-int64(s.Start)))
				if f.Add(f, s.Base); low == nil || f.Cmp(low) < 0 {
					low = f
				}
				if high == nil || f.Cmp(high) > 0 {
					high = f
				}
			}
		}
		lo.Mul(lo, low)
		hi.Mul(hi, high)
	}
	return lo.Quo(lo, statement.ValueScale()).Uint64(), hi.Quo(hi, statement.ValueScale()).Uint64()
}

func budget(q *ledger.Query) (*privacy.Budget, error) {
	epsilon, delta, err := q.Privacy()
	if err != nil || q.Epsilon == "" {
		return nil, err
	}
	return &privacy.Budget{EpsilonMillionths: epsilon, DeltaTrillionths: delta}, nil
}

// figures follow from the totals: whoever knows count and sum has the mean, and with the squares the variance.
func figures(q *ledger.Query, schema *record.Schema) ([]federated.Figure, error) {
	count, sum := slices.Contains(q.Totals, policy.TotalCount), slices.Contains(q.Totals, policy.TotalSum)
	var out []federated.Figure
	if count {
		out = append(out, federated.Figure{Kind: federated.Count})
	}
	if sum {
		out = append(out, federated.Figure{Kind: federated.Sum, Of: q.Subject})
	}
	if count && sum {
		out = append(out, federated.Figure{Kind: federated.Mean, Of: q.Subject})
	}
	if slices.Contains(q.Totals, policy.TotalSquares) {
		if !count || !sum {
			return nil, fmt.Errorf("totals: %s tell nothing without %s and %s, which must be asked for, too", policy.TotalSquares, policy.TotalCount, policy.TotalSum)
		}
		out = append(out, federated.Figure{Kind: federated.Variance, Of: q.Subject})
	}
	if !slices.Contains(q.Totals, policy.TotalHistogram) {
		return out, nil
	}
	edges, err := storedEdges(q, schema)
	return append(out, federated.Figure{Kind: federated.Histogram, Of: q.Subject, Edges: edges}), err
}

// storedEdges are in stored units of a lane, or in 0.01 of the currency.
func storedEdges(q *ledger.Query, schema *record.Schema) ([]uint64, error) {
	lane, isLane := schema.LaneIndex(q.Subject)
	out := make([]uint64, len(q.Edges))
	for i, text := range q.Edges {
		var err error
		if isLane {
			var stored uint32
			stored, err = schema.Lanes[lane].Parse(text)
			out[i] = uint64(stored)
		} else {
			out[i], err = hundredths(text)
		}
		if err != nil {
			return nil, fmt.Errorf("edges[%d]: %w", i, err)
		}
	}
	return out, nil
}

// hundredths reads an amount of at most two places, below 2^63 hundredths.
func hundredths(text string) (uint64, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > valuePlaces || whole == "" {
		return 0, fmt.Errorf("%.40q is not plain decimal text with at most %d places", text, valuePlaces)
	}
	n, err := strconv.ParseUint(whole+fraction+strings.Repeat("0", valuePlaces-len(fraction)), 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not plain decimal text of a small enough amount", text)
	}
	return n, nil
}

package query

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/federated"
	"github.com/assay-net/assay/zk/record"
)

// restPlaces are how many decimal places a mean has beyond those of its quantity.
const restPlaces = 6

// Read says what the opened totals of a federated query's session mean. owners are those whose inputs are in the sum, in ascending order. The error is [federated.ErrOpening] when the
// totals cannot be such a sum.
func Read(e *ledger.QueryEntry, s *ledger.Session, owners []string, totals []*big.Int) (*Answer, error) {
	d, err := Document(e)
	if err != nil {
		return nil, err
	}
	p, err := plan(&e.Record.Query, d)
	if err == nil {
		err = CheckSession(e, s)
	}
	if err == nil {
		err = checkOwners(s, owners)
	}
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	result, err := p.Read(totals, len(owners))
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	r, err := newReader(e, s, d, owners, result)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	a := newAnswer(e, s, owners)
	for _, found := range result.Answers {
		a.Figures = append(a.Figures, r.figure(found))
	}
	for _, t := range result.Totals {
		a.Totals = append(a.Totals, Total{Name: t.Name, Value: t.Value.String(), Noise: deviationText(t.Deviation)})
	}
	return a, nil
}

func checkOwners(s *ledger.Session, owners []string) error {
	if len(owners) < int(s.Minimum) {
		return fmt.Errorf("inputs of %d owners, want at least %d", len(owners), s.Minimum)
	}
	for i, owner := range owners {
		if s.FleetOf(owner) == "" || i > 0 && owners[i-1] >= owner {
			return errors.New("inputs are not of different owners of the session, in ascending order")
		}
	}
	return nil
}

// reader turns stored units into physical ones.
type reader struct {
	of     string
	unit   string
	places int
	// offset is what a lane has added to it in storage, lo the least that a battery of the cohort can have, in stored units.
	offset, lo int64
	lane       *record.Lane // nil of a value
	centre     int64        // of the subject's interval: sums are of differences from it where the count is asked for, too
	greatest   uint64       // value
	enrolled   uint64       // in the fleets of the owners whose inputs these are
	// count and sum are nil if they were not opened.
	count, sum *federated.Total
	exact      bool
}

func newReader(e *ledger.QueryEntry, s *ledger.Session, d *federated.Query, owners []string, result *federated.Result) (*reader, error) {
	q := &e.Record.Query
	r := &reader{of: q.Subject, exact: q.Epsilon == ""}
	schema, err := record.Lookup(q.Schema)
	if err != nil {
		return nil, err
	}
	if i, ok := schema.LaneIndex(q.Subject); ok {
		l := &schema.Lanes[i]
		lo, hi := int64(d.Cohort.Lo[i]), int64(d.Cohort.Hi[i])
		r.lane, r.unit, r.places, r.lo, r.centre = l, l.Unit, l.Scale, lo, lo+(hi-lo)/2
		r.offset = int64(l.Offset) * pow10(l.Scale).Int64()
	} else if q.Valuation != nil {
		r.unit, r.places, r.greatest = q.Valuation.Currency, valuePlaces, d.Valuation.Max
	}
	for _, owner := range owners {
		settled, err := settledPart(e, s.FleetOf(owner))
		if err != nil {
			return nil, err
		}
		r.enrolled += settled.Enrolled
	}
	r.find(result)
	return r, nil
}

// find knows the layout: the count, if it is there, is behind the number of owners, and the sum follows.
func (r *reader) find(result *federated.Result) {
	rest := result.Totals[1:]
	if len(rest) > 0 && rest[0].Name == string(federated.Count) {
		r.count, rest = &rest[0], rest[1:]
	}
	if slices.ContainsFunc(result.Answers, func(a federated.Answer) bool { return a.Figure.Kind == federated.Sum }) {
		r.sum = &rest[0]
	}
}

func (r *reader) figure(a federated.Answer) Figure {
	switch a.Figure.Kind {
	case federated.Count:
		return Figure{Kind: FigureCount, Unit: "devices", Value: a.Value.RatString(), Noise: deviationText(a.Deviation)}
	case federated.Sum:
		return r.total(a)
	case federated.Mean:
		return r.mean(a)
	case federated.Variance:
		return r.variance(a)
	default:
		return r.histogram(a)
	}
}

// total is a sum. Every battery's lane has the offset in it, so the count is needed to take it off.
func (r *reader) total(a federated.Answer) Figure {
	f := Figure{Kind: FigureSum, Of: r.of, Unit: r.unit}
	value, noise := new(big.Int).Set(a.Value.Num()), a.Deviation
	switch {
	case r.offset == 0:
	case r.count == nil:
		f.Unit = fmt.Sprintf("%s above %s each", r.unit, record.FormatDecimal(big.NewInt(-r.offset), r.places))
	default:
		value.Sub(value, new(big.Int).Mul(big.NewInt(r.offset), r.count.Value))
		noise = math.Hypot(r.sum.Deviation, float64(r.centre-r.offset)*r.count.Deviation)
	}
	f.Value, f.Noise = record.FormatDecimal(value, r.places), deviationText(noise/r.scale(1))
	if r.lane == nil {
		most := new(big.Int).SetUint64(r.enrolled)
		if r.count != nil && r.exact {
			most = r.count.Value
		}
		if most.Sign() > 0 {
			f.Error = record.FormatDecimal(most, r.places)
		}
	}
	return f
}

func (r *reader) mean(a federated.Answer) Figure {
	f := Figure{Kind: FigureMean, Of: r.of, Unit: r.unit, Noise: deviationText(a.Deviation / r.scale(1))}
	if a.Value == nil {
		return f
	}
	x := new(big.Rat).Sub(a.Value, new(big.Rat).SetInt64(r.offset))
	f.Value = rationalText(x, r.places, r.places+restPlaces)
	if r.lane == nil {
		f.Error = record.FormatDecimal(big.NewInt(1), r.places)
	}
	return f
}

// variance: for values x that are y + d, of which d was cut off, 0 ≤ d < u, the variance of x is that of y, and 2·cov(y, d) + var(d), which is less than u·σ(y) + u²/4. With noise only
// σ(y) ≤ greatest/2 is known.
func (r *reader) variance(a federated.Answer) Figure {
	f := Figure{Kind: FigureVariance, Of: r.of, Unit: r.unit + "²", Noise: deviationText(a.Deviation / r.scale(2))}
	if a.Value == nil {
		return f
	}
	f.Value = rationalText(a.Value, 2*r.places, 2*r.places+restPlaces)
	if r.lane == nil {
		spread := float64(r.greatest) / 2
		if r.exact {
			variance, _ := a.Value.Float64()
			spread = math.Sqrt(variance)
		}
		f.Error = boundText((spread + 0.25) / r.scale(2))
	}
	return f
}

// histogram: a value is cut off to 0.01, and edges are multiples of that, so each battery is in the band that its exact value is in.
func (r *reader) histogram(a federated.Answer) Figure {
	f := Figure{Kind: FigureHistogram, Of: r.of, Unit: r.unit, Noise: deviationText(a.Deviation)}
	for i, n := range a.Bands {
		b := Band{From: r.physical(r.lo), Count: n.String()}
		if i > 0 {
			b.From = r.physical(int64(a.Figure.Edges[i-1]))
		}
		if i < len(a.Figure.Edges) {
			b.Below = r.physical(int64(a.Figure.Edges[i]))
		}
		f.Bands = append(f.Bands, b)
	}
	return f
}

func (r *reader) physical(stored int64) string {
	return record.FormatDecimal(big.NewInt(stored-r.offset), r.places)
}

// scale is how many stored units make the physical unit, to a power.
func (r *reader) scale(power int) float64 { return math.Pow10(power * r.places) }

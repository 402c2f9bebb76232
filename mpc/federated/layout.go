package federated

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/assay-net/assay/mpc/privacy"
)

// total is one coefficient.
type total struct {
	name string
	// from says which fields of the query bound it, for errors.
	from string
	// low and high bound one owner's part before noise.
	low, high *big.Int
	// step bounds what one battery adds, in absolute value.
	step *big.Int
	// group is of the totals that one mechanism covers; of one group a battery changes one total.
	group int
	noise *privacy.Mechanism // nil for an exact total
}

// column is the moments of one quantity: totals of x − centre. An index of 0
// is for a total that is not in the layout.
type column struct {
	quantity
	centre       int64
	sum, squares int
}

// bands is a histogram's totals, from first on.
type bands struct {
	quantity
	figure int
	edges  []int64
	first  int
}

// layout is where each total stands. Coefficient 0 is the number of parts.
type layout struct {
	totals     []total
	groups     int
	count      int // 0 when it is not in the layout
	columns    []column
	histograms []bands
}

func newLayout(q *Query) (*layout, error) {
	l := &layout{totals: []total{{name: "owners", low: big.NewInt(1), high: big.NewInt(1)}}}
	if q.needsCount() {
		l.count = l.add(total{name: "count", from: "population"}, 0, 1, q.Population)
		l.groups++
	}
	for _, f := range q.Figures {
		if f.Kind == Sum || f.Kind == Mean || f.Kind == Variance {
			if err := l.addMoments(q, f); err != nil {
				return nil, err
			}
		}
	}
	for i := range l.columns {
		l.place(&l.columns[i], q.Population)
	}
	for i, f := range q.Figures {
		if f.Kind == Histogram {
			if err := l.addBands(q, i); err != nil {
				return nil, err
			}
		}
	}
	if len(l.totals) > MaxTotals {
		return nil, fmt.Errorf("query: figures need %d totals, at most %d", len(l.totals), MaxTotals)
	}
	return l, nil
}

// needsCount: with an exact histogram the count is a check that tells nothing
// new; with noise it would cost a share of the budget, and the bands tell an owner how
// large its cohort looks. With noise on sums alone nothing else would.
func (q *Query) needsCount() bool {
	bands := false
	for _, f := range q.Figures {
		switch f.Kind {
		case Count, Mean, Variance:
			return true
		case Histogram:
			bands = true
		}
	}
	return bands == (q.Privacy == nil)
}

// add appends a total to which one battery adds least to greatest and the
// others of an owner's population as much.
func (l *layout) add(t total, least, greatest int64, population uint64) int {
	n := new(big.Int).SetUint64(population)
	t.low = new(big.Int).Mul(n, big.NewInt(min(least, 0)))
	t.high = new(big.Int).Mul(n, big.NewInt(max(greatest, 0)))
	t.step = big.NewInt(max(-least, greatest, 1))
	t.group = l.groups
	l.totals = append(l.totals, t)
	return len(l.totals) - 1
}

// addMoments notes what a figure needs; an index of 1 stands for "wanted" until place.
func (l *layout) addMoments(q *Query, f Figure) error {
	i := slices.IndexFunc(l.columns, func(c column) bool { return c.name == f.Of })
	if i < 0 {
		s, err := q.quantity(f.Of)
		if err != nil {
			return err
		}
		i = len(l.columns)
		l.columns = append(l.columns, column{quantity: s, sum: 1})
	}
	c := &l.columns[i]
	if f.Kind == Variance {
		c.squares = 1
	}
	if f.Kind != Sum { // the count is there too, so that the sum can be had from it
		c.centre = c.lo + (c.hi-c.lo)/2
	}
	return nil
}

func (l *layout) place(c *column, population uint64) {
	x, from := c.name, fmt.Sprintf("population × cohort bounds of lane %s", c.name)
	if c.lane == 0 {
		from = "population × valuation max"
	}
	if c.centre != 0 {
		x = fmt.Sprintf("(%s − %d)", c.name, c.centre)
	}
	least, greatest := c.lo-c.centre, c.hi-c.centre
	c.sum = l.add(total{name: "sum of " + x, from: from}, least, greatest, population)
	l.groups++
	if c.squares == 0 {
		return
	}
	c.squares = l.add(total{name: "sum of squares of " + x, from: from + " squared"}, 0, 0, population)
	t := &l.totals[c.squares]
	step := big.NewInt(max(-least, greatest, 1))
	t.step.Mul(step, step)
	t.high.Mul(t.step, new(big.Int).SetUint64(population))
	l.groups++
}

func (l *layout) addBands(q *Query, figure int) error {
	f := q.Figures[figure]
	s, err := q.quantity(f.Of)
	if err != nil {
		return err
	}
	b := bands{quantity: s, figure: figure, first: len(l.totals)}
	for _, e := range f.Edges {
		b.edges = append(b.edges, int64(e))
	}
	for j := range len(b.edges) + 1 {
		lo, hi := b.interval(j)
		name := fmt.Sprintf("count of %d ≤ %s ≤ %d", lo, s.name, hi)
		l.add(total{name: name, from: "population"}, 0, 1, q.Population)
	}
	l.groups++
	l.histograms = append(l.histograms, b)
	return nil
}

// interval is what band j holds, both ends included.
func (b *bands) interval(j int) (lo, hi int64) {
	lo, hi = b.lo, b.hi
	if j > 0 {
		lo = b.edges[j-1]
	}
	if j < len(b.edges) {
		hi = b.edges[j] - 1
	}
	return lo, hi
}

// band finds the band of a quantity: the number of edges at or below it.
func (b *bands) band(x int64) int {
	n, _ := slices.BinarySearch(b.edges, x+1)
	return n
}

package health

import "fmt"

// bdfChecks holds the columns of a BDF file against one another. What it finds does not touch the integral, which uses time and
// current alone, except for clocks that differ by a unit.
type bdfChecks struct {
	column  map[string]int
	journal *journal
	before  map[string]int64 // value of the row before, by column
	found   map[Code]map[string]int
	clock   clockVotes
}

func newBDFChecks(column map[string]int, j *journal) *bdfChecks {
	return &bdfChecks{column: column, journal: j, before: map[string]int64{}, found: map[Code]map[string]int{}}
}

// bdfRising are the totals that never fall, bdfSums how totals follow from one another: total = left + sign·right.
var bdfRising = []string{
	"charging_capacity_ah", "discharging_capacity_ah", "cumulative_capacity_ah",
	"charging_energy_wh", "discharging_energy_wh", "cumulative_energy_wh",
}

var bdfSums = []struct {
	total, left, right string
	sign               int64
}{
	{"cumulative_capacity_ah", "charging_capacity_ah", "discharging_capacity_ah", 1},
	{"net_capacity_ah", "charging_capacity_ah", "discharging_capacity_ah", -1},
	{"cumulative_energy_wh", "charging_energy_wh", "discharging_energy_wh", 1},
	{"net_energy_wh", "charging_energy_wh", "discharging_energy_wh", -1},
}

// totalPlaces is the precision of the comparison of totals.
const totalPlaces = 9

// row checks one row against the row before.
func (c *bdfChecks) row(line int, cells []string) {
	for _, name := range bdfRising {
		v, ok := c.value(cells, name, totalPlaces)
		if !ok {
			continue
		}
		before, seen := c.before[name]
		if seen && v < before-slack(before) {
			c.add(line, name, TotalFell, fmt.Sprintf("%s falls, which a total never does", name))
		}
		c.before[name] = v
	}
	for _, s := range bdfSums {
		c.sum(line, cells, s.total, s.left, s.right, s.sign)
	}
	c.recordIndex(line, cells)
	c.clocks(cells)
}

func (c *bdfChecks) value(cells []string, name string, places int) (int64, bool) {
	i, ok := c.column[name]
	if !ok {
		return 0, false
	}
	v, err := ParseDecimal(cells[i], places)
	return v, err == nil
}

// slack is how far totals may differ: 10⁻⁶ of their size, and what rounding to eight digits leaves.
func slack(v int64) int64 { return max(v, -v)/1_000_000 + 10 }

func (c *bdfChecks) sum(line int, cells []string, total, left, right string, sign int64) {
	t, ok1 := c.value(cells, total, totalPlaces)
	l, ok2 := c.value(cells, left, totalPlaces)
	r, ok3 := c.value(cells, right, totalPlaces)
	if !ok1 || !ok2 || !ok3 {
		return
	}
	want := l + sign*r
	if d := t - want; max(d, -d) > slack(max(l, -l)+max(r, -r)) {
		operator := map[int64]string{1: "+", -1: "−"}[sign]
		c.add(line, total, InconsistentSum, fmt.Sprintf("%s is not %s %s %s", total, left, operator, right))
	}
}

// recordIndex checks that the points of a step are numbered 1, 2, 3 and so on.
func (c *bdfChecks) recordIndex(line int, cells []string) {
	const name = "step_record_index"
	v, ok := c.value(cells, name, 0)
	if !ok {
		return
	}
	before, seen := c.before[name]
	if v != 1 && (!seen || v != before+1) {
		c.add(line, name, RecordIndex, "the points of a step are not numbered 1, 2, 3 and so on")
	}
	c.before[name] = v
}

// add reports the first finding of a kind in a column; finish counts the others.
func (c *bdfChecks) add(line int, column string, code Code, reason string) {
	if c.found[code] == nil {
		c.found[code] = map[string]int{}
	}
	c.found[code][column]++
	if c.found[code][column] == 1 {
		c.journal.add(Issue{line, column, Noted, code, reason, "the column is not used"})
	}
}

// clocks compares how far the test clock and the wall clock moved.
func (c *bdfChecks) clocks(cells []string) {
	test, ok1 := c.value(cells, "test_time_second", 6)
	wall, ok2 := c.value(cells, "unix_time_second", 6)
	if !ok1 || !ok2 {
		return
	}
	testBefore, seen := c.before["test_time_second"]
	if seen {
		c.clock.vote(test-testBefore, wall-c.before["unix_time_second"])
	}
	c.before["test_time_second"], c.before["unix_time_second"] = test, wall
}

// finish reports how often each finding recurred. It returns why no record may be made, if none may.
func (c *bdfChecks) finish() (refused string) {
	for _, code := range []Code{TotalFell, InconsistentSum, RecordIndex} {
		for _, column := range append(bdfRising, "net_capacity_ah", "net_energy_wh", "step_record_index") {
			if n := c.found[code][column] - 1; n > 0 {
				c.journal.add(Issue{0, column, Noted, code, fmt.Sprintf("the same in %d further rows", n), "the column is not used"})
			}
		}
	}
	unit := c.clock.verdict()
	if unit == "" {
		return ""
	}
	c.journal.add(Issue{0, "test_time_second", Excluded, WrongUnit,
		"against unix_time_second the values are " + unit + ", not seconds", "nothing is converted"})
	return "test_time_second is in another unit"
}

// clockVotes counts by which factor the test clock outruns the wall clock, step by step. A vote of many steps is not misled by
// pauses or by a wall clock of whole seconds.
type clockVotes struct {
	total                        int
	milliseconds, minutes, hours int
}

func (v *clockVotes) vote(test, wall int64) {
	if test <= 0 || wall < 500_000 || test > maxTestMicros/4 || wall > maxWallMicros {
		return
	}
	v.total++
	switch {
	case near(test/1000, wall):
		v.milliseconds++
	case near(test*60, wall):
		v.minutes++
	case near(test*3600, wall):
		v.hours++
	}
}

// near says whether two spans differ by at most 5 %.
func near(a, b int64) bool { return max(a-b, b-a) <= b/20 }

func (v *clockVotes) verdict() string {
	if v.total < 10 {
		return ""
	}
	for unit, n := range map[string]int{"milliseconds": v.milliseconds, "minutes": v.minutes, "hours": v.hours} {
		if 2*n > v.total {
			return unit
		}
	}
	return ""
}

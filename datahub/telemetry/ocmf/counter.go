package ocmf

import (
	"fmt"
	"maps"
	"slices"
)

// Continuity is how a record follows those before it in its meter's series.
type Continuity uint8

// The ways to follow.
const (
	// First is the first record that was seen of this meter and letter.
	First Continuity = iota
	// Next has the number after the last one's.
	Next
	// Gap has a higher number than the next: Missing records are lost.
	Gap
	// Repeat is a record that was seen before, by its signed bytes.
	Repeat
	// Conflict has the number of another record that was seen: two different records cannot both be the meter's.
	Conflict
	// Reset has a lower number than the last one, and is new: the meter counts from there now.
	Reset
	// Unnumbered has no page or names no source, so it has no place in any series.
	Unnumbered
)

var continuities = []string{"first", "next", "gap", "repeat", "conflict", "reset", "unnumbered"}

func (c Continuity) String() string {
	if int(c) < len(continuities) {
		return continuities[c]
	}
	return fmt.Sprintf("Continuity(%d)", uint8(c))
}

// Step is what a Counter says of a record. Missing is the number of lost records before it, 0 but for a Gap.
type Step struct {
	Continuity Continuity
	Missing    uint64
}

// Last is a series' latest record: what a Counter that is to go on after a restart needs.
type Last struct {
	// Source and Letter name the series.
	Source string
	Letter byte
	Number uint64
	Digest [32]byte
}

const (
	// MaxSeries bounds how many series one Counter follows.
	MaxSeries = 4096
	// remembered is how many records of a series are known again when they come once more.
	remembered = 32
)

// Counter follows the page numbers of meters, given their records in the order in which the meters signed them. Give it only records
// that verified: anybody can write a number. It is not safe for concurrent use.
type Counter struct{ series map[seriesName][]Last }

type seriesName struct {
	source string
	letter byte
}

// NewCounter is a counter that goes on after these.
func NewCounter(last ...Last) *Counter {
	c := &Counter{series: map[seriesName][]Last{}}
	for _, l := range last {
		name := seriesName{l.Source, l.Letter}
		c.series[name] = append(c.series[name], l)
	}
	return c
}

// Add takes the next record. It fails when there are more series than MaxSeries.
func (c *Counter) Add(r *Record) (Step, error) {
	name := seriesName{r.Source(), r.Page.Letter}
	if name.source == "" || name.letter == 0 {
		return Step{Continuity: Unnumbered}, nil
	}
	seen := c.series[name]
	if seen == nil && len(c.series) == MaxSeries {
		return Step{}, fmt.Errorf("following page numbers: more than %d series", MaxSeries)
	}
	this := Last{name.source, name.letter, r.Page.Number, r.Digest()}
	step := follow(seen, this)
	if step.Continuity == Repeat || step.Continuity == Conflict {
		return step, nil
	}
	if len(seen) == remembered {
		seen = slices.Delete(seen, 0, 1)
	}
	c.series[name] = append(seen, this)
	return step, nil
}

func follow(seen []Last, this Last) Step {
	if len(seen) == 0 {
		return Step{Continuity: First}
	}
	for _, l := range seen {
		if l.Digest == this.Digest {
			return Step{Continuity: Repeat}
		}
	}
	last := seen[len(seen)-1].Number
	switch {
	case this.Number == last:
		return Step{Continuity: Conflict}
	case this.Number == last+1:
		return Step{Continuity: Next}
	case this.Number > last:
		return Step{Continuity: Gap, Missing: this.Number - last - 1}
	}
	// After a reset numbers come again that were there before it, so only a number since the latest reset is a conflict.
	for i := len(seen) - 1; i >= 0 && (i == len(seen)-1 || seen[i].Number < seen[i+1].Number); i-- {
		if seen[i].Number == this.Number {
			return Step{Continuity: Conflict}
		}
	}
	return Step{Continuity: Reset}
}

// Last is the latest record of each series, sorted.
func (c *Counter) Last() []Last {
	names := slices.SortedFunc(maps.Keys(c.series), func(a, b seriesName) int {
		if a.source != b.source {
			if a.source < b.source {
				return -1
			}
			return 1
		}
		return int(a.letter) - int(b.letter)
	})
	var last []Last
	for _, n := range names {
		s := c.series[n]
		last = append(last, s[len(s)-1])
	}
	return last
}

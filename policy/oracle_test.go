package policy

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// side is the number of values of a lane in a world.
const side = 6

// world is a fleet of batteries with lanes of a few values, and the questions
// that were asked about it. What it says of cohorts it finds by looking at
// every value and every battery, not at bounds.
type world struct {
	lanes     int
	batteries [][]uint32
	minima    []uint64
	asked     []Answered // approved, in order
	verified  []Answered // whose totals are known, recorded or not
}

func newWorld(t *rapid.T, manyMinima bool) *world {
	w := &world{lanes: rapid.IntRange(1, 2).Draw(t, "lanes"), minima: []uint64{rapid.Uint64Range(1, 6).Draw(t, "minimum")}}
	if manyMinima {
		w.minima = append(w.minima, rapid.SliceOfN(rapid.Uint64Range(1, 9), 1, 3).Draw(t, "minima")...)
	}
	for range rapid.IntRange(10, 60).Draw(t, "batteries") {
		w.batteries = append(w.batteries, rapid.SliceOfN(rapid.Uint32Range(0, side-1), w.lanes, w.lanes).Draw(t, "battery"))
	}
	return w
}

// play asks questions, proves approved ones in any order, and looks after each
// answer at what all of them tell.
func (w *world) play(t *rapid.T) {
	for i := range rapid.IntRange(1, 9).Draw(t, "questions") {
		next := Answered{
			Request: fmt.Sprintf("q%d", i),
			Cohort:  w.draw(t),
			Minimum: rapid.SampledFrom(w.minima).Draw(t, "of minima"),
			Shown:   rapid.IntRange(0, 4).Draw(t, "shown") > 0,
		}
		reasons := Overlaps(w.asked, next)
		if want := w.refused(next); want != (len(reasons) > 0) {
			t.Fatalf("overlap %t, reasons %q, for %v among %v", want, reasons, next.Cohort, w.asked)
		}
		if len(reasons) > 0 {
			continue
		}
		w.asked = append(w.asked, next)
		if rapid.Bool().Draw(t, "prove now") {
			w.prove(t, len(w.asked)-1)
		}
	}
	for i := range w.asked {
		if w.asked[i].Count == nil && !w.asked[i].Started && !slices.ContainsFunc(w.verified, func(a Answered) bool { return a.Request == w.asked[i].Request }) {
			w.prove(t, i)
		}
	}
}

// draw takes any box, or one near to one that was asked about.
func (w *world) draw(t *rapid.T) Cohort {
	c := Cohort{Lo: make([]uint32, w.lanes), Hi: slices.Repeat([]uint32{side - 1}, w.lanes)}
	if len(w.asked) > 0 && rapid.IntRange(0, 3).Draw(t, "near") > 0 {
		near := rapid.SampledFrom(w.asked).Draw(t, "to").Cohort
		c.Lo, c.Hi = slices.Clone(near.Lo), slices.Clone(near.Hi)
	}
	for range rapid.IntRange(0, 2).Draw(t, "moves") {
		i := rapid.IntRange(0, w.lanes-1).Draw(t, "lane")
		c.Lo[i] = rapid.Uint32Range(0, side-1).Draw(t, "lo")
		c.Hi[i] = rapid.Uint32Range(c.Lo[i], side-1).Draw(t, "hi")
	}
	return c
}

func holds(c Cohort, point []uint32) bool {
	for i, v := range point {
		if v < c.Lo[i] || v > c.Hi[i] {
			return false
		}
	}
	return true
}

// refused looks at every point that a battery could be at.
func (w *world) refused(next Answered) bool {
	for _, e := range w.asked {
		both, one, other := false, false, false
		for n := range side * side {
			point := []uint32{uint32(n % side), uint32(n / side)}[:w.lanes]
			a, b := holds(next.Cohort, point), holds(e.Cohort, point)
			both, one, other = both || a && b, one || a && !b, other || !a && b
		}
		nested := one != other
		if both && (one && other || nested && !(next.Shown && e.Shown && (w.known(e.Cohort) || w.known(next.Cohort)))) {
			return true
		}
		if !both && e.Started && e.Shown && !w.known(e.Cohort) && !w.known(next.Cohort) && w.within(e.Cohort, next.Cohort) {
			return true
		}
	}
	return false
}

// known: some verdict that was recorded shows the count.
func (w *world) known(c Cohort) bool {
	return slices.ContainsFunc(w.asked, func(e Answered) bool { return e.Count != nil && e.Shown && w.equal(e.Cohort, c) })
}

func (w *world) equal(a, b Cohort) bool { return slices.Equal(a.Lo, b.Lo) && slices.Equal(a.Hi, b.Hi) }

// within: some cohort holds all values of both.
func (w *world) within(a, b Cohort) bool {
	return slices.ContainsFunc(w.asked, func(e Answered) bool {
		for n := range side * side {
			point := []uint32{uint32(n % side), uint32(n / side)}[:w.lanes]
			if (holds(a, point) || holds(b, point)) && !holds(e.Cohort, point) {
				return false
			}
		}
		return true
	})
}

// prove is what happens when the proof is there: an answer about too few is
// none, and so is one that isolates.
func (w *world) prove(t *rapid.T, i int) {
	next := w.asked[i]
	count := uint64(0)
	for _, b := range w.batteries {
		if holds(next.Cohort, b) {
			count++
		}
	}
	earlier := slices.Delete(slices.Clone(w.asked), i, i+1)
	if next.Shown {
		next.Count = &count
	}
	if count < next.Minimum || len(Isolates(earlier, next)) > 0 {
		return
	}
	w.verified = append(w.verified, next)
	if w.asked[i].Started = true; rapid.IntRange(0, 4).Draw(t, "lost") == 0 {
		w.checkCombinations(t) // it was seen, and will not be recorded
		return
	}
	next.Started = true
	w.asked[i] = next
	if len(w.minima) == 1 {
		w.checkAtoms(t)
		w.checkOutside(t, earlier, next)
	}
	w.checkCombinations(t)
}

// atoms counts batteries by which verified cohorts hold them.
func (w *world) atoms() map[uint]uint64 {
	atoms := map[uint]uint64{}
	for _, b := range w.batteries {
		signature := uint(0)
		for i, a := range w.verified {
			if holds(a.Cohort, b) {
				signature |= 1 << i
			}
		}
		atoms[signature]++
	}
	delete(atoms, 0) // in no cohort: no answer is about them
	return atoms
}

func (w *world) checkAtoms(t *rapid.T) {
	for signature, count := range w.atoms() {
		if count < w.minima[0] {
			t.Fatalf("%d batteries in exactly the cohorts %b of %v: fewer than %d", count, signature, w.verified, w.minima[0])
		}
	}
}

// checkOutside counts the batteries in no cohort whose count is shown.
func (w *world) checkOutside(t *rapid.T, earlier []Answered, next Answered) {
	left := uint64(0)
	for _, b := range w.batteries {
		if !slices.ContainsFunc(w.asked, func(a Answered) bool { return a.Count != nil && holds(a.Cohort, b) }) {
			left++
		}
	}
	several := slices.ContainsFunc(w.asked, func(a Answered) bool { return a.Count != nil && relate(a.Cohort, next.Cohort) != same })
	want := next.Shown && several && left > 0 && left < w.minima[0]
	if reasons := Outside(earlier, next, uint64(len(w.batteries))); want != (len(reasons) > 0) {
		t.Fatalf("%d batteries outside, fewer than %d: %t, reasons %q", left, w.minima[0], want, reasons)
	}
}

// checkCombinations adds and subtracts the answers in all ways. Where that
// gives the total over a group of batteries, and no part of the answers used
// does, the group is as large as each of them demands.
func (w *world) checkCombinations(t *rapid.T) {
	if len(w.verified) > 7 {
		return // 3^7 ways are enough
	}
	atoms := w.atoms()
	type way struct {
		used    uint
		minimum uint64
		size    uint64
	}
	groups := map[string][]way{}
	sign := make([]int, len(w.verified))
	var walk func(i int)
	walk = func(i int) {
		if i < len(sign) {
			for sign[i] = -1; sign[i] <= 1; sign[i]++ {
				walk(i + 1)
			}
			return
		}
		group, size, ok := combine(sign, atoms)
		if !ok {
			return
		}
		v := way{size: size}
		for j, s := range sign {
			if s != 0 {
				v.used |= 1 << j
				v.minimum = max(v.minimum, w.verified[j].Minimum)
			}
		}
		groups[group] = append(groups[group], v)
	}
	walk(0)
	for group, ways := range groups {
		for _, v := range ways {
			least := !slices.ContainsFunc(ways, func(o way) bool { return o.used != v.used && o.used&v.used == o.used })
			if least && v.size < v.minimum {
				t.Fatalf("answers %b of %v together are about the %d batteries in %s: fewer than %d", v.used, w.verified, v.size, group, v.minimum)
			}
		}
	}
}

// combine weighs every atom; it is a group when no weight but 0 and 1 occurs,
// and some 1 does.
func combine(sign []int, atoms map[uint]uint64) (group string, size uint64, ok bool) {
	var in []uint
	for signature, count := range atoms {
		weight := 0
		for j, s := range sign {
			if signature&(1<<j) != 0 {
				weight += s
			}
		}
		switch weight {
		case 0:
		case 1:
			in, size = append(in, signature), size+count
		default:
			return "", 0, false
		}
	}
	slices.Sort(in)
	return fmt.Sprint(in), size, len(in) > 0
}

// The worlds are such that most of what they are for happens.
func TestWorldsAreNotIdle(t *testing.T) {
	worlds, verified, nested, isolated := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, false)
		w.play(t)
		worlds++
		verified += len(w.verified)
		isolated += len(w.asked) - len(w.verified)
		for i, a := range w.verified {
			for _, b := range w.verified[:i] {
				if r := relate(a.Cohort, b.Cohort); r == inside || r == outside {
					nested++
				}
			}
		}
	})
	if verified < worlds || nested < worlds/20 || isolated < worlds/10 {
		t.Errorf("in %d worlds %d verified, %d nested, %d not answered: they are too plain", worlds, verified, nested, isolated)
	}
}

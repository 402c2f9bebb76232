package zk

import (
	"testing"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// put places a record in a slot with the advice given, and settles.
func (f *forgery) put(slot int, rec record.Record, a advice) {
	f.x[slot], f.slots[slot] = rec.Pack(), a
	f.settle()
}

// boxAt is the box that a record uses.
func boxAt(t *testing.T, rec record.Record, p *statement.Parameters) box {
	t.Helper()
	b, err := boxOf(rec, p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// clipped puts what is negative at zero: in place of a bad limb, a bad corner.
func clipped(a advice) advice {
	for i := range a.lower {
		a.lower[i], a.upper[i] = max(a.lower[i], 0), max(a.upper[i], 0)
	}
	for c := range a.pick {
		a.pick[c] = max(a.pick[c], 0)
	}
	return a
}

// TestChunkRefusesMisplacedRecord puts records into rows that are not theirs.
// With honest limbs the row's corners do not fit; with fitting corners some
// offset or distance is negative, and its limb out of range.
func TestChunkRefusesMisplacedRecord(t *testing.T) {
	p := parameters(t, forgedStatement())
	outside := func(row, lane int, above bool) box {
		b := box{row: row}
		for i := 1; i < record.Lanes; i++ {
			b.upper[i] = maxLane(i)
		}
		if above {
			b.lower[lane] = p.Bounds.Hi[lane] + 1
		} else {
			b.upper[lane] = p.Bounds.Lo[lane] - 1
		}
		return b
	}
	near := func(change func(r *record.Record)) box {
		r := forgedRecords()[slotInside]
		change(&r)
		return boxAt(t, r, p)
	}
	for name, c := range map[string]struct {
		slot int
		into box
	}{
		"outside the cohort, below it, counted":         {slotPoor, near(func(r *record.Record) { r[1] = 7000 })},
		"outside the cohort, above it, counted":         {slotFaulty, near(func(r *record.Record) { r[1] = 9100 })},
		"beyond the schema's bounds, counted":           {slotBeyond, near(func(r *record.Record) { r[1] = 11_000 })},
		"inside the cohort, left out as below":          {slotInside, outside(belowRow, 1, false)},
		"inside the cohort, left out as above":          {slotInside, outside(aboveRow, 1, true)},
		"inside the cohort, left out, last lane":        {slotInside, outside(aboveRow+6, 7, true)},
		"valued in the segment above":                   {slotInside, near(func(r *record.Record) { r[1] = 9000 })},
		"valued in the segment below":                   {slotInside, near(func(r *record.Record) { r[1] = 7999 })},
		"valued in another segment of the second curve": {slotInside, near(func(r *record.Record) { r[3] = 364 })},
	} {
		t.Run(name, func(t *testing.T) {
			f, rec := forged(t), forgedRecords()[c.slot]
			a := inBox(rec, c.into, p)
			f.put(c.slot, rec, a)
			refused(t, f, "checkLimbs 0")
			f.put(c.slot, rec, clipped(a))
			refused(t, f, "checkRows")
		})
	}
}

// TestChunkRefusesBadRecord puts field elements into slots that are no record
// that a device may commit to.
func TestChunkRefusesBadRecord(t *testing.T) {
	p := parameters(t, forgedStatement())
	t.Run("lane", func(t *testing.T) {
		f := forged(t)
		f.slots[slotInside].lower[4]++
		f.settle()
		refused(t, f, "checkRows")
		f = forged(t)
		f.slots[slotInside].upper[5]++
		f.settle()
		refused(t, f, "checkRows")
	})
	t.Run("presence of 2", func(t *testing.T) {
		f := forged(t)
		increase(&f.x[slotInside], 1)
		refused(t, f, "checkRows")
	})
	t.Run("presence of 2 in fractions of a limb", func(t *testing.T) {
		f := forged(t)
		increase(&f.x[slotInside], 1)
		const lane = 2
		part := scaled(1, record.LaneBits*lane)
		part.Inverse(&part)
		limbs := f.limbs[slotInside*slotLimbs:]
		limbs[atLower+laneStart(lane)].Add(&limbs[atLower+laneStart(lane)], &part)
		limbs[atUpper+laneStart(lane)].Sub(&limbs[atUpper+laneStart(lane)], &part)
		sum := &f.rows[f.slots[slotInside].row*rowSums+rowFirst]
		part = mul(part, scaled(1, statement.SumBits*(lane-1)))
		sum.Add(sum, &part)
		f.countUses()
		f.bind()
		refused(t, f, "checkLimbs 0")
	})
	t.Run("lane beyond its capacity", func(t *testing.T) {
		rec := forgedRecords()[slotInside]
		rec[2] = 1<<record.Capacity[2] + 7
		if _, err := boxOf(rec, p); err == nil {
			t.Error("the prover finds a row for it")
		}
		a := inBox(rec, box{row: aboveRow + 1, lower: [record.Lanes]uint32{2: p.Bounds.Hi[2] + 1}, upper: everything()}, p)
		t.Run("in the row above the cohort", func(t *testing.T) { badRecord(t, rec, a) })
		b := inBox(rec, boxAt(t, forgedRecords()[slotInside], p), p)
		t.Run("in the cohort", func(t *testing.T) { badRecord(t, rec, b) })
	})
	t.Run("stray bits beyond the lanes", func(t *testing.T) {
		for _, bit := range []int{record.LaneBits * record.Lanes, 252} {
			f := forged(t)
			stray := scaled(1, bit)
			f.x[slotInside].Add(&f.x[slotInside], &stray)
			refused(t, f, "checkRows")
		}
		f := forged(t)
		stray := scaled(1, record.LaneBits*record.Lanes)
		f.x[slotInside].Add(&f.x[slotInside], &stray)
		f.slots[slotInside].lower[7] += 1 << record.LaneBits
		f.slots[slotInside].upper[7] -= 1 << record.LaneBits
		f.settle()
		refused(t, f, "checkLimbs 0")
	})
}

// badRecord shows that limbs refuse a record whose advice fits its row, and the
// row a record whose advice fits limbs.
func badRecord(t *testing.T, rec record.Record, a advice) {
	t.Helper()
	f := forged(t)
	f.put(slotInside, rec, a)
	refused(t, f, "checkLimbs 0")
	f.put(slotInside, rec, clipped(a))
	refused(t, f, "checkRows")
}

func everything() (upper [record.Lanes]uint32) {
	for i := 1; i < record.Lanes; i++ {
		upper[i] = maxLane(i)
	}
	return upper
}

// TestChunkRefusesPresenceZero shows that presence 0 forces an empty record and
// that an empty record is neither in the cohort nor valued.
func TestChunkRefusesPresenceZero(t *testing.T) {
	t.Run("empty slot in the cohort", func(t *testing.T) {
		p := parameters(t, wideStatement())
		f := newForgery(t, forgedRecords(), p)
		f.put(slotAbsent, record.Record{}, inBox(record.Record{}, boxAt(t, record.Record{1}, p), p))
		refused(t, f, "checkRows")
	})
	t.Run("empty slot outside the cohort, in the population", func(t *testing.T) {
		f, p := forged(t), parameters(t, forgedStatement())
		f.put(slotAbsent, record.Record{}, inBox(record.Record{}, boxAt(t, record.Record{1}, p), p))
		refused(t, f, "checkRows")
	})
	lanes := record.Record{0, 8512, 5300, 900, 41_000, 12, 655, 1}
	t.Run("absent slot with lanes", func(t *testing.T) {
		f := forged(t)
		hidden := inBox(lanes, box{row: absentRow}, f.p)
		f.put(slotAbsent, lanes, hidden)
		refused(t, f, "checkLimbs 0")
		f.put(slotAbsent, lanes, clipped(hidden))
		refused(t, f, "checkRows")
	})
	t.Run("device that reported, as absent", func(t *testing.T) {
		f := forged(t)
		f.put(slotInside, forgedRecords()[slotInside], advice{row: absentRow})
		refused(t, f, "checkRows")
	})
	t.Run("presence 0 with lanes in the cohort", func(t *testing.T) {
		f, p := forged(t), parameters(t, forgedStatement())
		present := lanes
		present[0] = 1
		f.put(slotInside, lanes, inBox(present, boxAt(t, present, p), p))
		refused(t, f, "checkRows")
	})
}

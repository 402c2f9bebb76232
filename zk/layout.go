package zk

import (
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
)

// limbBits is the size of a range-checked limb. Every lane capacity is a
// multiple of it, so no limb needs a check of its own for a shorter width.
const (
	limbBits  = 10
	tableSize = 1 << limbBits
)

// pickLimbs range-check the offset in a curve's lane, which may be any lane.
const pickLimbs = 3

// laneLimbs counts a lane's limbs, laneStart is its first limb.
func laneLimbs(lane int) int { return int(record.Capacity[lane]) / limbBits }

func laneStart(lane int) int {
	at := 0
	for i := 1; i < lane; i++ {
		at += laneLimbs(i)
	}
	return at
}

// Limbs of one slot: offsets above the row's lower corner, distances below its
// upper corner, and the two curve lanes' offsets.
var (
	sideLimbs = laneStart(record.Lanes)
	atLower   = 0
	atUpper   = sideLimbs
	atPick    = 2 * sideLimbs
	slotLimbs = 2*sideLimbs + statement.MaxCurves*pickLimbs
)

// Rows of the cohort table: one for every pair of segments, then for each lane
// one for records above its bound and one for records below, then one for
// absent slots.
const (
	boxRows   = statement.MaxSegments * statement.MaxSegments
	aboveRow  = boxRows
	belowRow  = aboveRow + record.Lanes - 1
	absentRow = belowRow + record.Lanes - 1
	tableRows = absentRow + 1
)

// Sums that are kept for each row over the slots that use it.
const (
	rowCount   = iota // slots
	rowPick0          // Σ offset in the first curve's lane
	rowPick1          // Σ offset in the second curve's lane
	rowProduct        // Σ of their products
	rowFirst          // Σ of the other lanes' offsets, packed, lanes 1…3
	rowSecond         // the same, lanes 4…7
	rowSums
)

// maxLane is the largest value a lane's limbs can hold.
func maxLane(lane int) uint32 { return 1<<record.Capacity[lane] - 1 }

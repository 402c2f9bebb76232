package zk

import (
	"math/big"

	"github.com/consensys/gnark/frontend"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// parameterWires are the statement's parameters as the circuit uses them.
type parameterWires struct {
	base, bounds [2][record.Lanes]frontend.Variable // lower, upper
	selected     [statement.MaxCurves][record.Lanes]frontend.Variable
	weight       [statement.MaxCurves]frontend.Variable // 2^(31·lane) of each curve's lane
	segments     [statement.MaxCurves][4][]frontend.Variable
	price        frontend.Variable
}

// Columns of a segment.
const (
	segStart = iota
	segEnd
	segBase
	segSlope
)

func (b *chunkBuilder) readParameters() {
	p, v := &b.parameters, b.c.Parameters[:]
	const n = record.Lanes - 1
	for i := 1; i < record.Lanes; i++ {
		for side := range 2 {
			p.base[side][i] = v[statement.AtBase+side*n+i-1]
			p.bounds[side][i] = v[statement.AtBounds+side*n+i-1]
			p.selected[side][i] = v[statement.AtSelect+side*n+i-1]
		}
	}
	for c := range p.segments {
		for k := range p.segments[c] {
			at := statement.AtSegments + (c*4+k)*statement.MaxSegments
			p.segments[c][k] = v[at:][:statement.MaxSegments]
		}
		p.weight[c] = b.pack(p.selected[c])
	}
	p.price = v[statement.AtPrice]
}

// pack lays lanes at their places in a record.
func (b *chunkBuilder) pack(lanes [record.Lanes]frontend.Variable) frontend.Variable {
	sum := frontend.Variable(0)
	for i := 1; i < record.Lanes; i++ {
		sum = b.Add(sum, b.shift(lanes[i], record.LaneBits*i))
	}
	return sum
}

// rowKeys lists A + γB of every row of the cohort table. A box row's corners
// are those of the cohort, cut to one segment of each curve.
func (b *chunkBuilder) rowKeys() []frontend.Variable {
	p := &b.parameters
	var corner [2]frontend.Variable
	var cut [2][statement.MaxCurves][]frontend.Variable // side, curve, segment
	for side := range 2 {
		corner[side] = b.Add(1, b.pack(p.base[side]))
		for c := range cut[side] {
			for _, v := range p.segments[c][segStart+side] {
				cut[side][c] = append(cut[side][c], b.Mul(v, p.weight[c]))
			}
		}
	}
	// γ times each part of the upper corner, so that a row costs nothing.
	corner[1] = b.Mul(corner[1], b.gamma)
	for c := range cut[1] {
		for j := range cut[1][c] {
			cut[1][c][j] = b.Mul(cut[1][c][j], b.gamma)
		}
	}
	keys := make([]frontend.Variable, 0, tableRows)
	for i := range statement.MaxSegments {
		for j := range statement.MaxSegments {
			keys = append(keys, b.Add(corner[0], corner[1], cut[0][0][i], cut[0][1][j], cut[1][0][i], cut[1][1][j]))
		}
	}
	return append(keys, b.outsideKeys()...)
}

// outsideKeys lists the rows of present records outside the cohort, and the
// absent row. A record outside lies above or below the cohort in some lane:
// its box is everything a record can be, cut on one side in that lane.
func (b *chunkBuilder) outsideKeys() []frontend.Variable {
	everything := big.NewInt(1)
	for i := 1; i < record.Lanes; i++ {
		everything.Add(everything, new(big.Int).Lsh(big.NewInt(int64(maxLane(i))), uint(record.LaneBits*i)))
	}
	top := b.Mul(b.gamma, everything)
	var above, below []frontend.Variable
	for i := 1; i < record.Lanes; i++ {
		lo, hi := b.parameters.bounds[0][i], b.parameters.bounds[1][i]
		above = append(above, b.Add(1, b.shift(b.Add(hi, 1), record.LaneBits*i), top))
		lowered := b.Sub(b.Mul(lo, b.gamma), b.Mul(b.gamma, 1+int64(maxLane(i))))
		below = append(below, b.Add(1, top, b.shift(lowered, record.LaneBits*i)))
	}
	return append(append(above, below...), 0)
}

// bindTotals adds up the cohort's rows and binds the totals to the output.
func (b *chunkBuilder) bindTotals() error {
	var box [rowSums]frontend.Variable
	for k := range box {
		all := make([]frontend.Variable, boxRows)
		for r := range all {
			all[r] = b.row(r, k)
		}
		box[k] = b.sum(all)
	}
	population := b.Sub(b.n, b.row(absentRow, rowCount))
	first := b.Add(population, b.shift(box[rowCount], statement.CountBits))
	sums := b.laneSums(box)
	first = b.Add(first, b.shift(sums[0], 2*statement.CountBits))
	t, err := hiddenOutput(b.API, verify.ChunkOutput.Element(), [4]frontend.Variable{first, sums[1], b.value(), b.c.Salt})
	if err != nil {
		return err
	}
	b.AssertIsEqual(b.c.Output, t)
	return nil
}

// laneSums packs the sums of the lanes over the cohort, lanes 1…3 and 4…7: the
// box's lower bound for each counted slot, plus the offsets; in a curve's lane,
// the row's segment start for each slot of the row, plus the picked offsets.
func (b *chunkBuilder) laneSums(box [rowSums]frontend.Variable) [2]frontend.Variable {
	p := &b.parameters
	var picked [statement.MaxCurves]frontend.Variable
	for c := range picked {
		picked[c] = box[rowPick0+c]
		for j := range statement.MaxSegments {
			line := make([]frontend.Variable, statement.MaxSegments)
			for k := range line {
				line[k] = b.row(boxRow(c, j, k), rowCount)
			}
			picked[c] = b.Add(picked[c], b.Mul(b.sum(line), p.segments[c][segStart][j]))
		}
	}
	var out [2]frontend.Variable
	for h, lanes := range [2][2]int{{1, 1 + verify.FirstSums}, {1 + verify.FirstSums, record.Lanes}} {
		from, to := lanes[0], lanes[1]
		out[h] = b.Add(box[rowFirst+h], b.Mul(box[rowCount], b.packSums(p.base[0][from:to])))
		for c := range picked {
			out[h] = b.Add(out[h], b.Mul(picked[c], b.packSums(p.selected[c][from:to])))
		}
	}
	return out
}

// boxRow is the row where curve c is in its segment j and the other in k.
func boxRow(c, j, k int) int {
	if c == 0 {
		return j*statement.MaxSegments + k
	}
	return k*statement.MaxSegments + j
}

// value adds up price × (base + slope·offset) × (base′ + slope′·offset′) over
// the cohort, row by row, exactly.
func (b *chunkBuilder) value() frontend.Variable {
	p := &b.parameters
	total := frontend.Variable(0)
	for i := range statement.MaxSegments {
		constant, linear := frontend.Variable(0), frontend.Variable(0)
		for j := range statement.MaxSegments {
			r := boxRow(0, i, j)
			base, slope := p.segments[1][segBase][j], p.segments[1][segSlope][j]
			constant = b.Add(constant, b.Mul(base, b.row(r, rowCount)), b.Mul(slope, b.row(r, rowPick1)))
			linear = b.Add(linear, b.Mul(base, b.row(r, rowPick0)), b.Mul(slope, b.row(r, rowProduct)))
		}
		total = b.Add(total, b.Mul(p.segments[0][segBase][i], constant), b.Mul(p.segments[0][segSlope][i], linear))
	}
	return b.Mul(total, p.price)
}

package gbt32960

import (
	"slices"

	"github.com/assay-net/assay/datahub/health"
)

// pack is a storage system, of which a frame may bring only a run of the cells.
type pack struct {
	number           uint8
	voltage, current health.Measured
	total            int // 0: not stated
	runs             []run
}

// run is cells from a position counted from 0.
type run struct {
	first int
	cells []uint16
}

func (r run) end() int { return r.first + len(r.cells) }

// cellRange is how far from 0 a reading's cells may reach. Runs are kept as they came, so it is what came that takes room.
const cellRange = 1 << 16

func (m *moment) pack(number uint8) *pack {
	for _, p := range m.packs {
		if p.number == number {
			return p
		}
	}
	p := &pack{number: number}
	m.packs = append(m.packs, p)
	return p
}

func (m *moment) cells2016(s *CellSystem) {
	p := m.pack(s.Number)
	m.electric(p, s.VoltageMicroV(), s.DischargeMicroA())
	if len(s.Cells) == 0 {
		return
	}
	total := 0
	if s.Total < 0xFFFE {
		total = int(s.Total)
	}
	if s.First == 0 {
		m.issue("cells: counted from 0 and not from 1, left out")
		return
	}
	m.run(p, total, run{int(s.First) - 1, s.Cells})
}

func (m *moment) cells2025(u *UnitPack) {
	p := m.pack(u.Number)
	m.electric(p, u.VoltageMicroV(), u.DischargeMicroA())
	if len(u.Units) > 0 {
		m.run(p, len(u.Units), run{0, u.Units})
	}
}

func (m *moment) electric(p *pack, voltage, discharge Value) {
	if v := m.value("pack voltage", voltage); !p.voltage.Known {
		p.voltage = v
	}
	if v := charge(m.value("pack current", discharge)); !p.current.Known {
		p.current = v
	}
}

// run adds cells. What was sent before, as by a reissue, is kept.
func (m *moment) run(p *pack, total int, next run) {
	if total != 0 && p.total != 0 && total != p.total {
		m.issue("cells: the number of all cells of a pack changes within one time, the larger is taken")
	}
	p.total = max(p.total, total)
	// The runs are in order and apart from one another: only the neighbours can overlap.
	at, _ := slices.BinarySearchFunc(p.runs, next.first, func(r run, first int) int { return r.first - first })
	before, behind := at > 0 && p.runs[at-1].end() > next.first, at < len(p.runs) && p.runs[at].first < next.end()
	if !before && !behind {
		p.runs = slices.Insert(p.runs, at, next)
		return
	}
	if before || p.runs[at].first != next.first || !slices.Equal(next.cells, p.runs[at].cells) {
		m.issue("cells: sent again with other values for the same time, the first are kept")
	}
}

// whole says that every cell that the pack is stated to have was sent.
func (p *pack) whole() bool {
	at := 0
	for _, r := range p.runs {
		if r.first != at {
			return false
		}
		at = r.end()
	}
	return p.total != 0 && at == p.total
}

// incomplete says that cells are there and others are still to come.
func (m *moment) incomplete() bool {
	return slices.ContainsFunc(m.packs, func(p *pack) bool { return len(p.runs) > 0 && !p.whole() })
}

// fromCells lays the cells of all packs behind one another. A list of cells is whole or not there at all, since a position that means
// another cell from one reading to the next is worse than none.
func (m *moment) fromCells() {
	packs := slices.DeleteFunc(slices.Clone(m.packs), func(p *pack) bool { return len(p.runs) == 0 })
	if len(packs) == 0 {
		return
	}
	if m.incomplete() {
		m.issue("cells: not all that a pack is stated to have were sent for this time, left out")
		return
	}
	if !consecutive(len(packs), func(i int) uint8 { return packs[i].number }, func() {
		slices.SortFunc(packs, func(a, b *pack) int { return int(a.number) - int(b.number) })
	}) {
		m.issue("cells: the numbers of the packs have a hole, left out")
		return
	}
	var cells []uint16
	for _, p := range packs {
		for _, r := range p.runs {
			cells = append(cells, r.cells...)
		}
	}
	if len(cells) > cellRange {
		m.issue("cells: %d of them, at most %d, left out", len(cells), cellRange)
		return
	}
	r := &m.reading
	r.CellsMicroV = m.measured("cells", len(cells), func(i int) Value { return cellVoltage.of(uint32(cells[i])) })
	fill(&r.LowestCellMicroV, &r.HighestCellMicroV, r.CellsMicroV)
}

// consecutive sorts, and says that the numbers run from 0 or 1 without a hole.
func consecutive(n int, number func(int) uint8, sort func()) bool {
	sort()
	for i := range n {
		if int(number(i)) != int(number(0))+i {
			return false
		}
	}
	return number(0) <= 1
}

// measured takes over a list, with one issue for all of it.
func (m *moment) measured(what string, n int, value func(int) Value) []health.Measured {
	list := make([]health.Measured, n)
	missing := 0
	for i := range list {
		v := value(i)
		list[i] = v.Measured()
		if v.Validity != Valid {
			missing++
		}
	}
	if missing > 0 {
		m.issue("%s: %d of %d are invalid, abnormal or outside their range, left out", what, missing, n)
	}
	return list
}

// span is the lowest and highest of the values that are known.
func span(list []health.Measured) (low, high health.Measured) {
	for _, v := range list {
		if v.Known && (!low.Known || v.Value < low.Value) {
			low = v
		}
		if v.Known && (!high.Known || v.Value > high.Value) {
			high = v
		}
	}
	return low, high
}

// fill sets the extremes that no block of extremes gave.
func fill(low, high *health.Measured, list []health.Measured) {
	l, h := span(list)
	if !low.Known {
		*low = l
	}
	if !high.Known {
		*high = h
	}
}

// probes are the temperature probes of a storage system.
type probes struct {
	number uint8
	raw    []uint8
}

func (m *moment) temperatures(s *ProbeSystem) {
	if len(s.Probes) == 0 {
		return
	}
	for _, p := range m.probes {
		if p.number != s.Number {
			continue
		}
		if !slices.Equal(p.raw, s.Probes) {
			m.issue("probes: sent again with other values for the same time, the first are kept")
		}
		return
	}
	m.probes = append(m.probes, &probes{s.Number, s.Probes})
}

func (m *moment) fromProbes() {
	if len(m.probes) == 0 {
		return
	}
	whole := consecutive(len(m.probes), func(i int) uint8 { return m.probes[i].number }, func() {
		slices.SortFunc(m.probes, func(a, b *probes) int { return int(a.number) - int(b.number) })
	})
	var raw []uint8
	for _, p := range m.probes {
		raw = append(raw, p.raw...)
	}
	if !whole || len(raw) > cellRange {
		m.issue("probes: the numbers of the packs have a hole, or there are more than %d, left out", cellRange)
		return
	}
	r := &m.reading
	r.ProbesMilliC = m.measured("probes", len(raw), func(i int) Value { return temperature.of(uint32(raw[i])) })
	fill(&r.ColdestMilliC, &r.HottestMilliC, r.ProbesMilliC)
}

package gbt32960

// CellVoltages is block 08 of the edition of 2016: cells, some or all of them.
type CellVoltages struct {
	Count   Absent
	Systems []CellSystem
}

// CellSystem is a rechargeable storage system with a run of its cells. A frame holds at most 200 cells of it, by the standard.
type CellSystem struct {
	Number           uint8
	Voltage, Current uint16
	// Total is the number of cells that the system has, First the number of the first one here, counted from 1.
	Total, First uint16
	CellCount    Absent
	Cells        []uint16
}

// Type is 08 in the edition of 2016. In that of 2025 cells come in ParallelUnits.
func (*CellVoltages) Type(e Edition) byte { return e.either(0x08, 0) }

func (v *CellVoltages) code(c *coder, _ Edition) {
	list(c, "storage system", 1, 10, &v.Count, &v.Systems, func(s *CellSystem) {
		c.u8("system number", &s.Number)
		c.u16("system voltage", &s.Voltage)
		c.u16("system current", &s.Current)
		c.u16("cells in all", &s.Total)
		c.u16("first cell", &s.First)
		c.list16("cell", 1, &s.CellCount, &s.Cells)
	})
}

// VoltageMicroV is the system's voltage.
func (s *CellSystem) VoltageMicroV() Value { return packVoltage.of(uint32(s.Voltage)) }

// DischargeMicroA is the system's current with the sign of the frame: positive discharges. Its offset is 1000 A, as for the vehicle's.
func (s *CellSystem) DischargeMicroA() Value { return current2016.of(uint32(s.Current)) }

// CellMicroV is the voltage of the cell with index i in Cells.
func (s *CellSystem) CellMicroV(i int) Value { return cellVoltage.of(uint32(s.Cells[i])) }

// ParallelUnits is block 07 of the edition of 2025: the voltages of the smallest parallel units of each pack.
type ParallelUnits struct {
	Count Absent
	Packs []UnitPack
}

// UnitPack is a battery pack with all its parallel units.
type UnitPack struct {
	Number           uint8
	Voltage, Current uint16
	UnitCount        Absent
	Units            []uint16
}

// Type is 07 in the edition of 2025.
func (*ParallelUnits) Type(e Edition) byte { return e.either(0, 0x07) }

func (v *ParallelUnits) code(c *coder, _ Edition) {
	list(c, "pack", 1, 7, &v.Count, &v.Packs, func(p *UnitPack) {
		c.u8("pack number", &p.Number)
		c.u16("pack voltage", &p.Voltage)
		c.u16("pack current", &p.Current)
		c.list16("parallel unit", 2, &p.UnitCount, &p.Units)
	})
}

// VoltageMicroV is the pack's voltage.
func (p *UnitPack) VoltageMicroV() Value { return highVoltage.of(uint32(p.Voltage)) }

// DischargeMicroA is the pack's current with the sign of the frame: positive discharges.
func (p *UnitPack) DischargeMicroA() Value { return current2025.of(uint32(p.Current)) }

// UnitMicroV is the voltage of the unit with index i in Units.
func (p *UnitPack) UnitMicroV(i int) Value { return cellVoltage.of(uint32(p.Units[i])) }

// Temperatures is block 09 of the edition of 2016 and block 08 of that of 2025: the temperature probes.
type Temperatures struct {
	Count   Absent
	Systems []ProbeSystem
}

// ProbeSystem is a storage system, in the edition of 2025 a pack, with all its probes.
type ProbeSystem struct {
	Number     uint8
	ProbeCount Absent
	Probes     []uint8
}

// Type is 09 in the edition of 2016 and 08 in that of 2025.
func (*Temperatures) Type(e Edition) byte { return e.either(0x09, 0x08) }

func (t *Temperatures) code(c *coder, _ Edition) {
	list(c, "probe system", 1, 3, &t.Count, &t.Systems, func(s *ProbeSystem) {
		c.u8("system number", &s.Number)
		c.list8("probe", 2, &s.ProbeCount, &s.Probes)
	})
}

// ProbeMilliC is the temperature of the probe with index i in Probes.
func (s *ProbeSystem) ProbeMilliC(i int) Value { return temperature.of(uint32(s.Probes[i])) }

package gbt32960

// Supercapacitor is block 31 of the edition of 2025.
type Supercapacitor struct {
	Number           uint8
	Voltage, Current uint16
	CellCount        Absent
	Cells            []uint16
	ProbeCount       Absent
	Probes           []uint8
}

// Type is 31 in the edition of 2025.
func (*Supercapacitor) Type(e Edition) byte { return e.either(0, 0x31) }

func (s *Supercapacitor) code(c *coder, _ Edition) {
	c.u8("supercapacitor number", &s.Number)
	c.u16("supercapacitor voltage", &s.Voltage)
	c.u16("supercapacitor current", &s.Current)
	c.list16("supercapacitor cell", 2, &s.CellCount, &s.Cells)
	c.list8("supercapacitor probe", 2, &s.ProbeCount, &s.Probes)
}

// VoltageMicroV is the total voltage.
func (s *Supercapacitor) VoltageMicroV() Value { return highVoltage.of(uint32(s.Voltage)) }

// DischargeMicroA is the total current with the sign of the frame: positive discharges.
func (s *Supercapacitor) DischargeMicroA() Value { return current2025.of(uint32(s.Current)) }

// CellMicroV is the voltage of the cell with index i in Cells.
func (s *Supercapacitor) CellMicroV(i int) Value { return cellVoltage.of(uint32(s.Cells[i])) }

// ProbeMilliC is the temperature of the probe with index i in Probes.
func (s *Supercapacitor) ProbeMilliC(i int) Value { return temperature.of(uint32(s.Probes[i])) }

// SupercapacitorExtremes is block 32 of the edition of 2025.
type SupercapacitorExtremes struct {
	Highest, Lowest  ExtremeCell
	Hottest, Coldest ExtremeProbe
}

// ExtremeCell is a cell of a supercapacitor.
type ExtremeCell struct {
	Number        uint8
	Cell, Voltage uint16
}

// ExtremeProbe is a probe of a supercapacitor.
type ExtremeProbe struct {
	Number      uint8
	Probe       uint16
	Temperature uint8
}

// Type is 32 in the edition of 2025.
func (*SupercapacitorExtremes) Type(e Edition) byte { return e.either(0, 0x32) }

func (x *SupercapacitorExtremes) code(c *coder, _ Edition) {
	for _, v := range []*ExtremeCell{&x.Highest, &x.Lowest} {
		c.u8("extreme cell's supercapacitor", &v.Number)
		c.u16("extreme cell", &v.Cell)
		c.u16("extreme cell voltage", &v.Voltage)
	}
	for _, v := range []*ExtremeProbe{&x.Hottest, &x.Coldest} {
		c.u8("extreme probe's supercapacitor", &v.Number)
		c.u16("extreme probe", &v.Probe)
		c.u8("extreme temperature", &v.Temperature)
	}
}

// MicroV is the cell's voltage.
func (x ExtremeCell) MicroV() Value { return cellVoltage.of(uint32(x.Voltage)) }

// MilliC is the probe's temperature.
func (x ExtremeProbe) MilliC() Value { return temperature.of(uint32(x.Temperature)) }

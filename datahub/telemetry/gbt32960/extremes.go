package gbt32960

// Extremes is block 06 of the edition of 2016: the highest and lowest cell and probe, and where they are.
type Extremes struct {
	HighestSystem, HighestCell uint8
	Highest                    uint16
	LowestSystem, LowestCell   uint8
	Lowest                     uint16
	HottestSystem, HottestProbe,
	Hottest uint8
	ColdestSystem, ColdestProbe,
	Coldest uint8
}

// Type is 06 in the edition of 2016. That of 2025 has no such block: there 06 is alarms.
func (*Extremes) Type(e Edition) byte { return e.either(0x06, 0) }

func (x *Extremes) code(c *coder, _ Edition) {
	c.u8("highest cell's system", &x.HighestSystem)
	c.u8("highest cell", &x.HighestCell)
	c.u16("highest cell voltage", &x.Highest)
	c.u8("lowest cell's system", &x.LowestSystem)
	c.u8("lowest cell", &x.LowestCell)
	c.u16("lowest cell voltage", &x.Lowest)
	c.u8("hottest probe's system", &x.HottestSystem)
	c.u8("hottest probe", &x.HottestProbe)
	c.u8("hottest temperature", &x.Hottest)
	c.u8("coldest probe's system", &x.ColdestSystem)
	c.u8("coldest probe", &x.ColdestProbe)
	c.u8("coldest temperature", &x.Coldest)
}

var extremeVoltage = quantity{width: 2, high: 15_000, scale: 1000} // µV

// HighestMicroV is the highest voltage of a cell.
func (x *Extremes) HighestMicroV() Value { return extremeVoltage.of(uint32(x.Highest)) }

// LowestMicroV is the lowest voltage of a cell.
func (x *Extremes) LowestMicroV() Value { return extremeVoltage.of(uint32(x.Lowest)) }

// HottestMilliC is the highest temperature of a probe.
func (x *Extremes) HottestMilliC() Value { return temperature.of(uint32(x.Hottest)) }

// ColdestMilliC is the lowest temperature of a probe.
func (x *Extremes) ColdestMilliC() Value { return temperature.of(uint32(x.Coldest)) }

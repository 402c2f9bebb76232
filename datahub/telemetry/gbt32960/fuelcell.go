package gbt32960

// FuelCell is block 03 of the edition of 2016.
type FuelCell struct {
	Voltage, Current, Consumption uint16
	ProbeCount                    Absent
	Probes                        []uint8
	Hottest                       uint16
	HottestProbe                  uint8
	Concentration                 uint16
	ConcentrationSensor           uint8
	Pressure                      uint16
	PressureSensor                uint8
	DCDC                          uint8
}

// Type is 03 in the edition of 2016. In that of 2025 it is Hydrogen.
func (*FuelCell) Type(e Edition) byte { return e.either(0x03, 0) }

func (f *FuelCell) code(c *coder, _ Edition) {
	c.u16("fuel cell voltage", &f.Voltage)
	c.u16("fuel cell current", &f.Current)
	c.u16("fuel consumption", &f.Consumption)
	c.list8("fuel cell probe", 2, &f.ProbeCount, &f.Probes)
	c.u16("hottest hydrogen", &f.Hottest)
	c.u8("hottest hydrogen probe", &f.HottestProbe)
	c.u16("hydrogen concentration", &f.Concentration)
	c.u8("concentration sensor", &f.ConcentrationSensor)
	c.u16("hydrogen pressure", &f.Pressure)
	c.u8("pressure sensor", &f.PressureSensor)
	c.u8("fuel cell DC-DC state", &f.DCDC)
}

var (
	fuelVoltage     = quantity{width: 2, high: 20_000, scale: 100_000} // µV, and µA for currents
	consumption     = quantity{width: 2, high: 60_000, scale: 10}      // g a 100 km
	fuelProbe       = quantity{width: 1, bare: true, high: 240, scale: 1000, offset: -40_000}
	hydrogenHot2016 = quantity{width: 2, high: 2400, scale: 100, offset: -40_000} // m°C
	concentration   = quantity{width: 2, high: 60_000, scale: 1}
	pressure2016    = quantity{width: 2, bare: true, high: 1000, scale: 100_000} // Pa
)

// VoltageMicroV is the fuel cell's voltage.
func (f *FuelCell) VoltageMicroV() Value { return fuelVoltage.of(uint32(f.Voltage)) }

// CurrentMicroA is the fuel cell's current.
func (f *FuelCell) CurrentMicroA() Value { return fuelVoltage.of(uint32(f.Current)) }

// ConsumptionGrams is the consumption of fuel over 100 km.
func (f *FuelCell) ConsumptionGrams() Value { return consumption.of(uint32(f.Consumption)) }

// ProbeMilliC is the temperature of the probe with index i in Probes. It has no codes.
func (f *FuelCell) ProbeMilliC(i int) Value { return fuelProbe.of(uint32(f.Probes[i])) }

// HottestMilliC is the highest temperature in the hydrogen system.
func (f *FuelCell) HottestMilliC() Value { return hydrogenHot2016.of(uint32(f.Hottest)) }

// ConcentrationMilligrams is the highest concentration of hydrogen, in a kilogram.
func (f *FuelCell) ConcentrationMilligrams() Value { return concentration.of(uint32(f.Concentration)) }

// PressurePascal is the highest pressure of hydrogen. It has no codes.
func (f *FuelCell) PressurePascal() Value { return pressure2016.of(uint32(f.Pressure)) }

// Hydrogen is block 03 of the edition of 2025.
type Hydrogen struct {
	Hottest             uint16
	HottestProbe        uint8
	Concentration       uint16
	ConcentrationSensor uint8
	Pressure            uint16
	PressureSensor      uint8
	DCDC                uint8
	Remaining           uint8
	DCDCTemperature     uint8
}

// Type is 03 in the edition of 2025.
func (*Hydrogen) Type(e Edition) byte { return e.either(0, 0x03) }

func (h *Hydrogen) code(c *coder, _ Edition) {
	c.u16("hottest hydrogen", &h.Hottest)
	c.u8("hottest hydrogen probe", &h.HottestProbe)
	c.u16("hydrogen concentration", &h.Concentration)
	c.u8("concentration sensor", &h.ConcentrationSensor)
	c.u16("hydrogen pressure", &h.Pressure)
	c.u8("pressure sensor", &h.PressureSensor)
	c.u8("fuel cell DC-DC state", &h.DCDC)
	c.u8("remaining hydrogen", &h.Remaining)
	c.u8("DC-DC temperature", &h.DCDCTemperature)
}

var (
	hydrogenHot2025 = quantity{width: 2, high: 65_533, scale: 1000, offset: -40_000} // m°C
	ppm             = quantity{width: 2, high: 65_533, scale: 1}
	pressure2025    = quantity{width: 2, high: 65_533, scale: 100_000} // Pa
)

// HottestMilliC is the highest temperature in the hydrogen system.
func (h *Hydrogen) HottestMilliC() Value { return hydrogenHot2025.of(uint32(h.Hottest)) }

// ConcentrationPPM is the highest concentration of hydrogen.
func (h *Hydrogen) ConcentrationPPM() Value { return ppm.of(uint32(h.Concentration)) }

// PressurePascal is the highest pressure of hydrogen.
func (h *Hydrogen) PressurePascal() Value { return pressure2025.of(uint32(h.Pressure)) }

// RemainingPercent is how much hydrogen is left.
func (h *Hydrogen) RemainingPercent() Value { return percent.of(uint32(h.Remaining)) }

// DCDCMilliC is the temperature of the DC-DC converter's controller.
func (h *Hydrogen) DCDCMilliC() Value { return temperature.of(uint32(h.DCDCTemperature)) }

package gbt32960

// Vehicle is block 01: the vehicle as a whole.
type Vehicle struct {
	// State is 1 on, 2 off, 3 other. Charging is 1 parked, 2 driving, 3 none, 4 complete. Mode is 1 electric, 2 hybrid, 3 fuel.
	State, Charging, Mode uint8
	Speed                 uint16
	Odometer              uint32
	Voltage, Current      uint16
	SOC                   uint8
	// DCDC is 1 on, 2 off.
	DCDC       uint8
	Gear       Gear
	Insulation uint16
	// Accelerator and Brake exist in the edition of 2016 only.
	Accelerator, Brake uint8
}

// Type is 01.
func (*Vehicle) Type(Edition) byte { return 0x01 }

func (v *Vehicle) code(c *coder, e Edition) {
	c.u8("vehicle state", &v.State)
	c.u8("charging state", &v.Charging)
	c.u8("running mode", &v.Mode)
	c.u16("speed", &v.Speed)
	c.u32("odometer", &v.Odometer)
	c.u16("vehicle voltage", &v.Voltage)
	c.u16("vehicle current", &v.Current)
	c.u8("state of charge", &v.SOC)
	c.u8("DC-DC state", &v.DCDC)
	c.u8("gear", (*uint8)(&v.Gear))
	c.u16("insulation", &v.Insulation)
	switch {
	case e == Edition2016:
		c.u8("accelerator", &v.Accelerator)
		c.u8("brake", &v.Brake)
	case c.writing && (v.Accelerator != 0 || v.Brake != 0):
		c.fail("vehicle: %s has no pedals", e)
	}
}

var (
	speed2016      = quantity{width: 2, high: 2200, scale: 100} // m/h
	speed2025      = quantity{width: 2, high: 5000, scale: 100}
	odometer       = quantity{width: 4, high: 9_999_999, scale: 100}           // m
	insulation2016 = quantity{width: 2, bare: true, high: 60_000, scale: 1000} // Ω
	insulation2025 = quantity{width: 2, high: 60_000, scale: 1000}             // Ω
)

func vehicleVoltage(e Edition) quantity {
	if e == Edition2016 {
		return packVoltage
	}
	return highVoltage
}

func vehicleCurrent(e Edition) quantity {
	if e == Edition2016 {
		return current2016
	}
	return current2025
}

// SpeedMetresPerHour is the speed.
func (v *Vehicle) SpeedMetresPerHour(e Edition) Value {
	if e == Edition2016 {
		return speed2016.of(uint32(v.Speed))
	}
	return speed2025.of(uint32(v.Speed))
}

// OdometerMetres is the distance driven.
func (v *Vehicle) OdometerMetres() Value { return odometer.of(v.Odometer) }

// VoltageMicroV is the total voltage.
func (v *Vehicle) VoltageMicroV(e Edition) Value { return vehicleVoltage(e).of(uint32(v.Voltage)) }

// DischargeMicroA is the total current with the sign of the frame: positive discharges.
func (v *Vehicle) DischargeMicroA(e Edition) Value { return vehicleCurrent(e).of(uint32(v.Current)) }

// StateOfCharge is in 0.01 %.
func (v *Vehicle) StateOfCharge() Value { return stateOfCharge.of(uint32(v.SOC)) }

// InsulationOhm is the insulation resistance. The edition of 2016 has no codes for it.
func (v *Vehicle) InsulationOhm(e Edition) Value {
	if e == Edition2016 {
		return insulation2016.of(uint32(v.Insulation))
	}
	return insulation2025.of(uint32(v.Insulation))
}

// AcceleratorPercent is how far the pedal is down.
func (v *Vehicle) AcceleratorPercent() Value { return percent.of(uint32(v.Accelerator)) }

// BrakePercent is how far the pedal is down. Where only on and off are known, 101 stands for on: it is Outside.
func (v *Vehicle) BrakePercent() Value { return percent.of(uint32(v.Brake)) }

// Gear is the gear byte.
type Gear uint8

// Position is 0 neutral, 1 to 12 a gear, 13 reverse, 14 drive, 15 park.
func (g Gear) Position() uint8 { return uint8(g) & 0x0F }

// Braking says that braking force is there.
func (g Gear) Braking() bool { return g&0x10 != 0 }

// Driving says that driving force is there.
func (g Gear) Driving() bool { return g&0x20 != 0 }

// Valid is false where the edition of 2025 marks the gear as invalid; the bit is reserved in that of 2016.
func (g Gear) Valid(e Edition) bool { return e == Edition2016 || g&0x80 == 0 }

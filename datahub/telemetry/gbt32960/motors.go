package gbt32960

// Motors is block 02: the drive motors.
type Motors struct {
	Count  Absent
	Motors []Motor
}

// Motor is one drive motor.
type Motor struct {
	Number uint8
	// State is 1 consuming, 2 generating, 3 off, 4 ready. Motors in the field send 0, and 1 while they brake: it says nothing about
	// the sign of a current.
	State                 uint8
	ControllerTemperature uint8
	Speed                 uint16
	// Torque has two bytes in the edition of 2016.
	Torque      uint32
	Temperature uint8
	// Voltage and Current exist in the edition of 2016 only.
	Voltage, Current uint16
}

// Type is 02.
func (*Motors) Type(Edition) byte { return 0x02 }

func (m *Motors) code(c *coder, e Edition) {
	size := 10
	if e == Edition2016 {
		size = 12
	}
	list(c, "motor", 1, size, &m.Count, &m.Motors, func(m *Motor) { m.code(c, e) })
}

func (m *Motor) code(c *coder, e Edition) {
	c.u8("motor number", &m.Number)
	c.u8("motor state", &m.State)
	c.u8("motor controller temperature", &m.ControllerTemperature)
	c.u16("motor speed", &m.Speed)
	if e == Edition2016 {
		torque := uint16(m.Torque)
		if c.writing && m.Torque > 1<<16-1 {
			c.fail("motor torque: has two bytes in %s", e)
		}
		c.u16("motor torque", &torque)
		m.Torque = uint32(torque)
		c.u8("motor temperature", &m.Temperature)
		c.u16("motor voltage", &m.Voltage)
		c.u16("motor current", &m.Current)
		return
	}
	c.u32("motor torque", &m.Torque)
	c.u8("motor temperature", &m.Temperature)
	if c.writing && (m.Voltage != 0 || m.Current != 0) {
		c.fail("motor: %s has no voltage and current of it", e)
	}
}

var (
	motorSpeed2016 = quantity{width: 2, high: 65_531, scale: 1, offset: -20_000}
	motorSpeed2025 = quantity{width: 2, high: 65_531, scale: 1, offset: -32_000}
	torque2016     = quantity{width: 2, high: 65_531, scale: 100, offset: -2_000_000} // mNm
	torque2025     = quantity{width: 4, high: 400_000, scale: 100, offset: -20_000_000}
)

// ControllerMilliC is the controller's temperature.
func (m *Motor) ControllerMilliC() Value { return temperature.of(uint32(m.ControllerTemperature)) }

// SpeedRPM is the speed in revolutions a minute, negative backwards.
func (m *Motor) SpeedRPM(e Edition) Value {
	if e == Edition2016 {
		return motorSpeed2016.of(uint32(m.Speed))
	}
	return motorSpeed2025.of(uint32(m.Speed))
}

// TorqueMilliNm is the torque.
func (m *Motor) TorqueMilliNm(e Edition) Value {
	if e == Edition2016 {
		return torque2016.of(m.Torque)
	}
	return torque2025.of(m.Torque)
}

// MilliC is the motor's temperature.
func (m *Motor) MilliC() Value { return temperature.of(uint32(m.Temperature)) }

// VoltageMicroV is the voltage at the controller, in the edition of 2016.
func (m *Motor) VoltageMicroV() Value { return highVoltage.of(uint32(m.Voltage)) }

// CurrentMicroA is the direct current of the controller, in the edition of 2016.
func (m *Motor) CurrentMicroA() Value { return current2016.of(uint32(m.Current)) }

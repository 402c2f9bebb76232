package gbt32960

// Stacks is block 30 of the edition of 2025: fuel cell stacks.
type Stacks struct {
	Count  Absent
	Stacks []Stack
}

// Stack is one fuel cell stack.
type Stack struct {
	Number                        uint8
	Voltage, Current              uint16
	HydrogenPressure, AirPressure uint16
	AirTemperature                uint8
	ProbeCount                    Absent
	// Probes are at the outlet of the cooling water.
	Probes []uint8
}

// Type is 30 in the edition of 2025.
func (*Stacks) Type(e Edition) byte { return e.either(0, 0x30) }

func (s *Stacks) code(c *coder, _ Edition) {
	list(c, "stack", 1, 12, &s.Count, &s.Stacks, func(s *Stack) {
		c.u8("stack number", &s.Number)
		c.u16("stack voltage", &s.Voltage)
		c.u16("stack current", &s.Current)
		c.u16("stack hydrogen pressure", &s.HydrogenPressure)
		c.u16("stack air pressure", &s.AirPressure)
		c.u8("stack air temperature", &s.AirTemperature)
		c.list8("stack probe", 2, &s.ProbeCount, &s.Probes)
	})
}

var (
	stackElectric = quantity{width: 2, high: 65_533, scale: 100_000}             // µV and µA
	stackPressure = quantity{width: 2, high: 5000, scale: 100, offset: -100_000} // Pa
)

// VoltageMicroV is the stack's voltage.
func (s *Stack) VoltageMicroV() Value { return stackElectric.of(uint32(s.Voltage)) }

// CurrentMicroA is the stack's current.
func (s *Stack) CurrentMicroA() Value { return stackElectric.of(uint32(s.Current)) }

// HydrogenPascal is the pressure of hydrogen at the inlet, above the atmosphere's.
func (s *Stack) HydrogenPascal() Value { return stackPressure.of(uint32(s.HydrogenPressure)) }

// AirPascal is the pressure of air at the inlet, above the atmosphere's.
func (s *Stack) AirPascal() Value { return stackPressure.of(uint32(s.AirPressure)) }

// AirMilliC is the temperature of air at the inlet.
func (s *Stack) AirMilliC() Value { return temperature.of(uint32(s.AirTemperature)) }

// ProbeMilliC is the temperature of the probe with index i in Probes.
func (s *Stack) ProbeMilliC(i int) Value { return temperature.of(uint32(s.Probes[i])) }

// Engine is block 04. The edition of 2025 has kept only its speed.
type Engine struct {
	// State is 1 on, 2 off.
	State       uint8
	Speed       uint16
	Consumption uint16
}

// Type is 04.
func (*Engine) Type(Edition) byte { return 0x04 }

func (n *Engine) code(c *coder, e Edition) {
	if e == Edition2025 {
		if c.writing && (n.State != 0 || n.Consumption != 0) {
			c.fail("engine: %s has only its speed", e)
		}
		c.u16("engine speed", &n.Speed)
		return
	}
	c.u8("engine state", &n.State)
	c.u16("engine speed", &n.Speed)
	c.u16("engine consumption", &n.Consumption)
}

var (
	engineSpeed       = quantity{width: 2, high: 60_000, scale: 1}
	engineConsumption = quantity{width: 2, high: 60_000, scale: 10} // ml a 100 km
)

// SpeedRPM is the speed of the crankshaft.
func (n *Engine) SpeedRPM() Value { return engineSpeed.of(uint32(n.Speed)) }

// ConsumptionMillilitres is the consumption of fuel over 100 km, in the edition of 2016.
func (n *Engine) ConsumptionMillilitres() Value { return engineConsumption.of(uint32(n.Consumption)) }

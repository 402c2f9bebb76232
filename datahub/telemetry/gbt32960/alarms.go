package gbt32960

// Alarms is block 07 of the edition of 2016 and block 06 of that of 2025.
type Alarms struct {
	// Level is the highest level there is: 0 none, up to 3, or 4 for a thermal event in the edition of 2025.
	Level uint8
	Flags AlarmFlags
	// The lists hold fault codes of the makers'.
	Battery, Motor, Engine, Other Faults
	// Levels are the levels of single flags, in the edition of 2025 only.
	LevelCount Absent
	Levels     []AlarmLevel
}

// Faults is a list of a maker's fault codes.
type Faults struct {
	Count Absent
	Codes []uint32
}

// AlarmLevel is the level of the alarm whose flag has a number.
type AlarmLevel struct{ Flag, Level uint8 }

// AlarmFlags has a bit for each alarm.
type AlarmFlags uint32

// The flags. Those from MotorTooFast exist in the edition of 2025 only.
const (
	TemperatureSpread AlarmFlags = 1 << iota
	BatteryHot
	PackOverVoltage
	PackUnderVoltage
	ChargeLow
	CellOverVoltage
	CellUnderVoltage
	ChargeHigh
	ChargeJump
	PackMismatched
	CellSpread
	InsulationFault
	DCDCHot
	BrakeFault
	DCDCFault
	MotorControllerHot
	InterlockOpen
	MotorHot
	Overcharge
	MotorTooFast
	MotorOverCurrent
	SupercapacitorHot
	SupercapacitorOverVoltage
	ThermalEvent
	HydrogenLeak
	HydrogenPressure
	HydrogenTemperature
	StackHot
)

// definedFlags are the flags that an edition has.
func definedFlags(e Edition) AlarmFlags {
	if e == Edition2016 {
		return Overcharge<<1 - 1
	}
	return StackHot<<1 - 1
}

// Type is 07 in the edition of 2016 and 06 in that of 2025.
func (*Alarms) Type(e Edition) byte { return e.either(0x07, 0x06) }

func (a *Alarms) code(c *coder, e Edition) {
	c.u8("alarm level", &a.Level)
	c.u32("alarm flags", (*uint32)(&a.Flags))
	c.list32("battery fault", &a.Battery.Count, &a.Battery.Codes)
	c.list32("motor fault", &a.Motor.Count, &a.Motor.Codes)
	c.list32("engine fault", &a.Engine.Count, &a.Engine.Codes)
	c.list32("other fault", &a.Other.Count, &a.Other.Codes)
	if e == Edition2016 {
		if c.writing && (len(a.Levels) > 0 || a.LevelCount != Present) {
			c.fail("alarms: %s has no levels of single flags", e)
		}
		return
	}
	list(c, "alarm level", 1, 2, &a.LevelCount, &a.Levels, func(l *AlarmLevel) {
		c.u8("alarm number", &l.Flag)
		c.u8("alarm level", &l.Level)
	})
}

// HighestLevel is the level as a value.
func (a *Alarms) HighestLevel(e Edition) Value {
	q := quantity{width: 1, high: 4, scale: 1}
	if e == Edition2016 {
		q.high = 3
	}
	return q.of(uint32(a.Level))
}

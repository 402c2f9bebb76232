package telemetry

import "github.com/assay-net/assay/datahub/health"

// Reading is one moment of a battery, whichever format it came in.
type Reading struct {
	// TimeMicros is Unix time in µs, UTC, by the device's clock.
	TimeMicros int64
	// VoltageMicroV is the voltage of the battery, CurrentMicroA its current: positive charges, negative discharges.
	VoltageMicroV, CurrentMicroA health.Measured
	// StateOfCharge is in 0.01 %.
	StateOfCharge health.Measured
	// HottestMilliC and ColdestMilliC are the extremes over the temperature probes, in m°C.
	HottestMilliC, ColdestMilliC health.Measured
	// LowestCellMicroV and HighestCellMicroV are the extremes over the cells.
	LowestCellMicroV, HighestCellMicroV health.Measured
	// CellsMicroV are single cells by their position from 0, and ProbesMilliC temperature probes; nil where not sent.
	CellsMicroV, ProbesMilliC []health.Measured
	// OdometerMetres is the vehicle's odometer.
	OdometerMetres health.Measured
	// AlarmLevel is 0 for none, up to 4; AlarmFlags are the bits of GB/T 32960.3 in the edition of 2016, those from 19 in the edition of 2025.
	AlarmLevel uint8
	AlarmFlags uint32
}

// Metering is what a charging pile's meter says at one moment.
type Metering struct {
	// TimeMicros is Unix time in µs, UTC, by the pile's clock.
	TimeMicros int64
	// Meter names the meter, Transaction the charging session; empty outside one.
	Meter, Transaction string
	// Event says where in a session this is.
	Event Event
	// ImportMilliWh is the register of energy delivered to vehicles, in mWh. It may be reset.
	ImportMilliWh health.Measured
	// PowerMilliW is the power delivered, in mW.
	PowerMilliW health.Measured
	// RevenueCents is what a session was billed, in 0.01 of the currency's unit, known at its end if at all.
	RevenueCents health.Measured
	// StateOfCharge is the vehicle's, in 0.01 %.
	StateOfCharge health.Measured
	// Fault says that the pile reports one now; Signed that a meter's own signature over the register was verified.
	Fault, Signed bool
}

// Event is where in a charging session a metering was taken.
type Event uint8

// The events.
const (
	Periodic Event = iota
	Begin
	End
	Exception
	Idle // no session: a pile that can charge
	Down // a pile that cannot charge
)

// Decoded is what one upload says.
type Decoded struct {
	Readings  []Reading
	Meterings []Metering
	// Issues say what of the upload was left out, and why, for the owner to read.
	Issues []string
}

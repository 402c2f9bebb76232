package health

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// ChargerFormulas is the version of the formulas for charging piles.
const ChargerFormulas = "charger/v1"

// ChargerReading is what a meter of a charging pile says at one moment.
type ChargerReading struct {
	// Line identifies the reading in issues.
	Line int
	// TimeMicros is Unix time in µs.
	TimeMicros int64
	// Meter names the meter that the register belongs to, Transaction the charging session; empty outside one.
	Meter, Transaction string
	Event              ChargerEvent
	// ImportMilliWh is the register of energy delivered to vehicles, in mWh.
	ImportMilliWh Measured
	// PowerMilliW is the power delivered, in mW.
	PowerMilliW Measured
	// RevenueCents is what the whole session was billed, in 0.01 of the currency's unit.
	RevenueCents Measured
	// Fault says that the pile reports a fault, Down that it cannot charge.
	Fault, Down bool
}

// ChargerEvent is where in a session a reading was taken.
type ChargerEvent uint8

// The events.
const (
	Sampled            ChargerEvent = iota // at any time, within a session or not
	SessionBegun                           // the first reading of a session
	SessionEnded                           // its last
	RegisterUnreliable                     // the meter says that energy is not to be relied on from here
)

// Charger is what has to be known about a charging pile to judge its readings. Zero fields take their defaults.
type Charger struct {
	// MaxPowerMilliW bounds a believable power, of the pile as of each meter, in mW. Default 1 MW, at most 10 MW.
	MaxPowerMilliW int64
	// MaxGapMicros is the longest time between two readings over which a pile that could charge counts as able to, in µs. Default 30
	// minutes, which is one lost reading of a pile that sends one every quarter of an hour; at most a day.
	MaxGapMicros int64
}

const (
	maxPowerMilliW = 10_000_000_000
	maxMilliWh     = 1_000_000_000_000_000
	maxCents       = 1_000_000_000
	maxName        = 256
	// slackMilliWh is what a register may rise by at any moment: meters count in steps of up to 1 kWh.
	slackMilliWh = 1_000_000
	hourMicros   = 3_600_000_000
)

func (c Charger) withDefaults() Charger {
	if c.MaxPowerMilliW == 0 {
		c.MaxPowerMilliW = 1_000_000_000
	}
	if c.MaxGapMicros == 0 {
		c.MaxGapMicros = 1_800_000_000
	}
	return c
}

// Check says what is wrong with the figures of a pile, after defaults.
func (c Charger) Check() error {
	c = c.withDefaults()
	switch {
	case c.MaxPowerMilliW < 0 || c.MaxPowerMilliW > maxPowerMilliW:
		return fmt.Errorf("highest believable power %s W: must be above 0 and at most %s W",
			formatDecimal(c.MaxPowerMilliW, 3), formatDecimal(maxPowerMilliW, 3))
	case c.MaxGapMicros < 0 || c.MaxGapMicros > dayMicros:
		return fmt.Errorf("longest gap %s s: must be above 0 and at most a day", formatMicro(c.MaxGapMicros))
	}
	return nil
}

func (c *Charger) figures() []int64 { return []int64{1, c.MaxPowerMilliW, c.MaxGapMicros} }

// nameMark stands for the name of a meter or a session: the first eight bytes of its SHA-256 behind a tag. A pile whose names fall together
// spoils its own record only.
func nameMark(tag byte, name string) uint64 {
	var room [maxName + 16]byte
	sum := sha256.Sum256(append(append(room[:0], tag), name...))
	return binary.BigEndian.Uint64(sum[:8])
}

// sessionMark is the mark of the session that a reading belongs to. One that ends without a name is known by its meter and time.
func (r *ChargerReading) sessionMark() uint64 {
	if r.Transaction != "" {
		return nameMark('t', r.Transaction)
	}
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(r.TimeMicros))
	return nameMark('u', string(at[:])+r.Meter)
}

// plausible drops values that cannot be: the reading if it cannot do without, else the value.
func (a *ChargerAccumulator) plausible(r *ChargerReading) bool {
	time := quantity{"time", "s", 6, 0, maxTestMicros}
	if issue, bad := time.outside(r.Line, r.TimeMicros, rowLeftOut); bad {
		a.say(issue)
		return false
	}
	if n := max(len(r.Meter), len(r.Transaction)); n > maxName {
		a.say(Issue{r.Line, "", Excluded, BadName, fmt.Sprintf("a name of %d bytes, at most %d", n, maxName), rowLeftOut})
		return false
	}
	for _, v := range [...]struct {
		quantity
		value *Measured
	}{
		{quantity{"import_register", "Wh", 3, 0, maxMilliWh}, &r.ImportMilliWh},
		{quantity{"power", "W", 3, 0, a.charger.MaxPowerMilliW}, &r.PowerMilliW},
		{quantity{"revenue", "currency", 2, 0, maxCents}, &r.RevenueCents},
	} {
		if !v.value.Known {
			v.value.Value = 0
		} else if issue, bad := v.outside(r.Line, v.value.Value, valueLeftOut); bad {
			a.say(issue)
			*v.value = Measured{}
		}
	}
	return true
}

func (a *ChargerAccumulator) say(i Issue) {
	if a.report != nil {
		a.report(i)
	}
}

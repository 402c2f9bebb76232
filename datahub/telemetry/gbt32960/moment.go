package gbt32960

import (
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

// moment gathers what the reports of one time say, in one frame or in several.
type moment struct {
	time     Time
	reading  telemetry.Reading
	any      bool // something in it concerns a battery
	whole    *Vehicle
	extremes *Extremes
	packs    []*pack
	probes   []*probes
	issues   []string
}

// issue notes what was left out, once. Issues name no values.
func (m *moment) issue(format string, a ...any) {
	if s := fmt.Sprintf(format, a...); !slices.Contains(m.issues, s) {
		m.issues = append(m.issues, s)
	}
}

// value takes over a value, and says so where the vehicle's own sensor is at fault or the value cannot be.
func (m *moment) value(what string, v Value) health.Measured {
	if v.Validity == Abnormal || v.Validity == Outside {
		m.issue("%s: %s, left out", what, v.Validity)
	}
	return v.Measured()
}

// charge turns the sign round: in readings positive charges.
func charge(v health.Measured) health.Measured {
	v.Value = -v.Value
	return v
}

func (m *moment) add(e Edition, r *Report) {
	trusted := r.trusted()
	for _, b := range r.Blocks[:trusted] {
		m.block(e, b)
	}
	if n := len(r.Blocks) - trusted; n > 0 {
		m.issue("%d blocks from a private block on are left out: the report does not come to its end, so the private block may lack its length", n)
	}
	if len(r.Rest) > 0 {
		m.issue("%d bytes at the end of the report were not read: %s", len(r.Rest), r.Unread)
	}
}

func (m *moment) block(e Edition, b Block) {
	switch b := b.(type) {
	case *Vehicle:
		m.vehicle(e, b)
	case *Extremes:
		m.extreme(b)
	case *Alarms:
		m.alarms(e, b)
	case *CellVoltages:
		for i := range b.Systems {
			m.cells2016(&b.Systems[i])
		}
	case *ParallelUnits:
		for i := range b.Packs {
			m.cells2025(&b.Packs[i])
		}
	case *Temperatures:
		for i := range b.Systems {
			m.temperatures(&b.Systems[i])
		}
	default:
		return
	}
	m.any = true
}

func (m *moment) vehicle(e Edition, v *Vehicle) {
	if m.whole != nil {
		if *m.whole != *v {
			m.issue("vehicle: sent again with other values for the same time, the first is kept")
		}
		return
	}
	m.whole = v
	r := &m.reading
	r.VoltageMicroV = m.value("vehicle voltage", v.VoltageMicroV(e))
	r.CurrentMicroA = charge(m.value("vehicle current", v.DischargeMicroA(e)))
	r.StateOfCharge = m.value("state of charge", v.StateOfCharge())
	r.OdometerMetres = m.value("odometer", v.OdometerMetres())
}

func (m *moment) extreme(x *Extremes) {
	if m.extremes != nil {
		if *m.extremes != *x {
			m.issue("extremes: sent again with other values for the same time, the first are kept")
		}
		return
	}
	m.extremes = x
	r := &m.reading
	r.HighestCellMicroV = m.value("highest cell", x.HighestMicroV())
	r.LowestCellMicroV = m.value("lowest cell", x.LowestMicroV())
	r.HottestMilliC = m.value("hottest probe", x.HottestMilliC())
	r.ColdestMilliC = m.value("coldest probe", x.ColdestMilliC())
}

// alarms of one time add up.
func (m *moment) alarms(e Edition, a *Alarms) {
	if v := a.HighestLevel(e); v.Validity == Valid {
		m.reading.AlarmLevel = max(m.reading.AlarmLevel, uint8(v.Amount))
	} else {
		m.issue("alarm level: %s, left out", v.Validity)
	}
	flags := a.Flags & definedFlags(e)
	switch {
	case a.Flags == ^AlarmFlags(0):
		// The flags have no code for invalid. All of them at once, and all reserved ones, are no alarm of anything.
		m.issue("alarm flags: all bits are set, left out")
		flags = 0
	case flags != a.Flags:
		m.issue("alarm flags: bits that %s reserves are set, left out", e)
	}
	m.reading.AlarmFlags |= uint32(flags)
}

// finish is the reading, and false if nothing in it concerns a battery.
func (m *moment) finish() (telemetry.Reading, bool) {
	at, err := m.time.UTC()
	if err != nil || !m.any { // the time was checked before
		return telemetry.Reading{}, false
	}
	m.reading.TimeMicros = at.UnixMicro()
	m.wholeBattery()
	m.fromCells()
	m.fromProbes()
	return m.reading, true
}

// wholeBattery falls back on the pack where the vehicle's own total is missing, or 0 beside a live pack. It does so for one pack only:
// whether several are in series or in parallel is not said.
func (m *moment) wholeBattery() {
	r := &m.reading
	lost := r.VoltageMicroV.Known && r.VoltageMicroV.Value == 0 && m.live()
	if lost {
		r.VoltageMicroV = health.Measured{}
		m.issue("vehicle voltage: 0 beside a live pack, left out")
	}
	if len(m.packs) != 1 {
		return
	}
	for _, f := range []struct {
		what  string
		whole *health.Measured
		pack  health.Measured
	}{
		{"voltage", &r.VoltageMicroV, m.packs[0].voltage},
		{"current", &r.CurrentMicroA, m.packs[0].current},
	} {
		if f.whole.Known || !f.pack.Known {
			continue
		}
		*f.whole = f.pack
		if m.whole != nil {
			m.issue("vehicle %s: not there, the pack's is taken", f.what)
		}
	}
}

func (m *moment) live() bool {
	return slices.ContainsFunc(m.packs, func(p *pack) bool { return p.voltage.Known && p.voltage.Value > 0 })
}

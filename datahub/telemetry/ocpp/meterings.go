package ocpp

import (
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/ocmf"
)

const maxIssues = 64

// Meterings parses one message and decodes it without knowledge of any other. A Station knows more.
func Meterings(b []byte, o Options) ([]telemetry.Metering, []string, error) {
	return NewStation(o).Meterings(b)
}

// conversion is a message on its way to meterings.
type conversion struct {
	options            Options
	meter, transaction string // meter is "" if the EVSE is not known
	meterings          []telemetry.Metering
	records            []*ocmf.Record // those that verified
	signatures         int
	issues             []string
}

func (c *conversion) issue(at, what string) {
	text := what
	if at != "" {
		text = at + ": " + what
	}
	if len(c.issues) < maxIssues && !slices.Contains(c.issues, text) {
		c.issues = append(c.issues, text)
	}
}

func (c *conversion) event(e *TransactionEvent) {
	c.values(e.MeterValues)
	c.end(e.EventType == Started, telemetry.Begin, e)
	c.end(e.EventType == Ended, telemetry.End, e)
	if e.TriggerReason != AbnormalCondition && !slices.Contains(faultReasons, e.Info.StoppedReason) {
		return
	}
	if len(c.meterings) == 0 {
		c.add(telemetry.Metering{TimeMicros: e.Timestamp.UnixMicro()})
	}
	c.meterings[len(c.meterings)-1].Fault = true
}

// end adds the session's begin or end where no value carries it.
func (c *conversion) end(is bool, event telemetry.Event, e *TransactionEvent) {
	if !is || slices.ContainsFunc(c.meterings, func(m telemetry.Metering) bool { return m.Event == event }) {
		return
	}
	c.add(telemetry.Metering{TimeMicros: e.Timestamp.UnixMicro(), Event: event})
	if last := len(c.meterings) - 1; event == telemetry.Begin { // before what was sampled at the same moment
		c.meterings = slices.Insert(c.meterings[:last], 0, c.meterings[last])
	}
}

func (c *conversion) add(m telemetry.Metering) {
	m.Meter, m.Transaction = c.meter, c.transaction
	c.meterings = append(c.meterings, m)
}

func (c *conversion) values(values []MeterValue) {
	for i := range values {
		c.value(fmt.Sprintf("meterValue[%d].", i), &values[i])
	}
}

// value decodes what was sampled at one moment: a metering for each place in the session that the samples name.
func (c *conversion) value(at string, v *MeterValue) {
	first := len(c.meterings)
	plain := map[telemetry.Event]*telemetry.Metering{}
	for j := range v.Samples {
		s := &v.Samples[j]
		at := fmt.Sprintf("%ssampledValue[%d]", at, j)
		event := s.event()
		if plain[event] == nil {
			plain[event] = &telemetry.Metering{TimeMicros: v.Timestamp.UnixMicro(), Event: event}
		}
		c.sample(at, s, plain[event])
	}
	signed := c.meterings[first:]
	for _, event := range []telemetry.Event{telemetry.Begin, telemetry.Periodic, telemetry.End} {
		m := plain[event]
		if m == nil {
			continue
		}
		if event != telemetry.Periodic && slices.ContainsFunc(signed, func(m telemetry.Metering) bool { return m.Event == event }) {
			m.Event = telemetry.Periodic // the signed reading is the session's begin or end, this is what was sampled beside it
		}
		if m.Event != telemetry.Periodic || m.ImportMilliWh.Known || m.PowerMilliW.Known || m.StateOfCharge.Known {
			c.add(*m)
		}
	}
}

func (s *Sample) event() telemetry.Event {
	switch s.Context {
	case TransactionBegin:
		return telemetry.Begin
	case TransactionEnd:
		return telemetry.End
	}
	return telemetry.Periodic
}

// sample puts a sampled value into its place in m.
func (c *conversion) sample(at string, s *Sample, m *telemetry.Metering) {
	switch s.Measurand {
	case "", EnergyImport:
		if s.Signed != nil && c.signed(at, s) || !c.overall(at, s) {
			return
		}
		if c.meter == "" {
			c.issue(at, "the EVSE is not known, so the register is left out")
			return
		}
		m.ImportMilliWh = c.quantity(at, s, map[string]int{"": 3, "Wh": 3, "kWh": 6})
	case PowerImport:
		if c.overall(at, s) {
			m.PowerMilliW = c.quantity(at, s, map[string]int{"": 3, "W": 3, "kW": 6})
		}
	case StateOfCharge:
		m.StateOfCharge = c.quantity(at, s, map[string]int{"": 2, "Percent": 2, "%": 2})
		if m.StateOfCharge.Value > 10000 {
			c.issue(at, "a state of charge above 100 % is left out")
			m.StateOfCharge = health.Measured{}
		}
	}
}

// overall says whether a value is of all phases together, at the side of the vehicle.
func (c *conversion) overall(at string, s *Sample) bool {
	switch {
	case s.Phase != "":
		c.issue(at, "a value of one phase is left out")
	case s.Location != "" && s.Location != "Outlet" && s.Location != "Cable":
		c.issue(at, "a value that is not measured at the outlet or the cable is left out")
	default:
		return true
	}
	return false
}

// quantity is the value in the model's unit. places says for each unit the power of ten to it; units that it does not have are
// another quantity's.
func (c *conversion) quantity(at string, s *Sample, places map[string]int) health.Measured {
	unit := Unit{}
	if s.Unit != nil {
		unit = *s.Unit
	}
	shift, ok := places[unit.Unit]
	if !ok {
		c.issue(at, "the unit is not the measurand's, the value is left out")
		return health.Measured{}
	}
	if unit.Multiplier < -30 || unit.Multiplier > 30 {
		c.issue(at, "a multiplier beyond ±30: the value is left out")
		return health.Measured{}
	}
	v, err := s.Value.Exact(shift + int(unit.Multiplier))
	if errors.Is(err, ocmf.ErrInexact) {
		if s.Measurand == "" || s.Measurand == EnergyImport {
			c.issue("", "registers finer than 1 mWh are rounded")
		}
		v, err = s.Value.Rounded(shift + int(unit.Multiplier))
	}
	switch {
	case err != nil:
		c.issue(at, "the value is too large and left out")
		return health.Measured{}
	case v < 0:
		c.issue(at, "the value is negative and left out")
		return health.Measured{}
	}
	return health.Known(v)
}

// signed puts the readings of a signed value in place of the unsigned one. It says whether the unsigned value has no say any more.
func (c *conversion) signed(at string, s *Sample) bool {
	if c.signatures++; c.signatures > MaxSigned {
		c.issue(at, fmt.Sprintf("more than %d signed values, the value is left out", MaxSigned))
		return true
	}
	r, err := s.Signed.record()
	if err != nil {
		c.issue(at, "signed value cannot be read, the unsigned one is taken: "+err.Error())
		return false
	}
	issue, verified := c.options.verify(s.Signed, r)
	if issue != "" {
		c.issue(at, issue)
	}
	if errors.Is(verified, ocmf.ErrSignature) {
		c.issue(at, "signature is not valid, the value is left out, signed and unsigned")
		return true
	}
	if verified != nil {
		c.issue(at, "not signed by a known meter: "+verified.Error())
	} else {
		c.records = append(c.records, r)
	}
	if c.meter == "" {
		c.issue(at, "the EVSE is not known, so the register is left out")
		return true
	}
	readings, issues := r.Meterings(verified == nil)
	for _, i := range issues {
		c.issue(at, i)
	}
	c.compare(at, s, readings)
	for _, m := range readings {
		c.meterings = append(c.meterings, m)
		last := &c.meterings[len(c.meterings)-1]
		last.Meter, last.Transaction = c.meter, c.transaction
	}
	return true
}

// compare reports an unsigned value that is none of those that the meter signed. Some stations send 0 beside a signed value.
func (c *conversion) compare(at string, s *Sample, readings []telemetry.Metering) {
	unsigned := c.quantity(at, s, map[string]int{"": 3, "Wh": 3, "kWh": 6})
	if !unsigned.Known || unsigned.Value == 0 {
		return
	}
	for _, m := range readings {
		if m.ImportMilliWh == unsigned {
			return
		}
	}
	c.issue(at, "the unsigned value is not the signed one, which is taken")
}

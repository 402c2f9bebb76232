package gbt32960

import (
	"fmt"
	"slices"
	"time"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

// cellsInFrame is how many cells of a system a frame of the edition of 2016 may hold.
const cellsInFrame = 200

// Reports says a reading in the units of the protocol, each value rounded to the nearest step: one report, or in the edition of 2016
// several of the same time if there are over 200 cells. All cells and probes are those of one pack with number 1. What a reading does not
// hold is sent as invalid; callers may set it in the blocks, and sign the reports, before they make frames of them with NewFrame.
//
// A value that the edition cannot say is an error. That of 2025 has no block for extremes: those of a reading have to be those of its lists.
func Reports(e Edition, r telemetry.Reading) ([]*Report, error) {
	if !e.known() {
		return nil, fmt.Errorf("reports: edition %02X is not known", uint8(e))
	}
	at, err := NewTime(time.UnixMicro(r.TimeMicros))
	if err != nil {
		return nil, fmt.Errorf("reports: %w", err)
	}
	b := builder{edition: e, reading: r, report: &Report{Time: at}}
	b.vehicle()
	b.extremes()
	b.alarms()
	b.probes()
	reports := b.cells()
	if b.err != nil {
		return nil, fmt.Errorf("reports: %w", b.err)
	}
	return reports, nil
}

type builder struct {
	edition Edition
	reading telemetry.Reading
	report  *Report
	err     error
}

func (b *builder) put(block Block) { b.report.Blocks = append(b.report.Blocks, block) }

func (b *builder) raw(what string, q quantity, m health.Measured) uint32 {
	v, err := q.raw(what, m)
	if err != nil && b.err == nil {
		b.err = err
	}
	return v
}

func (b *builder) vehicle() {
	r := b.reading
	v := &Vehicle{
		State: 0xFF, Charging: 0xFF, Mode: 0xFF, Speed: 0xFFFF, DCDC: 0xFF, Insulation: 0xFFFF,
		Odometer: b.raw("odometer", odometer, r.OdometerMetres),
		Voltage:  uint16(b.raw("voltage", vehicleVoltage(b.edition), r.VoltageMicroV)),
		Current:  uint16(b.raw("current", vehicleCurrent(b.edition), charge(r.CurrentMicroA))),
		SOC:      uint8(b.raw("state of charge", stateOfCharge, r.StateOfCharge)),
	}
	if b.edition == Edition2016 {
		v.Accelerator, v.Brake = 0xFF, 0xFF
	} else {
		v.Gear = 0x80 // invalid
	}
	b.put(v)
}

func (b *builder) extremes() {
	r := b.reading
	if b.edition == Edition2025 {
		b.implied("cell", cellVoltage, r.CellsMicroV, r.LowestCellMicroV, r.HighestCellMicroV)
		b.implied("probe", temperature, r.ProbesMilliC, r.ColdestMilliC, r.HottestMilliC)
		return
	}
	x := &Extremes{
		Highest: uint16(b.raw("highest cell", extremeVoltage, r.HighestCellMicroV)),
		Lowest:  uint16(b.raw("lowest cell", extremeVoltage, r.LowestCellMicroV)),
		Hottest: uint8(b.raw("hottest probe", temperature, r.HottestMilliC)),
		Coldest: uint8(b.raw("coldest probe", temperature, r.ColdestMilliC)),
	}
	x.HighestSystem, x.HighestCell = where(r.CellsMicroV, r.HighestCellMicroV)
	x.LowestSystem, x.LowestCell = where(r.CellsMicroV, r.LowestCellMicroV)
	x.HottestSystem, x.HottestProbe = where(r.ProbesMilliC, r.HottestMilliC)
	x.ColdestSystem, x.ColdestProbe = where(r.ProbesMilliC, r.ColdestMilliC)
	b.put(x)
}

// where is the system and number of the first value of a list, or invalid where the list or the byte does not reach it.
func where(list []health.Measured, m health.Measured) (system, number uint8) {
	if i := slices.Index(list, m); m.Known && i >= 0 && i < 250 {
		return 1, uint8(i + 1)
	}
	return 0xFF, 0xFF
}

// implied refuses extremes that the lists do not say.
func (b *builder) implied(what string, q quantity, list []health.Measured, low, high health.Measured) {
	l, h := span(list)
	differs := func(m, of health.Measured) bool {
		return m.Known && (!of.Known || b.raw(what, q, m) != b.raw(what, q, of))
	}
	if b.err == nil && (differs(low, l) || differs(high, h)) {
		b.err = fmt.Errorf("%s extremes: are not those of the list, and %s has no block for them", what, b.edition)
	}
}

func (b *builder) alarms() {
	a := &Alarms{Level: b.reading.AlarmLevel, Flags: AlarmFlags(b.reading.AlarmFlags)}
	if b.err == nil && (a.HighestLevel(b.edition).Validity != Valid || a.Flags&^definedFlags(b.edition) != 0) {
		b.err = fmt.Errorf("alarms: level or flags that %s does not have", b.edition)
	}
	b.put(a)
}

func (b *builder) probes() {
	list := b.reading.ProbesMilliC
	if len(list) == 0 {
		return
	}
	s := ProbeSystem{Number: 1}
	for _, m := range list {
		s.Probes = append(s.Probes, uint8(b.raw("probe", temperature, m)))
	}
	b.put(&Temperatures{Systems: []ProbeSystem{s}})
}

// cells adds the cells, and further reports where one does not hold them.
func (b *builder) cells() []*Report {
	list := b.reading.CellsMicroV
	if len(list) == 0 {
		return []*Report{b.report}
	}
	raw := make([]uint16, len(list))
	for i, m := range list {
		raw[i] = uint16(b.raw("cell", cellVoltage, m))
	}
	voltage, current := vehicleVoltage(b.edition), vehicleCurrent(b.edition)
	v, c := uint16(b.raw("voltage", voltage, b.reading.VoltageMicroV)), uint16(b.raw("current", current, charge(b.reading.CurrentMicroA)))
	if b.edition == Edition2025 {
		b.put(&ParallelUnits{Packs: []UnitPack{{Number: 1, Voltage: v, Current: c, Units: raw}}})
		return []*Report{b.report}
	}
	if b.err == nil && len(raw) > 0xFFFD {
		b.err = fmt.Errorf("cells: has %d, at most %d", len(raw), 0xFFFD)
	}
	reports := []*Report{b.report}
	for at := 0; at < len(raw); at += cellsInFrame {
		if at > 0 {
			reports = append(reports, &Report{Time: b.report.Time})
		}
		last := reports[len(reports)-1]
		last.Blocks = append(last.Blocks, &CellVoltages{Systems: []CellSystem{{
			Number: 1, Voltage: v, Current: c, Total: uint16(len(raw)), First: uint16(at + 1),
			Cells: raw[at:min(at+cellsInFrame, len(raw))],
		}}})
	}
	return reports
}

package gbt32960

import (
	"reflect"
	"strings"
	"testing"
)

// report reads a report of these blocks and demands that it is written the same.
func report(t testing.TB, e Edition, blocks ...string) *Report {
	t.Helper()
	return roundTrip(t, plain(t, e, RealTime, timeHex+strings.Join(blocks, ""))).(*Report)
}

// Every block of both editions, with the number of bytes that the standard gives it.
func TestBlocks(t *testing.T) {
	for _, c := range []struct {
		name    string
		edition Edition
		hex     string
		want    Block
	}{
		{"vehicle of 2016", Edition2016, "01 010301 0177 00069D08 187C 2285 3C 01 1E 1964 00 0D",
			&Vehicle{State: 1, Charging: 3, Mode: 1, Speed: 375, Odometer: 433416, Voltage: 6268, Current: 8837, SOC: 60, DCDC: 1, Gear: 0x1E, Insulation: 6500, Brake: 13}},
		{"vehicle of 2025", Edition2025, "01 010301 0177 00069D08 187C 2285 3C 01 9E 1964",
			&Vehicle{State: 1, Charging: 3, Mode: 1, Speed: 375, Odometer: 433416, Voltage: 6268, Current: 8837, SOC: 60, DCDC: 1, Gear: 0x9E, Insulation: 6500}},
		{"motor of 2016", Edition2016, "02 01 02 01 4B 639C 0C34 6D 187C 2710",
			&Motors{Motors: []Motor{{Number: 2, State: 1, ControllerTemperature: 75, Speed: 25500, Torque: 3124, Temperature: 109, Voltage: 6268, Current: 10000}}}},
		{"motor of 2025", Edition2025, "02 01 02 01 4B 639C 00030D40 6D",
			&Motors{Motors: []Motor{{Number: 2, State: 1, ControllerTemperature: 75, Speed: 25500, Torque: 200000, Temperature: 109}}}},
		{"fuel cell", Edition2016, "03 0001 0002 0003 0002 2829 0190 04 0005 06 0007 08 01",
			&FuelCell{Voltage: 1, Current: 2, Consumption: 3, Probes: []uint8{40, 41}, Hottest: 400, HottestProbe: 4, Concentration: 5, ConcentrationSensor: 6, Pressure: 7, PressureSensor: 8, DCDC: 1}},
		{"hydrogen", Edition2025, "03 0041 04 0005 06 0007 08 01 32 3C",
			&Hydrogen{Hottest: 65, HottestProbe: 4, Concentration: 5, ConcentrationSensor: 6, Pressure: 7, PressureSensor: 8, DCDC: 1, Remaining: 50, DCDCTemperature: 60}},
		{"engine of 2016", Edition2016, "04 01 07D0 0258", &Engine{State: 1, Speed: 2000, Consumption: 600}},
		{"engine of 2025", Edition2025, "04 07D0", &Engine{Speed: 2000}},
		{"position of 2016", Edition2016, "05 06 073CD506 01DB5932", &Position{State: 6, Longitude: 0x073CD506, Latitude: 0x01DB5932}},
		{"position of 2025", Edition2025, "05 06 02 073CD506 01DB5932", &Position{State: 6, Datum: 2, Longitude: 0x073CD506, Latitude: 0x01DB5932}},
		{"extremes", Edition2016, "06 01 12 0CE4 01 65 0CA8 01 33 49 01 14 42",
			&Extremes{1, 18, 3300, 1, 101, 3240, 1, 51, 73, 1, 20, 66}},
		{"alarms of 2016", Edition2016, "07 03 00000003 00 01 00010003 00 FF",
			&Alarms{Level: 3, Flags: TemperatureSpread | BatteryHot, Motor: Faults{Codes: []uint32{0x10003}}, Other: Faults{Count: CountInvalid}}},
		{"alarms of 2025", Edition2025, "06 04 00800000 00 00 00 00 01 17 04",
			&Alarms{Level: 4, Flags: ThermalEvent, Levels: []AlarmLevel{{23, 4}}}},
		{"cells", Edition2016, "08 01 01 18B0 2285 00C0 0001 02 0CBC 0CE4",
			&CellVoltages{Systems: []CellSystem{{Number: 1, Voltage: 6320, Current: 8837, Total: 192, First: 1, Cells: []uint16{3260, 3300}}}}},
		{"parallel units", Edition2025, "07 01 01 18B0 2285 0002 0CBC 0CE4",
			&ParallelUnits{Packs: []UnitPack{{Number: 1, Voltage: 6320, Current: 8837, Units: []uint16{3260, 3300}}}}},
		{"temperatures of 2016", Edition2016, "09 02 01 0002 4443 02 FFFF",
			&Temperatures{Systems: []ProbeSystem{{Number: 1, Probes: []uint8{68, 67}}, {Number: 2, ProbeCount: CountInvalid}}}},
		{"temperatures of 2025", Edition2025, "08 01 01 0002 4443", &Temperatures{Systems: []ProbeSystem{{Number: 1, Probes: []uint8{68, 67}}}}},
		{"stacks", Edition2025, "30 01 01 0FA0 0064 07D0 0BB8 3C 0001 50",
			&Stacks{Stacks: []Stack{{Number: 1, Voltage: 4000, Current: 100, HydrogenPressure: 2000, AirPressure: 3000, AirTemperature: 60, Probes: []uint8{80}}}}},
		{"supercapacitor", Edition2025, "31 01 0FA0 7530 0002 09C4 09C5 0001 41",
			&Supercapacitor{Number: 1, Voltage: 4000, Current: 30000, Cells: []uint16{2500, 2501}, Probes: []uint8{65}}},
		{"supercapacitor extremes", Edition2025, "32 01 0002 09C5 01 0001 09C4 01 0003 42 01 0004 41",
			&SupercapacitorExtremes{ExtremeCell{1, 2, 2501}, ExtremeCell{1, 1, 2500}, ExtremeProbe{1, 3, 66}, ExtremeProbe{1, 4, 65}}},
		{"private", Edition2016, "FE 0003 010203", &Private{Kind: 0xFE, Bytes: []byte{1, 2, 3}}},
		{"private and empty", Edition2025, "80 0000", &Private{Kind: 0x80}},
	} {
		r := report(t, c.edition, c.hex)
		if len(r.Blocks) != 1 || len(r.Rest) != 0 || !reflect.DeepEqual(r.Blocks[0], c.want) {
			t.Errorf("%s: read %+v and %d bytes (%s)", c.name, r.Blocks, len(r.Rest), r.Unread)
		}
		if kind := c.want.Type(c.edition); kind != unhex(t, c.hex)[0] {
			t.Errorf("%s: type %02X", c.name, kind)
		}
		// A byte less is a block that cannot be read: all of it is kept.
		short := plain(t, c.edition, RealTime, timeHex+c.hex)
		short.Data = short.Data[:len(short.Data)-1]
		if r := roundTrip(t, short).(*Report); len(r.Blocks) != 0 || len(r.Rest) != len(short.Data)-6 || r.Unread == "" {
			t.Errorf("%s, cut off: %d blocks, %d bytes kept, %q", c.name, len(r.Blocks), len(r.Rest), r.Unread)
		}
	}
}

func TestPhysicalValues(t *testing.T) {
	v := &Vehicle{Speed: 375, Odometer: 433416, Voltage: 6268, Current: 8837, SOC: 60, Insulation: 6500, Accelerator: 20, Brake: 101}
	m := &Motor{ControllerTemperature: 75, Speed: 25500, Torque: 14900, Temperature: 109, Voltage: 6268, Current: 10000}
	f := &FuelCell{Voltage: 1, Current: 2, Consumption: 3, Probes: []uint8{240, 241}, Hottest: 2400, Concentration: 5, Pressure: 1000}
	h := &Hydrogen{Hottest: 65, Concentration: 5, Pressure: 7, Remaining: 50, DCDCTemperature: 60}
	s := &Stack{Voltage: 1, Current: 2, HydrogenPressure: 0, AirPressure: 5000, AirTemperature: 40, Probes: []uint8{250}}
	p := &Position{State: 6, Longitude: 121427974, Latitude: 31152738}
	x := &Extremes{Highest: 3300, Lowest: 15001, Hottest: 250, Coldest: 251}
	super := &Supercapacitor{Voltage: 1, Current: 30001, Cells: []uint16{2500}, Probes: []uint8{40}}
	cells, unit := &CellSystem{Voltage: 10001, Current: 0, Cells: []uint16{60000, 60001}}, &UnitPack{Voltage: 60000, Current: 0, Units: []uint16{1}}
	for _, c := range []struct {
		name string
		got  Value
		want Value
	}{
		{"speed", v.SpeedMetresPerHour(Edition2016), Value{37_500, Valid}},
		{"odometer", v.OdometerMetres(), Value{43_341_600, Valid}},
		{"voltage", v.VoltageMicroV(Edition2016), Value{626_800_000, Valid}},
		{"current of 2016", v.DischargeMicroA(Edition2016), Value{-116_300_000, Valid}},
		{"current of 2025", v.DischargeMicroA(Edition2025), Value{-2_116_300_000, Valid}},
		{"state of charge", v.StateOfCharge(), Value{6000, Valid}},
		{"insulation", v.InsulationOhm(Edition2016), Value{6_500_000, Valid}},
		{"accelerator", v.AcceleratorPercent(), Value{20, Valid}},
		{"brake on", v.BrakePercent(), Value{0, Outside}},
		{"motor controller", m.ControllerMilliC(), Value{35_000, Valid}},
		{"motor speed of 2016", m.SpeedRPM(Edition2016), Value{5500, Valid}},
		{"motor speed of 2025", m.SpeedRPM(Edition2025), Value{-6500, Valid}},
		{"torque of 2016", m.TorqueMilliNm(Edition2016), Value{-510_000, Valid}},
		{"torque of 2025", m.TorqueMilliNm(Edition2025), Value{-18_510_000, Valid}},
		{"motor", m.MilliC(), Value{69_000, Valid}},
		{"motor voltage", m.VoltageMicroV(), Value{626_800_000, Valid}},
		{"motor current", m.CurrentMicroA(), Value{0, Valid}},
		{"fuel cell voltage", f.VoltageMicroV(), Value{100_000, Valid}},
		{"fuel cell current", f.CurrentMicroA(), Value{200_000, Valid}},
		{"consumption", f.ConsumptionGrams(), Value{30, Valid}},
		{"fuel cell probe", f.ProbeMilliC(0), Value{200_000, Valid}},
		{"fuel cell probe beyond", f.ProbeMilliC(1), Value{0, Outside}},
		{"hottest hydrogen", f.HottestMilliC(), Value{200_000, Valid}},
		{"concentration", f.ConcentrationMilligrams(), Value{5, Valid}},
		{"pressure", f.PressurePascal(), Value{100_000_000, Valid}},
		{"hottest hydrogen of 2025", h.HottestMilliC(), Value{25_000, Valid}},
		{"concentration of 2025", h.ConcentrationPPM(), Value{5, Valid}},
		{"pressure of 2025", h.PressurePascal(), Value{700_000, Valid}},
		{"remaining hydrogen", h.RemainingPercent(), Value{50, Valid}},
		{"DC-DC", h.DCDCMilliC(), Value{20_000, Valid}},
		{"stack voltage", s.VoltageMicroV(), Value{100_000, Valid}},
		{"stack current", s.CurrentMicroA(), Value{200_000, Valid}},
		{"stack hydrogen", s.HydrogenPascal(), Value{-100_000, Valid}},
		{"stack air", s.AirPascal(), Value{400_000, Valid}},
		{"stack air temperature", s.AirMilliC(), Value{0, Valid}},
		{"stack probe", s.ProbeMilliC(0), Value{210_000, Valid}},
		{"west", p.LongitudeMicroDegrees(), Value{-121_427_974, Valid}},
		{"south", p.LatitudeMicroDegrees(), Value{-31_152_738, Valid}},
		{"highest cell", x.HighestMicroV(), Value{3_300_000, Valid}},
		{"lowest cell beyond", x.LowestMicroV(), Value{0, Outside}},
		{"hottest", x.HottestMilliC(), Value{210_000, Valid}},
		{"coldest beyond", x.ColdestMilliC(), Value{0, Outside}},
		{"supercapacitor voltage", super.VoltageMicroV(), Value{100_000, Valid}},
		{"supercapacitor current", super.DischargeMicroA(), Value{100_000, Valid}},
		{"supercapacitor cell", super.CellMicroV(0), Value{2_500_000, Valid}},
		{"supercapacitor probe", super.ProbeMilliC(0), Value{0, Valid}},
		{"extreme cell", ExtremeCell{Voltage: 1}.MicroV(), Value{1000, Valid}},
		{"extreme probe", ExtremeProbe{Temperature: 0}.MilliC(), Value{-40_000, Valid}},
		{"pack voltage of 2016 beyond", cells.VoltageMicroV(), Value{0, Outside}},
		{"pack current of 2016", cells.DischargeMicroA(), Value{-1_000_000_000, Valid}},
		{"cell", cells.CellMicroV(0), Value{60_000_000, Valid}},
		{"cell beyond", cells.CellMicroV(1), Value{0, Outside}},
		{"pack voltage of 2025", unit.VoltageMicroV(), Value{6_000_000_000, Valid}},
		{"pack current of 2025", unit.DischargeMicroA(), Value{-3_000_000_000, Valid}},
		{"unit", unit.UnitMicroV(0), Value{1000, Valid}},
		{"engine", (&Engine{Speed: 60_000}).SpeedRPM(), Value{60_000, Valid}},
		{"engine consumption", (&Engine{Consumption: 600}).ConsumptionMillilitres(), Value{6000, Valid}},
		{"level 4 in 2016", (&Alarms{Level: 4}).HighestLevel(Edition2016), Value{0, Outside}},
		{"level 4 in 2025", (&Alarms{Level: 4}).HighestLevel(Edition2025), Value{4, Valid}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	if !p.Fixed() || (&Position{State: 1}).Fixed() {
		t.Error("a position without a fix, or the other way round")
	}
	if g := Gear(0xBE); g.Position() != 14 || !g.Braking() || !g.Driving() || g.Valid(Edition2025) || !g.Valid(Edition2016) {
		t.Errorf("gear %+v", g)
	}
}

// All ones are invalid, one less is abnormal, but for the fields that have no codes.
func TestValidity(t *testing.T) {
	for _, c := range []struct {
		name string
		got  Value
		want Validity
	}{
		{"one byte invalid", temperature.of(0xFF), Invalid},
		{"one byte abnormal", temperature.of(0xFE), Abnormal},
		{"one byte beyond", temperature.of(251), Outside},
		{"two bytes invalid", current2016.of(0xFFFF), Invalid},
		{"two bytes abnormal", current2016.of(0xFFFE), Abnormal},
		{"two bytes beyond", current2016.of(20_001), Outside},
		{"four bytes invalid", odometer.of(0xFFFFFFFF), Invalid},
		{"four bytes abnormal", odometer.of(0xFFFFFFFE), Abnormal},
		{"four bytes beyond", odometer.of(10_000_000), Outside},
		{"no codes: insulation of 2016", (&Vehicle{Insulation: 0xFFFF}).InsulationOhm(Edition2016), Outside},
		{"codes: insulation of 2025", (&Vehicle{Insulation: 0xFFFF}).InsulationOhm(Edition2025), Invalid},
		{"no codes: position", (&Position{Longitude: 0xFFFFFFFF}).LongitudeMicroDegrees(), Outside},
		{"motor speed of 65531", (&Motor{Speed: 65531}).SpeedRPM(Edition2016), Valid},
		{"motor speed of 65532", (&Motor{Speed: 65532}).SpeedRPM(Edition2016), Outside},
	} {
		if c.got.Validity != c.want || c.want != Valid && c.got.Amount != 0 {
			t.Errorf("%s: %+v, want %v", c.name, c.got, c.want)
		}
		if c.got.Measured().Known != (c.want == Valid) {
			t.Errorf("%s: %+v", c.name, c.got.Measured())
		}
	}
}

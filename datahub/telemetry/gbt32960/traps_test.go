package gbt32960

import (
	"bytes"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/google/go-cmp/cmp"
)

func same(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("differs (-want +got):\n%s", d)
	}
}

// one is the reading of a report with these blocks.
func one(t testing.TB, e Edition, blocks ...string) (telemetry.Reading, []string) {
	t.Helper()
	readings, issues, err := Readings(plain(t, e, RealTime, timeHex+strings.Join(blocks, "")))
	if err != nil || len(readings) != 1 {
		t.Fatalf("%d readings, %q, %v", len(readings), issues, err)
	}
	return readings[0], issues
}

func contains(issues []string, word string) bool {
	return strings.Contains(strings.Join(issues, "\n"), word)
}

// vehicleHex is a vehicle block of 2016 with a voltage and a current as raw hex, everything else at rest.
func vehicleHex(voltage, current string) string {
	return "01 01 03 01 0000 00000064" + voltage + current + "32 01 0F 1770 00 00"
}

func cellsHex(voltage string) string { return "08 01 01" + voltage + "2710 0002 0001 02 0CE4 0CE5" }

// A real frame of a braking vehicle: −116.3 A in the frame is a charge of 116.3 A.
func TestTrapCurrentSignIsTurnedRound(t *testing.T) {
	readings, _, err := Readings(vectorFrame(t, "currentMessageReport.js"))
	if err != nil || len(readings) != 1 {
		t.Fatal(len(readings), err)
	}
	if got := readings[0].CurrentMicroA; got != health.Known(116_300_000) {
		t.Errorf("a braking vehicle has %v µA, want a charge of 116.3 A", got)
	}
	if r, _ := one(t, Edition2016, vehicleHex("1000", "2AF8")); r.CurrentMicroA != health.Known(-100_000_000) {
		t.Errorf("100 A in the frame are read as %v", r.CurrentMicroA)
	}
}

func TestTrapCountOfSentinelHasNoEntries(t *testing.T) {
	for _, c := range []struct {
		edition Edition
		hex     string
	}{
		{Edition2016, "02 FE"}, {Edition2016, "02 FF"}, {Edition2025, "02 FF"},
		{Edition2016, "03 000000000000 FFFE 0000 00 0000 00 0000 00 00"}, {Edition2016, "03 000000000000 FFFF 0000 00 0000 00 0000 00 00"},
		{Edition2016, "07 00 00000000 FE FF FE FF"}, {Edition2025, "06 00 00000000 FE FF FE FF FE"},
		{Edition2016, "08 FE"}, {Edition2016, "08 01 01 FFFF FFFF FFFF FFFF FF"}, {Edition2016, "08 01 01 FFFF FFFF FFFF FFFF FE"},
		{Edition2025, "07 FF"}, {Edition2025, "07 01 01 FFFF FFFF FFFE"},
		{Edition2016, "09 FF"}, {Edition2016, "09 01 01 FFFE"}, {Edition2025, "08 01 01 FFFF"},
		{Edition2025, "30 FE"}, {Edition2025, "30 01 01 0000 0000 0000 0000 00 FFFF"},
		{Edition2025, "31 01 0000 0000 FFFE FFFF"},
	} {
		// Another block follows directly, and is found.
		r := report(t, c.edition, c.hex, "80 0001 AA")
		if len(r.Blocks) != 2 || len(r.Rest) != 0 {
			t.Errorf("%s: %d blocks, %d bytes kept: %s", c.hex, len(r.Blocks), len(r.Rest), r.Unread)
		}
	}
}

func TestTrapUnknownTypesStopAndTheRestIsKept(t *testing.T) {
	for _, kind := range []string{"00", "0A", "2F", "30", "7F"} {
		r := report(t, Edition2016, vehicleHex("1000", "2710"), kind, "0102 030405")
		if len(r.Blocks) != 1 || len(r.Rest) != 6 || !strings.Contains(r.Unread, kind) {
			t.Errorf("%s: %d blocks, rest %x, %q", kind, len(r.Blocks), r.Rest, r.Unread)
		}
	}
	for _, kind := range []string{"00", "09", "0A", "2F", "33", "7F"} {
		if r := report(t, Edition2025, kind, "0102"); len(r.Blocks) != 0 || len(r.Rest) != 3 {
			t.Errorf("%s of 2025: %d blocks, rest %x", kind, len(r.Blocks), r.Rest)
		}
	}
	reading, issues := one(t, Edition2016, vehicleHex("1000", "2710"), "0A 0102")
	if !reading.VoltageMicroV.Known || !contains(issues, "0A") {
		t.Errorf("what stands before an unknown block counts, and the owner is told: %+v %q", reading, issues)
	}
}

// Three real frames hold private blocks without a length.
func TestTrapRealPrivateBlocksLackTheirLength(t *testing.T) {
	for _, name := range []string{"10 Seconds", "ADAS", "tmp.js"} {
		f := vectorFrame(t, name)
		r := roundTrip(t, f).(*Report)
		if len(r.Rest) == 0 {
			t.Errorf("%s: was read as if it had lengths", name)
		}
		readings, issues, err := Readings(f)
		if len(readings) != 0 || len(issues) == 0 || err != nil {
			t.Errorf("%s: %d readings, %q, %v", name, len(readings), issues, err)
		}
	}
}

// The content of a private block without a length passes for a block of a vehicle: no reading comes of it.
func TestTrapNothingIsReadOutOfAPrivateBlockWithoutLength(t *testing.T) {
	before, inside := vehicleHex("1000", "2710"), vehicleHex("0001", "4E20")
	reading, issues := one(t, Edition2016, before, "81 0002 0000", inside, "7F 00")
	if reading.VoltageMicroV != health.Known(409_600_000) || !contains(issues, "private block") {
		t.Errorf("%+v %q", reading, issues)
	}
	if readings, issues, err := Readings(plain(t, Edition2016, Reissue, timeHex+"81 0002 0000"+inside+"7F 00")); len(readings) != 0 || err != nil || !contains(issues, "private block") {
		t.Errorf("%d readings, %q, %v", len(readings), issues, err)
	}
	// Where the report comes to its end, a private block stands in nobody's way.
	if reading, issues := one(t, Edition2016, "81 0002 0000", before); reading.VoltageMicroV != health.Known(409_600_000) || len(issues) != 0 {
		t.Errorf("%+v %q", reading, issues)
	}
}

func TestTrapMoreThan200CellsTakeSeveralFrames(t *testing.T) {
	run := func(first, n int) *Report {
		s := CellSystem{Number: 1, Voltage: 4000, Current: 10_000, Total: 450, First: uint16(first)}
		for i := range n {
			s.Cells = append(s.Cells, uint16(3000+first+i))
		}
		return &Report{Time: noon, Blocks: []Block{&CellVoltages{Systems: []CellSystem{s}}}}
	}
	want := make([]health.Measured, 450)
	for i := range want {
		want[i] = health.Known(int64(3001+i) * 1000)
	}
	// In any order, and with a part sent twice.
	for _, order := range [][]*Report{
		{run(1, 200), run(201, 200), run(401, 50)},
		{run(401, 50), run(1, 200), run(1, 200), run(201, 200)},
	} {
		var j Joiner
		for i, r := range order {
			f, err := NewFrame(Edition2016, RealTime, IsCommand, testVehicle(t), r)
			if err != nil {
				t.Fatal(err)
			}
			if readings, issues, err := j.Add(f); len(readings) != 0 || len(issues) != 0 || err != nil {
				t.Fatalf("frame %d gave %d readings, %q, %v", i, len(readings), issues, err)
			}
			if readings, issues, _ := Readings(f); len(readings) != 1 || readings[0].CellsMicroV != nil || !contains(issues, "not all") {
				t.Errorf("frame %d alone: %d readings, %q", i, len(readings), issues)
			}
		}
		readings, issues := j.Flush()
		if len(readings) != 1 || len(issues) != 0 {
			t.Fatalf("%d readings, %q", len(readings), issues)
		}
		same(t, readings[0].CellsMicroV, want)
		if r := readings[0]; r.LowestCellMicroV != health.Known(3_001_000) || r.HighestCellMicroV != health.Known(3_450_000) {
			t.Errorf("extremes %v %v", r.LowestCellMicroV, r.HighestCellMicroV)
		}
	}
}

func TestTrapMotorStateSaysNothing(t *testing.T) {
	motor := "02 01 01 %s 28 4E20 4E20 28 0000 2710"
	for _, state := range []string{"00", "01", "02", "05"} {
		r, issues := one(t, Edition2016, strings.Replace(motor, "%s", state, 1), vehicleHex("1000", "2328"))
		if r.CurrentMicroA != health.Known(100_000_000) || len(issues) != 0 {
			t.Errorf("motor state %s: %v %q", state, r.CurrentMicroA, issues)
		}
	}
}

func TestTrapTotalVoltageZeroBesideALivePack(t *testing.T) {
	r, issues := one(t, Edition2016, vehicleHex("0000", "2710"), cellsHex("0FA0"))
	if r.VoltageMicroV != health.Known(400_000_000) || !contains(issues, "live pack") {
		t.Errorf("%v %q", r.VoltageMicroV, issues)
	}
	// 0 V with no pack, or with a pack that is as dead, is what was sent.
	for _, blocks := range [][]string{{vehicleHex("0000", "2710")}, {vehicleHex("0000", "2710"), cellsHex("0000")}} {
		if r, issues := one(t, Edition2016, blocks...); r.VoltageMicroV != health.Known(0) || len(issues) != 0 {
			t.Errorf("%v %q", r.VoltageMicroV, issues)
		}
	}
	// Two packs may be in series or in parallel: nothing is made up.
	two := "08 02 01 0FA0 2710 0001 0001 01 0CE4 02 0FA0 2710 0001 0001 01 0CE5"
	if r, issues := one(t, Edition2016, vehicleHex("0000", "2710"), two); r.VoltageMicroV.Known || !contains(issues, "left out") {
		t.Errorf("%v %q", r.VoltageMicroV, issues)
	}
}

func TestTrapBlocksRepeatedAndInAnyOrder(t *testing.T) {
	alarm, extremes := "07 01 00000002 00000000", "06 01 01 0CE5 01 02 0CE4 01 01 48 01 01 46"
	temperatures := "09 01 01 0002 4846"
	first, issues := one(t, Edition2016, vehicleHex("1000", "2710"), extremes, alarm, cellsHex("1000"), temperatures)
	if len(issues) != 0 {
		t.Fatal(issues)
	}
	second, issues := one(t, Edition2016, temperatures, alarm, cellsHex("1000"), extremes, alarm, cellsHex("1000"), temperatures, vehicleHex("1000", "2710"), vehicleHex("1000", "2710"), extremes)
	if len(issues) != 0 {
		t.Error(issues)
	}
	same(t, second, first)
	// Repeated with other values: the first is kept, and the owner is told.
	third, issues := one(t, Edition2016, vehicleHex("1000", "2710"), extremes, alarm, cellsHex("1000"), temperatures,
		vehicleHex("1001", "2710"), strings.Replace(extremes, "0CE5", "0CE6", 1), strings.Replace(cellsHex("1000"), "0CE4", "0CE0", 1), "09 01 01 0001 40")
	same(t, third, first)
	if len(issues) != 4 {
		t.Errorf("%d issues: %q", len(issues), issues)
	}
	// Alarms add up.
	r, _ := one(t, Edition2016, alarm, "07 03 00000001 00000000", alarm)
	if r.AlarmLevel != 3 || r.AlarmFlags != 3 {
		t.Errorf("level %d, flags %X", r.AlarmLevel, r.AlarmFlags)
	}
}

func TestTrapStartBytesInsideUnits(t *testing.T) {
	inner := encoded(t, plain(t, Edition2016, Heartbeat, ""))
	f := plain(t, Edition2016, RealTime, timeHex+"80 0019")
	f.Data = append(f.Data, inner...)
	got, skipped, _ := all(t, bytes.NewReader(bytes.Repeat(encoded(t, f), 3)))
	if len(got) != 3 || skipped != 0 {
		t.Errorf("%d frames, %d bytes skipped", len(got), skipped)
	}
}

func TestTrapReissuesDuplicateAndReorder(t *testing.T) {
	var j Joiner
	id := testVehicle(t)
	var times []int64
	for _, second := range []byte{10, 20, 10, 30, 15, 20, 15, 40, 10} {
		at := noon
		at[5] = second
		f, err := NewFrame(Edition2016, Reissue, IsCommand, id, &Report{Time: at, Blocks: []Block{&Vehicle{Voltage: 4000, Current: 10_000}}})
		if err != nil {
			t.Fatal(err)
		}
		readings, _, err := j.Add(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range readings {
			times = append(times, (r.TimeMicros-noonUTC.UnixMicro())/1_000_000)
		}
	}
	readings, _ := j.Flush()
	for _, r := range readings {
		times = append(times, (r.TimeMicros-noonUTC.UnixMicro())/1_000_000)
	}
	same(t, times, []int64{10, 20, 15, 30, 40})
}

func TestTrapRawIntegersAreKept(t *testing.T) {
	// A current that is beyond its range and a state that does not exist are written back as they came, and are no values.
	r := report(t, Edition2016, "01 77 88 99 FFFD FFFFFFFD FFFD FFFD FD FD FF FFFF FD FD")
	v := r.Blocks[0].(*Vehicle)
	if v.Current != 0xFFFD || v.DischargeMicroA(Edition2016).Validity != Outside {
		t.Errorf("%+v", v)
	}
	reading, issues := one(t, Edition2016, "01 77 88 99 FFFD FFFFFFFD FFFD FFFD FD FD FF FFFF FD FD")
	if reading.VoltageMicroV.Known || reading.CurrentMicroA.Known || reading.StateOfCharge.Known || reading.OdometerMetres.Known || len(issues) != 4 {
		t.Errorf("%+v %q", reading, issues)
	}
}

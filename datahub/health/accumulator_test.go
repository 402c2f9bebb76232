package health_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/zk/record"
)

// The lanes of battery/v1, by their place in a record.
const (
	stateOfHealth = iota + 1
	fullCycles
	ageDays
	remainingCapacity
	voltageSpread
	peakTemperature
	faultCount
)

// drive is a sequence of readings, a minute apart.
type drive struct{ readings []health.Reading }

// at appends n readings at a current in mA, the voltage going from one value to another in mV.
func (d *drive) at(n int, milliamps, from, to int64) *drive {
	for i := range n {
		d.readings = append(d.readings, health.Reading{
			Line:              len(d.readings) + 1,
			TimeMicros:        int64(len(d.readings)) * 60_000_000,
			VoltageMicroV:     (from + (to-from)*int64(i)/int64(max(n-1, 1))) * 1000,
			CurrentMicroA:     milliamps * 1000,
			TemperatureMilliC: health.Known(25_500),
		})
	}
	return d
}

// fullDrive charges, rests, discharges at 0.48 A and rests: the readings of the test file.
func fullDrive() *drive {
	return new(drive).at(120, 500, 3200, 4200).at(10, 0, 4190, 4180).at(113, -480, 4150, 3000).at(5, 0, 3200, 3300)
}

func accumulate(t *testing.T, b health.Battery, readings []health.Reading) (*health.Accumulator, *[]health.Issue) {
	t.Helper()
	var issues []health.Issue
	a, err := health.NewAccumulator(b, func(i health.Issue) { issues = append(issues, i) })
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readings {
		a.Add(r)
	}
	a.Finish()
	return a, &issues
}

func recordOf(t *testing.T, a *health.Accumulator) record.Record {
	t.Helper()
	h, err := a.Record()
	if err != nil {
		t.Fatal(err)
	}
	return h.Record
}

// Readings fed one at a time give the record of the same readings in a file, and asking on the way changes nothing.
func TestAccumulatorMatchesImport(t *testing.T) {
	a, err := health.NewAccumulator(testBattery, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range fullDrive().readings {
		if _, err := a.Record(); (err == nil) != (i > 242) {
			t.Fatalf("after %d readings: %v", i, err)
		}
		a.Add(r)
	}
	if diff := cmp.Diff(cleanRecord, recordOf(t, a)); diff != "" {
		t.Errorf("record (-file +readings):\n%s", diff)
	}
}

// A logger's glitch in any single row, wherever it is put, changes nothing about the record.
func TestGlitchAnywhere(t *testing.T) {
	clean := fullDrive().readings
	rapid.Check(t, func(t *rapid.T) {
		readings := slices.Clone(clean)
		at := rapid.IntRange(1, len(readings)).Draw(t, "at")
		glitch := readings[at-1]
		glitch.Line = 1000
		// Neither neighbour is within the bound on gaps of this time.
		glitch.TimeMicros += 61_000_000 * rapid.SampledFrom([]int64{-200, -7, 5, 90, 10_000}).Draw(t, "by")
		glitch.VoltageMicroV = rapid.Int64Range(0, 6_000_000).Draw(t, "voltage")
		glitch.CurrentMicroA = rapid.Int64Range(-50_000_000, 50_000_000).Draw(t, "current")
		if glitch.TimeMicros < 0 {
			glitch.TimeMicros = -1
		}
		a, err := health.NewAccumulator(testBattery, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range slices.Insert(readings, at, glitch) {
			a.Add(r)
		}
		h, err := a.Record()
		if err != nil || h.Record != cleanRecord {
			t.Fatalf("record %v, %v; want %v", h.Record, err, cleanRecord)
		}
	})
}

// Which discharges measure the capacity, and what is said about those that do not.
func TestDischarges(t *testing.T) {
	charge := func() *drive { return new(drive).at(120, 500, 3200, 4200).at(10, 0, 4190, 4180) }
	for _, test := range []struct {
		name     string
		drive    *drive
		capacity uint32
		reason   string
	}{
		{"full", charge().at(113, -480, 4150, 3000).at(1, 0, 3200, 3200), 904, ""},
		{"began half full", new(drive).at(60, 500, 3200, 3900).at(10, 0, 3890, 3880).at(113, -480, 3850, 3000).at(1, 0, 3200, 3200),
			0, "began at 3.9 V, below the upper end of 4.2 V"},
		{"ended early", charge().at(113, -480, 4150, 3300).at(1, 0, 3400, 3400), 0, "ended at 3.3 V, above the lower end of 3 V"},
		{"within the tolerance of the ends", new(drive).at(20, 0, 4176, 4176).at(113, -480, 4150, 3024).at(1, 0, 3200, 3200), 904, ""},
		{"too fast", charge().at(56, -960, 4150, 3000).at(1, 0, 3200, 3200), 0, "mean current of 0.943158 A is above 0.5 C"},
		{"the latest slow one counts", charge().at(113, -480, 4150, 3000).at(120, 500, 3200, 4200).at(110, -480, 4150, 3000).
			at(120, 500, 3200, 4200).at(56, -960, 4150, 3000).at(1, 0, 3200, 3200), 880, ""},
		{"too shallow", charge().at(11, -480, 4150, 3000).at(1, 0, 3200, 3200), 0, "delivered less than 10 % of the rated capacity"},
		{"too deep", charge().at(189, -480, 4150, 3000).at(1, 0, 3200, 3200), 0, "delivered more than 150 % of the rated capacity"},
		{"a blip of current at rest", charge().at(1, -100, 4170, 4170).at(5, 0, 4170, 4170).at(113, -480, 4150, 3000).at(1, 0, 3200, 3200), 904, ""},
		{"a pause within", charge().at(56, -480, 4150, 3600).at(5, 0, 3700, 3700).at(57, -480, 3600, 3000).at(1, 0, 3200, 3200),
			0, "none of 2 discharges"},
		{"leakage below C/200", charge().at(300, -4, 4180, 4170).at(113, -480, 4150, 3000).at(1, 0, 3200, 3200), 904, ""},
		{"no discharge", charge(), 0, "no discharge was seen"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, _ := accumulate(t, testBattery, test.drive.readings)
			h, err := a.Record()
			if h.Record[remainingCapacity] != test.capacity {
				t.Errorf("capacity %d mAh, want %d (%v)", h.Record[remainingCapacity], test.capacity, err)
			}
			if (err == nil) != (test.reason == "") || err != nil && !strings.Contains(err.Error(), test.reason) {
				t.Errorf("error %v, want %q", err, test.reason)
			}
		})
	}
}

// Without a stated window the extremes of the readings serve, unless they lie too close together.
func TestInferredWindow(t *testing.T) {
	b := health.Battery{RatedMicroAh: 1_000_000}
	a, _ := accumulate(t, b, fullDrive().readings)
	if got := recordOf(t, a); got != cleanRecord {
		t.Errorf("record %v, want %v", got, cleanRecord)
	}
	narrow := new(drive).at(20, 0, 3900, 3900).at(60, -480, 3850, 3450).at(1, 0, 3500, 3500)
	a, _ = accumulate(t, b, narrow.readings)
	if _, err := a.Record(); err == nil || !strings.Contains(err.Error(), "state the battery's voltage window") {
		t.Errorf("partial cycling without a stated window: %v", err)
	}
}

func TestFaultsSetIn(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(r []health.Reading)
		want  uint32
	}{
		{"none", func([]health.Reading) {}, 0},
		{"two alarms, one over three readings", func(r []health.Reading) { r[5].Alarm, r[6].Alarm, r[7].Alarm, r[20].Alarm = true, true, true, true }, 2},
		{"too hot", func(r []health.Reading) { r[30].TemperatureMilliC = health.Known(60_001) }, 1},
		{"just not too hot", func(r []health.Reading) { r[30].TemperatureMilliC = health.Known(60_000) }, 0},
		{"overcharged", func(r []health.Reading) { r[119].VoltageMicroV = 4_225_000 }, 1},
		{"slightly over", func(r []health.Reading) { r[119].VoltageMicroV = 4_224_000 }, 0},
		{"deeply discharged", func(r []health.Reading) { r[242].VoltageMicroV = 2_900_000 }, 1},
		{"hot and alarmed at once", func(r []health.Reading) { r[30].Alarm = true; r[31].TemperatureMilliC = health.Known(70_000) }, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := fullDrive()
			test.spoil(d.readings)
			a, _ := accumulate(t, testBattery, d.readings)
			if got := recordOf(t, a)[faultCount]; got != test.want {
				t.Errorf("%d faults, want %d", got, test.want)
			}
		})
	}
}

func TestVoltageSpread(t *testing.T) {
	cells := func(r *health.Reading, low, high int64) {
		r.LowestCellMicroV, r.HighestCellMicroV = health.Known(low), health.Known(high)
	}
	d := fullDrive()
	cells(&d.readings[50], 3_500_000, 3_560_000)  // charging
	cells(&d.readings[125], 4_180_000, 4_192_499) // at rest
	cells(&d.readings[200], 3_300_000, 3_390_000) // discharging
	cells(&d.readings[245], 3_250_000, 3_240_000) // impossible
	a, issues := accumulate(t, testBattery, d.readings)
	if got := recordOf(t, a)[voltageSpread]; got != 12 {
		t.Errorf("spread %d mV, want the 12 mV at rest", got)
	}
	want := []found{{246, "", health.Excluded, health.OutOfRange}}
	if diff := cmp.Diff(want, findings(*issues)); diff != "" {
		t.Errorf("issues (-want +got):\n%s", diff)
	}
	loaded := fullDrive()
	cells(&loaded.readings[200], 3_300_000, 3_390_500)
	a, _ = accumulate(t, testBattery, loaded.readings)
	if got := recordOf(t, a)[voltageSpread]; got != 91 {
		t.Errorf("spread %d mV, want the only one measured, 91 mV", got)
	}
}

func TestAge(t *testing.T) {
	d := fullDrive()
	for i := range d.readings {
		d.readings[i].WallMicros = health.Known(1_700_000_000_000_000 + int64(i)*86_400_000_000)
	}
	a, _ := accumulate(t, testBattery, d.readings)
	if got := recordOf(t, a)[ageDays]; got != 247 {
		t.Errorf("age %d days, want 247 by wall clock", got)
	}
	slow := fullDrive()
	for i := 245; i < len(slow.readings); i++ {
		slow.readings[i].TimeMicros += 10*86_400_000_000 - 1
	}
	a, _ = accumulate(t, testBattery, slow.readings)
	if got := recordOf(t, a)[ageDays]; got != 10 {
		t.Errorf("age %d days, want 10 by test clock, with the gap", got)
	}
	d.readings[247].WallMicros = health.Known(1)
	a, issues := accumulate(t, testBattery, d.readings)
	if got := recordOf(t, a)[ageDays]; got != 0 || countCodes(*issues)[health.WallClockFell] != 1 {
		t.Errorf("age %d days with a fallen wall clock, want 0 by test clock; issues %v", got, *issues)
	}
}

// The peak temperature belongs to its epoch; everything else goes on.
func TestEpochs(t *testing.T) {
	a, _ := accumulate(t, testBattery, nil)
	for i, r := range fullDrive().readings {
		if i == 10 {
			r.TemperatureMilliC = health.Known(48_950)
			r.Alarm = true
		}
		a.Add(r)
	}
	first := recordOf(t, a)
	if first[peakTemperature] != 890 || first[faultCount] != 1 {
		t.Errorf("first epoch %v, want a peak of 49.0 °C, rounded up from 48.95, and a fault", first)
	}
	a.StartEpoch()
	if _, err := a.Record(); err == nil || !strings.Contains(err.Error(), "no peak temperature") {
		t.Errorf("record of an epoch without readings: %v", err)
	}
	last := fullDrive().readings[247]
	last.TimeMicros += 60_000_000
	a.Add(last)
	second := recordOf(t, a)
	if second[peakTemperature] != 655 || second[faultCount] != 1 || second[stateOfHealth] != first[stateOfHealth] || second[fullCycles] != first[fullCycles] {
		t.Errorf("second epoch %v after %v", second, first)
	}
}

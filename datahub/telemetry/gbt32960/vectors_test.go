package gbt32960

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

// vectors are frames and parts of frames from the tests of another implementation; see testdata/LICENSE-terryhart-32960.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile("testdata/terryhart-32960.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct{ Name, Path, Kind, Hex string }
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	for _, v := range file.Vectors {
		all[v.Kind+"/"+v.Name] = unhex(t, v.Hex)
	}
	return all
}

func vectorFrame(t testing.TB, name string) *Frame {
	t.Helper()
	b, ok := vectors(t)["frame/"+name]
	if !ok {
		t.Fatalf("no vector %q", name)
	}
	f, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestVectorsRoundTrip(t *testing.T) {
	frames := 0
	for name, b := range vectors(t) {
		if !strings.HasPrefix(name, "frame/") {
			continue
		}
		frames++
		f, err := Decode(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := encoded(t, f); string(got) != string(b) {
			t.Errorf("%s: written %x", name, got)
		}
		roundTrip(t, f)
	}
	if frames != 8 {
		t.Errorf("%d frames", frames)
	}
}

func TestVectorBlocks(t *testing.T) {
	kinds := map[string]string{
		"info:VEHICLE": "01", "info:MOTOR": "02", "info:LOCATION": "05", "info:EXTREME": "06", "info:ALARM": "07",
		"info:RESS_VOLTAGE": "08", "info:RESS_TEMPERATURE": "09", "info:CUSTOM_EXT": "80",
	}
	for name, b := range vectors(t) {
		kind, ok := kinds[strings.SplitN(name, "/", 2)[0]]
		if !ok {
			continue
		}
		f := plain(t, Edition2016, RealTime, timeHex+kind)
		f.Data = append(f.Data, b...)
		r := roundTrip(t, f).(*Report)
		// The part with alarms goes on with the beginning of another block.
		if len(r.Blocks) != 1 || len(r.Rest) != 0 && !strings.HasPrefix(name, "info:ALARM") {
			t.Errorf("%s: %d blocks, %d bytes kept: %s", name, len(r.Blocks), len(r.Rest), r.Unread)
			continue
		}
		checkVectorBlock(t, name, r.Blocks[0])
	}
}

func checkVectorBlock(t *testing.T, name string, b Block) {
	t.Helper()
	var got, want []Value
	switch b := b.(type) {
	case *Vehicle:
		got = []Value{b.SpeedMetresPerHour(Edition2016), b.OdometerMetres(), b.VoltageMicroV(Edition2016), b.DischargeMicroA(Edition2016), b.InsulationOhm(Edition2016), b.AcceleratorPercent()}
		want = []Value{{5000, Valid}, {500_000, Valid}, {700_000_000, Valid}, {-1_000_000_000, Valid}, {466_000, Valid}, {20, Valid}}
	case *Motors:
		m := b.Motors[1]
		got = []Value{m.ControllerMilliC(), m.SpeedRPM(Edition2016), m.TorqueMilliNm(Edition2016), m.MilliC(), m.VoltageMicroV(), m.CurrentMicroA()}
		want = []Value{{35_000, Valid}, {5500, Valid}, {-510_000, Valid}, {69_000, Valid}, {626_800_000, Valid}, {0, Valid}}
	case *Position:
		got = []Value{b.LongitudeMicroDegrees(), b.LatitudeMicroDegrees()}
		want = []Value{{120_009_633, Valid}, {30_344_348, Valid}}
	case *Extremes:
		got = []Value{b.HighestMicroV(), b.LowestMicroV(), b.HottestMilliC(), b.ColdestMilliC()}
		want = []Value{{1_600_000, Valid}, {1_280_000, Valid}, {40_000, Valid}, {24_000, Valid}}
	case *CellVoltages:
		s := b.Systems[0]
		got = []Value{s.VoltageMicroV(), s.DischargeMicroA(), s.CellMicroV(0), s.CellMicroV(1), {int64(s.Total), Valid}, {int64(s.First), Valid}}
		want = []Value{{700_000_000, Valid}, {500_000_000, Valid}, {1_600_000, Valid}, {1_280_000, Valid}, {17, Valid}, {1, Valid}}
	case *Temperatures:
		got = []Value{b.Systems[0].ProbeMilliC(0), b.Systems[0].ProbeMilliC(4)}
		want = []Value{{40_000, Valid}, {24_000, Valid}}
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: value %d is %+v, want %+v", name, i, got[i], want[i])
		}
	}
}

func TestVectorReading(t *testing.T) {
	readings, issues, err := Readings(vectorFrame(t, "Realtime Report"))
	if err != nil || len(readings) != 1 || len(issues) != 0 {
		t.Fatalf("%d readings, %q, %v", len(readings), issues, err)
	}
	cells := make([]health.Measured, 17)
	for i := range cells {
		cells[i] = health.Known(1_600_000)
	}
	cells[1] = health.Known(1_280_000)
	want := telemetry.Reading{
		TimeMicros:    1_529_726_702_000_000, // 2018-06-23T04:05:02Z
		VoltageMicroV: health.Known(700_000_000), CurrentMicroA: health.Known(-500_000_000), StateOfCharge: health.Known(5000),
		HottestMilliC: health.Known(40_000), ColdestMilliC: health.Known(24_000),
		LowestCellMicroV: health.Known(1_280_000), HighestCellMicroV: health.Known(1_600_000),
		CellsMicroV: cells, ProbesMilliC: []health.Measured{{Value: 40_000, Known: true}, {Value: 24_000, Known: true}, {Value: 24_000, Known: true}, {Value: 24_000, Known: true}, {Value: 24_000, Known: true}},
		OdometerMetres: health.Known(57_300),
	}
	same(t, readings[0], want)
}

func TestVectorLogins(t *testing.T) {
	l := roundTrip(t, vectorFrame(t, "Login")).(*Login)
	if at, err := l.Time.UTC(); err != nil || at.Format("2006-01-02T15:04:05Z") != "2018-06-05T03:44:29Z" {
		t.Errorf("time %v %v", at, err)
	}
	if codes := l.PackCodes(); l.Serial != 1 || string(l.ICCID[:]) != "8986TEST000000000001" || len(codes) != 2 || string(codes[0]) != "10001" || string(codes[1]) != "10002" {
		t.Errorf("serial %d, codes %q", l.Serial, codes)
	}
	if l := roundTrip(t, vectorFrame(t, "vehicleLogin.js")).(*Login); l.Serial != 31 || l.CodeLength != 0 || len(l.Codes) != 1 {
		t.Errorf("a login whose system has no code: %+v", l)
	}
	all := vectors(t)
	f := plain(t, Edition2016, PlatformSignIn, "")
	f.Data = all["platformLogin/Platform Login"]
	if p := roundTrip(t, f).(*PlatformLogin); p.Serial != 2 || strings.TrimRight(string(p.User[:]), "\x00") != "yutong" {
		t.Errorf("platform login %+v", p)
	}
	f = plain(t, Edition2016, VehicleLogout, "")
	f.Data = all["logout/Vehicle or Platform Logout"]
	if l := roundTrip(t, f).(*Logout); l.Serial != 70 {
		t.Errorf("logout %+v", l)
	}
}

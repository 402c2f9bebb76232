package gbt32960

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

const testID = "TESTVN00000000001"

func testVehicle(t testing.TB) ID {
	t.Helper()
	id, err := NewID(testID)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// noon is a moment in both clocks: 2025-06-01 12:00:00 in UTC+8.
var (
	noon    = Time{25, 6, 1, 12, 0, 0}
	noonUTC = time.Date(2025, 6, 1, 4, 0, 0, 0, time.UTC)
)

// plain is a command with a unit given as hex.
func plain(t testing.TB, e Edition, c Command, unit string) *Frame {
	t.Helper()
	return &Frame{Edition: e, Command: c, Reply: IsCommand, ID: testVehicle(t), Encryption: Plain, Data: unhex(t, unit)}
}

func encoded(t testing.TB, f *Frame) []byte {
	t.Helper()
	b, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeaders(t *testing.T) {
	for _, c := range []struct {
		name               string
		start              string
		reply, encryption  byte
		length             string
		valid2016, valid25 bool
	}{
		{"command", "", 0xFE, 1, "0000", true, true},
		{"longest unit", "", 0xFE, 1, "FFFB", true, true},
		{"unit too long", "", 0xFE, 1, "FFFC", false, false},
		{"reply 00", "", 0x00, 1, "0006", false, false},
		{"reply 01", "", 0x01, 1, "0006", true, true},
		{"reply 03", "", 0x03, 1, "0006", true, true},
		{"reply 04", "", 0x04, 1, "0006", false, true},
		{"reply 07", "", 0x07, 1, "0006", false, true},
		{"reply 08", "", 0x08, 1, "0006", false, false},
		{"reply FD", "", 0xFD, 1, "0006", false, false},
		{"reply FF", "", 0xFF, 1, "0006", false, false},
		{"encryption 00", "", 0xFE, 0, "0006", false, false},
		{"encryption 03", "", 0xFE, 3, "0006", true, true},
		{"encryption 04", "", 0xFE, 4, "0006", false, true},
		{"encryption 05", "", 0xFE, 5, "0006", false, true},
		{"encryption 06", "", 0xFE, 6, "0006", false, false},
		{"encryption FD", "", 0xFE, 0xFD, "0006", false, false},
		{"encryption FE", "", 0xFE, 0xFE, "0006", true, true},
		{"encryption FF", "", 0xFE, 0xFF, "0006", true, true},
		{"start bytes differ", "2324", 0xFE, 1, "0006", false, false},
		{"start bytes of neither", "2525", 0xFE, 1, "0006", false, false},
	} {
		for start, valid := range map[string]bool{"2323": c.valid2016, "2424": c.valid25} {
			if c.start != "" {
				start = c.start
			}
			b := unhex(t, start+fmt.Sprintf("02%02X", c.reply)+hex.EncodeToString([]byte(testID))+fmt.Sprintf("%02X", c.encryption)+c.length)
			h, err := ParseHeader(b)
			if (err == nil) != valid {
				t.Errorf("%s, %s: error %v, want valid %v", c.name, start, err, valid)
			}
			if err == nil && (h.ID.Text() != testID || h.Command != RealTime) {
				t.Errorf("%s: read %+v", c.name, h)
			}
		}
	}
	if _, err := ParseHeader(make([]byte, HeaderSize-1)); err == nil {
		t.Error("a header of 23 bytes was accepted")
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := encoded(t, plain(t, Edition2016, VehicleLogout, "190601 0C0000 0001"))
	if _, err := Decode(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"wrong check byte": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"changed unit":     func(b []byte) []byte { b[HeaderSize] ^= 0x10; return b },
		"changed identity": func(b []byte) []byte { b[7] ^= 1; return b },
		"one byte short":   func(b []byte) []byte { return b[:len(b)-1] },
		"one byte more":    func(b []byte) []byte { return append(b, 0) },
		"header alone":     func(b []byte) []byte { return b[:HeaderSize] },
		"nothing":          func(b []byte) []byte { return nil },
	} {
		_, err := Decode(change(bytes.Clone(good)))
		if err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), testID) {
			t.Errorf("%s: the error names the vehicle: %v", name, err)
		}
	}
}

func TestFramePrintsNoIdentityAndNoData(t *testing.T) {
	f := plain(t, Edition2016, VehicleLogout, "190601 0C0000 0001")
	for _, format := range []string{"%v", "%s", "%+v"} {
		if s := fmt.Sprintf(format, f); strings.Contains(s, testID) || strings.Contains(s, "25 6 1") {
			t.Errorf("%s prints %q", format, s)
		}
	}
}

func TestEncodeRefusesWhatIsNoHeader(t *testing.T) {
	for name, f := range map[string]Frame{
		"edition":    {Edition: 0x25, Reply: IsCommand, Encryption: Plain},
		"reply":      {Edition: Edition2016, Reply: WrongSignature, Encryption: Plain},
		"encryption": {Edition: Edition2016, Reply: IsCommand, Encryption: SM4},
		"length":     {Edition: Edition2016, Reply: IsCommand, Encryption: Plain, Data: make([]byte, MaxUnit+1)},
	} {
		if _, err := f.Encode(); err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func TestAnswers(t *testing.T) {
	now := Time{26, 1, 2, 3, 4, 5}
	for _, c := range []struct {
		name    string
		command Command
		unit    string
		want    string
	}{
		{"logout keeps its time", VehicleLogout, "1906010C0000 0046", "1906010C0000"},
		{"heartbeat has none", Heartbeat, "", ""},
		{"clock request gets the platform's", ClockRequest, "", "1A0102030405"},
	} {
		a, err := plain(t, Edition2016, c.command, c.unit).Answer(Done, now)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if back, err := Decode(encoded(t, a)); err != nil || back.Reply != Done || !bytes.Equal(back.Data, unhex(t, c.want)) {
			t.Errorf("%s: %v %v", c.name, back, err)
		}
	}
	if _, err := plain(t, Edition2016, Heartbeat, "").Answer(IsCommand, now); err == nil {
		t.Error("a command was given as the answer")
	}
	if _, err := plain(t, Edition2016, Heartbeat, "").Answer(WrongSignature, now); err == nil {
		t.Error("a reply of 2025 was given to a frame of 2016")
	}
}

func TestTimes(t *testing.T) {
	if got, err := noon.UTC(); err != nil || !got.Equal(noonUTC) {
		t.Errorf("noon is %v %v, want %v", got, err, noonUTC)
	}
	if got, err := NewTime(noonUTC.Add(999 * time.Millisecond)); err != nil || got != noon {
		t.Errorf("noon is written %v %v", got, err)
	}
	// New Year's Eve of UTC is New Year in UTC+8, and the other way round at the ends of the range.
	if got, err := NewTime(time.Date(2024, 12, 31, 16, 0, 0, 0, time.UTC)); err != nil || got != (Time{25, 1, 1, 0, 0, 0}) {
		t.Errorf("new year is written %v %v", got, err)
	}
	for _, bad := range []Time{
		{25, 0, 1, 0, 0, 0}, {25, 13, 1, 0, 0, 0}, {25, 4, 31, 0, 0, 0}, {25, 2, 29, 0, 0, 0}, {25, 1, 0, 0, 0, 0},
		{25, 1, 1, 24, 0, 0}, {25, 1, 1, 0, 60, 0}, {25, 1, 1, 0, 0, 60}, {100, 1, 1, 0, 0, 0},
		{255, 255, 255, 255, 255, 255}, {},
	} {
		if v, err := bad.UTC(); err == nil {
			t.Errorf("% d is taken for %v", bad, v)
		}
	}
	for _, year := range []int{1999, 2101} {
		if _, err := NewTime(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)); err == nil {
			t.Errorf("the year %d was written", year)
		}
	}
}

func TestNewID(t *testing.T) {
	if id, err := NewID("P1"); err != nil || id.Text() != "P1" || id[16] != 0 {
		t.Errorf("%v %v", id, err)
	}
	for _, bad := range []string{"", "123456789012345678", "VIN\x00", "VIN\x7F", "ÄÖ"} {
		if _, err := NewID(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

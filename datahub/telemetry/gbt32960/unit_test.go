package gbt32960

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// roundTrip reads the unit of f, writes it, and compares the bytes.
func roundTrip(t testing.TB, f *Frame) Unit {
	t.Helper()
	u, err := f.Unit()
	if err != nil {
		t.Fatal(err)
	}
	b, err := EncodeUnit(f.Edition, u)
	if err != nil {
		t.Fatalf("%T: %v", u, err)
	}
	if !bytes.Equal(b, f.Data) {
		t.Fatalf("%T is written\n%x, was\n%x", u, b, f.Data)
	}
	return u
}

const (
	timeHex  = "1906010C0000"
	iccidHex = "3839383654455354303030303030303030303031"
	userHex  = "757365720000000000000000"
	vinHex   = "54455354564E3030303030303030303031"
)

func iccid() (b [20]byte) { copy(b[:], "8986TEST000000000001"); return b }

func TestUnits(t *testing.T) {
	pack := strings.Repeat("41", 24)
	for _, c := range []struct {
		name    string
		edition Edition
		command Command
		unit    string
		want    Unit
	}{
		{"login of two systems", Edition2016, VehicleLogin, timeHex + "0001" + iccidHex + "0205" + "3130303031" + "3130303032",
			&Login{Time: noon, Serial: 1, ICCID: iccid(), CodeLength: 5, Codes: [][]byte{[]byte("10001"), []byte("10002")}}},
		{"login, codes without length", Edition2016, VehicleLogin, timeHex + "FFFB" + iccidHex + "0100",
			&Login{Time: noon, Serial: 65531, ICCID: iccid(), Codes: [][]byte{nil}}},
		{"login, invalid number of systems", Edition2016, VehicleLogin, timeHex + "0001" + iccidHex + "FF18",
			&Login{Time: noon, Serial: 1, ICCID: iccid(), Systems: CountInvalid, CodeLength: 24}},
		{"login, invalid length", Edition2016, VehicleLogin, timeHex + "0001" + iccidHex + "01FE",
			&Login{Time: noon, Serial: 1, ICCID: iccid(), CodeLength: 0xFE, Codes: [][]byte{nil}}},
		{"login of 2025", Edition2025, VehicleLogin, timeHex + "000C" + iccidHex + "03" + "01FE02" + pack + pack + pack,
			&Login{Time: noon, Serial: 12, ICCID: iccid(), Packs: []Packs{
				{Codes: make([][24]byte, 1)}, {Count: CountAbnormal}, {Codes: make([][24]byte, 2)}}}},
		{"login of 2025 without systems", Edition2025, VehicleLogin, timeHex + "000C" + iccidHex + "00",
			&Login{Time: noon, Serial: 12, ICCID: iccid()}},
		{"vehicle logout", Edition2016, VehicleLogout, timeHex + "0046", &Logout{noon, 70}},
		{"platform logout", Edition2025, PlatformSignOut, timeHex + "0046", &Logout{noon, 70}},
		{"platform login", Edition2016, PlatformSignIn, timeHex + "0002" + userHex + strings.Repeat("31", 20) + "01",
			&PlatformLogin{Time: noon, Serial: 2, User: [12]byte{'u', 's', 'e', 'r'}, Password: Password(bytes.Repeat([]byte("1"), 20)), Encryption: Plain}},
		{"heartbeat", Edition2016, Heartbeat, "", &Empty{}},
		{"clock request", Edition2025, ClockRequest, "", &Empty{}},
		{"activation", Edition2025, ActivationAsked, timeHex + strings.Repeat("20", 16) + "0003AABBCC" + vinHex + "01" + "0001" + "07" + "0001" + "08",
			&Activation{Time: noon, Chip: [16]byte(bytes.Repeat([]byte(" "), 16)), Key: []byte{0xAA, 0xBB, 0xCC}, VIN: testVehicle(t),
				Signature: Signature{Algorithm: SignedSM2, R: []byte{7}, S: []byte{8}}}},
		{"activation result", Edition2025, ActivationResult, "0202", &ActivationReply{2, 2}},
		{"key exchange", Edition2025, KeyExchanged, "05" + "0002" + "0102" + timeHex + timeHex,
			&KeyExchange{Algorithm: SM4, Key: Key{1, 2}, ValidFrom: noon, Till: noon}},
	} {
		got := roundTrip(t, plain(t, c.edition, c.command, c.unit))
		switch u := got.(type) {
		case *Login:
			for _, p := range u.Packs {
				for i := range p.Codes {
					p.Codes[i] = [24]byte{}
				}
			}
		case *Activation:
			if covered := plain(t, c.edition, c.command, c.unit).Data[:6+16+2+3+17]; !bytes.Equal(u.Signature.Covers(), covered) {
				t.Errorf("%s: the signature covers %x", c.name, u.Signature.Covers())
			}
			u.Signature.signed = nil
		}
		if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", c.want) && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: read %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestUnitsRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		edition Edition
		command Command
		unit    string
	}{
		{"login, half a code", Edition2016, VehicleLogin, timeHex + "0001" + iccidHex + "0205" + "3130303031" + "31"},
		{"login, more codes than bytes", Edition2016, VehicleLogin, timeHex + "0001" + iccidHex + "FDFD"},
		{"login, bytes behind its end", Edition2016, VehicleLogin, timeHex + "0001" + iccidHex + "000000"},
		{"login of 2025, more packs than bytes", Edition2025, VehicleLogin, timeHex + "0001" + iccidHex + "02" + "FDFD" + strings.Repeat("41", 48)},
		{"logout, half a serial", Edition2016, VehicleLogout, timeHex + "00"},
		{"heartbeat with a byte", Edition2016, Heartbeat, "00"},
		{"report, half a time", Edition2016, RealTime, "190601"},
		{"activation, key longer than the unit", Edition2025, ActivationAsked, timeHex + strings.Repeat("20", 16) + "FFFF"},
		{"key exchange, no end", Edition2025, KeyExchanged, "05" + "0002" + "0102" + timeHex},
	} {
		if u, err := plain(t, c.edition, c.command, c.unit).Unit(); err == nil {
			t.Errorf("%s: read %+v", c.name, u)
		}
	}
}

func TestEncryptedUnitsAreKeptAndReported(t *testing.T) {
	for _, e := range []Encryption{RSA, AES128, SM2, SM4, EncryptionAbnormal, EncryptionInvalid} {
		f := plain(t, Edition2025, RealTime, timeHex+"01"+strings.Repeat("00", 18))
		f.Encryption = e
		u, ok := roundTrip(t, f).(*Opaque)
		if !ok || !bytes.Equal(u.Bytes, f.Data) || !strings.Contains(u.Why, e.String()) {
			t.Errorf("%v: %+v", e, u)
		}
		readings, issues, err := Readings(f)
		if err != nil || len(readings) != 0 || len(issues) != 1 || !strings.Contains(issues[0], "encrypted") {
			t.Errorf("%v: %d readings, %q, %v", e, len(readings), issues, err)
		}
	}
}

func TestUnknownCommandsAreKept(t *testing.T) {
	for _, c := range []Command{0x80, 0x81, 0xC0, 0x55, KeyExchanged} {
		f := plain(t, Edition2016, c, "0102")
		if u, ok := roundTrip(t, f).(*Opaque); !ok || u.Why == "" {
			t.Errorf("command %02X: %T", uint8(c), u)
		}
	}
}

func TestRepliesKeepTheTimeOrEchoEverything(t *testing.T) {
	vehicle := "01" + strings.Repeat("01", 20)
	for _, c := range []struct {
		name    string
		command Command
		unit    string
		want    Unit
	}{
		{"time", VehicleLogin, timeHex, &Acknowledgement{}},
		{"clock", ClockRequest, timeHex, &Acknowledgement{}},
		{"nothing", Heartbeat, "", &Empty{}},
		{"echo of a logout", VehicleLogout, timeHex + "0001", &Logout{}},
		{"echo of a report", RealTime, timeHex + vehicle, &Report{}},
		{"neither", VehicleLogout, timeHex + "00", &Opaque{}},
	} {
		f := plain(t, Edition2016, c.command, c.unit)
		f.Reply = Done
		if got := roundTrip(t, f); reflect.TypeOf(got) != reflect.TypeOf(c.want) {
			t.Errorf("%s: read %T", c.name, got)
		}
		if readings, _, err := Readings(f); len(readings) != 0 || err != nil {
			t.Errorf("%s: a reply gave %d readings, %v", c.name, len(readings), err)
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	login := &PlatformLogin{Password: Password([]byte("correct-horse-batter"))}
	exchange := &KeyExchange{Key: Key("correct-horse")}
	for _, v := range []any{login, *login, exchange, *exchange} {
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{fmt.Sprintf("%v %+v %#v %s %x", v, v, v, v, v), string(j)} {
			if strings.Contains(s, "correct") || strings.Contains(s, "636f7272656374") || strings.Contains(s, "99 111 114") {
				t.Errorf("%T prints %s", v, s)
			}
		}
	}
}

func TestEncodeUnitRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		edition Edition
		unit    Unit
	}{
		"edition":                   {0x25, &Empty{}},
		"codes of 2016 in 2025":     {Edition2025, &Login{Codes: [][]byte{{1}}}},
		"packs of 2025 in 2016":     {Edition2016, &Login{Packs: []Packs{{}}}},
		"code of another length":    {Edition2016, &Login{CodeLength: 2, Codes: [][]byte{{1}}}},
		"codes that are absent":     {Edition2016, &Login{Systems: CountInvalid, Codes: [][]byte{nil}}},
		"extremes in 2025":          {Edition2025, &Report{Blocks: []Block{&Extremes{}}}},
		"parallel units in 2016":    {Edition2016, &Report{Blocks: []Block{&ParallelUnits{}}}},
		"pedals in 2025":            {Edition2025, &Report{Blocks: []Block{&Vehicle{Brake: 1}}}},
		"coordinate system in 2016": {Edition2016, &Report{Blocks: []Block{&Position{Datum: 1}}}},
		"levels of flags in 2016":   {Edition2016, &Report{Blocks: []Block{&Alarms{Levels: make([]AlarmLevel, 1)}}}},
		"long torque in 2016":       {Edition2016, &Report{Blocks: []Block{&Motors{Motors: []Motor{{Torque: 1 << 16}}}}}},
		"motor current in 2025":     {Edition2025, &Report{Blocks: []Block{&Motors{Motors: []Motor{{Current: 1}}}}}},
		"engine state in 2025":      {Edition2025, &Report{Blocks: []Block{&Engine{State: 1}}}},
		"private type 7F":           {Edition2016, &Report{Blocks: []Block{&Private{Kind: 0x7F}}}},
		"private type FF":           {Edition2025, &Report{Blocks: []Block{&Private{Kind: 0xFF}}}},
		"signature in 2016":         {Edition2016, &Report{Signature: &Signature{}}},
		"signature and rest":        {Edition2025, &Report{Signature: &Signature{}, Rest: []byte{1}}},
		"too many motors":           {Edition2016, &Report{Blocks: []Block{&Motors{Motors: make([]Motor, 254)}}}},
		"cells that are absent":     {Edition2016, &Report{Blocks: []Block{&CellVoltages{Systems: []CellSystem{{CellCount: CountInvalid, Cells: []uint16{1}}}}}}},
		"a unit that is too long":   {Edition2016, &Report{Blocks: []Block{&Private{Kind: 0x80, Bytes: make([]byte, MaxUnit)}}}},
		"a private block too long":  {Edition2016, &Report{Blocks: []Block{&Private{Kind: 0x80, Bytes: make([]byte, 1<<16)}}}},
		"absent of a third kind":    {Edition2016, &Report{Blocks: []Block{&Motors{Count: 3}}}},
	} {
		if b, err := EncodeUnit(c.edition, c.unit); err == nil {
			t.Errorf("%s: written as %d bytes", name, len(b))
		}
	}
}

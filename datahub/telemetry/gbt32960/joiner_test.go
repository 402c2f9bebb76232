package gbt32960

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/health"
)

// atSecond is a report of 2016 that many seconds after noon.
func atSecond(t testing.TB, second byte, blocks ...string) *Frame {
	t.Helper()
	f := plain(t, Edition2016, RealTime, timeHex+strings.Join(blocks, ""))
	f.Data[5] = second
	return f
}

// part is 10 of 20 cells of a pack.
func part(first byte) string {
	return fmt.Sprintf("08 01 01 0FA0 2710 0014 00%02X 0A", first) + strings.Repeat("0CE4", 10)
}

func seconds(t testing.TB, j *Joiner, f *Frame) (out []int64) {
	t.Helper()
	readings, _, err := j.Add(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readings {
		out = append(out, (r.TimeMicros-noonUTC.UnixMicro())/1_000_000)
	}
	return out
}

func TestJoinerGivesOutInOrderOnceComplete(t *testing.T) {
	var j Joiner
	v := vehicleHex("0FA0", "2710")
	for i, c := range []struct {
		frame *Frame
		want  []int64
	}{
		{atSecond(t, 1, v, part(1)), nil},
		{atSecond(t, 2, v), nil},                 // waits behind 1
		{atSecond(t, 1, part(11)), []int64{1}},   // 1 is whole
		{atSecond(t, 3, v, part(1)), []int64{2}}, // 2 was
		{atSecond(t, 4, v), nil},                 // 3 is not
		{atSecond(t, 5, v), nil},
		{atSecond(t, 6, v), nil},
		{atSecond(t, 7, v), []int64{3, 4, 5, 6}}, // more than 4 are held: 3 goes as it is, and all that waited behind it
	} {
		got := seconds(t, &j, c.frame)
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("frame %d gave %v, want %v", i, got, c.want)
		}
		if len(j.held) > DefaultHeld {
			t.Errorf("frame %d: %d times are held", i, len(j.held))
		}
	}
	if readings, _ := j.Flush(); len(readings) != 1 || len(j.held) != 0 {
		t.Errorf("%d readings at the end", len(readings))
	}
}

func TestJoinerStaysBounded(t *testing.T) {
	j := Joiner{Held: 2}
	for i := range 200 {
		f := atSecond(t, byte(i%60), part(1))
		f.Data[4], f.Data[3] = byte(i/60), 1
		if _, _, err := j.Add(f); err != nil {
			t.Fatal(err)
		}
		if len(j.held) > 2 || len(j.given) > remembered {
			t.Fatalf("holds %d times and remembers %d", len(j.held), len(j.given))
		}
	}
}

func TestJoinerRefusesOtherVehicles(t *testing.T) {
	var j Joiner
	if _, _, err := j.Add(atSecond(t, 1, vehicleHex("0FA0", "2710"))); err != nil {
		t.Fatal(err)
	}
	other := atSecond(t, 1, vehicleHex("0FA0", "2710"))
	other.ID[0] ^= 1
	if _, _, err := j.Add(other); !errors.Is(err, ErrOtherVehicle) {
		t.Errorf("another vehicle: %v", err)
	}
	// A platform's own frames between them carry its own identity.
	other.Command, other.Data = Heartbeat, nil
	if _, _, err := j.Add(other); err != nil {
		t.Error(err)
	}
}

func TestReadingsRefuseATimeThatCannotBe(t *testing.T) {
	for _, unit := range []string{"", "190601", "1906000C0000", "19021E0C0000", "FFFFFFFFFFFF"} {
		if readings, _, err := Readings(plain(t, Edition2016, RealTime, unit)); err == nil {
			t.Errorf("%q gave %d readings", unit, len(readings))
		}
	}
}

func TestReadingsOfOtherFramesAndOfOtherBlocks(t *testing.T) {
	for name, f := range map[string]*Frame{
		"heartbeat":           plain(t, Edition2016, Heartbeat, ""),
		"a unit in error":     plain(t, Edition2016, VehicleLogout, "00"),
		"a report of nothing": plain(t, Edition2016, RealTime, timeHex),
		"where it is":         plain(t, Edition2016, RealTime, timeHex+"05 00 00000001 00000001"),
	} {
		if readings, issues, err := Readings(f); len(readings) != 0 || len(issues) != 0 || err != nil {
			t.Errorf("%s: %d readings, %q, %v", name, len(readings), issues, err)
		}
	}
}

// Cells of several packs stand behind one another by the numbers of the packs, and only if none is missing.
func TestCellsOfSeveralPacks(t *testing.T) {
	pack := func(number byte, total, first int, cells ...int) string {
		s := fmt.Sprintf("%02X 0FA0 2710 %04X %04X %02X", number, total, first, len(cells))
		for _, c := range cells {
			s += fmt.Sprintf("%04X", c)
		}
		return s
	}
	known := func(v ...int64) (m []health.Measured) {
		for _, v := range v {
			m = append(m, health.Known(v*1000))
		}
		return m
	}
	for _, c := range []struct {
		name  string
		block string
		want  []health.Measured
		issue string
	}{
		{"two packs", "08 02" + pack(1, 2, 1, 10, 11) + pack(2, 1, 1, 12), known(10, 11, 12), ""},
		{"the second first", "08 02" + pack(2, 1, 1, 12) + pack(1, 2, 1, 10, 11), known(10, 11, 12), ""},
		{"numbered from 0", "08 02" + pack(0, 1, 1, 10) + pack(1, 1, 1, 11), known(10, 11), ""},
		{"a hole", "08 02" + pack(1, 1, 1, 10) + pack(3, 1, 1, 11), nil, "hole"},
		{"the first is missing", "08 01" + pack(2, 1, 1, 10), nil, "hole"},
		{"an invalid cell", "08 01" + pack(1, 3, 1, 10, 0xFFFF, 0xFFFE), []health.Measured{health.Known(10_000), {}, {}}, "2 of 3"},
		{"fewer than stated", "08 01" + pack(1, 3, 1, 10, 11), nil, "not all"},
		{"more than stated", "08 01" + pack(1, 1, 1, 10, 11), nil, "not all"},
		{"number not stated", "08 01" + pack(1, 0xFFFF, 1, 10), nil, "not all"},
		{"counted from 0", "08 01" + pack(1, 1, 0, 10), nil, "counted from 0"},
		{"two runs that overlap", "08 02" + pack(1, 3, 1, 10, 11) + pack(1, 3, 2, 12, 13), nil, "other values"},
		{"two runs of two lengths", "08 02" + pack(1, 3, 1, 10, 11) + pack(1, 4, 3, 12), nil, "changes"},
	} {
		r, issues := one(t, Edition2016, vehicleHex("0FA0", "2710"), c.block)
		if fmt.Sprint(r.CellsMicroV) != fmt.Sprint(c.want) || !contains(issues, c.issue) || c.issue == "" && len(issues) != 0 {
			t.Errorf("%s: %v %q", c.name, r.CellsMicroV, issues)
		}
	}
}

func TestAlarmsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		edition Edition
		hex     string
		level   uint8
		flags   uint32
		issue   string
	}{
		{Edition2016, "07 02 00040000 00000000", 2, 1 << 18, ""},
		{Edition2016, "07 FF FFFFFFFF 00000000", 0, 0, "all bits"},
		{Edition2016, "07 04 00000001 00000000", 0, 1, "level"},
		{Edition2016, "07 01 00800001 00000000", 1, 1, "reserves"},
		{Edition2025, "06 04 00800001 0000000000", 4, 1<<23 | 1, ""},
		{Edition2025, "06 01 10000001 0000000000", 1, 1, "reserves"},
	} {
		r, issues := one(t, c.edition, c.hex)
		if r.AlarmLevel != c.level || r.AlarmFlags != c.flags || !contains(issues, c.issue) || c.issue == "" && len(issues) != 0 {
			t.Errorf("%v %s: level %d, flags %X, %q", c.edition, c.hex, r.AlarmLevel, r.AlarmFlags, issues)
		}
	}
}

func TestUpload(t *testing.T) {
	v := vehicleHex("0FA0", "2710")
	var b []byte
	for _, f := range []*Frame{
		plain(t, Edition2016, VehicleLogout, "00"), // not a report: skipped, whatever is in it
		atSecond(t, 2, v, part(11)), atSecond(t, 1, v), atSecond(t, 2, part(1)), atSecond(t, 3, v, part(1)), atSecond(t, 4, v, part(1)),
	} {
		b = append(b, encoded(t, f)...)
	}
	d, err := Upload(b)
	if err != nil || len(d.Readings) != 4 || len(d.Readings[1].CellsMicroV) != 20 || len(d.Readings[2].CellsMicroV) != 0 {
		t.Fatalf("%+v %v", d, err)
	}
	if len(d.Issues) != 1 || !strings.Contains(d.Issues[0], "(2 times)") {
		t.Errorf("%q", d.Issues)
	}
	if d, err := Upload(nil); err != nil || len(d.Readings) != 0 {
		t.Errorf("nothing: %+v %v", d, err)
	}
	beat := encoded(t, plain(t, Edition2016, Heartbeat, ""))
	for name, bad := range map[string][]byte{
		"noise behind":    append(bytes.Clone(b), 0),
		"cut off":         b[:len(b)-1],
		"noise before":    append([]byte{0}, b...),
		"too many frames": bytes.Repeat(beat, MaxUploadFrames+1),
	} {
		if _, err := Upload(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := Upload(bytes.Repeat(beat, MaxUploadFrames)); err != nil {
		t.Error(err)
	}
}

// A probe is a byte in a frame and 16 in memory, and every frame may be wrong in a way of its own.
func TestUploadTakesFewTimesItsSizeInMemory(t *testing.T) {
	v := vehicleHex("0FA0", "2710")
	probes := func(n int) string { return fmt.Sprintf("09 01 01 %04X", n) + strings.Repeat("40", n) }
	cells := func(n int) string {
		return fmt.Sprintf("08 01 01 0FA0 2710 %04X 0001 %02X", n, n) + strings.Repeat("0CE4", n)
	}
	for name, blocks := range map[string]func(i int) []string{
		"probes alone":     func(i int) []string { return []string{probes(1000 + i)} },
		"probes and cells": func(i int) []string { return []string{v, cells(100), probes(50)} },
		"cells":            func(i int) []string { return []string{v, cells(200)} },
		"nearly nothing":   func(int) []string { return []string{"09 00"} },
		"issues": func(i int) []string {
			return []string{v, "09 01 01 " + fmt.Sprintf("%04X", i+1) + strings.Repeat("FF", i+1), "55"}
		},
	} {
		var b []byte
		for i := range 100 {
			f := atSecond(t, byte(i%60), blocks(i)...)
			f.Data[4] = byte(i / 60)
			b = append(b, encoded(t, f)...)
		}
		d, err := Upload(b)
		if err != nil || len(d.Readings) != 100 {
			t.Fatalf("%s: %d readings, %v", name, len(d.Readings), err)
		}
		if got := size(d.Readings); got > maxExpansion*len(b) {
			t.Errorf("%s: %d bytes take %d of memory", name, len(b), got)
		}
		if kept, want := d.Readings[0].ProbesMilliC != nil, name == "probes and cells" || name == "issues"; kept != want || strings.HasPrefix(name, "probes") && !d.Readings[0].HottestMilliC.Known {
			t.Errorf("%s: probes are kept: %t", name, kept)
		}
		if len(d.Issues) > maxIssues+1 {
			t.Errorf("%s: %d issues", name, len(d.Issues))
		}
	}
}

func TestIssuesAndErrorsNameNoValues(t *testing.T) {
	f := plain(t, Edition2016, RealTime, timeHex+"01 77 88 99 FFFD FFFFFFFD D903 D903 FD FD FF FFFF FD FD"+"08 01 01 D903 D903 0002 0001 02 D903 D903"+"0A")
	_, issues, err := Readings(f)
	if err != nil || len(issues) == 0 {
		t.Fatal(issues, err)
	}
	for _, s := range issues {
		if strings.Contains(s, "55555") || strings.Contains(s, "D903") || strings.Contains(s, testID) {
			t.Errorf("%q", s)
		}
	}
}

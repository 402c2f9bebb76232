package gbt32960

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/google/go-cmp/cmp"
)

// Other implementations give pack currents of 2016 the offset of 2025, blocks 06 to 09 other layouts, and the vehicle 18 bytes.
func TestTrapLayoutsAreThoseOfTheText(t *testing.T) {
	r, _ := one(t, Edition2016, "08 01 01 1000 2AF8 0002 0001 02 0CE4 0CE5")
	if r.CurrentMicroA != health.Known(-100_000_000) {
		t.Errorf("a pack current of 100 A is read as %v", r.CurrentMicroA)
	}
	for _, c := range []struct {
		edition Edition
		kind    byte
		size    int
	}{
		{Edition2016, 0x01, 20}, {Edition2016, 0x02, 1}, {Edition2016, 0x04, 5}, {Edition2016, 0x05, 9}, {Edition2016, 0x06, 14}, {Edition2016, 0x07, 9}, {Edition2016, 0x08, 1}, {Edition2016, 0x09, 1},
		{Edition2025, 0x01, 18}, {Edition2025, 0x03, 12}, {Edition2025, 0x04, 2}, {Edition2025, 0x05, 10}, {Edition2025, 0x06, 10}, {Edition2025, 0x07, 1}, {Edition2025, 0x08, 1}, {Edition2025, 0x32, 18},
	} {
		c2 := &coder{writing: true}
		blockOf(c.edition, c.kind).code(c2, c.edition)
		if c2.err != nil || len(c2.b) != c.size {
			t.Errorf("%v block %02X has %d bytes, %v", c.edition, c.kind, len(c2.b), c2.err)
		}
	}
}

// 06, 07 and 08 mean something else in each edition: the same bytes are read by the start bytes of their frame.
func TestTrapBlockMeaningsChangeBetweenEditions(t *testing.T) {
	for kind, want := range map[byte][2]Block{
		0x03: {&FuelCell{}, &Hydrogen{}}, 0x06: {&Extremes{}, &Alarms{}}, 0x07: {&Alarms{}, &ParallelUnits{}}, 0x08: {&CellVoltages{}, &Temperatures{}}, 0x09: {&Temperatures{}, nil},
	} {
		for i, e := range []Edition{Edition2016, Edition2025} {
			if got := blockOf(e, kind); !cmp.Equal(got, want[i]) {
				t.Errorf("%v: %02X is %T, want %T", e, kind, got, want[i])
			}
		}
	}
	old, _ := one(t, Edition2016, "08 01 01 1000 2710 0001 0001 01 0CE4")
	if len(old.CellsMicroV) != 1 || len(old.ProbesMilliC) != 0 {
		t.Errorf("08 of 2016: %+v", old)
	}
	young, _ := one(t, Edition2025, "08 01 01 0001 41")
	if len(young.CellsMicroV) != 0 || len(young.ProbesMilliC) != 1 {
		t.Errorf("08 of 2025: %+v", young)
	}
}

func TestTrapFFInsideBodiesIsData(t *testing.T) {
	invalid := "01 FFFFFF FFFF FFFFFFFF FFFF FFFF FF FF FF FFFF"
	private := "80 0004 FF010001"
	r := report(t, Edition2025, invalid, private, "07 01 FF FFFF FFFF 0002 FFFF FFFF", "FF 03 0001 01 0001 02")
	if len(r.Blocks) != 3 || len(r.Rest) != 0 || r.Signature == nil || r.Signature.Algorithm != SignedECC || !bytes.Equal(r.Signature.S, []byte{2}) {
		t.Fatalf("%d blocks, rest %x, signature %+v: %s", len(r.Blocks), r.Rest, r.Signature, r.Unread)
	}
	if covers := r.Signature.Covers(); len(covers) != 6+19+7+13 {
		t.Errorf("the signature covers %d bytes", len(covers))
	}
	// In 2016 FF opens nothing.
	if r := report(t, Edition2016, "FF 03 0001 01 0001 02"); r.Signature != nil || len(r.Rest) != 8 {
		t.Errorf("signature %v, rest %x", r.Signature, r.Rest)
	}
}

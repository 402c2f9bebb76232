package record

import (
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"pgregory.net/rapid"
)

func TestPackIsTheStatedSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		want := new(big.Int)
		for i, v := range r {
			want.Add(want, new(big.Int).Lsh(big.NewInt(int64(v)), uint(31*i)))
		}
		x := r.Pack()
		if got := x.BigInt(new(big.Int)); got.Cmp(want) != 0 {
			t.Fatalf("Pack(%v) = %v, want %v", r, got, want)
		}
		back, err := Unpack(x)
		if err != nil || back != r {
			t.Fatalf("Unpack(Pack(%v)) = %v, %v", r, back, err)
		}
	})
}

func drawRecord(t *rapid.T) Record {
	var r Record
	for i := range r {
		r[i] = rapid.Uint32Max(1<<LaneBits-1).Draw(t, "lane")
	}
	return r
}

func TestUnpackRefusesWhatIsNotAPacking(t *testing.T) {
	var minusOne, justTooLarge, largest fr.Element
	minusOne.SetInt64(-1)
	justTooLarge.SetBigInt(new(big.Int).Lsh(big.NewInt(1), Lanes*LaneBits))
	largest.Sub(&justTooLarge, new(fr.Element).SetOne())
	for name, x := range map[string]fr.Element{"-1": minusOne, "2^248": justTooLarge} {
		if r, err := Unpack(x); err == nil {
			t.Errorf("Unpack(%s) = %v, want an error", name, r)
		}
	}
	r, err := Unpack(largest)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range r {
		if v != 1<<LaneBits-1 {
			t.Errorf("lane %d of 2^248-1 is %d", i, v)
		}
	}
}

func TestFitsRefusesALaneThatSpills(t *testing.T) {
	for lane := range Lanes {
		r := Record{1}
		r[lane] = 1 << LaneBits
		if err := r.Fits(); err == nil || !strings.Contains(err.Error(), "lane") {
			t.Errorf("lane %d at 2^31: error %v", lane, err)
		}
	}
	if err := (Record{1, 2, 3}).Fits(); err != nil {
		t.Error(err)
	}
}

func TestAbsent(t *testing.T) {
	if !(Record{}).Absent() || (Record{1}).Absent() || (Record{0, 1}).Absent() {
		t.Error("only the zero record is absent")
	}
	if x := (Record{}).Pack(); !x.IsZero() {
		t.Error("an absent slot must pack to zero")
	}
}

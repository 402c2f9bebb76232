package record

import (
	"regexp"
	"strings"
	"testing"
)

func TestSchemasAreWellFormed(t *testing.T) {
	name := regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	for _, s := range Schemas() {
		if found, err := Lookup(s.Name); err != nil || found != s {
			t.Errorf("Lookup(%s) = %v, %v", s.Name, found, err)
		}
		seen := map[string]bool{}
		for i, l := range s.Lanes {
			switch {
			case !name.MatchString(l.Name):
				t.Errorf("%s lane %d: name %q is not plain ASCII", s.Name, i, l.Name)
			case seen[l.Name]:
				t.Errorf("%s: lane %s comes twice", s.Name, l.Name)
			case l.Min > l.Max || uint64(l.Max) >= 1<<Capacity[i]:
				t.Errorf("%s lane %s: [%d, %d] is empty or does not fit %d bits", s.Name, l.Name, l.Min, l.Max, Capacity[i])
			case Capacity[i] > LaneBits:
				t.Errorf("lane %d: capacity %d is beyond the packing stride", i, Capacity[i])
			case i > 0 && (l.Unit == "" || l.Description == ""):
				t.Errorf("%s lane %s: unit or description is missing", s.Name, l.Name)
			}
			seen[l.Name] = true
			if got, ok := s.LaneIndex(l.Name); !ok || got != i {
				t.Errorf("%s: LaneIndex(%s) = %d, %v", s.Name, l.Name, got, ok)
			}
		}
		if s.Lanes[Presence].Name != "presence" {
			t.Errorf("%s: lane 0 is %s", s.Name, s.Lanes[Presence].Name)
		}
	}
	if _, err := Lookup("battery/v2"); err == nil {
		t.Error("an unknown schema was found")
	}
}

func TestCheckHoldsEveryBound(t *testing.T) {
	for _, s := range Schemas() {
		low, high := Record{1}, Record{1}
		for i := 1; i < Lanes; i++ {
			low[i], high[i] = s.Lanes[i].Min, s.Lanes[i].Max
		}
		for _, r := range []Record{low, high} {
			if err := s.Check(r); err != nil {
				t.Errorf("Check(%v): %v", r, err)
			}
		}
		for i := 1; i < Lanes; i++ {
			r := high
			r[i]++
			err := s.Check(r)
			if err == nil || !strings.Contains(err.Error(), s.Lanes[i].Name) || !strings.Contains(err.Error(), s.Name) {
				t.Errorf("%s lane %s above its bound: error %v", s.Name, s.Lanes[i].Name, err)
			}
		}
		for _, presence := range []uint32{0, 2} {
			r := low
			r[Presence] = presence
			if err := s.Check(r); err == nil {
				t.Errorf("%s: presence %d passed", s.Name, presence)
			}
		}
	}
	below := Schema{Name: "test", Lanes: [Lanes]Lane{presence, {Name: "a", Min: 2, Max: 3}}}
	if err := below.Check(Record{1, 1}); err == nil {
		t.Error("a lane below its bound passed")
	}
}

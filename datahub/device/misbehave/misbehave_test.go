package misbehave

import (
	"slices"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for list, want := range map[string][]Kind{
		"": nil, "all": Kinds, "replay": {Replay}, "clone, bad-clock": {Clone, BadClock},
	} {
		if got, err := Parse(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is read as %v, %v", list, got, err)
		}
	}
	for _, list := range []string{"replays", "replay,", "ALL"} {
		if got, err := Parse(list); err == nil {
			t.Errorf("%q is read as %v", list, got)
		}
	}
}

func TestOnlyABadClockShifts(t *testing.T) {
	did := 0
	bad, good := New(BadClock, func(Kind) { did++ }), New(Clone, func(Kind) { did++ })
	var shifted time.Duration
	for range 9 {
		shifted += bad.Shift()
		if good.Shift() != 0 {
			t.Error("a clone shifts")
		}
	}
	if shifted != -3*tenYears || did != 3 {
		t.Errorf("shifted by %s in %d frames", shifted, did)
	}
}

package transcript_test

import (
	"testing"

	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestTrapReadyWhenTheTimeIsOver: whoever delays the last ready does not take the owners' time from them.
func TestTrapReadyWhenTheTimeIsOver(t *testing.T) {
	for _, c := range []struct {
		name             string
		keys, ready      int64 // when the last of them are recorded, after the start
		firstKey         int64
		at               int64
		closes, everyone bool
	}{
		{"at once", 0, 0, 0, 101, true, false},
		{"ready at the end of the time", 0, 100, 0, 101, false, false},
		{"ready after the time", 0, 150, 0, 151, false, false},
		{"all of the time after that", 0, 150, 0, 250, false, false},
		{"the time over after that", 0, 150, 0, 251, true, false},
		{"a late key", 90, 90, 0, 190, false, false},
		{"everyone late", 50, 50, 50, 101, true, false},
		{"first key after the time", 101, 101, 101, 999, false, false},
		{"first key after the time, and all answer", 101, 101, 101, 102, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := must(transcript.New(id, opening()))
			for _, e := range script() {
				e.At = start + c.firstKey
				switch {
				case e.Party == "rec" && e.Round == transcript.Key:
					e.At = start + c.keys
				case e.Party == "rec" && e.Round == transcript.Ready, e.Round == transcript.Input:
					e.At = start + c.ready
				case e.Round == transcript.Close:
					e.At = start + c.at
				}
				if !c.everyone && e.Round == transcript.Input && e.Party == "d" {
					continue
				}
				err := tr.Add(e)
				if e.Round == transcript.Close {
					if (err == nil) != c.closes {
						t.Errorf("close: error %v, want it to close: %t", err, c.closes)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func must(tr *transcript.Transcript, err error) *transcript.Transcript {
	if err != nil {
		panic(err)
	}
	return tr
}

// TestTrapEarlyClose: a receiver waits for every owner's answer, or for the time to be over, and then for enough.
func TestTrapEarlyClose(t *testing.T) {
	declined := func(party string) transcript.Entry {
		e := entry(party, transcript.Input)
		e.Digest = transcript.Digest{}
		return e
	}
	in := func(party string) transcript.Entry { return entry(party, transcript.Input) }
	for _, c := range []struct {
		name   string
		inputs []transcript.Entry
		at     int64
		closes bool
	}{
		{"one has not answered", []transcript.Entry{in("a"), in("b"), in("c")}, start + 100, false},
		{"one has not answered in time", []transcript.Entry{in("a"), in("b"), in("c")}, start + 101, true},
		{"one declined", []transcript.Entry{in("a"), in("b"), in("c"), declined("d")}, start, true},
		{"two declined", []transcript.Entry{in("a"), in("b"), declined("c"), declined("d")}, start + 101, false},
		{"all", []transcript.Entry{in("a"), in("b"), in("c"), in("d")}, start, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := until(t, transcript.Input)
			for _, e := range c.inputs {
				if err := tr.Add(e); err != nil {
					t.Fatal(err)
				}
			}
			e := entry("rec", transcript.Close)
			e.At = c.at
			if err := tr.Add(e); (err == nil) != c.closes {
				t.Errorf("close: error %v, want it to close: %t", err, c.closes)
			}
			if !c.closes {
				return
			}
			late := entry("d", transcript.Input)
			if err := tr.Add(late); tr.Recorded("d", transcript.Input) == nil && err == nil {
				t.Error("an input after the close")
			}
			inactive := entry("rec", transcript.Activate)
			inactive.Detail = []byte{1, 4}
			if err := tr.Add(inactive); (err == nil) != (c.name == "all") {
				t.Errorf("activation of an owner, whether it has an input or not: error %v", err)
			}
		})
	}
}

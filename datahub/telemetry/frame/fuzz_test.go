package frame

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

// sameBytes checks that what was parsed is written as it was read.
func sameBytes(t *testing.T, in, out []byte, err error) {
	t.Helper()
	if err != nil || !bytes.Equal(in, out) {
		t.Fatalf("%x was parsed, and written as %x, %v", in, out, err)
	}
}

func FuzzParse(f *testing.F) {
	good, _ := signed(f, 1)
	f.Add(good.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := Parse(b); err == nil {
			sameBytes(t, b, got.Marshal(), nil)
		}
	})
}

func FuzzParseReadings(f *testing.F) {
	good, err := MarshalReadings(someReadings(3))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(encode(wireReadings{Version: version, Rows: [][]int64{{bitCells | bitProbes | bitAlarm | 1, 5, 9, 2, 3, 7, 8, 1, 1, 5, 4, 3}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := ParseReadings(b)
		if err != nil {
			return
		}
		out, err := MarshalReadings(got)
		sameBytes(t, b, out, err)
		var w wireReadings // a general decoder reads the same rows
		if err := decode("readings", b, MaxPayload, &w); err != nil || len(w.Rows) != len(got) {
			t.Fatalf("%x was parsed, and decodes to %d rows, %v", b, len(w.Rows), err)
		}
	})
}

func FuzzParseMeterings(f *testing.F) {
	good, err := MarshalMeterings(someMeterings())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ParseMeterings(b); err == nil {
			out, err := MarshalMeterings(got)
			sameBytes(t, b, out, err)
		}
	})
}

func FuzzParseReport(f *testing.F) {
	f.Add((&Report{Epoch: 1, Record: someRecord, Attestation: []byte{1}}).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ParseReport(b); err == nil {
			sameBytes(t, b, got.Marshal(), nil)
		}
	})
}

func FuzzParseAccept(f *testing.F) {
	f.Add((&Accept{Fleet: "f", Possession: make([]byte, 64)}).Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ParseAccept(b); err == nil {
			sameBytes(t, b, got.Marshal(), nil)
		}
	})
}

func FuzzParseHello(f *testing.F) {
	good, _ := someHello(f)
	f.Add(good.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ParseHello(b); err == nil {
			sameBytes(t, b, got.Marshal(), nil)
			_, _ = got.Verify(testLedger) // must not panic
		}
	})
}

func FuzzParseOffer(f *testing.F) {
	f.Add(someOffer().marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := parseOffer(b); err == nil {
			sameBytes(t, b, got.marshal(), nil)
		}
	})
}

func FuzzParseDown(f *testing.F) {
	proposal := someRecord
	for _, m := range []Message{&Ack{Through: 9, Refused: []Refusal{{3, "clock"}}}, &Attest{Epoch: 3, Proposal: &proposal, Formulas: "health/v1"}} {
		b, err := MarshalDown(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ParseDown(b); err == nil {
			out, err := MarshalDown(got)
			sameBytes(t, b, out, err)
		}
	})
}

// What a network attacker sends does not open, and neither sealed form panics.
func FuzzOpen(f *testing.F) {
	key, id := newTransport(), commit.DeviceID{1}
	_, private := someHello(f)
	f.Add(Seal(newTransport(), Up, id, []byte("x")))
	f.Add([]byte{outerOffer, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := Open(key, Up, id, b); err == nil {
			t.Fatalf("%x opens", b)
		}
		if _, err := OpenOffer(private, b, id); err == nil {
			t.Fatalf("%x opens as an offer", b)
		}
	})
}

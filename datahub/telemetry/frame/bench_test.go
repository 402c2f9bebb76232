package frame

import "testing"

// The way of one frame of ten readings, step by step and as a node takes it.
func BenchmarkFrameOfTenReadings(b *testing.B) {
	private, _ := newKey(b)
	readings := someReadings(10)
	f, key := signed(b, 1)
	transport := newTransport()
	sealed := Seal(transport, Up, f.Device, f.Marshal())
	plain := f.Marshal()
	b.Logf("%d bytes of readings, %d of frame, %d sealed", len(f.Payload), len(plain), len(sealed))
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"marshal readings", func() error { _, err := MarshalReadings(readings); return err }},
		{"sign", func() error { g := *f; return g.Sign(testLedger, private) }},
		{"seal", func() error { Seal(transport, Up, f.Device, plain); return nil }},
		{"open", func() error { _, err := Open(transport, Up, f.Device, sealed); return err }},
		{"parse", func() error { _, err := Parse(plain); return err }},
		{"verify", func() error { return f.Verify(testLedger, key) }},
		{"parse readings", func() error { _, err := ParseReadings(f.Payload); return err }},
		{"node: open, parse, verify, parse readings", func() error {
			plain, err := Open(transport, Up, f.Device, sealed)
			if err != nil {
				return err
			}
			got, err := Parse(plain)
			if err != nil {
				return err
			}
			if err := got.Verify(testLedger, key); err != nil {
				return err
			}
			_, err = ParseReadings(got.Payload)
			return err
		}},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := step.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

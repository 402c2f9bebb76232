package ocpp

import (
	"bytes"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, v := range loadVectors(f) {
		f.Add([]byte(v.Message))
	}
	for _, text := range session(f) {
		f.Add([]byte(text))
	}
	meter := newMeter(f)
	f.Add([]byte(signedEnd(f, NewSigned(meter.session(f, 1), meter.SPKI(f)), "1")))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(m.Bytes(), b) {
			t.Fatal("message did not keep its bytes")
		}
		meterings, issues := NewStation(Options{TrustSentKeys: true}).Add(m)
		if len(issues) > maxIssues {
			t.Fatal("out of bounds")
		}
		for _, v := range meterings {
			if v.ImportMilliWh.Value < 0 || v.PowerMilliW.Value < 0 || v.Signed && !v.ImportMilliWh.Known {
				t.Fatalf("%+v", v)
			}
		}
		again, err := m.again()
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.again(); err != nil || !bytes.Equal(second.Bytes(), again.Bytes()) {
			t.Fatalf("encoded otherwise the second time: %v", err)
		}
		Order([]*Message{m, again})
	})
}

// again is the message encoded from what was read of it.
func (m *Message) again() (*Message, error) {
	if m.Transaction != nil {
		return m.Transaction.Message("id")
	}
	return m.Meter.Message("id")
}

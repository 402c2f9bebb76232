package ingest

import (
	"testing"

	"github.com/nats-io/jwt/v2"

	"github.com/assay-net/assay/datahub/device"
)

func FuzzParseSubject(f *testing.F) {
	d := newTestDevice(must(device.NewMaker("maker-a")), "1")
	f.Add(subject(d.id, wordUp))
	f.Add("assay.v1.AA.up")
	f.Add("assay.v1..")
	f.Fuzz(func(t *testing.T, s string) {
		if id, word, ok := parseSubject(s); ok && subject(id, word) != s {
			t.Errorf("%q is read as %q", s, subject(id, word))
		}
	})
}

// FuzzExamine feeds what anybody may send through everything that looks at it before it is believed.
func FuzzExamine(f *testing.F) {
	maker := must(device.NewMaker("maker-a"))
	r := newRegistry(maker)
	d := newTestDevice(maker, "1")
	r.seat(d, 0)
	o, err := Options{Ledger: testLedger, Broker: &Broker{}, Registry: r, Sink: newTestSink(), Store: &faulty{}, EpochAt: epochAt}.withDefaults()
	p := &Pipeline{o: must(o, err), metrics: newPipelineMetrics(nil)}
	f.Add(d.sealed(d.newFrame(1)), uint8(0))
	f.Add(d.signed(d.newFrame(1)), uint8(1))
	f.Add(d.newFrame(1).Payload, uint8(2))
	f.Add([]byte{}, uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, how uint8) {
		it := &item{id: d.id, word: wordUp, data: b}
		switch how % 4 {
		case 1: // the device seals what it likes
			it.data = seal(d, b)
		case 2: // and signs it
			frame := d.newFrame(1)
			frame.Payload = b
			if frame.Sign(testLedger, d.key) != nil {
				return
			}
			it.data = seal(d, frame.Marshal())
		case 3:
			it.word = wordHello
		}
		p.examine(it)
		if it.reason == "" && it.decoded == nil && it.report == nil && it.accept == nil && it.hello == nil {
			t.Error("neither good nor bad")
		}
		if used := it.reason == ReasonClock || it.reason == ReasonContent; used && it.frame == nil {
			t.Errorf("uses up a sequence that nobody signed: %s", it.reason)
		}
	})
}

func FuzzCallout(f *testing.F) {
	maker := must(device.NewMaker("maker-a"))
	issuer := must(newIssuer())
	c := newCallout(newRegistry(maker), issuer, accountDevices, 0, testLog(f), newBrokerMetrics(nil))
	r := jwt.NewAuthorizationRequestClaims(issuer.public)
	f.Add([]byte(must(r.Encode(must(newServerKey())))), "")
	f.Add([]byte("eyJ"), "x")
	f.Fuzz(func(t *testing.T, b []byte, server string) {
		request, err := c.open(b, server)
		if err != nil {
			return
		}
		if _, _, err := c.decide(request); err == nil {
			t.Error("a device was let in")
		}
	})
}

package ingest

import (
	"testing"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/zk/commit"
)

func TestFloodsOfTheBrokerAreFound(t *testing.T) {
	l := newLimited()
	id, other := commit.DeviceID{1}, commit.DeviceID{2}
	before := map[uint64]traffic{1: {id, 1_000_000, 1 << 40}, 2: {other, 5, 500}}
	quiet := map[uint64]traffic{1: {id, 1_000_700, 1<<40 + 32<<20}, 2: {other, 1505, 1 << 20}, 3: {id, 512, 1 << 20}}
	if all := l.floods(before, quiet, watchEvery); len(all) != 0 {
		t.Errorf("found %v", all)
	}
	for name, now := range map[string]traffic{
		"many messages": {other, 30_000, 1 << 20}, "many bytes": {other, 400, 100 << 20},
	} {
		if all := l.floods(before, map[uint64]traffic{1: before[1], 2: now}, watchEvery); len(all) != 1 || all[0] != other {
			t.Errorf("%s: found %v", name, all)
		}
	}
}

// What goes nowhere is counted too.
func TestTrafficIsCounted(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	b := startTestBroker(t, newRegistry(maker))
	d := newTestDevice(maker, "1")
	c := b.connect(t, d)
	for range 10 {
		if err := wait(c.Publish("assay/v1/nowhere", 1, false, make([]byte, 1000))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "its messages are counted", func() bool {
		for _, one := range trafficOf(b.embedded.server) {
			if one.id == d.id && one.messages >= 10 && one.bytes >= 10_000 {
				return true
			}
		}
		return false
	})
}

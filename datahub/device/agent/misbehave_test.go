package agent

import (
	"sync/atomic"
	"testing"

	"github.com/assay-net/assay/datahub/device/misbehave"
)

// Whatever a device does beside them, its own readings arrive, once and in order, and what is wrong is seen.
func TestMisbehaviourIsSeen(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	for _, kind := range misbehave.Kinds {
		if kind == misbehave.BadClock { // which is in the readings
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			var did atomic.Int64
			d := misbehave.New(kind, func(misbehave.Kind) { did.Add(1) })
			o := options(b, n)
			o.UnsafeMeddle = func(s Sent) { d.Meddle(s) }
			dev := newDevice(t)
			r := run(t, dev, o)
			r.publish(t, 1, 60)
			r.drain(t)
			if did.Load() == 0 {
				t.Fatal("it behaved")
			}
			n.with(dev.ID(), func(s *seated) {
				if len(s.times) != 60 {
					t.Errorf("%d readings arrived, want 60", len(s.times))
				}
			})
			eventually(t, "it is seen", func() (seen bool) {
				n.with(dev.ID(), func(s *seated) {
					switch kind {
					case misbehave.Clone:
						seen = s.conflicts > 0
					case misbehave.Replay, misbehave.Flood:
						seen = s.duplicates > 0 && s.conflicts == 0
					case misbehave.ForeignTopic:
						seen = s.unopened == 0
					default:
						seen = s.unopened > 0
					}
				})
				return seen
			})
		})
	}
}

package ingest

import (
	"fmt"
	"sync"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// recent is how many frames of a device are remembered, to tell a frame that is sent again from another of the same sequence.
// It is as many as a device may have under way.
const recent = 64

// maxRemembered bounds the devices of which frames are remembered. For the others the store is asked.
const maxRemembered = 100_000

// track is how far the frames of one are.
type track struct {
	through   uint64 // taken, if not committed yet
	committed uint64
	seen      time.Time // last committed as heard from
	marks     *[recent]uint64
	first     uint64 // the first of which marks has one
}

type devices struct {
	mu         sync.Mutex
	all        map[commit.DeviceID]*track
	remembered int
}

func newDevices() *devices { return &devices{all: map[commit.DeviceID]*track{}} }

// get finds a device; only the goroutine that settles uses what it returns, but for committed.
func (d *devices) get(known *Known) *track {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.all[known.ID]
	if one == nil {
		one = &track{through: known.Through, committed: known.Through, first: known.Through + 1}
		if d.remembered < maxRemembered {
			d.remembered++
			one.marks = new([recent]uint64)
		}
		d.all[known.ID] = one
	}
	return one
}

func (d *devices) commit(id commit.DeviceID, through uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if one := d.all[id]; one != nil {
		one.committed = max(one.committed, through)
	}
}

func (d *devices) committed(id commit.DeviceID) (uint64, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.all[id]
	if one == nil {
		return 0, false
	}
	return one.committed, true
}

// take moves a device on to a sequence.
func (d *track) take(sequence, mark uint64) {
	if sequence != d.through+1 { // what is remembered must have no holes
		d.first = sequence
	}
	d.through = sequence
	if d.marks != nil {
		d.marks[sequence%recent] = mark
	}
}

// remember says whether a frame is the one that was taken under this sequence, if that is remembered.
func (d *track) remember(sequence, mark uint64) (same, known bool) {
	if d.marks == nil || sequence < d.first || sequence > d.through || d.through-sequence >= recent {
		return false, false
	}
	return d.marks[sequence%recent] == mark, true
}

// step is what becomes of a frame by its sequence.
type step int

const (
	stepNext      step = iota // the one that is expected
	stepGap                   // those between are lost at the device
	stepDuplicate             // taken already
	stepEarly                 // those between will come
	stepAbsurd                // beyond what a device can have lost
)

// maxGap bounds the frames that a device can say it has lost. Without it who has a device's key for a moment could use up all its
// sequences with one frame.
const maxGap = 1 << 32

var errSequence = fmt.Errorf("more than %d frames would be lost before it", uint64(maxGap))

// step applies the rule of sequences.
func (d *track) step(sequence, oldest uint64) step {
	switch {
	case sequence <= d.through:
		return stepDuplicate
	case sequence == d.through+1:
		return stepNext
	case oldest == sequence && sequence-d.through-1 > maxGap:
		return stepAbsurd
	case oldest == sequence:
		return stepGap
	}
	return stepEarly
}

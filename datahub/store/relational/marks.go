package relational

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

// Mark is what a batch changes of a device: how far it is, and when it was heard of.
type Mark struct {
	Device  commit.DeviceID
	Through uint64
	// Head and Low are the largest and the smallest sequence of the batch's frames; Head is 0 if it has none.
	Head, Low uint64
	Seen      int64
}

// Marks gathers the marks of a batch, in the order of devices, in which every writer locks them. It fails with driver.ErrConflict if
// the batch has a frame twice.
func Marks(b *driver.Batch) ([]Mark, error) {
	all := make(map[commit.DeviceID]*Mark)
	mark := func(id commit.DeviceID) *Mark {
		m := all[id]
		if m == nil {
			m = &Mark{Device: id}
			all[id] = m
		}
		return m
	}
	ascending := true
	for i := range b.Frames {
		m, sequence := mark(b.Frames[i].Device), b.Frames[i].Sequence
		ascending = ascending && sequence > m.Head
		if m.Head == 0 || sequence < m.Low {
			m.Low = sequence
		}
		m.Head = max(m.Head, sequence)
	}
	if !ascending {
		if err := checkTwice(b.Frames); err != nil {
			return nil, err
		}
	}
	for _, p := range b.Progress {
		mark(p.Device).Through = p.Through
	}
	for _, s := range b.Seen {
		mark(s.Device).Seen = driver.Micros(s.At)
	}
	out := make([]Mark, 0, len(all))
	for _, m := range all {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(a, b Mark) int { return bytes.Compare(a.Device[:], b.Device[:]) })
	return out, nil
}

func checkTwice(frames []driver.Frame) error {
	seen := make(map[driver.FrameID]bool, len(frames))
	for i := range frames {
		id := driver.FrameID{Device: frames[i].Device, Sequence: frames[i].Sequence}
		if seen[id] {
			return fmt.Errorf("frame %d of device %s, twice in the batch: %w", id.Sequence, id.Device, driver.ErrConflict)
		}
		seen[id] = true
	}
	return nil
}

// Tally is what a batch adds to a fleet's epoch.
type Tally struct {
	Fleet string
	Epoch uint64
	driver.Count
}

// Tallies gathers what a batch adds, in the order in which every writer locks them.
func Tallies(frames []driver.Frame) []Tally {
	type id struct {
		fleet string
		epoch uint64
	}
	all := make(map[id]driver.Count)
	for i := range frames {
		f := &frames[i]
		c := all[id{f.Fleet, f.Epoch}]
		c.Frames++
		c.Readings += uint64(f.Readings)
		if f.Late {
			c.Late++
		}
		all[id{f.Fleet, f.Epoch}] = c
	}
	out := make([]Tally, 0, len(all))
	for k, c := range all {
		out = append(out, Tally{k.fleet, k.epoch, c})
	}
	slices.SortFunc(out, func(a, b Tally) int { return cmp.Or(cmp.Compare(a.Fleet, b.Fleet), cmp.Compare(a.Epoch, b.Epoch)) })
	return out
}

// Args are the values in the order of their fields.
func (t *Tally) Args() []any {
	return []any{t.Fleet, int64(t.Epoch), int64(t.Frames), int64(t.Readings), int64(t.Late)}
}

package relational

import (
	"context"
	"errors"
	"testing"

	"github.com/assay-net/assay/datahub/store/driver"
	"github.com/assay-net/assay/zk/commit"
)

func TestTransactionThatLosesIsRunAgain(t *testing.T) {
	lost, broken := errors.New("lost"), errors.New("broken")
	for _, c := range []struct {
		results []error
		calls   int
		want    error
	}{
		{[]error{nil}, 1, nil},
		{[]error{lost, lost, nil}, 3, nil},
		{[]error{lost, broken, nil}, 2, broken},
		{[]error{lost, lost, lost, lost, lost, lost, lost, lost, lost, lost, nil}, attempts, lost},
	} {
		calls := 0
		err := Repeat(t.Context(), func(err error) bool { return errors.Is(err, lost) }, func() error {
			calls++
			return c.results[calls-1]
		})
		if calls != c.calls || !errors.Is(err, c.want) {
			t.Errorf("%v: %d calls, %v", c.results, calls, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Repeat(ctx, func(error) bool { return true }, func() error { return lost }); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v after the context ended", err)
	}
}

func TestMarksGatherABatch(t *testing.T) {
	one, two := commit.DeviceID{1}, commit.DeviceID{2}
	b := &driver.Batch{
		Frames:   []driver.Frame{{Device: two, Sequence: 5}, {Device: one, Sequence: 9}, {Device: one, Sequence: 7}},
		Progress: []driver.Progress{{Device: one, Through: 9}},
	}
	got, err := Marks(b)
	if err != nil || len(got) != 2 || got[0] != (Mark{Device: one, Through: 9, Head: 9, Low: 7}) || got[1] != (Mark{Device: two, Head: 5, Low: 5}) {
		t.Errorf("marks %+v, %v", got, err)
	}
	b.Frames = append(b.Frames, driver.Frame{Device: one, Epoch: 3, Sequence: 9})
	if _, err := Marks(b); !errors.Is(err, driver.ErrConflict) {
		t.Errorf("a frame twice: %v", err)
	}
}

func TestPlaceholders(t *testing.T) {
	if got := placeholders(2, 3); got != "($1,$2,$3),($4,$5,$6)" {
		t.Error(got)
	}
}

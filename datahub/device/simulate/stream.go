package simulate

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/assay-net/assay/datahub/health"
)

const (
	// cells are connected in series in every simulated pack.
	cells = 96
	// The voltage window of a cell, in µV.
	lowCellMicroV, highCellMicroV = 3_150_000, 4_200_000
	// fastest is the largest current that a stream makes, as a multiple of the rated capacity: health believes 100.
	fastest = 95.0
)

// Battery is what an owner has to know of the simulated packs to judge their readings. Streams that are sped up discharge faster than C/2:
// with a speed-up of X, Battery(X).MaxRateMilliC admits their discharges.
func Battery(speedUp float64) health.Battery {
	return health.Battery{
		RatedMicroAh: ratedMilliampHours * 1000, LowMicroV: cells * lowCellMicroV, HighMicroV: cells * highCellMicroV,
		MaxVoltageMicroV: 450_000_000, MaxRateMilliC: int64(min(100_000, max(500, 500*speedUp))),
	}
}

// StreamOptions say how a device's readings run.
type StreamOptions struct {
	// SpeedUp multiplies currents, and so divides the time that a cycle takes, while clocks stay true; 1 if it is 0.
	SpeedUp float64
}

func (o StreamOptions) speedUp() (float64, error) {
	switch {
	case o.SpeedUp == 0:
		return 1, nil
	case o.SpeedUp < 0.1 || o.SpeedUp > 1000:
		return 0, fmt.Errorf("speed-up %g: must be 0.1 to 1000", o.SpeedUp)
	}
	return o.SpeedUp, nil
}

// device finds device i, with randomness of its own for a stream, which leaves that of its ageing alone.
func (f *Fleet) device(i int) (*device, *rand.Rand, error) {
	if i < 0 || i >= len(f.devices) {
		return nil, nil, fmt.Errorf("device %d is not one of %d", i, len(f.devices))
	}
	source := f.devices[i].source
	return &f.devices[i], rand.New(rand.NewPCG(source.Uint64(), source.Uint64())), nil
}

// longestStep bounds what a device does between two readings: while nobody reads a stream, its device stands still.
const longestStep = 2 * time.Minute

// elapsed is how many µs passed since the last reading, 0 before the first.
func elapsed(last, at time.Time) int64 {
	if last.IsZero() {
		return 0
	}
	return min(max(0, at.Sub(last)), longestStep).Microseconds()
}

package health_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/assay-net/assay/datahub/health"
)

// A file of cycles holds what was measured in each discharge.
func ExampleImport() {
	const file = `Cycle,Capacity(Ah),Temperature(C),SampleId
1,1.98,31.5,B0005
2,1.97,,B0005
3,1.96,33.0,B0005
`
	result, err := health.Import(context.Background(), strings.NewReader(file), health.Options{
		Format:  health.Cycles,
		Battery: health.Battery{RatedMicroAh: 2_000_000},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range result.Cells {
		fmt.Println(c.ID, c.Cycle, c.Record)
	}
	for _, i := range result.Issues {
		fmt.Println(i)
	}
	// Output:
	// B0005 3 [1 9800 20 0 1960 0 730 0]
	// line 3, "temperature": value is missing; the row is left out
	// line 4, "cycle": 1 cycles of B0005 are missing before this one; used; full cycles and age do not count the missing ones
}

// A Tracker derives the records of a fleet's devices, epoch by epoch.
func ExampleTracker() {
	tracker, err := health.NewTracker(health.TrackerOptions{
		Schema:    "battery/v1",
		Battery:   health.Battery{RatedMicroAh: 1_000_000, LowMicroV: 3_000_000, HighMicroV: 4_200_000},
		EpochZero: 1_780_000_000, EpochSeconds: 86_400,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	device := [32]byte{1}
	for i, r := range fullDrive().readings { // one reading a frame
		r.TimeMicros += 1_780_000_000_000_000
		if err := tracker.Add(device, uint64(i+1), []health.Reading{r}); err != nil {
			fmt.Println(err)
			return
		}
	}
	tracker.EpochEnd(0)
	h, err := tracker.Derive(device, 0)
	fmt.Println(h.Record, err)
	_, err = tracker.Derive(device, 1)
	fmt.Println(err)
	// Output:
	// [1 9040 9 0 904 0 655 0] <nil>
	// no reading of the epoch has been taken
}

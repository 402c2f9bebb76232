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

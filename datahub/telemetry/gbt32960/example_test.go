package gbt32960_test

import (
	"bytes"
	"fmt"
	"log"
	"time"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/gbt32960"
)

// A gateway makes frames of a reading, and a platform reads them from a stream.
func Example() {
	id, err := gbt32960.NewID("TESTVN00000000001")
	if err != nil {
		log.Fatal(err)
	}
	reports, err := gbt32960.Reports(gbt32960.Edition2025, telemetry.Reading{
		TimeMicros:    time.Date(2025, 6, 1, 4, 0, 0, 0, time.UTC).UnixMicro(),
		VoltageMicroV: health.Known(398_400_000),
		CurrentMicroA: health.Known(-12_500_000), // discharges
		CellsMicroV:   []health.Measured{health.Known(3_320_000), {}, health.Known(3_318_000)},
	})
	if err != nil {
		log.Fatal(err)
	}
	var stream bytes.Buffer
	for _, r := range reports {
		f, err := gbt32960.NewFrame(gbt32960.Edition2025, gbt32960.RealTime, gbt32960.IsCommand, id, r)
		if err != nil {
			log.Fatal(err)
		}
		b, err := f.Encode()
		if err != nil {
			log.Fatal(err)
		}
		stream.Write(b)
	}

	in := gbt32960.NewReader(&stream)
	f, err := in.Next()
	if err != nil {
		log.Fatal(err)
	}
	readings, issues, err := gbt32960.Readings(f)
	if err != nil {
		log.Fatal(err)
	}
	r := readings[0]
	fmt.Println(f)
	fmt.Println(time.UnixMicro(r.TimeMicros).UTC(), r.CurrentMicroA.Value, r.LowestCellMicroV.Value, len(r.CellsMicroV))
	fmt.Println(issues)
	// Output:
	// GB/T 32960.3-2025 command 02 reply FE, no encryption, 51 bytes
	// 2025-06-01 04:00:00 +0000 UTC -12500000 3318000 3
	// [cells: 1 of 3 are invalid, abnormal or outside their range, left out]
}

package device

import (
	"fmt"
	"runtime"
	"sync"
)

// NewFleet makes n devices of one kind, with serials c.Serial-000000, c.Serial-000001 and so on. Keys and certificates
// are drawn on as many goroutines as GOMAXPROCS.
func NewFleet(maker *Maker, c Config, n int) ([]*Device, error) {
	if n < 0 {
		return nil, fmt.Errorf("making a fleet of %d devices", n)
	}
	devices, errs := make([]*Device, n), make([]error, n)
	workers := min(runtime.GOMAXPROCS(0), n)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				each := c
				each.Serial = fmt.Sprintf("%s-%06d", c.Serial, i)
				devices[i], errs[i] = New(maker, each)
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return devices, nil
}

package localnet

import (
	"context"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/loopback"
)

// listener is a port of a process and what it is for.
type listener struct {
	purpose string
	port    int
}

// portPatience is how long a port may stay taken by a process that has just been killed: the kernel takes its threads apart one by one.
const portPatience = 3 * time.Second

// awaitFree reports the first port that somebody else listens on. The ports of a network are in its channel's configuration, so there is no choosing others.
func awaitFree(ctx context.Context, within time.Duration, process string, listeners []listener) error {
	patience, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for _, l := range listeners {
		for !loopback.Free(l.port) {
			if pause(patience) == nil {
				continue
			}
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("starting %s: %w", process, err)
			}
			return fmt.Errorf("starting %s: port %d, its %s, is taken by another process: stop that process, or destroy this network and make a new one",
				process, l.port, l.purpose)
		}
	}
	return nil
}

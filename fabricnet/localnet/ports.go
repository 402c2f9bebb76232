package localnet

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	// Below the range that Linux takes ports of outgoing connections from, so that a port stays free while its process is down.
	firstPort = 20_000
	lastPort  = 32_000
	portTries = 2_000
)

// choosePorts picks n distinct ports that nothing listens on now.
func choosePorts(n int) ([]int, error) {
	taken := make(map[int]bool, n)
	ports := make([]int, 0, n)
	for range portTries {
		if len(ports) == n {
			return ports, nil
		}
		r, err := rand.Int(rand.Reader, big.NewInt(lastPort-firstPort+1))
		if err != nil {
			return nil, fmt.Errorf("choosing a port: %w", err)
		}
		port := firstPort + int(r.Int64())
		if !taken[port] && free(port) {
			taken[port] = true
			ports = append(ports, port)
		}
	}
	return nil, fmt.Errorf("found only %d of %d free ports between %d and %d", len(ports), n, firstPort, lastPort)
}

func free(port int) bool {
	l, err := net.Listen("tcp", address(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

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
		for !free(l.port) {
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

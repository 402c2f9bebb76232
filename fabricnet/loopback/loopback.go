// Package loopback finds ports on 127.0.0.1 for processes that are started on this machine.
//
// A port is free when it is looked at, and not reserved. It is below the range that Linux takes ports of outgoing connections from, so that it stays free while its
// process is down; only a process that listens there on purpose can take it.
package loopback

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net"
	"strconv"
)

// First and Last are the ports that are picked.
const (
	First = 20_000
	Last  = 32_000
)

const (
	host  = "127.0.0.1"
	tries = 2_000
)

// Ports picks n distinct ports that nothing listens on now.
func Ports(n int) ([]int, error) {
	taken := make(map[int]bool, n)
	ports := make([]int, 0, n)
	for range tries {
		if len(ports) == n {
			return ports, nil
		}
		r, err := rand.Int(rand.Reader, big.NewInt(Last-First+1))
		if err != nil {
			return nil, fmt.Errorf("choosing a port: %w", err)
		}
		port := First + int(r.Int64())
		if !taken[port] && Free(port) {
			taken[port] = true
			ports = append(ports, port)
		}
	}
	return nil, fmt.Errorf("found only %d of %d free ports between %d and %d", len(ports), n, First, Last)
}

// FreeAddress is an address with one such port.
func FreeAddress() (string, error) {
	ports, err := Ports(1)
	if err != nil {
		return "", err
	}
	return Address(ports[0]), nil
}

// Free says whether nothing listens on a port now.
func Free(port int) bool {
	l, err := net.Listen("tcp", Address(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// Address is a port's address.
func Address(port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }

package gateway

import (
	"fmt"
	"time"
)

const (
	// maxHeaders bounds a request's headers, and maxPath its path and parameters.
	maxHeaders = 16 << 10
	maxPath    = 4 << 10
	// maxAnswer bounds a message from the server behind REST, which is the node itself.
	maxAnswer = 64 << 20
	// maxStreams bounds the calls under way on one connection of gRPC, window what of each may arrive before it is read.
	maxStreams = 64
	window     = 256 << 10
	// maxCertificates bounds the bytes of a client's certificates.
	maxCertificates = 32 << 10
	// A body of more than largeBody is one of those of which at most largeBodies are taken at a time.
	largeBody   = 128 << 10
	largeBodies = 8
)

// Bounds are those of connections and time, for each listener. The zero value of a field is its default.
type Bounds struct {
	// Connections is how many there may be at one time (1024), PerHost how many of them from one host (128): an IPv4 address, or an IPv6 network of /64.
	Connections, PerHost int
	// Headers bounds a handshake, and a request's headers (10 s); Body its body (30 s); Write each write of an answer (30 s).
	Headers, Body, Write time.Duration
	// Idle is how long a connection may be of no use (2 min), Age how long it may last at all; calls under way may take as long again (1 h).
	Idle, Age time.Duration
	// Stop is how long calls may still take when the gateway ends (5 s).
	Stop time.Duration
}

func (b *Bounds) complete() error {
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{{"connections", &b.Connections, 1024}, {"per_host", &b.PerHost, 128}} {
		if *n.value < 0 || *n.value > 1_000_000 {
			return fmt.Errorf("bounds: %s is %d, must be 1 to 1000000", n.name, *n.value)
		}
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"headers", &b.Headers, 10 * time.Second}, {"body", &b.Body, 30 * time.Second}, {"write", &b.Write, 30 * time.Second},
		{"idle", &b.Idle, 2 * time.Minute}, {"age", &b.Age, time.Hour}, {"stop", &b.Stop, 5 * time.Second},
	} {
		if *d.value < 0 || *d.value > 24*time.Hour {
			return fmt.Errorf("bounds: %s is %s, must be more than nothing and at most 24h", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	return nil
}
